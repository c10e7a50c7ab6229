package validation

import (
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// annotations compares the list of a page. Those of the signed revision must be there in
// their order; what comes new must be a signature's widget, or a comment where comments
// are allowed.
func (c *comparer) annotations(o, n pdf.Object, where *trail) error {
	before, err := c.old.array(o)
	if err != nil {
		return err
	}
	after, err := c.new.array(n)
	if err != nil {
		return err
	}
	i := 0
	var added pdf.Array
	for _, a := range after {
		if i < len(before) && sameSlot(before[i], a) {
			if err := c.annotation(before[i], a, where.at(i)); err != nil {
				return err
			}
			i++
			continue
		}
		added = append(added, a)
	}
	if i < len(before) {
		c.disallow(both{"chú thích hoặc trường bị gỡ khỏi trang (%s)", "annotations or fields were removed from a page (%s)"}.with(where.String()))
	}
	for _, a := range added {
		if err := c.newAnnotation(a, where); err != nil {
			return err
		}
	}
	return nil
}

// annotation compares one that was there. Widgets of fields were compared with their field.
func (c *comparer) annotation(o, n pdf.Object, where *trail) error {
	if ref, ok := n.(pdf.Ref); ok && c.seenFields[ref] {
		return c.overlay(ref, where)
	}
	before, _, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if !ok {
		return c.mustEqual(o, n, true, where)
	}
	for _, key := range unionKeys(before, after) {
		if c.may.docmdp == mdpComments && (key == "Popup" || key == "M") {
			continue
		}
		if key == "P" && c.pageNamed(before, after) {
			continue
		}
		if err := c.mustEqual(valueOf(before, key), valueOf(after, key), draws(key), where.to(string(key))); err != nil {
			return err
		}
	}
	return nil
}

// pageNamed reports whether an annotation that did not name its page now does.
func (c *comparer) pageNamed(before, after pdf.Dict) bool {
	return !before.Has("P") && c.pages[after.Ref("P")]
}

// maxFill is the share of the page that may lie under one field filled or signed later.
const maxFill = 0.5

// overlay: a field prepared before signing to lie over the page shows something else once
// it is filled (shadow attack, overlay).
func (c *comparer) overlay(ref pdf.Ref, where *trail) error {
	s, ok := c.redrawn[ref]
	if !ok {
		return nil
	}
	d, _, err := c.new.dict(ref)
	if err != nil {
		return err
	}
	r, err := c.rect(d.Get("Rect"))
	if err != nil || r == nil {
		return err
	}
	if c.covers(*r) {
		c.disallow(both{"trường “%s” che nội dung đã ký", "field “%s” covers what was signed"}.with(s.name))
	}
	return nil
}

// draws reports whether what a key of a page, annotation or field leads to is drawn.
func draws(key pdf.Name) bool {
	return slices.Contains([]pdf.Name{"AP", "MK", "DR", "XFA", "Contents", "Resources", "Group"}, key)
}

func (c *comparer) newAnnotation(n pdf.Object, where *trail) error {
	ref, isRef := n.(pdf.Ref)
	if role, ok := c.newWidgets[ref]; isRef && ok {
		if role.shown && (c.may.docmdp != mdpNone || c.may.locked(role.field)) {
			c.disallow(both{"chữ ký “%s” thêm hình hiển thị lên tài liệu đã chứng nhận", "the signature “%s” adds something visible to a certified document"}.with(role.field))
		}
		return c.placement(ref, role, where)
	}
	if isRef && c.apart[ref] {
		c.disallow(describe(where.String()))
		return nil
	}
	d, _, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if c.may.docmdp == mdpComments {
		harmless, err := c.harmlessComment(d)
		if err != nil {
			return err
		}
		if harmless {
			c.allow(both{"nhận xét (%s)", "a comment (%s)"}.with(string(d.Name("Subtype"))))
			return nil
		}
	}
	c.disallow(both{"chú thích mới trên trang (%s)", "a new annotation on a page (%s)"}.with(string(d.Name("Subtype")) + " " + where.String()))
	return nil
}

// shows reports whether an annotation draws an appearance.
func (c *comparer) shows(d pdf.Dict) (bool, error) {
	if unseen, err := c.unseen(d); err != nil || unseen {
		return false, err
	}
	ap, _, err := c.new.dict(d.Get("AP"))
	if err != nil {
		return false, err
	}
	mk, _, err := c.new.dict(d.Get("MK"))
	if err != nil {
		return false, err
	}
	if ap.Has("R") || ap.Has("D") || len(mk) > 0 {
		return true, nil // shown when the pointer comes near, or drawn by the reader
	}
	normal, err := c.new.get(ap.Get("N"))
	if err != nil {
		return false, err
	}
	switch n := normal.(type) {
	case pdf.Dict:
		return len(n) > 0, nil
	case *pdf.Stream:
		return c.drawsSomething(n), nil
	}
	return false, nil
}

// unseen reports whether an annotation is neither viewed nor printed whatever it draws
// (ISO 32000-2 Table 167), or has no extent.
func (c *comparer) unseen(d pdf.Dict) (bool, error) {
	const hidden, print, noView, toggle = 1 << 1, 1 << 2, 1 << 5, 1 << 8
	f, err := c.new.get(d.Get("F"))
	if err != nil {
		return false, err
	}
	flags, _ := f.(pdf.Integer)
	if flags&hidden != 0 || flags&noView != 0 && flags&(print|toggle) == 0 {
		return true, nil
	}
	r, err := c.rect(d.Get("Rect"))
	if err != nil || r == nil {
		return !d.Has("Rect"), err // readers differ about four numbers that are none
	}
	return r[2] == r[0] || r[3] == r[1], nil
}

// drawsSomething reports whether a content stream has any operator; one that cannot be
// read is taken to draw.
func (c *comparer) drawsSomething(s *pdf.Stream) bool {
	if s.Len() == 0 {
		return false
	}
	body, err := c.new.r.Decode(s)
	if err != nil {
		return true
	}
	l := lexer{b: body}
	l.space()
	return l.i < len(body)
}

// rect reads a rectangle, lower left corner first; nil if it is none.
func (c *comparer) rect(o pdf.Object) (*[4]float64, error) {
	a, err := c.new.array(o)
	if err != nil || len(a) != 4 {
		return nil, err
	}
	var r [4]float64
	for i := range a {
		v, err := c.new.get(a[i])
		if err != nil {
			return nil, err
		}
		f, ok := pdf.Float(v)
		if !ok {
			return nil, nil
		}
		r[i] = f
	}
	return &[4]float64{min(r[0], r[2]), min(r[1], r[3]), max(r[0], r[2]), max(r[1], r[3])}, nil
}

// placement: a new visible signature may not cover the page, nor what was signed before.
func (c *comparer) placement(ref pdf.Ref, role widgetRole, where *trail) error {
	if !role.shown {
		return nil
	}
	d, _, err := c.new.dict(ref)
	if err != nil {
		return err
	}
	r, err := c.rect(d.Get("Rect"))
	if err != nil || r == nil {
		return err
	}
	covers := c.covers(*r)
	for _, s := range c.signedRects {
		covers = covers || overlap(*r, s)
	}
	if covers {
		c.disallow(both{"chữ ký mới “%s” che nội dung đã ký", "the new signature “%s” covers what was signed"}.with(role.field))
	}
	return nil
}

// covers adds a rectangle to what came over the page being compared, and reports whether
// that is too much by now: many small ones hide as much as a large one.
func (c *comparer) covers(r [4]float64) bool {
	c.covered += area(r)
	return c.box == nil || c.covered > maxFill*area(*c.box)
}

func area(r [4]float64) float64 { return (r[2] - r[0]) * (r[3] - r[1]) }

func overlap(a, b [4]float64) bool {
	return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3]
}

// frame notes the box of a page, what of it is seen, and where its signed widgets stand.
func (c *comparer) frame(page pdf.Dict) error {
	for _, key := range []pdf.Name{"MediaBox", "CropBox"} {
		if !page.Has(key) {
			continue
		}
		box, err := c.rect(page.Get(key))
		if err != nil {
			return err
		}
		if box != nil && area(*box) > 0 && (c.box == nil || area(*box) < area(*c.box)) {
			c.box = box
		}
	}
	c.signedRects, c.covered, c.icons = nil, 0, 0
	annots, err := c.old.array(page.Get("Annots"))
	if err != nil {
		return err
	}
	for _, a := range annots {
		d, ok, err := c.old.dict(a)
		if err != nil {
			return err
		}
		signed, err := c.signedField(d)
		if err != nil {
			return err
		}
		if !ok || !signed {
			continue
		}
		if r, err := c.rect(d.Get("Rect")); err != nil {
			return err
		} else if r != nil && area(*r) > 0 {
			c.signedRects = append(c.signedRects, *r)
		}
	}
	return nil
}

// signedField reports whether a widget belongs to a field that was signed already; the type
// and the value may stand in a parent (ISO 32000-2 §12.7.4.1).
func (c *comparer) signedField(d pdf.Dict) (bool, error) {
	var kind pdf.Object
	value := false
	for range maxParents {
		if d == nil {
			break
		}
		if kind == nil && d.Has("FT") {
			k, err := c.old.get(d.Get("FT"))
			if err != nil {
				return false, err
			}
			kind = k
		}
		value = value || d.Has("V")
		up, _, err := c.old.dict(d.Get("Parent"))
		if err != nil {
			return false, err
		}
		d = up
	}
	return kind == pdf.Name("Sig") && value, nil
}

// maxParents bounds the parents of a widget that are asked.
const maxParents = 32
