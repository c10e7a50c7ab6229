package pades

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/saoy/saoy/signer/pdf"
)

// field is a terminal field of the interactive form.
type field struct {
	ref    pdf.Ref
	dict   pdf.Dict
	name   string   // full name: the partial names from the root, joined by periods
	kind   pdf.Name // /FT, own or inherited
	value  pdf.Object
	lock   pdf.Object
	parent pdf.Ref
}

const (
	maxFields     = 100_000
	maxFieldDepth = 64
)

// form is the interactive form of a document (ISO 32000-2 §12.7.3).
type form struct {
	ref    pdf.Ref // zero: the dictionary is direct in the catalog, or absent
	dict   pdf.Dict
	fields []field // terminal fields
	names  map[string]bool
	nodes  int
}

// readForm reads the form and all its fields.
func readForm(r *pdf.Reader, catalog pdf.Dict) (*form, error) {
	f := &form{ref: catalog.Ref("AcroForm")}
	var err error
	if f.dict, err = r.Dict(catalog.Get("AcroForm")); err != nil {
		return nil, fmt.Errorf("/AcroForm: %w", err)
	}
	roots, err := r.Array(f.dict.Get("Fields"))
	if err != nil {
		return nil, fmt.Errorf("/AcroForm /Fields: %w", err)
	}
	if len(roots) == 0 {
		return f, nil
	}
	f.names = map[string]bool{}
	seen := map[pdf.Ref]bool{}
	for _, o := range roots {
		if err := f.walk(r, o, field{}, 0, seen); err != nil {
			return nil, fmt.Errorf("form field: %w", err)
		}
	}
	return f, nil
}

func (f *form) walk(r *pdf.Reader, o pdf.Object, parent field, depth int, seen map[pdf.Ref]bool) error {
	ref, ok := o.(pdf.Ref)
	if !ok || seen[ref] {
		return fmt.Errorf("%w: a form field is not a reference, or occurs twice", pdf.ErrDamaged)
	}
	seen[ref] = true
	if f.nodes++; f.nodes > maxFields || depth > maxFieldDepth {
		return fmt.Errorf("%w: too many form fields", pdf.ErrLimit)
	}
	d, err := r.Dict(ref)
	if err != nil {
		return err
	}
	if d == nil {
		return nil // a reference to nothing is null
	}
	node, err := inheritField(r, parent, ref, d)
	if err != nil {
		return err
	}
	f.names[node.name] = true
	kids, err := r.Array(d.Get("Kids"))
	if err != nil {
		return err
	}
	terminal := true
	for _, kid := range kids {
		k, err := r.Dict(kid)
		if err != nil {
			return err
		}
		if !k.Has("T") {
			continue // a widget of this field
		}
		terminal = false
		if err := f.walk(r, kid, node, depth+1, seen); err != nil {
			return err
		}
	}
	if terminal {
		f.fields = append(f.fields, node)
	}
	return nil
}

// inheritField gives a node its own attributes and else those of the field above.
func inheritField(r *pdf.Reader, node field, ref pdf.Ref, d pdf.Dict) (field, error) {
	node.ref, node.dict, node.parent = ref, d, node.ref
	title, err := r.Resolve(d.Get("T"))
	if err != nil {
		return node, err
	}
	if s, ok := title.(pdf.String); ok {
		if node.name != "" {
			node.name += "."
		}
		node.name += s.Text()
	}
	kind, err := r.Resolve(d.Get("FT"))
	if err != nil {
		return node, err
	}
	if n, ok := kind.(pdf.Name); ok {
		node.kind = n
	}
	if d.Has("V") {
		if node.value, err = nonNull(r, d.Get("V")); err != nil {
			return node, err
		}
	}
	node.lock = d.Get("Lock")
	return node, nil
}

// nonNull returns o, or nil if it refers to nothing.
func nonNull(r *pdf.Reader, o pdf.Object) (pdf.Object, error) {
	v, err := r.Resolve(o)
	if _, null := v.(pdf.Null); null {
		return nil, err
	}
	return o, err
}

// find returns the terminal field of a full name.
func (f *form) find(name string) (field, bool) {
	for _, x := range f.fields {
		if x.name == name {
			return x, true
		}
	}
	return field{}, false
}

// signed returns the signature fields that have a value.
func (f *form) signed() []field {
	var out []field
	for _, x := range f.fields {
		if x.kind == "Sig" && x.value != nil {
			out = append(out, x)
		}
	}
	return out
}

// freeName returns the first of "Signature1", "Signature2"… (for a prefix "Signature") that no field has.
func (f *form) freeName(prefix string) string {
	for i := 1; ; i++ {
		if name := prefix + strconv.Itoa(i); !f.names[name] {
			return name
		}
	}
}

// newFieldName checks the name of a field to be created, which stands at the root.
func (f *form) newFieldName(name string) error {
	switch {
	case f.names[name]:
		return fmt.Errorf("%w: %q is not an empty signature field", ErrField, name)
	case strings.Contains(name, "."):
		return fmt.Errorf("%w: there is no field %q, and a new name may hold no period", ErrField, name)
	}
	return nil
}
