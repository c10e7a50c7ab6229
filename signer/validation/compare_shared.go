package validation

import (
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// replaced notes an appearance dictionary that a widget gives up.
func (c *comparer) replaced(old pdf.Object) {
	if ref, ok := old.(pdf.Ref); ok && !slices.Contains(c.appearances, ref) {
		c.appearances = append(c.appearances, ref)
	}
}

// sharedAppearances refuses to let a widget give up an appearance dictionary that something
// else in the signed revision uses too: what one of the two showed is then no longer what
// the other stood for.
func (c *comparer) sharedAppearances() error {
	if len(c.appearances) == 0 {
		return nil
	}
	uses := map[pdf.Ref]int{}
	for _, ref := range c.appearances {
		uses[ref] = 0
	}
	if err := c.countUses(uses); err != nil {
		return err
	}
	for _, ref := range c.appearances {
		if uses[ref] > 1 {
			c.disallow(both{"hình thức hiển thị dùng chung bị thay (%s)", "an appearance that is used elsewhere too was replaced (%s)"}.with(ref.String()))
		}
	}
	return nil
}

// countUses walks the signed revision and counts the references to the keys of uses.
func (c *comparer) countUses(uses map[pdf.Ref]int) error {
	seen := map[pdf.Ref]bool{}
	queue := []pdf.Object{c.old.r.Trailer()}
	for len(queue) > 0 {
		o := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		if c.work--; c.work < 0 {
			return errTooComplex
		}
		switch o := o.(type) {
		case pdf.Ref:
			if n, counted := uses[o]; counted {
				uses[o] = n + 1
			}
			if seen[o] {
				continue
			}
			seen[o] = true
			target, err := c.old.get(o)
			if err != nil {
				return err
			}
			queue = append(queue, target)
		default:
			queue = push(queue, o)
		}
	}
	return nil
}
