package pades

import (
	"errors"
	"fmt"
	"strings"

	"github.com/saoy/saoy/signer/pdf"
)

// ErrText: the text of an appearance has a character without a glyph, or does not fit.
var ErrText = errors.New("text cannot be used as an appearance")

// Sizes of the letters of a Text, in points.
const (
	LargestText  = 12.0
	SmallestText = 4.0
)

// Text is an appearance of lines of text, beside a picture if there is one. The letters are
// as large as fit, between SmallestText and LargestText; a line that is too long is broken
// between words.
type Text struct {
	Lines    []string
	Typeface Typeface
	// Picture stands to the left, in a square as high as the place but at most two fifths as
	// wide.
	Picture *Image
}

// Draw embeds what the text needs of the typeface, and places text and picture.
func (t Text) Draw(u *pdf.Update, width, height float64) ([]byte, pdf.Dict, error) {
	const padding = 2
	var content []byte
	var resources pdf.Dict
	left := float64(padding)
	if t.Picture != nil {
		side := min(height, width*2/5)
		drawn, own, err := t.Picture.Draw(u, side, height)
		if err != nil {
			return nil, nil, err
		}
		content, resources = append(content, drawn...), own
		left += side
	}
	f := newFont(t.Typeface)
	size, lines, err := t.fit(width-left-padding, height-2*padding)
	if err != nil {
		return nil, nil, err
	}
	block := float64(len(lines)) * size * lineHeight
	y := (height+block)/2 - size // the first line's letters stand below the top of the block
	content = fmt.Appendf(content, "q BT 0 g /F0 %.2f Tf\n", size)
	for _, line := range lines {
		content = fmt.Appendf(content, "1 0 0 1 %.2f %.2f Tm <%X> Tj\n", left, y, f.encode(line))
		y -= size * lineHeight
	}
	content = append(content, "ET Q\n"...)
	ref, err := f.embed(u)
	if err != nil {
		return nil, nil, err
	}
	resources.Set("Font", pdf.Dict{pdf.E("F0", ref)})
	return content, resources, nil
}

// lineHeight is the distance of lines in ems.
const lineHeight = 1.2

// fit returns the largest size at which the lines fit, and how they are broken then.
func (t Text) fit(width, height float64) (float64, [][]Glyph, error) {
	words, err := t.words()
	if err != nil {
		return 0, nil, err
	}
	space, err := t.Typeface.Shape(" ")
	if err != nil {
		return 0, nil, fmt.Errorf("%w: %w", ErrText, err)
	}
	for size := LargestText; size >= SmallestText; size -= 0.5 {
		if lines, ok := breakLines(words, space, width/size*1000); ok && float64(len(lines))*size*lineHeight <= height {
			return size, lines, nil
		}
	}
	return 0, nil, fmt.Errorf("%w: it does not fit %.0f × %.0f points at %.0f points a letter", ErrText, width, height, SmallestText)
}

// words returns the words of each line as glyphs.
func (t Text) words() ([][][]Glyph, error) {
	if t.Typeface == nil {
		return nil, fmt.Errorf("%w: a Text needs a Typeface", ErrOptions)
	}
	all := make([][][]Glyph, len(t.Lines))
	for i, line := range t.Lines {
		for word := range strings.FieldsSeq(line) {
			glyphs, err := t.Typeface.Shape(word)
			if err != nil {
				return nil, fmt.Errorf("%w: %w", ErrText, err)
			}
			all[i] = append(all[i], glyphs)
		}
	}
	return all, nil
}

// breakLines breaks each line between its words; it fails if a word is too long. Widths are
// in thousandths of the em.
func breakLines(lines [][][]Glyph, space []Glyph, width float64) ([][]Glyph, bool) {
	var out [][]Glyph
	for _, words := range lines {
		var line []Glyph
		for _, word := range words {
			switch {
			case advance(word) > width:
				return nil, false
			case line == nil:
				line = append(line, word...)
			case advance(line)+advance(space)+advance(word) > width:
				out = append(out, line)
				line = append([]Glyph(nil), word...)
			default:
				line = append(append(line, space...), word...)
			}
		}
		out = append(out, line)
	}
	return out, true
}

func advance(line []Glyph) float64 {
	sum := 0.0
	for _, g := range line {
		sum += g.Advance
	}
	return sum
}
