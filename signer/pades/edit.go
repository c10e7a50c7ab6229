package pades

import (
	"fmt"

	"github.com/saoy/saoy/signer/pdf"
)

// edit is one revision in the making: what of the document changes besides new objects.
type edit struct {
	r          *pdf.Reader
	u          *pdf.Update
	catalogRef pdf.Ref
	catalog    pdf.Dict
	form       *form
}

func newEdit(r *pdf.Reader) (*edit, error) {
	ref, catalog, err := r.Catalog()
	if err != nil {
		return nil, err
	}
	f, err := readForm(r, catalog)
	if err != nil {
		return nil, err
	}
	return &edit{r: r, u: pdf.NewUpdate(r), catalogRef: ref, catalog: catalog.Clone(), form: f}, nil
}

// setCatalog gives the catalog a new entry.
func (e *edit) setCatalog(key pdf.Name, value pdf.Object) {
	e.catalog.Set(key, value)
	e.u.Set(e.catalogRef, e.catalog)
}

// setForm writes the form back to where it was: its own object, or the catalog.
func (e *edit) setForm(d pdf.Dict) {
	e.form.dict = d
	if e.form.ref.IsZero() {
		e.setCatalog("AcroForm", d)
		return
	}
	e.u.Set(e.form.ref, d)
}

// setSigFlags sets SignaturesExist and AppendOnly (ISO 32000-2 Table 225) if they are not.
func (e *edit) setSigFlags() error {
	v, err := e.r.Resolve(e.form.dict.Get("SigFlags"))
	if err != nil {
		return err
	}
	flags, _ := v.(pdf.Integer)
	if flags&3 == 3 {
		return nil
	}
	d := e.form.dict.Clone()
	d.Set("SigFlags", flags|3)
	e.setForm(d)
	return nil
}

// addField adds a new field to the root of the form.
func (e *edit) addField(ref pdf.Ref) error {
	return e.addTo(e.form.dict, "Fields", ref, e.setForm)
}

// addAnnotation adds a widget to the annotations of a page.
func (e *edit) addAnnotation(p pdf.Page, ref pdf.Ref) error {
	return e.addTo(p.Dict, "Annots", ref, func(d pdf.Dict) { e.u.Set(p.Ref, d) })
}

// addTo appends ref to the array under key: in the array's own object if it has one, else in
// the dictionary, which store then writes back. What the array holds stays as it is.
func (e *edit) addTo(d pdf.Dict, key pdf.Name, ref pdf.Ref, store func(pdf.Dict)) error {
	a, err := e.r.Array(d.Get(key))
	if err != nil {
		return fmt.Errorf("/%s: %w", key, err)
	}
	longer := append(append(make(pdf.Array, 0, len(a)+1), a...), ref)
	if at := d.Ref(key); !at.IsZero() && a != nil {
		e.u.Set(at, longer)
		return nil
	}
	d = d.Clone()
	d.Set(key, longer)
	store(d)
	return nil
}

// setPermission makes a signature the certification of the document (ISO 32000-2 §12.8.6).
func (e *edit) setPermission(signature pdf.Ref) error {
	perms, err := e.r.Dict(e.catalog.Get("Perms"))
	if err != nil {
		return fmt.Errorf("/Perms: %w", err)
	}
	perms = perms.Clone()
	perms.Set("DocMDP", signature)
	if at := e.catalog.Ref("Perms"); !at.IsZero() {
		e.u.Set(at, perms)
		return nil
	}
	e.setCatalog("Perms", perms)
	return nil
}

// widget flags (ISO 32000-2 Table 167)
const (
	flagPrint  = 1 << 2
	flagLocked = 1 << 7
)

// placement is where and how a new field's widget stands.
type placement struct {
	page       int
	rect       [4]float64 // of the page as seen
	appearance Appearance
	lock       *Lock
}

// createField adds a signature field that is its own only widget, with a value.
func (e *edit) createField(name string, value pdf.Ref, at placement) error {
	if err := e.form.newFieldName(name); err != nil {
		return err
	}
	p, err := e.r.Page(at.page)
	if err != nil {
		return err
	}
	stream, err := appearanceStream(e.u, at.appearance, at.rect[2]-at.rect[0], at.rect[3]-at.rect[1], p.Rotate)
	if err != nil {
		return fmt.Errorf("appearance: %w", err)
	}
	rect := [4]float64{}
	if at.rect != rect {
		rect = pageRect(p, at.rect)
	}
	widget := pdf.Dict{
		pdf.E("Type", pdf.Name("Annot")),
		pdf.E("Subtype", pdf.Name("Widget")),
		pdf.E("FT", pdf.Name("Sig")),
		pdf.E("T", pdf.Text(name)),
		pdf.E("F", pdf.Integer(flagPrint|flagLocked)),
		pdf.E("Rect", pdf.Rect(rect[0], rect[1], rect[2], rect[3])),
		pdf.E("P", p.Ref),
		pdf.E("AP", pdf.Dict{pdf.E("N", e.u.Add(stream))}),
		pdf.E("V", value),
	}
	if at.lock != nil {
		widget.Set("Lock", e.u.Add(at.lock.dict(fieldLock)))
	}
	ref := e.u.Add(widget)
	if err := e.addField(ref); err != nil {
		return err
	}
	return e.addAnnotation(p, ref)
}

// fillField gives an existing field its value and changes nothing else of it.
func (e *edit) fillField(x field, value pdf.Ref) error {
	if x.kind != "Sig" {
		return fmt.Errorf("%w: %q is not a signature field", ErrField, x.name)
	}
	if x.value != nil {
		return fmt.Errorf("%w: %q is signed already", ErrField, x.name)
	}
	d := x.dict.Clone()
	d.Set("V", value)
	e.u.Set(x.ref, d)
	return nil
}
