package validation

import (
	"github.com/saoy/saoy/signer/pdf"
)

// maxSignatures bounds the signatures of one file that are examined.
const maxSignatures = 256

// located is a signature dictionary found through a signature field.
type located struct {
	field  string   // full name
	form   pdf.Dict // the field's own dictionary, in the newest revision that has it
	at     pdf.Ref  // the field, zero if direct
	value  pdf.Dict
	host   pdf.Ref // the indirect object in which value stands
	offset int64   // where that object begins in the file; -1 if it is compressed
}

// locate lists the signature fields of one revision that hold a value, in the order of the
// form (ISO 32000-2 §12.7.5.5). Values that are no dictionary are kept, without entries: a
// field that claims to be signed and is not must be named.
func locate(r *pdf.Reader, work *int) ([]located, error) {
	w, err := walkFields(r, work)
	if err != nil {
		return nil, err
	}
	return w.found, nil
}

func walkFields(r *pdf.Reader, work *int) (*fieldWalk, error) {
	w := &fieldWalk{view: view{r}, seen: map[pdf.Ref]bool{}, work: work, read: map[int]bool{}}
	cat, _, err := w.dict(r.Trailer().Get("Root"))
	if err != nil {
		return nil, err
	}
	form, _, err := w.dict(cat.Get("AcroForm"))
	if err != nil {
		return nil, err
	}
	return w, w.list(form.Get("Fields"), "", "", 0, pdf.Ref{})
}

type fieldWalk struct {
	view
	seen  map[pdf.Ref]bool
	found []located
	work  *int
	read  map[int]bool // numbers of the objects that what was found depends on
}

// get is view.get and notes the objects on the way.
func (w *fieldWalk) get(o pdf.Object) (pdf.Object, error) {
	for range maxNesting {
		ref, ok := o.(pdf.Ref)
		if !ok {
			break
		}
		w.read[ref.Number] = true
		next, err := w.r.Object(ref)
		if err != nil {
			return nil, err
		}
		o = next
	}
	return w.view.get(o)
}

func (w *fieldWalk) dict(o pdf.Object) (pdf.Dict, bool, error) {
	o, err := w.get(o)
	if err != nil {
		return nil, false, err
	}
	d, ok := o.(pdf.Dict)
	return d, ok, nil
}

func (w *fieldWalk) array(o pdf.Object) (pdf.Array, error) {
	o, err := w.get(o)
	if err != nil {
		return nil, err
	}
	a, _ := o.(pdf.Array)
	return a, nil
}

// unchanged reports whether the walk of the revision before finds the same: no object it
// would read was written by this one.
func (w *fieldWalk) unchanged(rev pdf.Revision, before *pdf.Reader) bool {
	if before.Trailer().Ref("Root") != w.r.Trailer().Ref("Root") {
		return false
	}
	for _, s := range rev.Sections {
		for number := range s.Entries() {
			if w.read[number] {
				return false
			}
		}
	}
	return true
}

func (w *fieldWalk) list(o pdf.Object, name string, kind pdf.Name, depth int, host pdf.Ref) error {
	if depth > maxNesting || len(w.found) > maxSignatures {
		return errTooComplex
	}
	kids, err := w.array(o)
	if err != nil {
		return err
	}
	for _, k := range kids {
		if err := w.field(k, name, kind, depth, host); err != nil {
			return err
		}
	}
	return nil
}

func (w *fieldWalk) field(o pdf.Object, name string, kind pdf.Name, depth int, host pdf.Ref) error {
	if *w.work--; *w.work < 0 {
		return errTooComplex
	}
	ref, isRef := o.(pdf.Ref)
	if isRef {
		if w.seen[ref] {
			return nil
		}
		w.seen[ref], host = true, ref
	}
	d, ok, err := w.dict(o)
	if err != nil || !ok {
		return err
	}
	if t, ok, err := textOf(w.view, d.Get("T")); err != nil {
		return err
	} else if ok {
		name = joinName(name, t)
	}
	if ft, err := w.get(d.Get("FT")); err != nil {
		return err
	} else if n, ok := ft.(pdf.Name); ok {
		kind = n
	}
	if kind == "Sig" && d.Has("V") {
		if err := w.signature(d, name, ref, host); err != nil {
			return err
		}
	}
	return w.list(d.Get("Kids"), name, kind, depth+1, host)
}

func (w *fieldWalk) signature(field pdf.Dict, name string, at, host pdf.Ref) error {
	v := field.Get("V")
	if ref, ok := v.(pdf.Ref); ok {
		host = ref
	}
	o, err := w.get(v)
	if err != nil {
		return err
	}
	if _, null := o.(pdf.Null); null {
		return nil
	}
	value, _ := o.(pdf.Dict)
	l := located{field: name, form: field, at: at, value: value, host: host, offset: -1}
	if e, ok := w.r.Entry(host.Number); ok && e.Kind == pdf.InUse {
		l.offset = e.Offset
	}
	w.found = append(w.found, l)
	return nil
}

// locateAll lists the signatures of the newest revision first and then those that only an
// older revision has: a signature that was replaced or dropped is a finding.
func (x *examiner) locateAll() ([]located, error) {
	walk, err := walkFields(x.doc, &x.work)
	if err != nil {
		return nil, err
	}
	all := walk.found
	for i := len(x.revs) - 2; i >= 0; i-- {
		if err := x.ctx.Err(); err != nil {
			return nil, err
		}
		old, err := x.doc.AtRevision(i)
		if err != nil {
			return nil, err
		}
		if walk.unchanged(x.revs[i+1], old) {
			continue
		}
		if walk, err = walkFields(old, &x.work); err != nil {
			return nil, err
		}
		for _, l := range walk.found {
			if !has(all, l) {
				all = append(all, l)
			}
		}
		if len(all) > maxSignatures {
			return nil, errTooComplex
		}
	}
	return all, nil
}

func has(all []located, l located) bool {
	for _, a := range all {
		if a.host == l.host && a.offset == l.offset && a.field == l.field {
			return true
		}
	}
	return false
}
