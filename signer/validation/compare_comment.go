package validation

import (
	"slices"
	"strconv"

	"github.com/saoy/saoy/signer/pdf"
)

// comments that mark or remark and cannot hide what they lie on, as long as they bring no
// appearance of their own.
var comments = []pdf.Name{"Text", "Popup", "Highlight", "Underline", "Squiggly", "StrikeOut", "Caret"}

// activeKeys may not occur in a comment: they act, or hide.
var activeKeys = []pdf.Name{"A", "AA", "OC", "Dest"}

// maxIcon is the side of the largest note icon, in points.
const maxIcon = 48

// harmlessComment reports whether a new annotation cannot hide the page: notes as small as
// an icon, and text mark-up whose appearance, if it has one, only draws lines or multiplies
// its colour with the page.
func (c *comparer) harmlessComment(d pdf.Dict) (bool, error) {
	kind := d.Name("Subtype")
	if !slices.Contains(comments, kind) || slices.ContainsFunc(activeKeys, d.Has) {
		return false, nil
	}
	shown, err := c.shows(d)
	if err != nil || !shown {
		return err == nil, err
	}
	switch kind {
	case "Text", "Caret":
		w, h, err := c.extent(d)
		return w <= maxIcon && h <= maxIcon, err
	case "Popup":
		return false, nil
	}
	return c.translucent(d)
}

// translucent reports whether the appearance of a text mark-up lets the page through: its
// resources hold no image, form or font, and a fill is multiplied with what lies below.
func (c *comparer) translucent(d pdf.Dict) (bool, error) {
	ap, _, err := c.new.dict(d.Get("AP"))
	if err != nil {
		return false, err
	}
	if ap.Has("R") || ap.Has("D") {
		return false, nil
	}
	o, err := c.new.get(ap.Get("N"))
	if err != nil {
		return false, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return false, nil
	}
	multiply, plain, err := c.blends(s.Dict.Get("Resources"))
	if err != nil || !plain {
		return false, err
	}
	body, err := c.new.r.Decode(s)
	if err != nil {
		return false, nil //nolint:nilerr // what cannot be read may hide anything
	}
	fills, other := operators(body)
	return !other && (!fills || multiply), nil
}

// blends reports whether every graphics state of the resources multiplies, and whether the
// resources hold nothing but graphics states.
func (c *comparer) blends(o pdf.Object) (multiply, plain bool, err error) {
	res, _, err := c.new.dict(o)
	if err != nil {
		return false, false, err
	}
	for _, e := range res {
		if e.Key != "ExtGState" && e.Key != "ProcSet" {
			return false, false, nil
		}
	}
	states, _, err := c.new.dict(res.Get("ExtGState"))
	if err != nil {
		return false, false, err
	}
	multiply = len(states) > 0
	for _, e := range states {
		gs, _, err := c.new.dict(e.Value)
		if err != nil {
			return false, false, err
		}
		multiply = multiply && gs.Name("BM") == "Multiply"
	}
	return multiply, true, nil
}

// operators looks through a content stream for fills, and for anything else that could
// cover: text, images, forms, shadings and wide lines.
func operators(body []byte) (fills, other bool) {
	l := lexer{b: body}
	var number float64
	for {
		l.space()
		if l.i >= len(l.b) {
			return fills, other
		}
		from := l.i
		if c := l.b[l.i]; c == '/' || c == '(' || c == '[' || c == '<' {
			if l.value(0) != nil {
				return fills, true
			}
			continue
		}
		l.regular()
		if l.i == from {
			return fills, true
		}
		switch op := string(l.b[from:l.i]); op {
		case "f", "F", "f*", "B", "B*", "b", "b*":
			fills = true
		case "w":
			other = other || number > maxLine
		case "q", "Q", "cm", "gs", "m", "l", "c", "v", "y", "h", "re", "S", "s", "n", "W", "W*", "J", "j", "M", "d",
			"g", "G", "rg", "RG", "k", "K", "i", "ri":
		default:
			if !isNumber(op) {
				return fills, true
			}
			number = parseNumber(op)
		}
	}
}

// maxLine is the widest line, in units of the appearance, that is not taken for a cover.
const maxLine = 4

func parseNumber(s string) float64 {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		return 0
	}
	return f
}
