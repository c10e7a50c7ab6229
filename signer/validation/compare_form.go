package validation

import (
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// signatureFlags are the keys of /SigFlags (ISO 32000-2 Table 225); an update may set them.
const signatureFlags = 3

// fieldState is what a field passes on to its kids (ISO 32000-2 §12.7.4).
type fieldState struct {
	name   string
	kind   pdf.Name
	signed bool // the field was empty and now holds a signature
	filled bool // its value changed
	at     pdf.Object
}

// collect notes the pages, fields, annotations and structure elements of the signed revision,
// which are compared where they belong, so that a link to one from elsewhere is not followed.
func (c *comparer) collect(cat pdf.Dict) error {
	if err := c.collectPages(cat.Get("Pages"), 0); err != nil {
		return err
	}
	if root, ok, err := c.old.dict(cat.Get("StructTreeRoot")); err != nil {
		return err
	} else if ok {
		if ref, isRef := cat.Get("StructTreeRoot").(pdf.Ref); isRef {
			c.apart[ref] = true
		}
		if err := c.collectStructure(root.Get("K"), 1); err != nil {
			return err
		}
	}
	form, _, err := c.old.dict(cat.Get("AcroForm"))
	if err != nil {
		return err
	}
	return c.collectFields(form.Get("Fields"), 0)
}

func (c *comparer) collectFields(o pdf.Object, depth int) error {
	kids, err := c.old.array(o)
	if err != nil || depth > maxNesting {
		return err
	}
	for _, k := range kids {
		ref, ok := k.(pdf.Ref)
		if !ok || c.oldWidgets[ref] {
			continue
		}
		c.apart[ref], c.oldWidgets[ref] = true, true
		d, ok, err := c.old.dict(ref)
		if err != nil {
			return err
		}
		if ok {
			if err := c.collectFields(d.Get("Kids"), depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// form compares the interactive forms (ISO 32000-2 §12.7.3).
func (c *comparer) form(o, n pdf.Object, where *trail) error {
	before, _, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if !ok && len(before) > 0 {
		c.disallow(describe(where.String()))
		return nil
	}
	if _, twice := ambiguous(after); twice {
		c.disallow(describe(where.String()))
	}
	for _, key := range unionKeys(before, after) {
		if err := c.formKey(key, valueOf(before, key), valueOf(after, key), where.to(string(key))); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) formKey(key pdf.Name, o, n pdf.Object, where *trail) error {
	switch key {
	case "Fields":
		return c.fields(o, n, fieldState{}, where, 0)
	case "SigFlags":
		return c.flags(o, n, where)
	case "DR":
		return c.formResources(o, n, where)
	case "NeedAppearances":
		after, err := c.new.get(n)
		if err != nil {
			return err
		}
		if b, ok := after.(pdf.Boolean); !ok || !bool(b) {
			return nil // nothing is drawn anew
		}
	}
	return c.mustEqual(o, n, draws(key), where)
}

func (c *comparer) flags(o, n pdf.Object, where *trail) error {
	before, err := c.old.get(o)
	if err != nil {
		return err
	}
	after, err := c.new.get(n)
	if err != nil {
		return err
	}
	was, _ := before.(pdf.Integer)
	is, _ := after.(pdf.Integer)
	if is&was != was || is&^signatureFlags != 0 {
		c.disallow(describe(where.String()))
	}
	return nil
}

// formResources: resources for new appearances may be added; those that are there stay.
func (c *comparer) formResources(o, n pdf.Object, where *trail) error {
	before, _, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, _, err := c.new.dict(n)
	if err != nil {
		return err
	}
	for _, e := range before {
		kind, isDict, err := c.old.dict(e.Value)
		if err != nil {
			return err
		}
		if !isDict {
			if err := c.mustEqual(e.Value, valueOf(after, e.Key), true, where.to(string(e.Key))); err != nil {
				return err
			}
			continue
		}
		now, _, err := c.new.dict(after.Get(e.Key))
		if err != nil {
			return err
		}
		for _, r := range kind {
			at := where.to(string(e.Key)).to(string(r.Key))
			if err := c.mustEqual(r.Value, valueOf(now, r.Key), true, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// fields compares a list of fields or of the kids of one. Every old one must still be
// there; a new one must be a signature's.
func (c *comparer) fields(o, n pdf.Object, up fieldState, where *trail, depth int) error {
	if depth > maxNesting {
		return errTooComplex
	}
	before, err := c.old.array(o)
	if err != nil {
		return err
	}
	after, err := c.new.array(n)
	if err != nil {
		return err
	}
	left := slices.Clone(after)
	for i, f := range before {
		at := where.at(i)
		j := slices.IndexFunc(left, func(g pdf.Object) bool { return sameSlot(f, g) })
		if j < 0 {
			c.disallow(both{"một trường biểu mẫu bị gỡ (%s)", "a form field was removed (%s)"}.with(at.String()))
			continue
		}
		g := left[j]
		left = slices.Delete(left, j, j+1)
		if err := c.field(f, g, up, at, depth); err != nil {
			return err
		}
	}
	for _, g := range left {
		if err := c.newField(g, up, where, depth); err != nil {
			return err
		}
	}
	return nil
}

// sameSlot: two entries of a list are the same field if they are the same reference, or
// both stand there directly.
func sameSlot(o, n pdf.Object) bool {
	a, isRefA := o.(pdf.Ref)
	b, isRefB := n.(pdf.Ref)
	return isRefA == isRefB && (!isRefA || a == b)
}

func (c *comparer) field(o, n pdf.Object, up fieldState, where *trail, depth int) error {
	if ref, ok := n.(pdf.Ref); ok {
		if c.seenFields[ref] {
			return nil
		}
		c.seenFields[ref] = true
	}
	before, ok1, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok2, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if !ok1 || !ok2 {
		return c.mustEqual(o, n, true, where)
	}
	if _, twice := ambiguous(after); twice {
		c.disallow(describe(where.String()))
		return nil
	}
	state, err := c.stateOf(before, after, up)
	if err != nil {
		return err
	}
	state.at = n
	for _, key := range unionKeys(before, after) {
		if err := c.fieldKey(key, before, after, state, where.to(string(key)), depth); err != nil {
			return err
		}
	}
	return nil
}

// stateOf works out the full name and type of a field and what happened to its value.
func (c *comparer) stateOf(before, after pdf.Dict, up fieldState) (fieldState, error) {
	s := up
	if t, ok, err := textOf(c.old, before.Get("T")); err != nil {
		return s, err
	} else if ok {
		s.name = joinName(up.name, t)
	}
	if ft, err := c.old.get(before.Get("FT")); err != nil {
		return s, err
	} else if name, ok := ft.(pdf.Name); ok {
		s.kind = name
	}
	if !before.Has("V") && !after.Has("V") {
		return s, nil
	}
	same, _, err := c.same(valueOf(before, "V"), valueOf(after, "V"), true, &trail{key: "V"})
	if err != nil {
		return s, err
	}
	was, err := c.old.get(before.Get("V"))
	if err != nil {
		return s, err
	}
	_, empty := was.(pdf.Null)
	s.filled = s.filled || !same
	s.signed = !same && s.kind == "Sig" && empty
	return s, nil
}

func (c *comparer) fieldKey(key pdf.Name, before, after pdf.Dict, s fieldState, where *trail, depth int) error {
	o, n := valueOf(before, key), valueOf(after, key)
	switch key {
	case "Kids":
		return c.fields(o, n, s, where, depth+1)
	case "V":
		return c.fieldValue(o, n, s, where)
	case "I", "TI", "RV":
		if s.filled && s.kind != "Sig" {
			return nil // part of the value, named with it
		}
	case "AS":
		return c.appearanceState(o, n, after, s, where)
	case "AP":
		if s.signed || s.filled && (s.kind == "Tx" || s.kind == "Ch") {
			return c.redraw(before, after, s, where)
		}
	case "M":
		v, err := c.new.get(n)
		if _, isDate := v.(pdf.String); err != nil || isDate {
			return err // date of the annotation
		}
	case "F", "MK", "DA", "Q":
		if s.signed {
			return nil
		}
	case "Parent", "P":
		if key == "P" && c.pageNamed(before, after) {
			return nil
		}
		// Only the same object counts: a look-alike parent would bring other values. One that
		// is no part of the form is compared here, since nothing else leads to it.
		if !sameSlot(o, n) {
			c.disallow(describe(where.String()))
			return nil
		}
		return c.mustEqual(o, n, true, where)
	}
	return c.mustEqual(o, n, draws(key), where)
}

func (c *comparer) fieldValue(o, n pdf.Object, s fieldState, where *trail) error {
	same, _, err := c.same(o, n, false, where)
	if err != nil || same {
		return err
	}
	switch {
	case s.kind == "Sig" && !s.signed:
		c.disallow(both{"chữ ký trong trường “%s” bị thay", "the signature in field “%s” was replaced"}.with(s.name))
	case s.kind == "Sig":
		return c.newSignature(n, s.name)
	case !c.may.fill(s.name):
		c.disallow(both{"trường “%s” đã khoá bị điền lại", "the locked field “%s” was filled"}.with(s.name))
	case s.kind == "Tx" || s.kind == "Ch" || s.kind == "Btn":
		c.allow(both{"điền trường “%s”", "field “%s” was filled"}.with(s.name))
	default:
		c.disallow(describe(where.String()))
	}
	return nil
}

// appearanceState: a button may show another of the appearances it had when it was signed.
func (c *comparer) appearanceState(o, n pdf.Object, after pdf.Dict, s fieldState, where *trail) error {
	same, _, err := c.same(o, n, true, where)
	if err != nil || same {
		return err
	}
	if s.signed || s.kind == "Btn" && s.filled && c.may.fill(s.name) {
		return nil
	}
	c.disallow(describe(where.to("AP").String()))
	return nil
}
