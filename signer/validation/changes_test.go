package validation

import (
	"bytes"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// signings are the ways a document is signed before something happens to it.
var signings = []struct {
	name string
	sign func(o *office, d *document) []byte
}{
	{"approved", func(o *office, d *document) []byte {
		return o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	}},
	{"certified 1", func(o *office, d *document) []byte {
		return o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 1}, pades.Means{})
	}},
	{"certified 2", func(o *office, d *document) []byte {
		return o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, pades.Means{})
	}},
	{"certified 3", func(o *office, d *document) []byte {
		return o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 3}, pades.Means{})
	}},
	{"copy", func(o *office, d *document) []byte { return o.copy(d) }},
}

// The ways on which a change is allowed, as a string of digits: a approved, 1 2 3 certified,
// c copy.
const (
	never   = ""
	always  = "a123c"
	filling = "a23"
	remarks = "3"
)

// alteration is something done to a signed document.
type alteration struct {
	name    string
	allowed string
	named   string // part of what the report must say
	do      func(t *testing.T, d *document, u *pdf.Update)
}

func set(t *testing.T, u *pdf.Update, ref pdf.Ref, entries ...pdf.Entry) {
	t.Helper()
	altered(t, u, ref, func(d *pdf.Dict) {
		for _, e := range entries {
			d.Set(e.Key, e.Value)
		}
	})
}

func annotate(t *testing.T, d *document, u *pdf.Update, annot pdf.Dict) {
	t.Helper()
	ref := u.Add(annot)
	altered(t, u, d.refs["page1"], func(p *pdf.Dict) {
		p.Set("Annots", append(append(pdf.Array{}, p.Get("Annots").(pdf.Array)...), ref))
	})
}

func note(kind string, entries ...pdf.Entry) pdf.Dict {
	d := dict(pdf.E("Type", name("Annot")), pdf.E("Subtype", name(kind)), pdf.E("Rect", pdf.Rect(72, 690, 272, 730)),
		pdf.E("F", pdf.Integer(4)), pdf.E("Contents", pdf.Text("nhận xét")))
	for _, e := range entries {
		d.Set(e.Key, e.Value)
	}
	return d
}

func appearance(s *pdf.Stream) pdf.Entry { return pdf.E("AP", dict(pdf.E("N", s))) }

// indirect puts every stream of an appearance into an object of its own.
func indirect(u *pdf.Update, e pdf.Entry) pdf.Entry {
	ap := e.Value.(pdf.Dict)
	return pdf.E(e.Key, dict(pdf.E("N", u.Add(ap.Get("N")))))
}

// blended is a form with a graphics state that multiplies.
func blended(content string) *pdf.Stream {
	s := form(content)
	s.Dict.Set("Resources", dict(pdf.E("ExtGState", dict(pdf.E("G", dict(pdf.E("BM", name("Multiply"))))))))
	return s
}

// nested is such a form with another in it, as a group.
func nested(u *pdf.Update, outer, inner string) *pdf.Stream {
	s, in := blended(outer), form(inner)
	in.Dict.Set("Group", dict(pdf.E("S", name("Transparency"))))
	res := s.Dict.Get("Resources").(pdf.Dict)
	res.Set("XObject", dict(pdf.E("Fm", u.Add(in))))
	s.Dict.Set("Resources", res)
	return s
}

var alterations = []alteration{
	{"page content replaced", never, "content", func(t *testing.T, d *document, u *pdf.Update) {
		u.Set(d.refs["content"], pdf.NewStream(nil, []byte("BT /F1 24 Tf 72 700 Td (So tien: 9000) Tj ET\n")))
	}},
	{"page content appended", never, "content", func(t *testing.T, d *document, u *pdf.Update) {
		more := u.Add(pdf.NewStream(nil, []byte("1 g 0 0 595 842 re f\n")))
		set(t, u, d.refs["page1"], pdf.E("Contents", pdf.Array{d.refs["content"], more}))
	}},
	{"font replaced", never, "font", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["font"], pdf.E("BaseFont", name("ZapfDingbats")))
	}},
	{"form XObject replaced", never, "image or form", func(t *testing.T, d *document, u *pdf.Update) {
		u.Set(d.refs["image"], form("1 0 0 rg 0 0 50 10 re f\n"))
	}},
	{"inherited resources replaced", never, "font", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["resources"], pdf.E("Font", dict(pdf.E("F1", u.Add(dict(pdf.E("Type", name("Font")), pdf.E("Subtype", name("Type1")), pdf.E("BaseFont", name("Symbol"))))))))
	}},
	{"own resources instead of inherited", never, "resources", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["page1"], pdf.E("Resources", pdf.Dict{}))
	}},
	{"layer switched off", never, "layers", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			c.Set("OCProperties", dict(pdf.E("OCGs", pdf.Array{d.refs["layer"]}), pdf.E("D", dict(pdf.E("OFF", pdf.Array{d.refs["layer"]})))))
		})
	}},
	{"layer renamed", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["layer"], pdf.E("Name", pdf.Text("lớp 2")))
	}},
	{"page added", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		p := u.Add(dict(pdf.E("Type", name("Page")), pdf.E("Parent", d.refs["pages"]), pdf.E("Contents", d.refs["content"])))
		set(t, u, d.refs["pages"], pdf.E("Kids", pdf.Array{d.refs["page1"], d.refs["page2"], p}), pdf.E("Count", pdf.Integer(3)))
	}},
	{"page removed", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["pages"], pdf.E("Kids", pdf.Array{d.refs["page1"]}), pdf.E("Count", pdf.Integer(1)))
	}},
	{"pages swapped", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["pages"], pdf.E("Kids", pdf.Array{d.refs["page2"], d.refs["page1"]}))
	}},
	{"page turned", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["page1"], pdf.E("Rotate", pdf.Integer(180)))
	}},
	{"page cropped", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["page1"], pdf.E("CropBox", pdf.Rect(0, 0, 100, 100)))
	}},
	{"whole page tree replaced (shadow, hide and replace)", never, "page", func(t *testing.T, d *document, u *pdf.Update) {
		p := u.Alloc()
		tree := u.Add(dict(pdf.E("Type", name("Pages")), pdf.E("Kids", pdf.Array{p}), pdf.E("Count", pdf.Integer(1)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))))
		u.Set(p, dict(pdf.E("Type", name("Page")), pdf.E("Parent", tree), pdf.E("Resources", d.refs["resources"]), pdf.E("Contents", u.Add(pdf.NewStream(nil, []byte("BT ET\n"))))))
		set(t, u, d.refs["root"], pdf.E("Pages", tree))
	}},
	{"action on opening", never, "automatic action", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["root"], pdf.E("OpenAction", dict(pdf.E("S", name("JavaScript")), pdf.E("JS", pdf.Text("app.alert(1)")))))
	}},
	{"attachment added", never, "attachments", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["root"], pdf.E("Names", dict(pdf.E("EmbeddedFiles", dict(pdf.E("Names", pdf.Array{}))))))
	}},
	{"permissions removed", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			if !c.Has("Perms") {
				c.Set("Perms", dict(pdf.E("DocMDP", d.refs["link"])))
				return
			}
			c.Delete("Perms")
		})
	}},
	{"link led elsewhere", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["link"], pdf.E("Dest", pdf.Array{d.refs["page1"], name("Fit")}))
	}},
	{"unknown key in the catalog", never, "structure", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["root"], pdf.E("SaoyTest", pdf.Integer(1)))
	}},

	{"signature field hidden", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["certifier"], pdf.E("F", pdf.Integer(2)))
	}},
	{"signature removed from its field", never, "replaced", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["certifier"], func(f *pdf.Dict) { f.Delete("V") })
	}},
	{"signed field dropped from form", never, "removed", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			f := c.Get("AcroForm").(pdf.Dict).Clone()
			f.Set("Fields", pdf.Array{d.refs["text"]})
			c.Set("AcroForm", f)
		})
	}},
	{"appearance of a signature drawn anew", never, "appearance", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["certifier"], indirect(u, appearance(form("0 0 160 60 re f\n"))))
	}},
	{"signature field moved", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["certifier"], pdf.E("Rect", pdf.Rect(0, 0, 595, 842)))
	}},

	{"text field filled", filling, "ho_ten", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["text"], pdf.E("V", pdf.Text("Bình")), indirect(u, appearance(form("BT /Helv 10 Tf (Binh) Tj ET\n"))))
	}},
	{"box ticked", filling, "dong_y", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["check"], pdf.E("V", name("On")), pdf.E("AS", name("On")))
	}},
	{"appearance of a field swapped, value kept (shadow, replace)", never, "appearance", func(t *testing.T, d *document, u *pdf.Update) {
		u.Set(d.refs["textAP"], form("BT /Helv 10 Tf (Chi) Tj ET\n"))
	}},
	{"appearance of a box swapped with its value", never, "appearance", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["check"], pdf.E("V", name("On")), pdf.E("AS", name("On")),
			pdf.E("AP", dict(pdf.E("N", dict(pdf.E("On", d.refs["off"]), pdf.E("Off", d.refs["on"]))))))
	}},
	{"text field grown over the page while filled", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["text"], pdf.E("V", pdf.Text("x")), pdf.E("Rect", pdf.Rect(0, 0, 595, 842)))
	}},
	{"text field made active while filled", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["text"], pdf.E("V", pdf.Text("x")), pdf.E("AA", dict(pdf.E("F", dict(pdf.E("S", name("JavaScript")))))))
	}},
	{"text field added", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		f := u.Add(note("Widget", pdf.E("FT", name("Tx")), pdf.E("T", pdf.Text("moi")), pdf.E("V", pdf.Text("9000"))))
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			form := c.Get("AcroForm").(pdf.Dict).Clone()
			form.Set("Fields", append(append(pdf.Array{}, form.Get("Fields").(pdf.Array)...), f))
			c.Set("AcroForm", form)
		})
		altered(t, u, d.refs["page1"], func(p *pdf.Dict) {
			p.Set("Annots", append(append(pdf.Array{}, p.Get("Annots").(pdf.Array)...), f))
		})
	}},
	{"empty signature field with an appearance (sneaky signature)", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		f := u.Add(append(note("Widget", pdf.E("FT", name("Sig")), pdf.E("T", pdf.Text("moi"))), indirect(u, appearance(form("1 g 0 0 200 40 re f\n")))))
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			form := c.Get("AcroForm").(pdf.Dict).Clone()
			form.Set("Fields", append(append(pdf.Array{}, form.Get("Fields").(pdf.Array)...), f))
			c.Set("AcroForm", form)
		})
		altered(t, u, d.refs["page1"], func(p *pdf.Dict) {
			p.Set("Annots", append(append(pdf.Array{}, p.Get("Annots").(pdf.Array)...), f))
		})
	}},
	{"default resources of the form replaced", never, "font", func(t *testing.T, d *document, u *pdf.Update) {
		other := u.Add(dict(pdf.E("Type", name("Font")), pdf.E("Subtype", name("Type1")), pdf.E("BaseFont", name("Symbol"))))
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			form := c.Get("AcroForm").(pdf.Dict).Clone()
			form.Set("DR", dict(pdf.E("Font", dict(pdf.E("Helv", other)))))
			c.Set("AcroForm", form)
		})
	}},
	{"appearances to be made by the reader", never, "form", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			form := c.Get("AcroForm").(pdf.Dict).Clone()
			form.Set("NeedAppearances", pdf.Boolean(true))
			c.Set("AcroForm", form)
		})
	}},
	{"XFA form added", never, "form", func(t *testing.T, d *document, u *pdf.Update) {
		x := u.Add(pdf.NewStream(nil, []byte("<xdp/>")))
		altered(t, u, d.refs["root"], func(c *pdf.Dict) {
			form := c.Get("AcroForm").(pdf.Dict).Clone()
			form.Set("XFA", x)
			c.Set("AcroForm", form)
		})
	}},

	{"note", remarks, "Text", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, note("Text", pdf.E("Rect", pdf.Rect(300, 700, 320, 720))))
	}},
	{"highlight that multiplies", remarks, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		s := form("/G gs 1 1 0 rg 0 0 100 20 re f\n")
		s.Dict.Set("Resources", dict(pdf.E("ExtGState", dict(pdf.E("G", dict(pdf.E("BM", name("Multiply"))))))))
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(s))))
	}},
	{"highlight that covers", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
	}},
	{"highlight that multiplies in a nested form", remarks, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(nested(u, "/G gs /Fm Do\n", "1 1 0 rg 0 0 100 20 re f\n")))))
	}},
	{"highlight whose nested form covers", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(nested(u, "/Fm Do\n", "1 1 0 rg 0 0 100 20 re f\n")))))
	}},
	{"highlight that has a multiplying state and does not use it", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(blended("1 g 0 0 100 20 re f\n")))))
	}},
	{"highlight that leaves its multiplying state", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(blended("q /G gs Q 1 g 0 0 100 20 re f\n")))))
	}},
	{"highlight in black", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(blended("/G gs 0 0 100 20 re f\n")))))
	}},
	{"highlight in black that the reader draws", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, note("Highlight", pdf.E("C", pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)})))
	}},
	{"highlight multiplied only within its group", never, "Highlight", func(t *testing.T, d *document, u *pdf.Update) {
		s := blended("/G gs 1 1 0 rg 0 0 100 20 re f\n")
		s.Dict.Set("Group", dict(pdf.E("S", name("Transparency")), pdf.E("I", pdf.Boolean(true))))
		annotate(t, d, u, append(note("Highlight"), indirect(u, appearance(s))))
	}},
	{"underline as thick as the text, by its state", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		s := form("/G gs 0 1 m 100 1 l S\n")
		s.Dict.Set("Resources", dict(pdf.E("ExtGState", dict(pdf.E("G", dict(pdf.E("LW", pdf.Integer(40))))))))
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(s))))
	}},
	{"underline as thick as the text, enlarged", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		s := form("4 w 0 1 m 5 1 l S\n")
		s.Dict.Set("BBox", pdf.Rect(0, 0, 5, 5))
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(s))))
	}},
	{"underline that hatches", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(form("2 w "+strings.Repeat("0 1 m 100 1 l ", 10)+"S\n")))))
	}},
	{"underline printed but not viewed, covering", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Underline", pdf.E("F", pdf.Integer(36))), indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
	}},
	{"many notes side by side", never, "Text", func(t *testing.T, d *document, u *pdf.Update) {
		for i := range 40 {
			annotate(t, d, u, append(note("Text", pdf.E("Rect", pdf.Rect(float64(i%10)*32, 700-float64(i/10)*32, float64(i%10)*32+32, 732-float64(i/10)*32))),
				indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
		}
	}},
	{"underline", remarks, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(form("1 w 0 1 m 100 1 l S\n")))))
	}},
	{"underline as thick as the text", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(form("40 w 0 1 m 100 1 l S\n")))))
	}},
	{"underline that writes", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Underline"), indirect(u, appearance(form("BT (9) Tj ET\n")))))
	}},
	{"note as large as the page (evil annotation)", never, "Text", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Text"), indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
	}},
	{"underline that covers when pointed at", never, "Underline", func(t *testing.T, d *document, u *pdf.Update) {
		cover := u.Add(form("1 g 0 0 100 20 re f\n"))
		annotate(t, d, u, note("Underline", pdf.E("AP", dict(pdf.E("R", cover)))))
	}},
	{"note with an action", never, "Text", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, note("Text", pdf.E("A", dict(pdf.E("S", name("URI")), pdf.E("URI", pdf.Text("http://example.invalid"))))))
	}},
	{"stamp (evil annotation)", never, "Stamp", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, append(note("Stamp"), indirect(u, appearance(form("1 g 0 0 100 20 re f\n")))))
	}},
	{"free text (evil annotation)", never, "FreeText", func(t *testing.T, d *document, u *pdf.Update) {
		annotate(t, d, u, note("FreeText", pdf.E("DA", pdf.Text("/Helv 24 Tf"))))
	}},
	{"redaction (evil annotation)", never, "Redact", func(t *testing.T, d *document, u *pdf.Update) { annotate(t, d, u, note("Redact")) }},
	{"link to the outside", never, "Link", func(t *testing.T, d *document, u *pdf.Update) { annotate(t, d, u, note("Link")) }},
	{"annotation removed", never, "removed", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["page1"], func(p *pdf.Dict) { p.Set("Annots", p.Get("Annots").(pdf.Array)[1:]) })
	}},
	{"annotations reordered", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		altered(t, u, d.refs["page1"], func(p *pdf.Dict) {
			a := p.Get("Annots").(pdf.Array)
			p.Set("Annots", append(append(pdf.Array{}, a[1:]...), a[0]))
		})
	}},

	{"modification date", always, "date", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["info"], pdf.E("ModDate", pdf.Date(start.AddDate(1, 0, 0))))
		u.Set(d.refs["metadata"], xmp("2027-03-02T08:00:00Z", "Bản sao"))
	}},
	{"title", never, "description", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["info"], pdf.E("Title", pdf.Text("Bản chính")))
	}},
	{"title in XMP", never, "description", func(t *testing.T, d *document, u *pdf.Update) {
		u.Set(d.refs["metadata"], xmp("2027-03-02T08:00:00Z", "Bản chính"))
	}},
	{"the same objects written again", always, "", func(t *testing.T, d *document, u *pdf.Update) {
		for _, n := range []string{"page1", "root", "content", "font", "text"} {
			o, err := u.Object(d.refs[n])
			must(t, err)
			u.Set(d.refs[n], o)
		}
	}},
	{"an object nothing uses", always, "", func(t *testing.T, d *document, u *pdf.Update) { u.Add(pdf.Integer(7)) }},
	{"version raised", always, "version", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["root"], pdf.E("Version", name("2.0")))
	}},
	{"store of validation data that is none", never, "", func(t *testing.T, d *document, u *pdf.Update) {
		set(t, u, d.refs["root"], pdf.E("DSS", dict(pdf.E("Certs", pdf.Array{d.refs["page1"]}))))
	}},
}

// TestChanges does each alteration to each kind of signed document. Where it is not allowed,
// the verdict is modified and says what was done.
func TestChanges(t *testing.T) {
	for i, s := range signings {
		t.Run(s.name, func(t *testing.T) {
			o := newOffice(t)
			d := newDocument(t)
			signed := s.sign(o, d)
			for _, a := range alterations {
				t.Run(a.name, func(t *testing.T) {
					data := revised(t, signed, func(u *pdf.Update) { a.do(t, d, u) })
					r := o.validate(data)
					allowed := strings.ContainsRune(a.allowed, rune("a123c"[i]))
					judge(t, r, allowed, a.named)
				})
			}
		})
	}
}

func judge(t *testing.T, r *Report, allowed bool, named string) {
	t.Helper()
	if len(r.Signatures) == 0 {
		t.Fatalf("no signature found: %+v", r)
	}
	worst := r.Signatures[0]
	for _, s := range r.Signatures {
		if s.ChangesAfter == ChangesDisallowed {
			worst = s
		}
	}
	switch {
	case allowed && (r.Integrity != Intact || worst.ChangesAfter != ChangesAllowed):
		logReport(t, r)
		t.Errorf("integrity %s, changes %s; want intact, allowed", r.Integrity, worst.ChangesAfter)
	case !allowed && (r.Integrity != Modified || r.Indication != TotalFailed || worst.ChangesAfter != ChangesDisallowed):
		logReport(t, r)
		t.Errorf("%s, integrity %s, changes %s; want modified, disallowed", r.Indication, r.Integrity, worst.ChangesAfter)
	case !strings.Contains(strings.Join(worst.Changes, "; "), named):
		t.Errorf("changes %q do not name %q", worst.Changes, named)
	}
}

// TestOverlay: a field prepared before signing may not be filled with something that hides the
// page: neither one as large as the page, nor one that covers what it let through when it was
// signed. Its small twins may be filled with text.
func TestOverlay(t *testing.T) {
	const words, cover = "BT /Helv 10 Tf (x) Tj ET\n", "1 g 0 0 100 20 re f\n"
	page := pdf.Rect(0, 0, 595, 842)
	for _, c := range []struct {
		name    string
		prepare func(d *document, u *pdf.Update)
		drawn   string
		allowed bool
	}{
		{"small", nil, words, true},
		{"small, covering", nil, cover, false},
		{"small, covering as before", func(d *document, u *pdf.Update) { u.Set(d.refs["textAP"], form(cover)) }, cover, true},
		{"as large as the page", func(d *document, u *pdf.Update) { set(t, u, d.refs["text"], pdf.E("Rect", page)) }, words, false},
		{"as large as what is seen of the page", func(d *document, u *pdf.Update) {
			set(t, u, d.refs["page1"], pdf.E("CropBox", pdf.Rect(0, 480, 300, 740)))
			set(t, u, d.refs["text"], pdf.E("Rect", pdf.Rect(0, 500, 300, 740)))
		}, words, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t)
			d := newDocument(t)
			if c.prepare != nil {
				d.data = revised(t, d.data, func(u *pdf.Update) { c.prepare(d, u) })
			}
			signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
			data := revised(t, signed, func(u *pdf.Update) {
				set(t, u, d.refs["text"], pdf.E("V", pdf.Text("x")), indirect(u, appearance(form(c.drawn))))
			})
			judge(t, o.validate(data), c.allowed, "ho_ten")
		})
	}
}

// TestLaterSignatures: what may be signed after what.
func TestLaterSignatures(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	visible := pades.Options{Field: "third", Page: 1, Rect: [4]float64{100, 100, 200, 150}, Appearance: ink{}}
	large := pades.Options{Field: "third", Page: 1, Rect: [4]float64{0, 0, 595, 842}, Appearance: ink{}}
	over := pades.Options{Field: "third", Rect: [4]float64{70, 90, 150, 150}, Appearance: ink{}}
	first := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	certified := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, pades.Means{})
	for _, c := range []struct {
		name    string
		base    []byte
		options pades.Options
		allowed bool
	}{
		{"existing field", first, pades.Options{Field: "seal"}, true},
		{"existing field after certification", certified, pades.Options{Field: "seal"}, true},
		{"new invisible field", first, pades.Options{Field: "third"}, true},
		{"new visible field", first, visible, true},
		{"new field over the page", first, large, false},
		{"new field over a signature", first, over, false},
		{"new visible field after certification", certified, visible, false},
		{"new invisible field after certification", certified, pades.Options{Field: "third"}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := o.validate(o.sign(c.base, o.agency, c.options, pades.Means{}))
			judge(t, r, c.allowed, "")
		})
	}
}

// ink fills the rectangle of a signature.
type ink struct{}

func (ink) Draw(_ *pdf.Update, w, h float64) ([]byte, pdf.Dict, error) {
	return []byte("0 0 1000 1000 re f\n"), pdf.Dict{}, nil
}

// TestFlippedByte: no byte of a signed range can change.
func TestFlippedByte(t *testing.T) {
	o := newOffice(t)
	data := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	step := 151
	if testing.Short() {
		step = 997
	}
	for i := 0; i < len(data); i += step {
		changed := bytes.Clone(data)
		changed[i] ^= 0x20
		if r := o.validate(changed); r.Passed() || r.Integrity == Intact {
			// In the gap only the padding may change unseen, and the case of its digits.
			if !inContents(data, i) {
				t.Errorf("byte %d (%q → %q) changed unseen", i, data[i], changed[i])
			}
		}
	}
}

func inContents(data []byte, i int) bool {
	from := bytes.Index(data, []byte("/Contents <"))
	return from >= 0 && i > from && i < from+bytes.IndexByte(data[from:], '>')
}
