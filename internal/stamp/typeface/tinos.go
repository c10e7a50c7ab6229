package typeface

import (
	"embed"
	"fmt"
	"sync"
)

//go:embed fonts/*.ttf fonts/OFL.txt
var files embed.FS

// Style chooses one of the embedded faces.
type Style int

// The styles.
const (
	Regular Style = iota
	Bold
	Italic
)

var styleFiles = [...]string{Regular: "Tinos-Regular.ttf", Bold: "Tinos-Bold.ttf", Italic: "Tinos-Italic.ttf"}

// tinos parses the embedded fonts once.
var tinos = sync.OnceValues(func() (map[Style]*Face, error) {
	faces := make(map[Style]*Face, len(styleFiles))
	for style, name := range styleFiles {
		b, err := files.ReadFile("fonts/" + name)
		if err != nil {
			return nil, err
		}
		if faces[Style(style)], err = Parse(b); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return faces, nil
})

// Tinos returns the embedded face of a style.
func Tinos(s Style) (*Face, error) {
	faces, err := tinos()
	if err != nil {
		return nil, err
	}
	if f, ok := faces[s]; ok {
		return f, nil
	}
	return nil, fmt.Errorf("%w: no style %d", ErrFont, s)
}
