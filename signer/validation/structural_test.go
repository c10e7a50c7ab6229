package validation

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// enrich adds to a document all on which what is shown may depend: font programs, encodings,
// character procedures, colour spaces, graphics states, masks, nested forms, layer policies,
// inherited attributes, names, labels, outlines and the logical structure.
func enrich(t *testing.T, d *document, u *pdf.Update) {
	t.Helper()
	stream := func(entries ...pdf.Entry) pdf.Ref { return u.Add(pdf.NewStream(dict(entries...), []byte("0 0 m\n"))) }
	program, unicode, profile := stream(pdf.E("Length1", pdf.Integer(6))), stream(), stream(pdf.E("N", pdf.Integer(3)))
	descriptor := u.Add(dict(pdf.E("Type", name("FontDescriptor")), pdf.E("FontName", name("X")), pdf.E("FontFile2", program)))
	encoding := u.Add(dict(pdf.E("Type", name("Encoding")), pdf.E("Differences", pdf.Array{pdf.Integer(48), name("one")})))
	glyph := stream()
	type3 := u.Add(dict(pdf.E("Type", name("Font")), pdf.E("Subtype", name("Type3")), pdf.E("CharProcs", u.Add(dict(pdf.E("a", glyph)))), pdf.E("Encoding", encoding)))
	set(t, u, d.refs["font"], pdf.E("FontDescriptor", descriptor), pdf.E("ToUnicode", unicode), pdf.E("Encoding", encoding))
	mask := stream(pdf.E("Type", name("XObject")), pdf.E("Subtype", name("Image")))
	image := stream(pdf.E("Type", name("XObject")), pdf.E("Subtype", name("Image")), pdf.E("SMask", mask), pdf.E("ColorSpace", pdf.Array{name("ICCBased"), profile}))
	inner := u.Add(form("0 0 1 1 re f\n"))
	outer := form("/In Do\n")
	outer.Dict.Set("Resources", dict(pdf.E("XObject", dict(pdf.E("In", inner)))))
	policy := u.Add(dict(pdf.E("Type", name("OCMD")), pdf.E("OCGs", pdf.Array{d.refs["layer"]}), pdf.E("P", name("AnyOn"))))
	state := u.Add(dict(pdf.E("Type", name("ExtGState")), pdf.E("ca", pdf.Integer(1)), pdf.E("BM", name("Normal"))))
	set(t, u, d.refs["resources"], pdf.E("Font", dict(pdf.E("F1", d.refs["font"]), pdf.E("F3", type3))),
		pdf.E("XObject", dict(pdf.E("Im1", d.refs["image"]), pdf.E("Im2", image), pdf.E("Fm", u.Add(outer)))),
		pdf.E("ExtGState", dict(pdf.E("G", state))), pdf.E("ColorSpace", dict(pdf.E("C", pdf.Array{name("ICCBased"), profile}))),
		pdf.E("Pattern", dict(pdf.E("P", stream(pdf.E("PatternType", pdf.Integer(1)))))),
		pdf.E("Properties", dict(pdf.E("L1", d.refs["layer"]), pdf.E("L2", policy))))
	set(t, u, d.refs["pages"], pdf.E("Rotate", pdf.Integer(0)))
	spec := u.Add(dict(pdf.E("Type", name("Filespec")), pdf.E("F", pdf.Text("a.txt")), pdf.E("EF", dict(pdf.E("F", stream(pdf.E("Type", name("EmbeddedFile"))))))))
	item := u.Alloc()
	outlines := u.Add(dict(pdf.E("First", item), pdf.E("Last", item), pdf.E("Count", pdf.Integer(1))))
	u.Set(item, dict(pdf.E("Title", pdf.Text("Mục 1")), pdf.E("Parent", outlines), pdf.E("Dest", pdf.Array{d.refs["page2"], name("Fit")})))
	root := u.Alloc()
	element := u.Add(dict(pdf.E("S", name("P")), pdf.E("P", root), pdf.E("K", pdf.Integer(0)), pdf.E("ActualText", pdf.Text("một nghìn"))))
	u.Set(root, dict(pdf.E("Type", name("StructTreeRoot")), pdf.E("K", pdf.Array{element}), pdf.E("RoleMap", dict(pdf.E("X", name("P"))))))
	set(t, u, d.refs["root"], pdf.E("Names", u.Add(dict(pdf.E("EmbeddedFiles", dict(pdf.E("Names", pdf.Array{pdf.Text("a"), spec})))))),
		pdf.E("Outlines", outlines), pdf.E("StructTreeRoot", root), pdf.E("Lang", pdf.Text("vi")),
		pdf.E("PageLabels", u.Add(dict(pdf.E("Nums", pdf.Array{pdf.Integer(0), dict(pdf.E("S", name("D")))})))),
		pdf.E("OutputIntents", pdf.Array{u.Add(dict(pdf.E("Type", name("OutputIntent")), pdf.E("DestOutputProfile", profile)))}),
		pdf.E("ViewerPreferences", u.Add(dict(pdf.E("HideToolbar", pdf.Boolean(false))))))
}

// mutation is one change of one object.
type mutation struct {
	number int
	what   string
	to     pdf.Object
}

// mutationsOf changes each key of a dictionary and of those directly in it, and a byte of a
// stream.
func mutationsOf(number int, o pdf.Object, data []byte) []mutation {
	var all []mutation
	switch o := o.(type) {
	case pdf.Dict:
		for _, m := range dictMutations(o, 2) {
			all = append(all, mutation{number, m.what, m.to})
		}
	case *pdf.Stream:
		for _, m := range dictMutations(o.Dict, 1) {
			all = append(all, mutation{number, m.what, pdf.NewStream(m.to.(pdf.Dict), data)})
		}
		all = append(all, mutation{number, "data", pdf.NewStream(o.Dict, append(bytes.Clone(data), '%'))})
	case pdf.Array:
		all = append(all, mutation{number, "shorter", o[:len(o)-1]})
	}
	return all
}

func dictMutations(d pdf.Dict, depth int) []mutation {
	var all []mutation
	for _, e := range d {
		if e.Key == "Length" || e.Key == "Filter" {
			continue
		}
		without, other := d.Clone(), d.Clone()
		without.Delete(e.Key)
		other.Set(e.Key, pdf.Integer(77))
		all = append(all, mutation{what: "without " + string(e.Key), to: without}, mutation{what: "other " + string(e.Key), to: other})
		if in, ok := e.Value.(pdf.Dict); ok && depth > 1 {
			for _, m := range dictMutations(in, depth-1) {
				deep := d.Clone()
				deep.Set(e.Key, m.to)
				all = append(all, mutation{what: string(e.Key) + "/" + m.what, to: deep})
			}
		}
	}
	more := d.Clone()
	more.Set("SaoyTest", pdf.Integer(1))
	return append(all, mutation{what: "more", to: more})
}

// harmlessMutations are the ones a signature allows even if it allows nothing: dates and
// programs in the description (ISO 32000-2 §14.3.3).
var harmlessMutations = []string{"without ModDate", "other ModDate"}

// TestStructuralMutation: in a document certified against every change, no key of any object
// that the document reaches can be removed, replaced or added by a later revision, and no
// object be put in the place of another. SAOY_ALL=1 tries all.
func TestStructuralMutation(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	d.data = revised(t, d.data, func(u *pdf.Update) { enrich(t, d, u) })
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 1}, pades.Means{})
	r, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)), pdf.Limits{})
	must(t, err)
	var all []mutation
	for n := 1; n <= r.MaxNumber(); n++ {
		e, ok := r.Entry(n)
		if !ok || e.Kind != pdf.InUse {
			continue
		}
		obj, err := r.Object(pdf.Ref{Number: n})
		must(t, err)
		var data []byte
		if s, ok := obj.(*pdf.Stream); ok {
			data, err = r.Decode(s)
			must(t, err)
			plain := s.Dict.Clone()
			plain.Delete("Filter")
		}
		all = append(all, mutationsOf(n, obj, data)...)
		if other, err := r.Object(pdf.Ref{Number: n%r.MaxNumber() + 1}); err == nil {
			if _, isStream := other.(*pdf.Stream); !isStream && other != nil {
				all = append(all, mutation{n, "replaced by the next object", other})
			}
		}
	}
	step := 1
	if os.Getenv("SAOY_ALL") == "" {
		step = 7
	}
	tried, passed := 0, map[string]int{}
	for i := 0; i < len(all); i += step {
		m := all[i]
		tried++
		data := revised(t, signed, func(u *pdf.Update) { u.Set(pdf.Ref{Number: m.number}, m.to) })
		rep := o.validate(data)
		if rep.Integrity != Intact || rep.Indication == TotalFailed {
			continue
		}
		if slices.Contains(harmlessMutations, m.what) {
			passed[m.what]++
			continue
		}
		t.Errorf("object %d, %s: integrity %s", m.number, m.what, rep.Integrity)
		passed[fmt.Sprint(m.number)]++
	}
	t.Logf("%d of %d changes tried, allowed: %v", tried, len(all), passed)
}
