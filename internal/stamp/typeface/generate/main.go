// Command generate reduces the fonts of Debian's package fonts-croscore to the characters
// that package typeface needs, for its go:generate.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/saoy/saoy/internal/stamp/typeface"
)

func main() {
	from := flag.String("from", "", "directory of the whole fonts")
	to := flag.String("to", "", "directory of the reduced fonts")
	flag.Parse()
	for _, name := range []string{"Tinos-Regular.ttf", "Tinos-Bold.ttf", "Tinos-Italic.ttf"} {
		if err := reduce(filepath.Join(*from, name), filepath.Join(*to, name)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
}

func reduce(from, to string) error {
	whole, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	face, err := typeface.Parse(whole)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	reduced, err := face.Reduce(typeface.Characters())
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	return os.WriteFile(to, reduced, 0o600) // a developer names the directory on the command line
}
