package intake

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"reflect"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

func assembled(t *testing.T, p Page) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := Assemble(&b, &Result{Pages: []Page{p}}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every encoding that intake makes can be made anew, and looks as it did.
func TestEditKeepsTheLook(t *testing.T) {
	grey := textPage(3, 0, 0, 0, 8)
	bilevel := textPage(3, 0, 0, 0, 8)
	bilevel = blackAndWhite(bilevel, 200)
	palette := image.NewPaletted(image.Rect(0, 0, 700, 990), color.Palette{color.White, color.RGBA{200, 0, 0, 255}, color.Black})
	for i := range palette.Pix {
		palette.Pix[i] = uint8(i / 700 / 40 % 3)
	}
	tests := map[string]struct {
		file []byte
		edit Edit
		want Encoding
		most float64
	}{
		"JPEG at a lower quality": {withSegments(jpegOf(t, scannedSheet(1), 90), jfifSegment(200)), Edit{Quality: 60}, DCT, 4},
		"JPEG grey":               {withSegments(jpegOf(t, scannedSheet(1), 90), jfifSegment(200)), Edit{Colour: Grey}, DCT, 4},
		"JPEG in black and white": {withSegments(jpegOf(t, grey, 90), jfifSegment(200)), Edit{Colour: Bilevel}, G4, 14},
		"PNG photograph as JPEG":  {pngImage(t, scannedSheet(2)), Edit{Quality: 92}, DCT, 4},
		"PNG grey":                {pngImage(t, grey), Edit{Quality: 92}, DCT, 4},
		"PNG with palette":        {pngImage(t, palette), Edit{Quality: 92}, DCT, 4},
		"black and white as grey": {pngImage(t, bilevel), Edit{Colour: Grey}, DCT, 4},
		"turned and made grey":    {withSegments(jpegOf(t, scannedSheet(1), 90), jfifSegment(200)), Edit{Colour: Grey, Turn: 2}, DCT, 4},
		"300 dpi reduced to 200":  {withSegments(jpegOf(t, grey, 90), segment(mAPP0, []byte{'J', 'F', 'I', 'F', 0, 1, 2, 1, 1, 44, 1, 44, 0, 0})), Edit{Quality: 85, DPI: 200}, DCT, 8},
	}
	in := newIntake(t)
	for name, tt := range tests {
		r, err := read(t, name, tt.file)
		if err != nil {
			t.Fatal(err)
		}
		before := r.Pages[0]
		after, err := in.Edit(t.Context(), before, tt.edit)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := drawn(t, assembled(t, before), 60)[0]
		for range tt.edit.Turn {
			want = quarter(want)
		}
		if d := difference(drawn(t, assembled(t, after), 60)[0], want); d > tt.most {
			t.Errorf("%s: differs by %.1f", name, d)
		}
		if after.Encoding != tt.want || after.Edit != tt.edit || after.Sheet.Width != before.Sheet.Width {
			t.Errorf("%s: %s %+v, sheet %+v", name, after.Encoding, after.Edit, after.Sheet)
		}
		if tt.edit.DPI > 0 && (after.Sheet.DPI < 199 || after.Sheet.DPI > 201 || len(after.Warnings) > 0) {
			t.Errorf("%s: %.0f dpi, %v", name, after.Sheet.DPI, after.Warnings)
		}
		back, err := in.Edit(t.Context(), before, Edit{})
		if err != nil || !reflect.DeepEqual(back, before) {
			t.Errorf("%s: the upload itself is not what no edit gives: %v", name, err)
		}
	}
}

func TestEditRefuses(t *testing.T) {
	r, err := read(t, "scan", jpegOf(t, original(), 80))
	if err != nil {
		t.Fatal(err)
	}
	in := newIntake(t)
	for name, e := range map[string]Edit{
		"below 200 dpi": {DPI: 150}, "quality 20": {Quality: 20}, "quality 100": {Quality: 100}, "five quarters": {Turn: 5}, "sepia": {Colour: "sepia"},
	} {
		if _, err := in.Edit(t.Context(), r.Pages[0], e); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, break_ := range map[string]func(p *Page){
		"cut JPEG":     func(p *Page) { p.Data = p.Data[:len(p.Data)/2] },
		"no zlib":      func(p *Page) { p.Encoding = Flate },
		"no fax":       func(p *Page) { p.Encoding, p.Bits, p.Components = G4, 1, 1 },
		"another size": func(p *Page) { p.Width++ },
	} {
		bad := r.Pages[0]
		break_(&bad)
		if _, err := in.Edit(t.Context(), bad, Edit{Colour: Grey}); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzDecodePage decodes what a stored page may hold after its store was damaged.
func FuzzDecodePage(f *testing.F) {
	f.Add([]byte("\x78\x9c\x01"), 20, 20, uint8(0))
	f.Add(jpegOf(f, image.NewGray(image.Rect(0, 0, 9, 9)), 50), 9, 9, uint8(1))
	f.Add([]byte{0x26, 0xa1}, 8, 2, uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, w, h int, kind uint8) {
		m := Image{Width: w, Height: h, Components: 1, Bits: 8, Orientation: 1, Data: b, Encoding: []Encoding{Flate, DCT, G4}[kind%3]}
		if kind%3 == 2 {
			m.Bits = 1
		}
		if m.check() != nil || w > 4000 || h > 4000 {
			return
		}
		if img, err := m.decode(); err == nil && (img.Bounds().Dx() != w || img.Bounds().Dy() != h) {
			t.Errorf("%v of %d × %d", img.Bounds(), w, h)
		}
	})
}

func pngImage(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
