package validation

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// TestShadow: documents prepared before signing, so that a change that looks like nothing
// shows something else afterwards. Each also says what its harmless twin is: the prepared
// document, with an update that changes nothing.
func TestShadow(t *testing.T) {
	action := func(script string) pdf.Dict {
		return dict(pdf.E("S", name("JavaScript")), pdf.E("JS", pdf.Text(script)))
	}
	var at [4]pdf.Ref
	for _, c := range []struct {
		name    string
		prepare func(t *testing.T, d *document, u *pdf.Update)
		change  func(t *testing.T, d *document, u *pdf.Update)
	}{
		{"layer policy under a name that looks like a link", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(dict(pdf.E("Type", name("OCMD")), pdf.E("OCGs", d.refs["layer"])))
			set(t, u, d.refs["resources"], pdf.E("Properties", dict(pdf.E("P", at[0]))))
			addAnnot(t, d, u, at[0])
		}, func(t *testing.T, d *document, u *pdf.Update) { set(t, u, at[0], pdf.E("P", name("AllOff"))) }},
		{"font under a name that looks like a link", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(dict(pdf.E("Type", name("Font")), pdf.E("Subtype", name("Type1")), pdf.E("BaseFont", name("Courier"))))
			set(t, u, d.refs["resources"], pdf.E("Font", dict(pdf.E("F1", d.refs["font"]), pdf.E("Obj", at[0]))))
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", u.Add(dict(pdf.E("K", at[0])))))
		}, func(t *testing.T, d *document, u *pdf.Update) { set(t, u, at[0], pdf.E("BaseFont", name("Symbol"))) }},
		{"script that is also an element of the structure", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(action("1"))
			at[1] = u.Add(dict(pdf.E("K", at[0])))
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", at[1]), pdf.E("OpenAction", at[0]))
		}, func(t *testing.T, d *document, u *pdf.Update) {
			u.Set(at[0], action("2"))
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", u.Add(dict(pdf.E("K", at[0])))))
		}},
		{"script that a list of structures leads to", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(action("1"))
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", pdf.Array{at[0]}), pdf.E("OpenAction", at[0]))
		}, func(t *testing.T, d *document, u *pdf.Update) { u.Set(at[0], action("2")) }},
		{"resources of a parent outside the page tree", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(dict(pdf.E("Type", name("Pages")), pdf.E("Resources", pdf.Dict{})))
			set(t, u, d.refs["page2"], pdf.E("Parent", at[0]))
		}, func(t *testing.T, d *document, u *pdf.Update) { set(t, u, at[0], pdf.E("Rotate", pdf.Integer(90))) }},
		{"value of a parent outside the form", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Add(dict(pdf.E("V", pdf.Text("1"))))
			set(t, u, d.refs["text"], pdf.E("Parent", at[0]))
		}, func(t *testing.T, d *document, u *pdf.Update) { set(t, u, at[0], pdf.E("V", pdf.Text("2"))) }},
		{"object that was missing", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Alloc()
			set(t, u, d.refs["page2"], pdf.E("Contents", pdf.Array{d.refs["content"], at[0]}))
		}, func(t *testing.T, d *document, u *pdf.Update) {
			u.Set(at[0], pdf.NewStream(nil, []byte("1 g 0 0 595 842 re f\n")))
		}},
		{"annotation that was missing", func(t *testing.T, d *document, u *pdf.Update) {
			at[0] = u.Alloc()
			addAnnot(t, d, u, at[0])
		}, func(t *testing.T, d *document, u *pdf.Update) {
			u.Set(at[0], append(note("Square"), indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			d := newDocument(t)
			d.data = revised(t, d.data, func(u *pdf.Update) { c.prepare(t, d, u) })
			signed := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 3}, pades.Means{})
			judge(t, o.validate(revised(t, signed, func(u *pdf.Update) { c.change(t, d, u) })), false, "")
			judge(t, o.validate(revised(t, signed, func(u *pdf.Update) { u.Add(pdf.Integer(1)) })), true, "")
		})
	}
}

func addAnnot(t *testing.T, d *document, u *pdf.Update, ref pdf.Ref) {
	t.Helper()
	altered(t, u, d.refs["page1"], func(p *pdf.Dict) {
		p.Set("Annots", append(append(pdf.Array{}, p.Get("Annots").(pdf.Array)...), ref))
	})
}

// TestVisibleStamp: a document time-stamp is welcome everywhere, but in a document that is
// locked it shows nothing.
func TestVisibleStamp(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 1}, pades.Means{})
	for shown, allowed := range map[string]bool{"": true, "1 g 0 0 100 20 re f\n": false} {
		v := dict(pdf.E("Type", name("DocTimeStamp")), pdf.E("SubFilter", name("ETSI.RFC3161")), pdf.E("ByteRange", pdf.Array{}),
			pdf.E("Contents", pdf.String{Bytes: []byte{1}, Hex: true}))
		r := o.validate(revised(t, signed, func(u *pdf.Update) {
			set(t, u, d.refs["seal"], pdf.E("V", u.Add(v)), indirect(u, appearance(form(shown))))
		}))
		for _, s := range r.Signatures {
			if s.Field == "certifier" && (s.ChangesAfter == ChangesAllowed) != allowed {
				logReport(t, r)
				t.Errorf("a time-stamp that draws %q: changes %s", shown, s.ChangesAfter)
			}
		}
	}
}

// TestStampOfAnotherKind: the field of a time-stamp that is no widget but a square is drawn by
// readers, though it has no appearance.
func TestStampOfAnotherKind(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	for kind, allowed := range map[string]bool{"Widget": true, "Square": false, "FreeText": false} {
		r := o.validate(revised(t, signed, func(u *pdf.Update) {
			v := u.Add(dict(pdf.E("Type", name("DocTimeStamp")), pdf.E("SubFilter", name("ETSI.RFC3161")), pdf.E("ByteRange", pdf.Array{}), pdf.E("Contents", pdf.Null{})))
			set(t, u, v, pdf.E("Contents", pdf.String{Bytes: []byte{1}, Hex: true}))
			f := u.Add(note(kind, pdf.E("FT", name("Sig")), pdf.E("T", pdf.Text("moi")), pdf.E("V", v)))
			altered(t, u, d.refs["root"], func(c *pdf.Dict) {
				form := c.Get("AcroForm").(pdf.Dict).Clone()
				form.Set("Fields", append(append(pdf.Array{}, form.Get("Fields").(pdf.Array)...), f))
				c.Set("AcroForm", form)
			})
			addAnnot(t, d, u, f)
		}))
		for _, s := range r.Signatures {
			if s.Field == "certifier" && (s.ChangesAfter == ChangesAllowed) != allowed {
				logReport(t, r)
				t.Errorf("%s: changes %s", kind, s.ChangesAfter)
			}
		}
	}
}

// TestEndless: documents whose objects lead to each other in so many ways that following all
// of them would never end are said to be too complex, soon.
func TestEndless(t *testing.T) {
	nest := func(u *pdf.Update, depth, width int, wrap func(kids pdf.Array) pdf.Object, leaf pdf.Object) pdf.Ref {
		ref := u.Add(leaf)
		for range depth {
			kids := make(pdf.Array, width)
			for i := range kids {
				kids[i] = ref
			}
			ref = u.Add(wrap(kids))
		}
		return ref
	}
	array := func(kids pdf.Array) pdf.Object { return kids }
	for name, prepare := range map[string]func(d *document, u *pdf.Update){
		"extensions": func(d *document, u *pdf.Update) {
			set(t, u, d.refs["root"], pdf.E("Extensions", dict(pdf.E("A", nest(u, 3, 3000, array, pdf.Integer(1))))))
		},
		"fields": func(d *document, u *pdf.Update) {
			set(t, u, d.refs["text"], pdf.E("Kids", pdf.Array{nest(u, 60, 2, func(kids pdf.Array) pdf.Object { return dict(pdf.E("Kids", kids)) }, dict())}))
		},
		"structure": func(d *document, u *pdf.Update) {
			wrap := func(kids pdf.Array) pdf.Object { return dict(pdf.E("S", pdf.Name("P")), pdf.E("K", kids)) }
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", u.Add(dict(pdf.E("K", nest(u, 60, 2, wrap, dict()))))))
		},
		"numbers": func(d *document, u *pdf.Update) {
			wrap := func(kids pdf.Array) pdf.Object { return dict(pdf.E("Kids", kids)) }
			set(t, u, d.refs["root"], pdf.E("StructTreeRoot", u.Add(dict(pdf.E("ParentTree", nest(u, 60, 2, wrap, dict()))))))
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			d := newDocument(t)
			d.data = revised(t, d.data, func(u *pdf.Update) { prepare(d, u) })
			signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
			began := processorTime(t)
			r := o.validate(revised(t, signed, func(u *pdf.Update) {
				if name == "extensions" {
					set(t, u, d.refs["root"], pdf.E("Extensions", dict(pdf.E("A", nest(u, 3, 3000, array, pdf.Integer(2))))))
				}
				u.Add(pdf.Integer(1))
			}))
			if took := processorTime(t) - began; took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%v %s %s", processorTime(t)-began, r.Integrity, strings.Join(r.Signatures[0].Changes, "; "))
		})
	}
}

// TestEndlessPages: the same for the page tree. The signer refuses such a tree, so that it is
// made from a deep one by turning the second kid of every node into the first.
func TestEndlessPages(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	d.data = revised(t, d.data, func(u *pdf.Update) {
		for u.Add(pdf.Null{}).Number < 100 { // numbers of equal length
		}
		leaf := func() pdf.Ref {
			return u.Add(dict(pdf.E("Type", name("Page")), pdf.E("Resources", pdf.Dict{}), pdf.E("MediaBox", pdf.Rect(0, 0, 9, 9))))
		}
		ref, pages := leaf(), 1
		for range 60 {
			pages++
			ref = u.Add(dict(pdf.E("Type", name("Pages")), pdf.E("Kids", pdf.Array{ref, leaf()}), pdf.E("Count", pdf.Integer(pages))))
		}
		set(t, u, d.refs["pages"], pdf.E("Kids", pdf.Array{d.refs["page1"], d.refs["page2"], ref}), pdf.E("Count", pdf.Integer(pages+2)))
	})
	data := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	data = regexp.MustCompile(`(/Kids ?\[\s*)(\d{3} 0 R)(\s+)\d{3} 0 R(\s*\])`).ReplaceAll(data, []byte("$1$2$3$2$4"))
	began := processorTime(t)
	r := o.validate(revised(t, data, func(u *pdf.Update) { u.Add(pdf.Integer(1)) }))
	if took := processorTime(t) - began; took > 20*time.Second {
		t.Errorf("took %v", took)
	}
	if !strings.Contains(strings.Join(r.Signatures[0].Changes, "; "), "too complex") {
		logReport(t, r)
		t.Error("not said to be too complex")
	}
}
