package stamp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// sheet describes one page of a generated clean document; free is the empty share at its foot.
type sheet struct {
	width, height float64 // points
	free          float64
}

var (
	a4         = sheet{595.28, 841.89, 0}
	a4Half     = sheet{595.28, 841.89, 0.55}
	a3Wide     = sheet{1190.55, 841.89, 0}
	a3WideHalf = sheet{1190.55, 841.89, 0.5}
	a4Wide     = sheet{841.89, 595.28, 0.6}
	a5         = sheet{419.53, 595.28, 0.9}
	a2         = sheet{1190.55, 1683.78, 0.3}
)

// cleanOf makes a clean document as intake writes it: a scan-like JPEG on each sheet.
func cleanOf(t testing.TB, sheets ...sheet) ([]byte, certcopy.CleanDocument) {
	t.Helper()
	return cleanWith(t, nil, sheets...)
}

// cleanWith lets a test spoil what each page is made of.
func cleanWith(t testing.TB, spoil func(page *pdf.Dict, image *pdf.Dict, content *[]byte), sheets ...sheet) ([]byte, certcopy.CleanDocument) {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	tree := w.Alloc()
	var kids pdf.Array
	var doc certcopy.CleanDocument
	add := func(o pdf.Object) pdf.Ref {
		ref, err := w.Add(o)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	for i, s := range sheets {
		data, size := scan(t, i, s)
		image := pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")),
			pdf.E("Width", pdf.Integer(size.X)), pdf.E("Height", pdf.Integer(size.Y)), pdf.E("ColorSpace", pdf.Name("DeviceRGB")),
			pdf.E("BitsPerComponent", pdf.Integer(8)), pdf.E("Filter", pdf.Name("DCTDecode"))}
		content := fmt.Appendf(nil, "q %g 0 0 %g 0 0 cm /Im0 Do Q\n", s.width, s.height)
		page := pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, s.width, s.height))}
		if spoil != nil {
			spoil(&page, &image, &content)
		}
		im := add(pdf.NewStream(image, data))
		page.Set("Resources", pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("Im0", im)})})
		page.Set("Contents", add(pdf.NewStream(nil, content)))
		kids = append(kids, add(page))
		doc.Pages = append(doc.Pages, certcopy.Page{Width: s.width, Height: s.height, FreeBottom: s.free * s.height, DPI: 72})
	}
	if err := w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(pdf.Dict{pdf.E("Root", add(pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}))}); err != nil {
		t.Fatal(err)
	}
	doc.Digest, doc.Size = certcopy.DigestOf(b.Bytes()), int64(b.Len())
	return b.Bytes(), doc
}

// scan draws grey bars like lines of text on off-white paper, one pixel a point.
func scan(t testing.TB, seed int, s sheet) ([]byte, image.Point) {
	t.Helper()
	size := image.Pt(int(s.width), int(s.height))
	m := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(m, m.Bounds(), image.NewUniform(color.RGBA{250, 249, 244, 255}), image.Point{}, draw.Src)
	for y := 60; y < int(float64(size.Y)*(1-s.free))-10; y += 18 {
		width := size.X - 120 - (y*7+seed*31)%90
		draw.Draw(m, image.Rect(60, y, 60+width, y+7), image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 80}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes(), size
}

var (
	someSignature = sync.OnceValue(func() []byte { return must(DemonstrationSignature()) })
	someSeal      = sync.OnceValue(func() []byte { return must(DemonstrationSeal("Ủy ban nhân dân xã Ân Tường Đông")) })
)

func must(b []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return b
}

// someFacts are the facts of an ordinary copy.
func someFacts(t testing.TB) Facts {
	t.Helper()
	signature, seal := someSignature(), someSeal()
	day := time.Date(2026, time.February, 5, 0, 0, 0, 0, time.UTC)
	return Facts{
		Agency: certcopy.Agency{ID: "an-tuong-dong", Code: "H08.35", Name: "Ủy ban nhân dân xã Ân Tường Đông",
			Place: "Ân Tường Đông", Book: certcopy.DefaultBook},
		Number:    certcopy.Number{Agency: "an-tuong-dong", Book: certcopy.DefaultBook, Year: 2026, Seq: 1234, Volume: 1, Date: day},
		Official:  certcopy.Official{Name: "Nguyễn Văn An", Title: "KT. CHỦ TỊCH / PHÓ CHỦ TỊCH"},
		Title:     "Bằng tốt nghiệp đại học <số 12 & 13>",
		Code:      someCode,
		VerifyURL: "https://saoy.example.vn/v/" + someCode,
		Signature: signature, Seal: seal,
	}
}

// cleanShared makes a clean document of n pages with one image.
func cleanShared(t testing.TB, n int) ([]byte, certcopy.CleanDocument) {
	t.Helper()
	var b bytes.Buffer
	var doc certcopy.CleanDocument
	w := pdf.NewWriter(&b, "1.7")
	add := func(o pdf.Object) pdf.Ref {
		ref, err := w.Add(o)
		if err != nil {
			t.Fatal(err)
		}
		return ref
	}
	data, size := scan(t, 1, a4)
	image := add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")),
		pdf.E("Width", pdf.Integer(size.X)), pdf.E("Height", pdf.Integer(size.Y)), pdf.E("ColorSpace", pdf.Name("DeviceRGB")),
		pdf.E("BitsPerComponent", pdf.Integer(8)), pdf.E("Filter", pdf.Name("DCTDecode"))}, data))
	content := add(pdf.NewStream(nil, []byte("q 595.28 0 0 841.89 0 0 cm /Im0 Do Q")))
	tree := w.Alloc()
	var kids pdf.Array
	for range n {
		kids = append(kids, add(pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree),
			pdf.E("MediaBox", pdf.Rect(0, 0, a4.width, a4.height)), pdf.E("Contents", content),
			pdf.E("Resources", pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("Im0", image)})})}))
		doc.Pages = append(doc.Pages, certcopy.Page{Width: a4.width, Height: a4.height})
	}
	if err := w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(n))}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(pdf.Dict{pdf.E("Root", add(pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}))}); err != nil {
		t.Fatal(err)
	}
	doc.Digest, doc.Size = certcopy.DigestOf(b.Bytes()), int64(b.Len())
	return b.Bytes(), doc
}
