package stamp

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// What cannot be printed is refused with a message that names it, in the dry run too, so
// before a number is taken.
func TestRefusesFacts(t *testing.T) {
	clean, doc := cleanOf(t, a4)
	for _, c := range []struct {
		name    string
		change  func(*Facts)
		subject string
		is      error
	}{
		{"missing glyph in the name", func(f *Facts) { f.Official.Name = "阮文安" }, "official.name", nil},
		{"missing glyph in the title", func(f *Facts) { f.Official.Title = "CHỦ TỊCH ☂" }, "official.title", nil},
		{"missing glyph in the agency", func(f *Facts) { f.Agency.Name = "Ủy ban 🙂" }, "agency.name", nil},
		{"no name", func(f *Facts) { f.Official.Name = " " }, "official.name", nil},
		{"no agency", func(f *Facts) { f.Agency.Name = "" }, "agency.name", nil},
		{"control character", func(f *Facts) { f.Title = "a\x01b" }, "original.title", nil},
		{"broken UTF-8", func(f *Facts) { f.Agency.Name = "\xff\xfe" }, "agency.name", nil},
		{"long name", func(f *Facts) { f.Official.Name = strings.Repeat("Nguyễn ", 28) }, "official.name", ErrTooLong},
		{"long word", func(f *Facts) { f.Official.Name = strings.Repeat("M", 60) }, "official.name", ErrTooLong},
		{"long title of the original", func(f *Facts) { f.Title = strings.Repeat("a", 501) }, "original.title", ErrTooLong},
		{"many title lines", func(f *Facts) { f.Official.Title = strings.Repeat("PHÓ CHỦ TỊCH ỦY BAN NHÂN DÂN ", 6) }, "official.title", ErrTooLong},
		{"no address", func(f *Facts) { f.VerifyURL = "" }, "verify_url", nil},
		{"long address", func(f *Facts) { f.VerifyURL = "https://" + strings.Repeat("a.", 100) }, "verify_url", ErrTooLong},
		{"bad template", func(f *Facts) { f.Template = Template{Heading: "x", Lines: []string{"y"}} }, "template", ErrTemplate},
		{"signature is no PNG", func(f *Facts) { f.Signature = []byte("GIF89a") }, "signature.png", ErrPicture},
		{"seal not square", func(f *Facts) { f.Seal = f.Signature }, "seal.png", ErrPicture},
	} {
		f := someFacts(t)
		c.change(&f)
		_, stamped := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, f)
		f.Number = certcopy.Number{}
		dry := Dry(bytes.NewReader(clean), int64(len(clean)), doc, f)
		for which, err := range map[string]error{"stamp": stamped, "dry run": dry} {
			var e *certcopy.Error
			if !errors.As(err, &e) || e.Code != certcopy.Invalid || e.Subject != c.subject || e.Message.VI == "" || e.Message.EN == "" {
				t.Errorf("%s: %s: got %v", c.name, which, err)
			}
			if c.is != nil && !errors.Is(err, c.is) {
				t.Errorf("%s: %s: %v is not %v", c.name, which, err, c.is)
			}
		}
	}
}

func TestRefusesNumbersNoBookHolds(t *testing.T) {
	clean, doc := cleanOf(t, a4)
	for name, change := range map[string]func(*certcopy.Number){
		"none":           func(n *certcopy.Number) { *n = certcopy.Number{} },
		"zero":           func(n *certcopy.Number) { n.Seq = 0 },
		"no volume":      func(n *certcopy.Number) { n.Volume = 0 },
		"other year":     func(n *certcopy.Number) { n.Year++ },
		"time of day":    func(n *certcopy.Number) { n.Date = n.Date.Add(1) },
		"before the law": func(n *certcopy.Number) { n.Year, n.Date = 2020, n.Date.AddDate(-6, 0, 0) },
	} {
		f := someFacts(t)
		change(&f.Number)
		if _, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, f); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// A dry run passes without a number, and what then gets one can be stamped.
func TestDryNeedsNoNumber(t *testing.T) {
	clean, doc := cleanOf(t, a4Half)
	f := someFacts(t)
	f.Number = certcopy.Number{}
	if err := Dry(bytes.NewReader(clean), int64(len(clean)), doc, f); err != nil {
		t.Fatal(err)
	}
}

// Anything but what intake writes is refused: the clerk never saw it.
func TestRefusesWhatIsNotClean(t *testing.T) {
	type spoil func(page *pdf.Dict, image *pdf.Dict, content *[]byte)
	for name, s := range map[string]spoil{
		"second image":     func(_, _ *pdf.Dict, c *[]byte) { *c = append(*c, "q 1 0 0 1 0 0 cm /Im1 Do Q"...) },
		"text":             func(_, _ *pdf.Dict, c *[]byte) { *c = append(*c, "BT (x) Tj ET"...) },
		"annotation":       func(p, _ *pdf.Dict, _ *[]byte) { p.Set("Annots", pdf.Array{}) },
		"page action":      func(p, _ *pdf.Dict, _ *[]byte) { p.Set("AA", pdf.Dict{}) },
		"rotated":          func(p, _ *pdf.Dict, _ *[]byte) { p.Set("Rotate", pdf.Integer(90)) },
		"cropped":          func(p, _ *pdf.Dict, _ *[]byte) { p.Set("CropBox", pdf.Rect(0, 0, 10, 10)) },
		"origin elsewhere": func(p, _ *pdf.Dict, _ *[]byte) { p.Set("MediaBox", pdf.Rect(5, 5, 600, 847)) },
		"JPEG 2000":        func(_, i *pdf.Dict, _ *[]byte) { i.Set("Filter", pdf.Name("JPXDecode")) },
		"CMYK":             func(_, i *pdf.Dict, _ *[]byte) { i.Set("ColorSpace", pdf.Name("DeviceCMYK")) },
		"soft mask":        func(_, i *pdf.Dict, _ *[]byte) { i.Set("SMask", pdf.Null{}) },
		"alternates":       func(_, i *pdf.Dict, _ *[]byte) { i.Set("Alternates", pdf.Array{}) },
		"too many pixels":  func(_, i *pdf.Dict, _ *[]byte) { i.Set("Width", pdf.Integer(1<<40)) },
		"a form":           func(_, i *pdf.Dict, _ *[]byte) { i.Set("Subtype", pdf.Name("Form")) },
	} {
		clean, doc := cleanWith(t, s, a4)
		_, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
		if !errors.Is(err, ErrClean) || certcopy.CodeOf(err) != certcopy.Internal {
			t.Errorf("%s: got %v, want ErrClean", name, err)
		}
	}
}

func TestRefusesDamagedCleanDocument(t *testing.T) {
	good, goodDoc := cleanOf(t, a4, a4)
	for name, spoil := range map[string]func(b []byte, doc *certcopy.CleanDocument) []byte{
		"byte changed":     func(b []byte, _ *certcopy.CleanDocument) []byte { b[len(b)/2] ^= 1; return b },
		"cut off":          func(b []byte, _ *certcopy.CleanDocument) []byte { return b[:len(b)-10] },
		"other page count": func(b []byte, d *certcopy.CleanDocument) []byte { d.Pages = d.Pages[:1]; return b },
		"other page size": func(b []byte, d *certcopy.CleanDocument) []byte {
			d.Pages = []certcopy.Page{{Width: 100, Height: 100}, d.Pages[1]}
			return b
		},
		"no PDF": func(_ []byte, d *certcopy.CleanDocument) []byte {
			b := []byte("hello")
			d.Digest, d.Size = certcopy.DigestOf(b), 5
			return b
		},
	} {
		doc := goodDoc
		b := spoil(bytes.Clone(good), &doc)
		if _, err := Stamp(bytes.NewReader(b), int64(len(b)), doc, someFacts(t)); !errors.Is(err, ErrClean) {
			t.Errorf("%s: got %v, want ErrClean", name, err)
		}
	}
}
