package stamp

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/signer/pdf"
)

func mustStamp(t testing.TB, f Facts, sheets ...sheet) *Stamped {
	t.Helper()
	clean, doc := cleanOf(t, sheets...)
	s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, f)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func open(t testing.TB, b []byte) *pdf.Reader {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(b), int64(len(b)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The text a person copies out of the page is the statutory statement, letter for letter.
func TestStatementText(t *testing.T) {
	for _, sheets := range [][]sheet{{a4}, {a4, a4Half}, {a3WideHalf}} {
		s := mustStamp(t, someFacts(t), sheets...)
		page := fmt.Sprint(s.StatementPage + 1)
		text := run(t, "pdftotext", "-raw", "-f", page, "-l", page, file(t, "copy.pdf", s.PDF), "-")
		for _, want := range []string{
			"Chứng thực bản sao đúng với bản chính\n",
			"Số chứng thực 1234 quyển số 01/2026 - SCT/BS\n",
			"Ngày 05 tháng 02 năm 2026\n",
			"Người thực hiện chứng thực\nKT. CHỦ TỊCH\nPHÓ CHỦ TỊCH\nNguyễn Văn An\n",
			"ỦY BAN NHÂN DÂN\nXÃ ÂN TƯỜNG ĐÔNG\n",
			"Bản điện tử chuyển đổi từ bản chính giấy. Cơ quan chuyển đổi: Ủy ban nhân dân xã Ân Tường\nĐông. Tra cứu: ",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("page %s has no %q:\n%s", page, want, text)
			}
		}
		if strings.Contains(text, "TRÌNH DIỄN") || strings.Contains(text, "điện tử này") {
			t.Errorf("words that do not belong:\n%s", text)
		}
	}
}

// Each page image of the copy has exactly the bytes of the clean document.
func TestImagesAreCarriedOverByteForByte(t *testing.T) {
	clean, doc := cleanOf(t, a4, a3Wide, a5)
	s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
	if err != nil {
		t.Fatal(err)
	}
	before, after := pageImages(t, clean), pageImages(t, s.PDF)
	if len(before) != 3 || len(after) != 3 {
		t.Fatalf("%d images before, %d after", len(before), len(after))
	}
	for i := range before {
		if !bytes.Equal(before[i], after[i]) {
			t.Errorf("page %d: image changed", i+1)
		}
	}
}

func pageImages(t *testing.T, b []byte) [][]byte {
	t.Helper()
	r := open(t, b)
	var images [][]byte
	for p, err := range r.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		resources, _ := r.Dict(p.Resources)
		xobjects, _ := r.Dict(resources.Get("XObject"))
		o, err := r.Resolve(xobjects.Get("Im0"))
		if err != nil {
			t.Fatal(err)
		}
		if s, ok := o.(*pdf.Stream); ok {
			data, err := io.ReadAll(s.Raw())
			if err != nil {
				t.Fatal(err)
			}
			images = append(images, data)
		}
	}
	return images
}

// The same input gives the same bytes, also side by side; any other fact gives other ones.
func TestDeterministic(t *testing.T) {
	clean, doc := cleanOf(t, a4, a4Half)
	stamp := func(f Facts) certcopy.Digest {
		s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, f)
		if err != nil {
			t.Error(err)
			return certcopy.Digest{}
		}
		if s.Digest != certcopy.DigestOf(s.PDF) {
			t.Error("the digest is not that of the bytes")
		}
		return s.Digest
	}
	facts := someFacts(t)
	want := stamp(facts)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			if got := stamp(facts); got != want {
				t.Errorf("got %s, want %s", got, want)
			}
		})
	}
	wait.Wait()
	seen := map[certcopy.Digest]string{want: "the same"}
	for name, change := range map[string]func(*Facts){
		"number":        func(f *Facts) { f.Number.Seq++ },
		"day":           func(f *Facts) { f.Number.Date = f.Number.Date.AddDate(0, 0, 1) },
		"title":         func(f *Facts) { f.Title += "." },
		"official":      func(f *Facts) { f.Official.Name = "Nguyễn Văn Ân" },
		"seal":          func(f *Facts) { f.Seal = nil },
		"demonstration": func(f *Facts) { f.Demonstration = true },
		"agency code":   func(f *Facts) { f.Agency.Code = "H08.36" },
	} {
		f := someFacts(t)
		change(&f)
		d := stamp(f)
		if other, ok := seen[d]; ok {
			t.Errorf("%s: same bytes as %s", name, other)
		}
		seen[d] = name
	}
}

// The statement stands whole, inside the page, in white space that is really free; else on a
// page of its own that is never smaller than A4.
func TestPlacement(t *testing.T) {
	for _, c := range []struct {
		name     string
		sheets   []sheet
		appended bool
		pages    int
	}{
		{"full A4", []sheet{a4}, true, 2},
		{"half free A4", []sheet{a4Half}, false, 1},
		{"free first, full last", []sheet{a4Half, a4}, true, 3},
		{"full first, free last", []sheet{a4, a4Half}, false, 2},
		{"full A3 landscape", []sheet{a3Wide}, true, 2},
		{"half free A3 landscape", []sheet{a3WideHalf}, false, 1},
		{"A4 landscape", []sheet{a4Wide}, false, 1},
		{"A5, too narrow though free", []sheet{a5}, true, 2},
		{"A2", []sheet{a2}, false, 1},
		{"mixed", []sheet{a3Wide, a5, a2}, false, 3},
		{"a little too little room", []sheet{{595.28, 841.89, 0.25}}, true, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := mustStamp(t, someFacts(t), c.sheets...)
			if s.Appended != c.appended || s.Pages != c.pages || s.StatementPage != c.pages-1 {
				t.Errorf("appended %v, %d pages, statement on %d", s.Appended, s.Pages, s.StatementPage)
			}
			checkStatementPage(t, s, c.sheets[len(c.sheets)-1])
		})
	}
}

func checkStatementPage(t *testing.T, s *Stamped, last sheet) {
	t.Helper()
	r := open(t, s.PDF)
	p, err := r.Page(s.StatementPage)
	if err != nil {
		t.Fatal(err)
	}
	width, height := p.MediaBox[2], p.MediaBox[3]
	if s.Appended && (min(width, height) < 595 || max(width, height) < 841 || width < last.width-1 || height < last.height-1) {
		t.Errorf("appended page of %g × %g after %g × %g", width, height, last.width, last.height)
	}
	top := height
	if !s.Appended {
		top = last.free * last.height
	}
	for i, f := range fieldsOf(t, r) {
		box, err := r.Box(f.Get("Rect"))
		if err != nil {
			t.Fatal(err)
		}
		if box[0] < margin-1 || box[1] < footMargin || box[2] > width-margin+1 || box[3] > top {
			t.Errorf("field %d at %v leaves the free place of %g × %g", i, box, width, top)
		}
	}
}

func fieldsOf(t *testing.T, r *pdf.Reader) []pdf.Dict {
	t.Helper()
	_, catalog, err := r.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	form, err := r.Dict(catalog.Get("AcroForm"))
	if err != nil {
		t.Fatal(err)
	}
	if flags, _ := form.Int("SigFlags"); flags != 1 {
		t.Errorf("SigFlags %d before the first signature, want 1", flags)
	}
	list, err := r.Array(form.Get("Fields"))
	if err != nil {
		t.Fatal(err)
	}
	var fields []pdf.Dict
	for _, o := range list {
		d, err := r.Dict(o)
		if err != nil {
			t.Fatal(err)
		}
		fields = append(fields, d)
	}
	return fields
}

// Both fields are empty, printable, not hidden, without anything to see; only the agency's
// locks; the seal lies over the left third of the signature and has its true size.
func TestFields(t *testing.T) {
	s := mustStamp(t, someFacts(t), a4Half)
	r := open(t, s.PDF)
	fields := fieldsOf(t, r)
	if len(fields) != 2 {
		t.Fatalf("%d fields", len(fields))
	}
	var boxes [2][4]float64
	for i, want := range []string{CertifierField, AgencyField} {
		f := fields[i]
		name, _ := f.Get("T").(pdf.String)
		flags, _ := f.Int("F")
		if name.Text() != want || f.Name("FT") != "Sig" || flags != 4 || f.Has("V") {
			t.Errorf("field %d: %v", i, f)
		}
		if f.Has("Lock") != (want == AgencyField) {
			t.Errorf("%s: lock %v", want, f.Get("Lock"))
		}
		appearance, err := r.Dict(f.Get("AP"))
		if err != nil {
			t.Fatal(err)
		}
		n, err := r.Resolve(appearance.Get("N"))
		if stream, ok := n.(*pdf.Stream); err != nil || !ok || stream.Len() != 0 || stream.Dict.Name("Subtype") != "Form" {
			t.Errorf("%s: appearance %v (%v)", want, n, err)
		}
		if boxes[i], err = r.Box(f.Get("Rect")); err != nil {
			t.Fatal(err)
		}
	}
	signature, seal := boxes[0], boxes[1]
	third := signature[0] + (signature[2]-signature[0])/3
	if math.Abs(seal[2]-third) > 0.01 || math.Abs(seal[2]-seal[0]-36*72/25.4) > 0.01 {
		t.Errorf("seal %v over signature %v", seal, signature)
	}
}

// Every page of a demonstration, and of a preview, says what it is.
func TestMarksOnEveryPage(t *testing.T) {
	clean, doc := cleanOf(t, a4, a3Wide)
	for _, c := range []struct {
		name  string
		facts func(*Facts)
		make  func(f Facts) ([]byte, error)
		want  []string
		not   string
	}{
		{"demonstration flag", func(f *Facts) { f.Demonstration = true }, stampBytes(clean, doc), []string{demonstrationText}, previewText},
		{"demonstration agency", func(f *Facts) { f.Agency.Demonstration = true }, stampBytes(clean, doc), []string{demonstrationText}, previewText},
		{"preview without number", func(f *Facts) { f.Number = certcopy.Number{} }, previewBytes(clean, doc), []string{previewText}, demonstrationText},
		{"preview of a demonstration", func(f *Facts) { f.Demonstration = true }, previewBytes(clean, doc), []string{previewText, demonstrationText}, "\x00"},
	} {
		f := someFacts(t)
		c.facts(&f)
		b, err := c.make(f)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		path := file(t, "marked.pdf", b)
		for page := 1; page <= 3; page++ {
			n := fmt.Sprint(page)
			text := run(t, "pdftotext", "-raw", "-f", n, "-l", n, path, "-")
			for _, want := range c.want {
				if !strings.Contains(text, want) {
					t.Errorf("%s: page %d has no %q:\n%s", c.name, page, want, text)
				}
			}
			if strings.Contains(text, c.not) {
				t.Errorf("%s: page %d has %q", c.name, page, c.not)
			}
		}
	}
}

func stampBytes(clean []byte, doc certcopy.CleanDocument) func(Facts) ([]byte, error) {
	return func(f Facts) ([]byte, error) {
		s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, f)
		if err != nil {
			return nil, err
		}
		return s.PDF, nil
	}
}

func previewBytes(clean []byte, doc certcopy.CleanDocument) func(Facts) ([]byte, error) {
	return func(f Facts) ([]byte, error) { return Preview(bytes.NewReader(clean), int64(len(clean)), doc, f) }
}

// A preview has no fields that could be signed and no seal.
func TestPreviewCannotBeSigned(t *testing.T) {
	clean, doc := cleanOf(t, a4Half)
	b, err := Preview(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
	if err != nil {
		t.Fatal(err)
	}
	_, catalog, err := open(t, b).Catalog()
	if err != nil || catalog.Has("AcroForm") {
		t.Errorf("catalog %v (%v)", catalog, err)
	}
	if bytes.Contains(b, []byte("/Im2")) {
		t.Error("the seal is drawn")
	}
}

// The XMP packet is well-formed whatever the texts hold, and carries the facts.
func TestMetadata(t *testing.T) {
	f, err := someFacts(t).prepared()
	if err != nil {
		t.Fatal(err)
	}
	packet := f.metadata()
	var text strings.Builder
	for d := xml.NewDecoder(bytes.NewReader(packet)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if c, ok := token.(xml.CharData); ok {
			text.Write(c)
			text.WriteByte('\n')
		}
	}
	for _, want := range []string{"\n1234\n", "\n01/2026 - SCT/BS\n", "\n2026-02-05\n", "\n" + f.Agency.Name + "\n", "\nH08.35\n",
		"\n" + f.Code + "\n", "\n" + f.VerifyURL + "\n",
		"\nBản sao chứng thực số 1234, 01/2026 - SCT/BS: Bằng tốt nghiệp đại học <số 12 & 13>\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in the metadata", want)
		}
	}
}

// The longest names the vocabulary allows, in ordinary words, still fit one statement.
func TestLongNamesFit(t *testing.T) {
	f := someFacts(t)
	f.Agency.Name = "Ủy ban nhân dân phường Thượng Nguyễn Trường Tộ thành phố trực thuộc trung ương Thành phố Hồ Chí Minh"
	f.Official = certcopy.Official{Name: "Công Tằng Tôn Nữ Nguyễn Phước Hoàng Thị Thùy Dương Thiên Hương",
		Title: "TUQ. CHỦ TỊCH / PHÓ TRƯỞNG PHÒNG\nPHỤ TRÁCH TRUNG TÂM PHỤC VỤ HÀNH CHÍNH CÔNG"}
	f.Number.Seq, f.Number.Volume = 9_999_999, 999
	s := mustStamp(t, f, a4)
	text := run(t, "pdftotext", "-raw", "-f", "2", file(t, "long.pdf", s.PDF), "-")
	if !strings.Contains(text, "Số chứng thực 9999999 quyển số 999/2026 - SCT/BS\n") {
		t.Errorf("number line broken:\n%s", text)
	}
}

// What a stamp adds stays small.
func TestSize(t *testing.T) {
	clean, doc := cleanOf(t, a4)
	s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
	if err != nil {
		t.Fatal(err)
	}
	if added := len(s.PDF) - len(clean); added > 80<<10 {
		t.Errorf("the stamp adds %d bytes", added)
	}
}

func TestWrapBreaksAddresses(t *testing.T) {
	face, err := typeface.Tinos(typeface.Regular)
	if err != nil {
		t.Fatal(err)
	}
	lines, err := wrap(face, "saoy.mot-cong-thong-tin-rat-dai.example.vn/v/ABCDEFGH", 10, 90)
	if err != nil || len(lines) < 3 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	for _, l := range lines {
		if l.Width(10) > 90 {
			t.Errorf("a line is %g wide", l.Width(10))
		}
	}
}

// FuzzStamp feeds arbitrary bytes as clean document: it is stamped or refused, with a typed
// error, and what is stamped can be read.
func FuzzStamp(f *testing.F) {
	good, _ := cleanOf(f, sheet{200, 100, 0})
	f.Add(good)
	facts := someFacts(f)
	facts.Seal, facts.Signature = nil, nil
	f.Fuzz(func(t *testing.T, b []byte) {
		doc := certcopy.CleanDocument{Digest: certcopy.DigestOf(b), Size: int64(len(b)), Pages: []certcopy.Page{{Width: 200, Height: 100}}}
		s, err := Stamp(bytes.NewReader(b), int64(len(b)), doc, facts)
		if err != nil {
			if !errors.Is(err, ErrClean) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		for _, err := range open(t, s.PDF).Pages() {
			if err != nil {
				t.Fatal(err)
			}
		}
	})
}

func BenchmarkStamp50Pages(b *testing.B) {
	sheets := make([]sheet, 50)
	for i := range sheets {
		sheets[i] = a4
	}
	clean, doc := cleanOf(b, sheets...)
	facts := someFacts(b)
	b.SetBytes(int64(len(clean)))
	for b.Loop() {
		if _, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, facts); err != nil {
			b.Fatal(err)
		}
	}
}

// An image that pages share is stored once, so that a small clean document cannot make a huge
// file.
func TestSharedImageIsStoredOnce(t *testing.T) {
	clean, doc := cleanShared(t, 40)
	s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(s.PDF) > len(clean)+150<<10 {
		t.Errorf("%d bytes become %d", len(clean), len(s.PDF))
	}
}
