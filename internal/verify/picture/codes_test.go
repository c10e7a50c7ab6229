package picture

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	xdraw "golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
	"rsc.io/qr"

	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/pdf"
)

const (
	codeText  = "04HMASW9NF6YY0937"
	otherText = "https://example.vn/cccd|001087000000|"
)

// photograph is a page as a camera sees it, 1240 × 1754: text, the QRs where a copy has them,
// turned by some degrees, unevenly lit and noisy.
func photograph(t testing.TB, degrees float64, texts ...string) []byte {
	t.Helper()
	page := image.NewRGBA(image.Rect(0, 0, 1240, 1754))
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	for y := 200; y < 1200; y += 40 {
		draw.Draw(page, image.Rect(120, y, 1100-(y%7)*40, y+12), image.NewUniform(color.Gray{40}), image.Point{}, draw.Src)
	}
	for i, text := range texts {
		code, err := qr.Encode(text, qr.M)
		must(t, err)
		side := 4 * (code.Size + 8)
		src, err := jpegOf(code)
		must(t, err)
		at := image.Pt(160+700*i, 1350)
		xdraw.NearestNeighbor.Scale(page, image.Rectangle{at, at.Add(image.Pt(side, side))}, src, src.Bounds(), xdraw.Src, nil)
	}
	turned := image.NewRGBA(page.Rect)
	draw.Draw(turned, turned.Rect, image.NewUniform(color.Gray{90}), image.Point{}, draw.Src)
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	cx, cy := 620.0, 877.0
	xdraw.BiLinear.Transform(turned, f64.Aff3{cos, -sin, cx - cos*cx + sin*cy, sin, cos, cy - sin*cx - cos*cy}, page, page.Rect, xdraw.Src, nil)
	random := rand.New(rand.NewPCG(1, 2))
	for i := range turned.Pix {
		if i%4 != 3 {
			light := 0.72 + 0.28*float64(i/turned.Stride)/1754
			turned.Pix[i] = uint8(min(255, max(0, float64(turned.Pix[i])*light+random.NormFloat64()*9)))
		}
	}
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, turned, &jpeg.Options{Quality: 60}))
	return b.Bytes()
}

func jpegOf(c *qr.Code) (*image.Gray, error) {
	const quiet = 4
	p := image.NewGray(image.Rect(0, 0, c.Size+2*quiet, c.Size+2*quiet))
	for y := range p.Rect.Dy() {
		for x := range p.Rect.Dx() {
			if !c.Black(x-quiet, y-quiet) {
				p.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return p, nil
}

// scanned is a PDF of one picture, as a phone's scanner makes it.
func scanned(t testing.TB, photo []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.4")
	root, tree := w.Alloc(), w.Alloc()
	picture, err := w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")), pdf.E("Width", pdf.Integer(1240)),
		pdf.E("Height", pdf.Integer(1754)), pdf.E("ColorSpace", pdf.Name("DeviceRGB")), pdf.E("BitsPerComponent", pdf.Integer(8)), pdf.E("Filter", pdf.Name("DCTDecode"))}, photo))
	must(t, err)
	content, err := w.Add(pdf.NewStream(nil, []byte("595 0 0 842 0 0 cm /I Do")))
	must(t, err)
	page, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
		pdf.E("Resources", pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("I", picture)})}), pdf.E("Contents", content)})
	must(t, err)
	must(t, w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1))}))
	must(t, w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}))
	must(t, w.Close(pdf.Dict{pdf.E("Root", root)}))
	return b.Bytes()
}

func TestCodesThatAreSeen(t *testing.T) {
	_, c := machine(t)
	ours := "https://saoy.example.vn" + link.VerifyPath + codeText
	for _, tt := range []struct {
		name string
		file []byte
		want int
	}{
		{"straight", scanned(t, photograph(t, 0, ours)), 1},
		{"turned a little", scanned(t, photograph(t, 3, ours)), 1},
		{"upside down", scanned(t, photograph(t, 182, ours)), 1},
		{"beside another QR", scanned(t, photograph(t, -2, otherText, ours)), 1},
		{"another QR only", scanned(t, photograph(t, 1, otherText)), 0},
		{"no QR", scanned(t, photograph(t, 1)), 0},
		{"as text", newDocument(t, "BT /F0 12 Tf 72 700 Td (Ma tra cuu: 04HM-ASW9-NF6Y-Y093-7.) Tj ET").file, 1},
		{"an address as text", newDocument(t, "BT /F0 12 Tf 72 700 Td (saoy.vn/v/04hmasw9nf6yy0937) Tj ET").file, 1},
		{"mistyped", newDocument(t, "BT /F0 12 Tf 72 700 Td (04HM-ASW9-NF6Y-Y094-7) Tj ET").file, 0},
	} {
		codes, err := c.Codes(t.Context(), bytes.NewReader(tt.file), int64(len(tt.file)))
		if err != nil || len(codes) != tt.want || tt.want == 1 && codes[0] != codeText {
			t.Errorf("%s: %v %v", tt.name, codes, err)
		}
	}
}

func TestPagesToRead(t *testing.T) {
	for pages, want := range map[int][]int{0: nil, 1: {0}, 3: {2, 1, 0}, 5: {4, 3, 2, 0, 1}, 100: {99, 98, 97, 0, 1, 2}} {
		if got := pagesToRead(pages); !slices.Equal(got, want) {
			t.Errorf("%d: %v", pages, got)
		}
	}
}

func FuzzCodesInText(f *testing.F) {
	f.Add("Ma: 04HM-ASW9-NF6Y-Y093-7 /v/04HMASW9NF6YY0937")
	f.Fuzz(func(t *testing.T, text string) {
		for _, c := range codesInText(text) {
			if again, err := link.ParseCode(c.String()); err != nil || again != c {
				t.Fatalf("%v %v", c, err)
			}
		}
	})
}
