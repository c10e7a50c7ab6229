package validation

import (
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// comments that mark or remark and cannot hide what they lie on, as long as they bring no
// appearance of their own.
var comments = []pdf.Name{"Text", "Popup", "Highlight", "Underline", "Squiggly", "StrikeOut", "Caret"}

// activeKeys may not occur in a comment: they act, or hide.
var activeKeys = []pdf.Name{"A", "AA", "OC", "Dest"}

// Notes are drawn as icons.
const (
	maxIcon  = 32   // side of the largest, in points
	maxIcons = 0.05 // share of the page under all of them
)

// harmlessComment reports whether a new annotation cannot hide the page: notes as small as
// an icon, and text mark-up whose appearance, if it has one, only draws lines or multiplies
// light colours with the page.
func (c *comparer) harmlessComment(d pdf.Dict) (bool, error) {
	kind := d.Name("Subtype")
	if !slices.Contains(comments, kind) || slices.ContainsFunc(activeKeys, d.Has) {
		return false, nil
	}
	if kind == "Text" || kind == "Caret" {
		return c.icon(d)
	}
	if dark, err := c.darkMark(d); err != nil || dark {
		return false, err
	}
	shown, err := c.shows(d)
	if err != nil || !shown {
		return err == nil, err
	}
	if kind == "Popup" {
		return false, nil
	}
	return c.translucent(d)
}

// icon reports whether a note is small, and all notes of the page together are. Some readers
// draw the icon as large as the rectangle, whether it has an appearance or not.
func (c *comparer) icon(d pdf.Dict) (bool, error) {
	unseen, err := c.unseen(d)
	if err != nil || unseen {
		return err == nil, err
	}
	r, err := c.rect(d.Get("Rect"))
	if err != nil || r == nil || c.box == nil {
		return false, err
	}
	c.icons += area(*r)
	return r[2]-r[0] <= maxIcon && r[3]-r[1] <= maxIcon && c.icons <= maxIcons*area(*c.box), nil
}

// darkMark reports whether a highlight that readers draw themselves would blacken the text.
func (c *comparer) darkMark(d pdf.Dict) (bool, error) {
	if d.Name("Subtype") != "Highlight" || !d.Has("C") {
		return false, nil
	}
	a, err := c.new.array(d.Get("C"))
	if err != nil {
		return false, err
	}
	var parts []float64
	for _, o := range a {
		o, err := c.new.get(o)
		if err != nil {
			return false, err
		}
		f, _ := pdf.Float(o)
		parts = append(parts, f)
	}
	return len(parts) > 0 && !light(parts), nil
}

// translucent reports whether the appearance of a text mark-up lets the page through.
func (c *comparer) translucent(d pdf.Dict) (bool, error) {
	ap, _, err := c.new.dict(d.Get("AP"))
	if err != nil || ap.Has("R") || ap.Has("D") {
		return false, err
	}
	o, err := c.new.get(ap.Get("N"))
	if err != nil {
		return false, err
	}
	s, ok := o.(*pdf.Stream)
	if !ok {
		return false, nil
	}
	r, err := c.rect(d.Get("Rect"))
	if err != nil || r == nil {
		return false, err
	}
	box, err := c.rect(s.Dict.Get("BBox"))
	if err != nil || box == nil || area(*box) <= 0 {
		return false, err
	}
	p := painter{c: c, scale: max((r[2]-r[0])/(box[2]-box[0]), (r[3]-r[1])/(box[3]-box[1]))}
	ok, err = p.form(s, blend{})
	return ok && p.inked <= maxInk*area(*box), err
}
