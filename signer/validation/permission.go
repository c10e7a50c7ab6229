package validation

import (
	"slices"
	"strings"

	"github.com/saoy/saoy/signer/pdf"
)

// Access permissions of a certification signature (ISO 32000-2 Table 257).
const (
	mdpNone     = 0 // not certified
	mdpNothing  = 1 // no change
	mdpForms    = 2 // filling forms and signing
	mdpComments = 3 // and annotations
)

// permissions are what the signatures up to one allow to come after it: the strictest
// DocMDP and every field lock among them.
type permissions struct {
	docmdp int
	locks  []lock
}

// lock is the set of fields a signature froze (ISO 32000-2 Tables 236 and 258).
type lock struct {
	action string
	fields []string
}

// locked reports whether a field, given by its full name, was frozen.
func (p permissions) locked(name string) bool {
	return slices.ContainsFunc(p.locks, func(l lock) bool { return l.covers(name) })
}

func (l lock) covers(name string) bool {
	listed := slices.ContainsFunc(l.fields, func(f string) bool {
		return f == name || strings.HasPrefix(name, f+".")
	})
	switch l.action {
	case "Include":
		return listed
	case "Exclude":
		return !listed
	}
	return true // All; an unknown action is taken for the strictest
}

// with adds what another signature demands.
func (p permissions) with(q permissions) permissions {
	out := permissions{docmdp: stricter(p.docmdp, q.docmdp)}
	out.locks = append(append(out.locks, p.locks...), q.locks...)
	return out
}

func stricter(a, b int) int {
	if a == mdpNone || b != mdpNone && b < a {
		return b
	}
	return a
}

// fill reports whether a form field may be filled.
func (p permissions) fill(name string) bool { return p.docmdp != mdpNothing && !p.locked(name) }

// demandsOf reads what a signature asks of later changes, from the revision it signed: its
// reference dictionaries and the lock of its field.
func demandsOf(v view, sig, field pdf.Dict) (permissions, int, error) {
	var p permissions
	certified := 0
	refs, err := v.array(sig.Get("Reference"))
	if err != nil {
		return p, 0, err
	}
	for _, o := range refs {
		d, _, err := v.dict(o)
		if err != nil {
			return p, 0, err
		}
		params, _, err := v.dict(d.Get("TransformParams"))
		if err != nil {
			return p, 0, err
		}
		method, err := v.get(d.Get("TransformMethod"))
		if err != nil {
			return p, 0, err
		}
		switch method {
		case pdf.Name("DocMDP"):
			certified = docMDP(v, params)
			p.docmdp = stricter(p.docmdp, certified)
		case pdf.Name("FieldMDP"):
			if err := p.addLock(v, params); err != nil {
				return p, 0, err
			}
		}
	}
	return p, certified, p.addFieldLock(v, field)
}

// docMDP reads /P; its default is 2.
func docMDP(v view, params pdf.Dict) int {
	o, err := v.get(params.Get("P"))
	if n, ok := o.(pdf.Integer); err == nil && ok && n >= mdpNothing && n <= mdpComments {
		return int(n)
	} else if err == nil && !params.Has("P") {
		return mdpForms
	}
	return mdpNothing
}

func (p *permissions) addFieldLock(v view, field pdf.Dict) error {
	d, ok, err := v.dict(field.Get("Lock"))
	if err != nil || !ok {
		return err
	}
	if d.Has("P") {
		p.docmdp = stricter(p.docmdp, docMDP(v, d))
	}
	if !d.Has("Action") {
		return nil
	}
	return p.addLock(v, d)
}

func (p *permissions) addLock(v view, d pdf.Dict) error {
	l := lock{action: string(d.Name("Action"))}
	names, err := v.array(d.Get("Fields"))
	if err != nil {
		return err
	}
	for _, o := range names {
		o, err := v.get(o)
		if err != nil {
			return err
		}
		if s, ok := o.(pdf.String); ok {
			l.fields = append(l.fields, s.Text())
		}
	}
	p.locks = append(p.locks, l)
	return nil
}
