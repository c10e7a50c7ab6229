package main

import (
	"math"
	"os"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/signer/pades"
)

// appearanceFlags say what is seen in the place of a signature.
type appearanceFlags struct {
	Image string    `help:"PNG or JPEG that shows in the place of the signature." placeholder:"FILE"`
	Text  []string  `help:"Line of text that shows there, beside the image if there is one; may be repeated." sep:"none" placeholder:"LINE"`
	Page  int       `help:"Page of a visible signature, from 1." default:"1"`
	Rect  []float64 `help:"Place on the page as it is seen, in points from its lower left corner." placeholder:"x0,y0,x1,y1"`
}

// set writes them into the options of a signature.
func (a appearanceFlags) set(o *pades.Options) error {
	visible := a.Image != "" || len(a.Text) > 0
	if len(a.Rect) != 0 && copy(o.Rect[:], a.Rect) != len(o.Rect) || visible && len(a.Rect) == 0 || len(a.Rect) > len(o.Rect) {
		return certcopy.Errorf(certcopy.Invalid, "--rect", nil, certcopy.Msg(
			"Vị trí chữ ký gồm bốn số: --rect x0,y0,x1,y1 (điểm, từ góc dưới bên trái trang).",
			"A place is four numbers: --rect x0,y0,x1,y1 (points, from the page's lower left corner)."))
	}
	o.Page = a.Page - 1
	var picture *pades.Image
	if a.Image != "" {
		data, err := os.ReadFile(a.Image)
		if err != nil {
			return certcopy.Errorf(certcopy.NotFound, a.Image, err, certcopy.Msg("Không đọc được ảnh chữ ký.", "The image cannot be read."))
		}
		picture = &pades.Image{Data: data}
		o.Appearance = *picture
	}
	if len(a.Text) > 0 {
		face, err := typeface.Tinos(typeface.Regular)
		if err != nil {
			return err
		}
		o.Appearance = pades.Text{Lines: a.Text, Typeface: tinos{face}, Picture: picture}
	}
	return nil
}

// tinos is the built-in face as the signer wants it.
type tinos struct{ face *typeface.Face }

var _ pades.Typeface = tinos{}

// Shape returns the glyphs of a line.
func (t tinos) Shape(line string) ([]pades.Glyph, error) {
	run, err := t.face.Shape(line)
	if err != nil {
		return nil, err
	}
	glyphs := make([]pades.Glyph, len(run))
	for i, d := range run {
		glyphs[i] = pades.Glyph{ID: uint16(d.Glyph), Rune: d.Rune, Advance: math.Round(t.face.Thousandths(t.face.Advance(d.Glyph)))}
	}
	return glyphs, nil
}

// Subset returns the font program of some glyphs.
func (t tinos) Subset(ids []uint16) ([]byte, error) {
	glyphs := make([]typeface.GlyphID, len(ids))
	for i, id := range ids {
		glyphs[i] = typeface.GlyphID(id)
	}
	return t.face.Subset(glyphs)
}

// Metrics of the face.
func (t tinos) Metrics() pades.Metrics {
	em := func(units int) int { return int(math.Round(t.face.Thousandths(units))) }
	m := pades.Metrics{Name: strings.ReplaceAll(t.face.Name, " ", ""), Serif: true, StemV: 80, ItalicAngle: t.face.ItalicAngle,
		Ascent: em(t.face.Ascent), Descent: em(t.face.Descent), CapHeight: em(t.face.CapHeight)}
	for i, v := range t.face.Box {
		m.Box[i] = em(v)
	}
	return m
}
