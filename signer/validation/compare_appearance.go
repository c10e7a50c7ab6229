package validation

import (
	"github.com/saoy/saoy/signer/pdf"
)

// redraw judges a widget that is drawn anew, and notes it, so that its page can tell whether
// it covers too much.
func (c *comparer) redraw(before, after pdf.Dict, s fieldState, where *trail) error {
	o, n := valueOf(before, "AP"), valueOf(after, "AP")
	same, _, err := c.same(o, n, true, where)
	if err != nil || same {
		return err
	}
	c.replaced(o)
	if ref, ok := s.at.(pdf.Ref); ok {
		c.redrawn[ref] = s
	}
	if s.signed {
		err = c.stampUnseen(after, s, where)
	} else {
		err = c.redrawnText(before, after, where)
	}
	if err != nil {
		return err
	}
	return c.appearance(n, where)
}

// stampUnseen: a time-stamp is welcome in a document that is locked, a picture with it is not.
func (c *comparer) stampUnseen(after pdf.Dict, s fieldState, where *trail) error {
	sig, _, err := c.new.dict(after.Get("V"))
	if err != nil || c.may.fill(s.name) && c.may.docmdp == mdpNone || sig.Name("Type") != "DocTimeStamp" {
		return err
	}
	shown, err := c.shows(after)
	if err == nil && shown {
		c.disallow(describe(where.String()))
	}
	return err
}

// appearance: what a field filled by the rules shows may be drawn anew, as a stream within
// the field's rectangle, which may not change.
func (c *comparer) appearance(n pdf.Object, where *trail) error {
	ap, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	if !ok {
		if ap, err := c.new.get(n); err != nil {
			return err
		} else if _, gone := ap.(pdf.Null); gone {
			return nil
		}
		c.disallow(describe(where.String()))
		return nil
	}
	for _, e := range ap {
		o, err := c.new.get(e.Value)
		if err != nil {
			return err
		}
		if _, isStream := o.(*pdf.Stream); !isStream {
			c.disallow(describe(where.String()))
		}
	}
	return nil
}

func joinName(up, t string) string {
	if up == "" {
		return t
	}
	return up + "." + t
}

func textOf(v view, o pdf.Object) (string, bool, error) {
	o, err := v.get(o)
	if err != nil {
		return "", false, err
	}
	s, ok := o.(pdf.String)
	if !ok {
		return "", false, nil
	}
	return s.Text(), true, nil
}
