package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
)

func TestMain(m *testing.M) {
	confine.Main(intake.Tasks(), verify.Tasks, picture.Tasks())
	testscript.Main(m, map[string]func(){"saoy": main})
}

// TestCommands runs the scripts beside it against the real commands: real server, real
// signatures, real files.
func TestCommands(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			// The compiled renderer is the same in every script.
			e.Setenv("HOME", e.WorkDir)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"scan": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(writeScan(ts.MkAbs(args[0]))) },
			"field": func(ts *testscript.TestScript, _ bool, args []string) {
				ts.Check(setField(ts, args[0], args[1], args[2]))
			},
			"flip": func(ts *testscript.TestScript, _ bool, args []string) { ts.Check(flipByte(ts.MkAbs(args[0]), args[1])) },
		},
		Condition: func(cond string) (bool, error) {
			name, ok := strings.CutPrefix(cond, "tool:")
			if !ok {
				return false, fmt.Errorf("unknown condition %s", cond)
			}
			_, err := exec.LookPath(name)
			if err != nil && os.Getenv("SAOY_REQUIRE") == "all" {
				return false, fmt.Errorf("%s is required", name)
			}
			return err == nil, nil
		},
	})
}

// setField sets a variable of the script to a member of the JSON object in a file, or of what
// the last command printed.
func setField(ts *testscript.TestScript, file, member, variable string) error {
	var object map[string]any
	if err := json.Unmarshal([]byte(ts.ReadFile(file)), &object); err != nil {
		return err
	}
	ts.Setenv(variable, fmt.Sprint(object[member]))
	return nil
}

// writeScan makes something like a scanned page: A4 at 200 dpi, paper with lines of "text".
// The name decides the format and seeds the content.
func writeScan(path string) error {
	b, err := encodeScan(filepath.Ext(path), uint64(len(path)))
	if err != nil {
		return err
	}
	return os.WriteFile(path, b, 0o600)
}

func encodeScan(ext string, seed uint64) ([]byte, error) {
	const width, height = 1654, 2339
	r := rand.New(rand.NewPCG(seed, 1))
	page := image.NewGray(image.Rect(0, 0, width, height))
	for i := range page.Pix {
		page.Pix[i] = 245 + uint8(r.IntN(8))
	}
	for line := 200; line < 1500; line += 60 {
		for x := 150; x < width-150; x += 4 {
			if r.IntN(5) > 1 {
				for y := line; y < line+10+r.IntN(16); y++ {
					page.SetGray(x, y, color.Gray{Y: uint8(r.IntN(60))})
					page.SetGray(x+1, y, color.Gray{Y: uint8(r.IntN(60))})
				}
			}
		}
	}
	var b bytes.Buffer
	var err error
	switch ext {
	case ".png":
		err = png.Encode(&b, page)
	default:
		err = jpeg.Encode(&b, page, &jpeg.Options{Quality: 75})
	}
	return b.Bytes(), err
}

// flipByte changes one byte in the middle of the first file that matches a pattern below dir.
func flipByte(dir, pattern string) error {
	var found string
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if ok, _ := filepath.Match(pattern, d.Name()); err == nil && ok && !d.IsDir() && found == "" {
			found = path
		}
		return err
	})
	if err != nil || found == "" {
		return fmt.Errorf("nothing matches %s below %s: %w", pattern, dir, err)
	}
	b, err := os.ReadFile(found)
	if err != nil {
		return err
	}
	b[len(b)/2] ^= 0x10
	if err := os.Chmod(found, 0o600); err != nil {
		return err
	}
	return os.WriteFile(found, b, 0o600)
}
