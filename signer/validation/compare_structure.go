package validation

import (
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// maxStructure bounds the depth of the logical structure.
const maxStructure = 1000

// collectStructure notes the structure elements of the signed revision (ISO 32000-2 §14.7).
func (c *comparer) collectStructure(o pdf.Object, depth int) error {
	if depth > maxStructure {
		return errTooComplex
	}
	kids := pdf.Array{o}
	if a, err := c.old.array(o); err != nil {
		return err
	} else if a != nil {
		kids = a
	}
	for _, k := range kids {
		ref, isRef := k.(pdf.Ref)
		if isRef && c.apart[ref] {
			continue
		}
		d, ok, err := c.old.dict(k)
		if err != nil {
			return err
		}
		if !ok || !isElement(d) {
			continue
		}
		if c.work--; c.work < 0 {
			return errTooComplex
		}
		if isRef {
			c.apart[ref] = true
		}
		if err := c.collectStructure(d.Get("K"), depth+1); err != nil {
			return err
		}
	}
	return nil
}

// isElement tells a structure element from references to content and to objects.
func isElement(d pdf.Dict) bool {
	return d.Has("S") && d.Name("Type") != "MCR" && d.Name("Type") != "OBJR"
}

// structure compares the logical structure of a tagged document: what readers for the blind
// speak. A new signature may add an element for its widget, and nothing else may change.
func (c *comparer) structure(o, n pdf.Object, where *trail) error {
	before, ok1, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok2, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if ok1 && (!ok2 || !sameSlot(o, n)) {
		// The elements are compared from here and nowhere else.
		c.disallow(structureChanged.with(where.String()))
		return nil
	}
	if !ok1 || !ok2 {
		return c.mustEqual(o, n, false, where)
	}
	for _, key := range unionKeys(before, after) {
		at := where.to(string(key))
		switch key {
		case "K":
			err = c.elements(before.Get(key), after.Get(key), at, 0)
		case "ParentTree":
			err = c.parentTree(before.Get(key), after.Get(key), at)
		case "ParentTreeNextKey":
			// A number the next writer may use; it says nothing about the document.
		default:
			err = c.mustEqual(valueOf(before, key), valueOf(after, key), false, at)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// list reads /K, which may be one kid or an array of kids.
func list(v view, o pdf.Object) (pdf.Array, error) {
	a, err := v.array(o)
	if err != nil || a != nil || o == nil {
		return a, err
	}
	return pdf.Array{o}, nil
}

// elements compares the kids of an element, old ones in their order.
func (c *comparer) elements(o, n pdf.Object, where *trail, depth int) error {
	if depth > maxStructure {
		return errTooComplex
	}
	before, err := list(c.old, o)
	if err != nil {
		return err
	}
	after, err := list(c.new, n)
	if err != nil {
		return err
	}
	i := 0
	for _, k := range after {
		if i < len(before) && sameSlot(before[i], k) {
			if err := c.element(before[i], k, where.at(i), depth); err != nil {
				return err
			}
			i++
			continue
		}
		if fits, err := c.newElement(k); err != nil {
			return err
		} else if !fits {
			c.disallow(structureChanged.with(where.String()))
		}
	}
	if i < len(before) {
		c.disallow(structureChanged.with(where.String()))
	}
	return nil
}

var structureChanged = both{"cấu trúc đọc của tài liệu bị sửa (%s)", "the logical structure of the document was altered (%s)"}

func (c *comparer) element(o, n pdf.Object, where *trail, depth int) error {
	if ref, ok := n.(pdf.Ref); ok {
		if c.seenElements[ref] {
			return nil
		}
		c.seenElements[ref] = true
	}
	before, ok1, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok2, err := c.new.dict(n)
	if err != nil {
		return err
	}
	was, is := ok1 && isElement(before), ok2 && isElement(after)
	if was != is {
		// Elements are compared here and nowhere else: what stands in the place of one is no link.
		c.disallow(structureChanged.with(where.String()))
		return nil
	}
	if !was {
		return c.mustEqual(o, n, false, where)
	}
	for _, key := range unionKeys(before, after) {
		if key == "K" {
			if err := c.elements(before.Get(key), after.Get(key), where.to("K"), depth+1); err != nil {
				return err
			}
			continue
		}
		if err := c.mustEqual(valueOf(before, key), valueOf(after, key), false, where.to(string(key))); err != nil {
			return err
		}
	}
	return nil
}

// newElement reports whether an element stands for the widget of a new signature.
func (c *comparer) newElement(o pdf.Object) (bool, error) {
	if ref, ok := o.(pdf.Ref); ok && c.apart[ref] {
		return false, nil
	}
	d, ok, err := c.new.dict(o)
	if err != nil || !ok || d.Name("S") != "Form" {
		return false, err
	}
	for _, e := range d {
		if !slices.Contains([]pdf.Name{"Type", "S", "P", "K", "Pg"}, e.Key) {
			return false, nil
		}
	}
	kids, err := list(c.new, d.Get("K"))
	if err != nil {
		return false, err
	}
	for _, k := range kids {
		r, _, err := c.new.dict(k)
		if err != nil {
			return false, err
		}
		if _, new := c.newWidgets[r.Ref("Obj")]; !new || r.Name("Type") != "OBJR" {
			return false, nil
		}
	}
	return len(kids) > 0, nil
}

// parentTree: the entries that were there stay; the elements they lead to are compared in
// the tree itself.
func (c *comparer) parentTree(o, n pdf.Object, where *trail) error {
	before, after := map[int64]pdf.Object{}, map[int64]pdf.Object{}
	if err := c.numberTree(c.old, o, before, 0); err != nil {
		return err
	}
	if err := c.numberTree(c.new, n, after, 0); err != nil {
		return err
	}
	for key, v := range before {
		now, ok := after[key]
		if !ok {
			c.disallow(structureChanged.with(where.String()))
			return nil
		}
		if err := c.mustEqual(v, now, false, where); err != nil {
			return err
		}
		delete(after, key)
	}
	for _, v := range after {
		if fits, err := c.newElement(v); err != nil {
			return err
		} else if !fits {
			c.disallow(structureChanged.with(where.String()))
		}
	}
	return nil
}

// numberTree reads a number tree (ISO 32000-2 §7.9.7).
func (c *comparer) numberTree(v view, o pdf.Object, into map[int64]pdf.Object, depth int) error {
	if c.work--; c.work < 0 || depth > maxNesting {
		return errTooComplex
	}
	d, _, err := v.dict(o)
	if err != nil {
		return err
	}
	nums, err := v.array(d.Get("Nums"))
	if err != nil {
		return err
	}
	for i := 0; i+1 < len(nums); i += 2 {
		if key, ok := nums[i].(pdf.Integer); ok {
			into[int64(key)] = nums[i+1]
		}
		c.work--
	}
	kids, err := v.array(d.Get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := c.numberTree(v, k, into, depth+1); err != nil {
			return err
		}
	}
	return nil
}
