package validation

import (
	"github.com/saoy/saoy/signer/pdf"
)

// collectPages notes the page tree of the signed revision and its annotations.
func (c *comparer) collectPages(o pdf.Object, depth int) error {
	ref, isRef := o.(pdf.Ref)
	if isRef && c.apart[ref] {
		return nil
	}
	d, ok, err := c.old.dict(o)
	if err != nil || !ok || depth > maxNesting {
		return err
	}
	if c.work--; c.work < 0 {
		return errTooComplex
	}
	if isRef {
		c.apart[ref], c.pages[ref] = true, true
	}
	annots, err := c.old.array(d.Get("Annots"))
	if err != nil {
		return err
	}
	for _, a := range annots {
		if ref, ok := a.(pdf.Ref); ok {
			c.apart[ref] = true
		}
	}
	kids, err := c.old.array(d.Get("Kids"))
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := c.collectPages(k, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// pageNode compares a node of the page tree or a page. The tree itself may not change.
func (c *comparer) pageNode(o, n pdf.Object, where *trail, depth int) error {
	if c.work--; c.work < 0 || depth > maxNesting {
		return errTooComplex
	}
	if c.work&0xfff == 0 && c.ctx.Err() != nil {
		return c.ctx.Err()
	}
	before, ok1, err := c.old.dict(o)
	if err != nil {
		return err
	}
	after, ok2, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if _, twice := ambiguous(after); !ok1 || !ok2 || twice || !sameSlot(o, n) {
		c.disallow(describe("/Pages/" + where.String()))
		return nil
	}
	inherited := c.box
	defer func() { c.box = inherited }()
	if err := c.frame(before); err != nil {
		return err
	}
	for _, key := range unionKeys(before, after) {
		if err := c.pageKey(key, valueOf(before, key), valueOf(after, key), where.to(string(key)), depth); err != nil {
			return err
		}
	}
	return nil
}

func (c *comparer) pageKey(key pdf.Name, o, n pdf.Object, where *trail, depth int) error {
	switch key {
	case "Parent":
		if !sameSlot(o, n) {
			c.disallow(describe(where.String()))
			return nil
		}
		// A parent outside the tree hands down resources to some readers and not to others.
		return c.mustEqual(o, n, true, where)
	case "Kids":
		before, err := c.old.array(o)
		if err != nil {
			return err
		}
		after, err := c.new.array(n)
		if err != nil {
			return err
		}
		if len(before) != len(after) {
			c.disallow(describe(where.String()))
			return nil
		}
		for i := range before {
			if err := c.pageNode(before[i], after[i], where.at(i), depth+1); err != nil {
				return err
			}
		}
		return nil
	case "Annots":
		return c.annotations(o, n, where)
	}
	return c.mustEqual(o, n, draws(key), where)
}
