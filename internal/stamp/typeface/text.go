package typeface

import (
	"fmt"

	"golang.org/x/text/unicode/norm"
)

// MissingGlyphError: a text has a character the font cannot draw.
type MissingGlyphError struct {
	Rune rune   // the character
	Text string // the text it stands in, in NFC
}

// Error names the character and its code point.
func (e *MissingGlyphError) Error() string {
	return fmt.Sprintf("no glyph for %q (U+%04X)", e.Rune, e.Rune)
}

// Run is a line of text as glyphs, in reading order.
type Run []Drawn

// Drawn is one character of a Run.
type Drawn struct {
	Rune  rune
	Glyph GlyphID
	// Advance is in thousandths of the font size, the unit of PDF text space
	// (ISO 32000-2 §9.2.4).
	Advance float64
}

// Shape turns text, normalised to NFC, into glyphs, one per character. A character the font
// lacks gives a *MissingGlyphError.
func (f *Face) Shape(text string) (Run, error) {
	text = norm.NFC.String(text)
	run := make(Run, 0, len(text))
	for _, r := range text {
		g, ok := f.Glyph(r)
		if !ok {
			return nil, &MissingGlyphError{Rune: r, Text: text}
		}
		run = append(run, Drawn{r, g, f.Thousandths(f.Advance(g))})
	}
	return run, nil
}

// Width returns the length of the run at a font size, in the unit of the size.
func (r Run) Width(size float64) float64 {
	var sum float64
	for _, d := range r {
		sum += d.Advance
	}
	return sum * size / 1000
}

// Thousandths converts font units to thousandths of the em.
func (f *Face) Thousandths(units int) float64 {
	return float64(units) * 1000 / float64(f.UnitsPerEm)
}
