package intake

import (
	"bytes"
	"image"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestAssembleIsDeterministicAndSharesPictures(t *testing.T) {
	a, b := jpegOf(t, original(), 80), jpegOf(t, image.NewGray(image.Rect(0, 0, 300, 200)), 80)
	once, doc := clean(t, a, b)
	again, _ := clean(t, a, b)
	if !bytes.Equal(once, again) {
		t.Error("the same files give other bytes")
	}
	if len(doc.Pages) != 2 || doc.Pages[0].DPI == 0 {
		t.Errorf("%+v", doc)
	}
	twice, _ := clean(t, a, b, a)
	if len(twice) > len(once)+1000 {
		t.Errorf("a page that occurs twice is stored twice: %d and %d bytes", len(once), len(twice))
	}
}

func TestAssembleHoldsToLimits(t *testing.T) {
	page := Page{Image: Image{Width: 10, Height: 10, Components: 1, Bits: 8, Encoding: DCT, Orientation: 1}}
	page.settle()
	many := &Result{Pages: make([]Page, certcopy.MaxPages+1)}
	for i := range many.Pages {
		many.Pages[i] = page
	}
	large := page
	large.Data = make([]byte, certcopy.MaxCopyBytes)
	for name, r := range map[string]*Result{"no page": {}, "201 pages": many, "48 MiB": {Pages: []Page{large}}} {
		if _, err := Assemble(io.Discard, r); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := page
	bad.Width = 0
	if _, err := Assemble(io.Discard, &Result{Pages: []Page{bad}}); err == nil {
		t.Error("a picture without width is written")
	}
}

func TestWarnings(t *testing.T) {
	blank := image.NewGray(image.Rect(0, 0, 1654, 2339))
	for i := range blank.Pix {
		blank.Pix[i] = 250
	}
	tests := []struct {
		name string
		b    []byte
		want []WarningCode
	}{
		{"blank page", withSegments(jpegOf(t, blank, 80), jfifSegment(200)), []WarningCode{BlankPage}},
		{"100 dpi", withSegments(jpegOf(t, original(), 80), jfifSegment(100)), []WarningCode{LowResolution}},
		{"200 dpi", withSegments(jpegOf(t, scannedSheet(1), 80), jfifSegment(200)), nil},
	}
	for _, tt := range tests {
		r, err := read(t, tt.name, tt.b)
		if err != nil {
			t.Fatal(err)
		}
		var got []WarningCode
		for _, w := range r.Pages[0].Warnings {
			got = append(got, w.Code)
		}
		if !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func jfifSegment(dpi byte) []byte {
	return segment(mAPP0, []byte{'J', 'F', 'I', 'F', 0, 1, 2, 1, 0, dpi, 0, dpi, 0, 0})
}

func TestBadFileLeavesTheOthers(t *testing.T) {
	files := [][]byte{jpegOf(t, original(), 80), []byte("not a scan"), jpegOf(t, original(), 70)}
	var uploads []Upload
	for _, b := range files {
		uploads = append(uploads, Upload{Name: "scan", Body: bytes.NewReader(b), Size: int64(len(b))})
	}
	results, errs := newIntake(t).ReadAll(t.Context(), uploads)
	if results[0] == nil || results[1] != nil || results[2] == nil || errs[0] != nil || errs[1] == nil || errs[2] != nil {
		t.Errorf("%v %v", results, errs)
	}
}

func TestResultCanBeStored(t *testing.T) {
	r, err := read(t, "scan", jpegOf(t, original(), 80))
	if err != nil {
		t.Fatal(err)
	}
	r.Pages = append(r.Pages, Page{Image: Image{Width: 3, Height: 1, Components: 1, Bits: 2, Encoding: Flate, Orientation: 8,
		Palette: []byte{1, 2, 3}, Data: []byte("samples")}})
	var b bytes.Buffer
	n, err := r.WriteTo(&b)
	if err != nil || n != int64(b.Len()) {
		t.Fatal(n, b.Len(), err)
	}
	whole := b.Bytes()
	back, err := ReadResult(bytes.NewReader(whole))
	if err != nil || !reflect.DeepEqual(r, back) {
		t.Fatalf("%v\n%+v\n%+v", err, r, back)
	}
	for n := range len(whole) {
		if n > 200 && n < len(whole)-200 {
			continue
		}
		if cut, err := ReadResult(bytes.NewReader(whole[:n])); err == nil && len(cut.Pages) == len(r.Pages) {
			t.Fatalf("%d of %d bytes are enough", n, len(whole))
		}
	}
}

func FuzzReadResult(f *testing.F) {
	r := &Result{Format: "png", Pages: []Page{{Image: Image{Width: 3, Height: 1, Components: 1, Bits: 2, Encoding: Flate, Orientation: 8}}}}
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<20 {
			return
		}
		r, err := ReadResult(bytes.NewReader(b))
		if err != nil {
			return
		}
		for i := range r.Pages {
			r.Pages[i].settle()
		}
		// Whatever a child says, the document is sound or refused.
		var out bytes.Buffer
		if _, err := Assemble(&out, r); err == nil && strings.Contains(out.String(), "NaN") {
			t.Error("NaN in the document")
		}
	})
}

func FuzzPNG(f *testing.F) {
	f.Add(forgedPNG(8, 8, 8, 0, 0, 72))
	f.Add(forgedPNG(8, 8, 16, 6, 0, 520))
	f.Add(forgedPNG(9, 3, 2, 3, 1, 100))
	f.Fuzz(func(t *testing.T, b []byte) {
		if s, err := scanPNGAnyway(b); err == nil && uint64(s.width)*uint64(s.height) < 1<<20 {
			if p, err := readPNG("fuzz", b); err == nil {
				if err := p.check(); err != nil {
					t.Error(err)
				}
			}
		}
	})
}

func scanPNGAnyway(b []byte) (*pngFile, error) {
	if len(b) < 8 {
		return nil, errPNG
	}
	return scanPNG(b)
}

func FuzzTIFF(f *testing.F) {
	f.Add(greyTIFF(8, 8, 1, make([]byte, 64)))
	f.Add(greyTIFF(8, 8, 4, make([]byte, 64), tagBits, 1))
	f.Add(greyTIFF(8, 8, 5, make([]byte, 64), tagPredictor, 2))
	f.Add(greyTIFF(8, 8, 7, jpegOf(f, image.NewGray(image.Rect(0, 0, 8, 8)), 50)))
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = readTIFF("fuzz", b, func(p Page) error { return p.check() })
	})
}
