package pades

import (
	"fmt"

	"github.com/saoy/saoy/signer/pdf"
)

// permissions are what the earlier signatures of a file leave open.
type permissions struct {
	signatures int
	docMDP     int // 0: no certification; else the strictest of 1 to 3
	certified  bool
	locks      []Lock
}

// readPermissions gathers DocMDP and FieldMDP transforms and field locks of all signatures.
// A DocMDP reference binds with or without /Perms: readers differ, so the stricter is taken.
func readPermissions(r *pdf.Reader, catalog pdf.Dict, f *form) (*permissions, error) {
	p := &permissions{}
	perms, err := r.Dict(catalog.Get("Perms"))
	if err != nil {
		return nil, fmt.Errorf("/Perms: %w", err)
	}
	p.certified = perms.Has("DocMDP")
	values := []pdf.Object{perms.Get("DocMDP")}
	for _, x := range f.signed() {
		p.signatures++
		values = append(values, x.value)
		if err := p.addLock(r, x.lock); err != nil {
			return nil, fmt.Errorf("field %q: /Lock: %w", x.name, err)
		}
	}
	for _, v := range values {
		sig, err := r.Dict(v)
		if err != nil {
			return nil, fmt.Errorf("signature dictionary: %w", err)
		}
		if err := p.addReferences(r, sig); err != nil {
			return nil, fmt.Errorf("signature /Reference: %w", err)
		}
	}
	return p, nil
}

func (p *permissions) addReferences(r *pdf.Reader, sig pdf.Dict) error {
	refs, err := r.Array(sig.Get("Reference"))
	if err != nil {
		return err
	}
	for _, o := range refs {
		d, err := r.Dict(o)
		if err != nil {
			return err
		}
		method, err := r.Resolve(d.Get("TransformMethod"))
		if err != nil {
			return err
		}
		switch method {
		case pdf.Name("DocMDP"):
			err = p.addDocMDP(r, d)
		case pdf.Name("FieldMDP"):
			err = p.addLock(r, d.Get("TransformParams"))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (p *permissions) addDocMDP(r *pdf.Reader, reference pdf.Dict) error {
	params, err := r.Dict(reference.Get("TransformParams"))
	if err != nil {
		return err
	}
	level := pdf.Object(pdf.Integer(2)) // the default
	if params.Has("P") {
		if level, err = r.Resolve(params.Get("P")); err != nil {
			return err
		}
	}
	n, ok := level.(pdf.Integer)
	if !ok || n < 1 || n > 3 {
		return fmt.Errorf("%w: DocMDP /P is not 1 to 3", pdf.ErrDamaged)
	}
	if p.docMDP == 0 || int(n) < p.docMDP {
		p.docMDP = int(n)
	}
	return nil
}

// addLock reads a lock dictionary or the parameters of a FieldMDP transform; both have
// /Action and /Fields, and in PDF 2.0 a lock may have /P.
func (p *permissions) addLock(r *pdf.Reader, o pdf.Object) error {
	l, level, err := readLock(r, o)
	if err != nil || l == nil {
		return err
	}
	p.locks = append(p.locks, *l)
	if level != 0 && (p.docMDP == 0 || level < p.docMDP) {
		p.docMDP = level
	}
	return nil
}

// readLock returns nil if there is no lock.
func readLock(r *pdf.Reader, o pdf.Object) (*Lock, int, error) {
	d, err := r.Dict(o)
	if err != nil || d == nil {
		return nil, 0, err
	}
	action, err := r.Resolve(d.Get("Action"))
	if err != nil {
		return nil, 0, err
	}
	name, _ := action.(pdf.Name)
	l := &Lock{Action: LockAction(name)}
	if l.Action != LockAll && l.Action != LockInclude && l.Action != LockExclude {
		return nil, 0, fmt.Errorf("%w: /Action is not All, Include or Exclude", pdf.ErrDamaged)
	}
	fields, err := r.Array(d.Get("Fields"))
	if err != nil {
		return nil, 0, err
	}
	for _, f := range fields {
		v, err := r.Resolve(f)
		if err != nil {
			return nil, 0, err
		}
		s, ok := v.(pdf.String)
		if !ok {
			return nil, 0, fmt.Errorf("%w: /Fields holds something that is not a string", pdf.ErrDamaged)
		}
		l.Fields = append(l.Fields, s.Text())
	}
	level, _ := d.Int("P")
	if level < 0 || level > 3 {
		return nil, 0, fmt.Errorf("%w: /P is not 1 to 3", pdf.ErrDamaged)
	}
	return l, int(level), nil
}

// allow returns ErrForbidden if a signature may not go into a field. Document time-stamps
// and validation data are always allowed (ETSI EN 319 142-1 §5.4.2.2, §5.4.3) and not asked about.
func (p *permissions) allow(name string, certify int) error {
	switch {
	case certify != 0 && p.signatures > 0:
		return fmt.Errorf("%w: a certification signature must be the first signature", ErrForbidden)
	case certify != 0 && p.certified:
		return fmt.Errorf("%w: the file is certified already", ErrForbidden)
	case p.docMDP == 1:
		return fmt.Errorf("%w: the certification permits no change", ErrForbidden)
	}
	for _, l := range p.locks {
		if l.covers(name) {
			return fmt.Errorf("%w: the field %q is locked", ErrForbidden, name)
		}
	}
	return nil
}
