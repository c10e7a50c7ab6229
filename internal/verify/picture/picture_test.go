package picture

import (
	"bytes"
	"fmt"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/render"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/validation"
)

func TestMain(m *testing.M) {
	confine.Main(Tasks())
	os.Exit(m.Run())
}

// machine compiles the drawing machine once, as the service does at its start.
func machine(t testing.TB) (*render.Renderer, Confined) {
	t.Helper()
	dir := filepath.Join(os.TempDir(), "saoy-test-wasm")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := render.New(t.Context(), dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r, Confined{Runner: confine.New(2), Cache: dir}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// document is a file of some A4 pages, each with a content stream, the first with a form field.
type document struct {
	file     []byte
	pages    []pdf.Ref
	contents []pdf.Ref
	field    pdf.Ref
	tree     pdf.Ref
}

func newDocument(t testing.TB, contents ...string) document {
	t.Helper()
	var b bytes.Buffer
	d := document{}
	w := pdf.NewWriter(&b, "1.7")
	root, tree, field := w.Alloc(), w.Alloc(), w.Alloc()
	font, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("Type1")), pdf.E("BaseFont", pdf.Name("Helvetica"))})
	must(t, err)
	kids := pdf.Array{}
	for i, c := range contents {
		content, err := w.Add(pdf.NewStream(nil, []byte(c)))
		must(t, err)
		page := pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
			pdf.E("Resources", pdf.Dict{pdf.E("Font", pdf.Dict{pdf.E("F0", font)})}), pdf.E("Contents", content)}
		if i == 0 {
			page.Set("Annots", pdf.Array{field})
		}
		ref, err := w.Add(page)
		must(t, err)
		d.pages, d.contents, kids = append(d.pages, ref), append(d.contents, content), append(kids, ref)
	}
	d.field, d.tree = field, tree
	must(t, w.Put(field, d.value("")))
	must(t, w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))}))
	must(t, w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree),
		pdf.E("AcroForm", pdf.Dict{pdf.E("Fields", pdf.Array{field}), pdf.E("DA", pdf.Text("/F0 12 Tf 0 g")),
			pdf.E("NeedAppearances", pdf.Boolean(true)), pdf.E("DR", pdf.Dict{pdf.E("Font", pdf.Dict{pdf.E("F0", font)})})})}))
	must(t, w.Close(pdf.Dict{pdf.E("Root", root)}))
	d.file = b.Bytes()
	return d
}

// value is the text field with a value.
func (d document) value(v string) pdf.Dict {
	return pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("FT", pdf.Name("Tx")),
		pdf.E("T", pdf.Text("ten")), pdf.E("V", pdf.Text(v)), pdf.E("Rect", pdf.Rect(100, 600, 400, 630)), pdf.E("F", pdf.Integer(4)),
		pdf.E("DA", pdf.Text("/F0 18 Tf 0 g"))}
}

// update appends an increment.
func update(t testing.TB, base []byte, change func(u *pdf.Update)) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(base), int64(len(base)), pdf.Limits{})
	must(t, err)
	u := pdf.NewUpdate(r)
	change(u)
	inc, err := u.Increment()
	must(t, err)
	return append(bytes.Clone(base), inc.Bytes...)
}

const (
	page1 = "BT /F0 24 Tf 72 700 Td (Page one) Tj ET"
	page2 = "BT /F0 24 Tf 72 700 Td (1,000,000 dong) Tj ET 0 0 1 rg 300 300 60 60 re f"
)

func span(from, to []byte) Span {
	return Span{Field: "Nguoi", Class: validation.ChangesDisallowed, From: int64(len(from)), To: int64(len(to))}
}

func look(t *testing.T, c Confined, file []byte, a Ask) *Look {
	t.Helper()
	l, err := c.Look(t.Context(), bytes.NewReader(file), int64(len(file)), a)
	must(t, err)
	return l
}

// TestWhatChangedIsShown: an altered page, an overlay, a form value, pages added and removed.
func TestWhatChangedIsShown(t *testing.T) {
	_, c := machine(t)
	d := newDocument(t, page1, page2)
	overlay := func(u *pdf.Update) {
		a := u.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Form")), pdf.E("BBox", pdf.Rect(0, 0, 100, 30)),
			pdf.E("Resources", pdf.Dict{})}, []byte("1 1 0 rg 0 0 100 30 re f")))
		s := u.Add(pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Stamp")), pdf.E("Rect", pdf.Rect(72, 690, 172, 720)),
			pdf.E("F", pdf.Integer(4)), pdf.E("AP", pdf.Dict{pdf.E("N", a)})})
		u.Set(d.pages[1], pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", d.tree), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
			pdf.E("Resources", pdf.Dict{}), pdf.E("Contents", d.contents[1]), pdf.E("Annots", pdf.Array{s})})
	}
	kids := func(pages ...pdf.Ref) func(u *pdf.Update) {
		return func(u *pdf.Update) {
			all := pdf.Array{}
			for _, p := range pages {
				all = append(all, p)
			}
			u.Set(d.tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", all), pdf.E("Count", pdf.Integer(len(all)))})
		}
	}
	for _, tt := range []struct {
		name          string
		change        func(u *pdf.Update)
		pages         []int
		before, after bool
		areas         int
	}{
		{"altered page", func(u *pdf.Update) {
			u.Set(d.contents[1], pdf.NewStream(nil, []byte("BT /F0 24 Tf 72 700 Td (9,000,000 dong) Tj ET 1 0 0 rg 300 300 60 60 re f")))
		}, []int{2}, true, true, 2},
		{"overlay", overlay, []int{2}, true, true, 1},
		{"form value", func(u *pdf.Update) { u.Set(d.field, d.value("Nguyen Van A")) }, []int{1}, true, true, 1},
		{"nothing to see", func(u *pdf.Update) { u.Add(pdf.Dict{pdf.E("Type", pdf.Name("DSS"))}) }, nil, false, false, 0},
		{"page removed", kids(d.pages[0]), []int{2}, true, false, 0},
		{"page added", kids(d.pages[0], d.pages[1], d.pages[0]), []int{3}, false, true, 0},
	} {
		file := update(t, d.file, tt.change)
		l := look(t, c, file, Ask{Steps: []Span{span(d.file, file)}})
		if l.Incomplete || len(l.Steps) != 1 || l.Steps[0].Differ != len(tt.pages) || len(l.Steps[0].Changes) != len(tt.pages) || l.Seen() != (len(tt.pages) > 0) {
			t.Errorf("%s: %+v", tt.name, l)
			continue
		}
		for i, n := range tt.pages {
			ch := l.Steps[0].Changes[i]
			if ch.Number != n || ch.Before.Exists() != tt.before || ch.After.Exists() != tt.after || len(ch.Areas) != tt.areas {
				t.Errorf("%s: page %d, before %v, after %v, areas %v", tt.name, ch.Number, ch.Before.Exists(), ch.After.Exists(), ch.Areas)
			}
			save(t, tt.name+" before.jpg", ch.Before)
			save(t, tt.name+" after.jpg", ch.After)
		}
	}
}

// save keeps a picture to be looked at, where SAOY_LOOK names a directory, and reads it.
func save(t *testing.T, name string, p Picture) {
	t.Helper()
	if !p.Exists() {
		return
	}
	if dir := os.Getenv("SAOY_LOOK"); dir != "" {
		must(t, os.WriteFile(filepath.Join(dir, name), p.JPEG, 0o600))
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(p.JPEG))
	if err != nil || c.Width != p.Width || c.Height != p.Height {
		t.Errorf("%s: %v, %+v", name, err, c)
	}
}

// TestEachStepShowsItsOwnChange: what came between two signatures is not blamed on the last.
func TestEachStepShowsItsOwnChange(t *testing.T) {
	_, c := machine(t)
	d := newDocument(t, page1, page2)
	one := update(t, d.file, func(u *pdf.Update) { u.Set(d.field, d.value("A")) })
	two := update(t, one, func(u *pdf.Update) { u.Set(d.contents[1], pdf.NewStream(nil, []byte(page1))) })
	l := look(t, c, two, Ask{Steps: []Span{span(d.file, one), span(one, two)}, Thumbnails: 5})
	if len(l.Steps) != 2 || l.Steps[0].Changes[0].Number != 1 || l.Steps[1].Changes[0].Number != 2 || l.Steps[1].Differ != 1 {
		t.Errorf("%+v", l.Steps)
	}
	if l.Pages != 2 || len(l.Thumbnails) != 2 || l.Thumbnails[1].Number != 2 || l.Thumbnails[0].Width != ThumbWidth {
		t.Errorf("%d pages, thumbnails %+v", l.Pages, l.Thumbnails)
	}
}

// TestManyPagesAreBounded: of many changed pages some are shown, and all that differ counted.
func TestManyPagesAreBounded(t *testing.T) {
	_, c := machine(t)
	var contents []string
	for i := range MaxCompared + 5 {
		contents = append(contents, fmt.Sprintf("BT /F0 24 Tf 72 700 Td (Page %d) Tj ET", i))
	}
	d := newDocument(t, contents...)
	file := update(t, d.file, func(u *pdf.Update) {
		for _, ref := range d.contents {
			u.Set(ref, pdf.NewStream(nil, []byte("0 g 10 10 50 50 re f")))
		}
	})
	l := look(t, c, file, Ask{Steps: []Span{span(d.file, file)}, Thumbnails: 500})
	if len(l.Thumbnails) != MaxThumbnails || l.Pages != MaxCompared+5 {
		t.Errorf("%d thumbnails of %d pages", len(l.Thumbnails), l.Pages)
	}
	if l.Incomplete { // a slow machine may stop early, and says so
		return
	}
	if s := l.Steps[0]; s.Compared != MaxCompared || s.Differ != MaxCompared || len(s.Changes) != MaxShown || s.Total != MaxCompared+5 {
		t.Errorf("%d compared, %d differ, %d shown, %d in all", s.Compared, s.Differ, len(s.Changes), s.Total)
	}
}

// TestHostileFilesAreNoError: what cannot be drawn gives less, never an error.
func TestHostileFilesAreNoError(t *testing.T) {
	_, c := machine(t)
	d := newDocument(t, page1)
	huge := newDocument(t, page1)
	huge.file = bytes.ReplaceAll(huge.file, []byte("[0 0 595 842]"), []byte("[0 0 595 9e9]"))
	for name, file := range map[string][]byte{"empty": {}, "text": []byte("hello"), "cut": d.file[:len(d.file)/2], "huge page": huge.file} {
		l, err := c.Look(t.Context(), bytes.NewReader(file), int64(len(file)), Ask{Thumbnails: 3, Steps: []Span{{From: 5, To: 1 << 40}}})
		if err != nil || !l.Incomplete {
			t.Errorf("%s: %v %+v", name, err, l)
		}
		if codes, err := c.Codes(t.Context(), bytes.NewReader(file), int64(len(file))); err != nil || len(codes) > 0 {
			t.Errorf("%s: codes %v %v", name, codes, err)
		}
	}
}

func TestSpans(t *testing.T) {
	sig := func(field string, end int64, after validation.ChangesAfter) validation.Signature {
		return validation.Signature{Field: field, ByteRangeOK: true, ByteRange: []int64{0, 10, 20, end - 20}, ChangesAfter: after, Kind: validation.KindSignature}
	}
	broken := sig("x", 100, validation.ChangesDisallowed)
	broken.ByteRangeOK = false
	got := Spans([]validation.Signature{sig("a", 100, validation.ChangesAllowed), broken, sig("b", 200, validation.ChangesDisallowed), sig("c", 300, validation.ChangesNone)}, 300)
	if len(got) != 2 || got[0] != (Span{Field: "a", Class: validation.ChangesAllowed, From: 100, To: 200}) || got[1].To != 300 {
		t.Errorf("%+v", got)
	}
	got = Spans([]validation.Signature{sig("a", 100, validation.ChangesDisallowed), sig("b", 200, validation.ChangesDisallowed)}, 300)
	if len(got) != 2 || got[0].Class != "" || got[1].Class != validation.ChangesDisallowed {
		t.Errorf("who is to blame: %+v", got)
	}
	var many []validation.Signature
	for i := range 20 {
		many = append(many, sig(fmt.Sprint(i), int64(100+i), validation.ChangesAllowed))
	}
	got = Spans(many, 500)
	if len(got) != maxSteps || got[0].Field != "0" || got[0].To != got[1].From || got[maxSteps-1].To != 500 {
		t.Errorf("%+v", got)
	}
	if Spans(nil, 5) != nil || !AskFor(nil, 5, 0).Empty() {
		t.Error("steps without signatures")
	}
}

func BenchmarkLook(b *testing.B) {
	_, c := machine(b)
	d := newDocument(b, page1, page2)
	file := update(b, d.file, func(u *pdf.Update) { u.Set(d.contents[1], pdf.NewStream(nil, []byte(page1))) })
	for b.Loop() {
		if _, err := c.Look(b.Context(), bytes.NewReader(file), int64(len(file)), Ask{Steps: []Span{span(d.file, file)}, Thumbnails: 2}); err != nil {
			b.Fatal(err)
		}
	}
}
