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
	l, err := readLock(r, o)
	if err != nil || l == nil {
		return err
	}
	p.locks = append(p.locks, *l)
	if l.Permissions != 0 && (p.docMDP == 0 || l.Permissions < p.docMDP) {
		p.docMDP = l.Permissions
	}
	return nil
}

// readLock returns nil if there is no lock.
func readLock(r *pdf.Reader, o pdf.Object) (*Lock, error) {
	d, err := r.Dict(o)
	if err != nil || d == nil {
		return nil, err
	}
	action, err := r.Resolve(d.Get("Action"))
	if err != nil {
		return nil, err
	}
	name, _ := action.(pdf.Name)
	l := &Lock{Action: LockAction(name)}
	if l.Action != LockAll && l.Action != LockInclude && l.Action != LockExclude {
		return nil, fmt.Errorf("%w: /Action is not All, Include or Exclude", pdf.ErrDamaged)
	}
	if l.Fields, err = readNames(r, d.Get("Fields")); err != nil || !d.Has("P") {
		return l, err
	}
	level, err := r.Resolve(d.Get("P"))
	if err != nil {
		return nil, err
	}
	n, ok := level.(pdf.Integer)
	if !ok || n < 1 || n > 3 {
		return nil, fmt.Errorf("%w: /P is not 1 to 3", pdf.ErrDamaged)
	}
	l.Permissions = int(n)
	return l, nil
}

// readNames reads the names of fields.
func readNames(r *pdf.Reader, o pdf.Object) ([]string, error) {
	fields, err := r.Array(o)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range fields {
		v, err := r.Resolve(f)
		if err != nil {
			return nil, err
		}
		s, ok := v.(pdf.String)
		if !ok {
			return nil, fmt.Errorf("%w: /Fields holds something that is not a string", pdf.ErrDamaged)
		}
		names = append(names, s.Text())
	}
	return names, nil
}

// allowLock returns ErrForbidden if a lock that is to be created would permit more than is
// permitted already. (One that is in the file simply has no effect then.)
func (p *permissions) allowLock(l *Lock) error {
	if l != nil && p.docMDP != 0 && l.Permissions > p.docMDP {
		return fmt.Errorf("%w: a lock may not permit what an earlier signature denies", ErrForbidden)
	}
	return nil
}

// allow returns ErrOptions if a certification would claim to permit more than the lock of its
// own field leaves open.
func (l *Lock) allow(certify int) error {
	if l != nil && l.Permissions != 0 && certify > l.Permissions {
		return fmt.Errorf("%w: the field's lock permits only %d, Certify is %d", ErrOptions, l.Permissions, certify)
	}
	return nil
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
