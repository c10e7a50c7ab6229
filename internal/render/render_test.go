package render

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/color"
	"os"
	"path/filepath"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

func newRenderer(t testing.TB) *Renderer {
	dir := filepath.Join(os.TempDir(), "saoy-test-wasm")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := New(context.Background(), dir, 2)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// twoPages has an upright page with a red square in its lower left corner, and the same page
// turned by a quarter.
func twoPages(t testing.TB) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	catalog, tree, content := w.Alloc(), w.Alloc(), w.Alloc()
	kids := pdf.Array{}
	for _, turn := range []int{0, 90} {
		ref, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, 100, 200)),
			pdf.E("Rotate", pdf.Integer(turn)), pdf.E("Resources", pdf.Dict{}), pdf.E("Contents", content)})
		if err != nil {
			t.Fatal(err)
		}
		kids = append(kids, ref)
	}
	for ref, o := range map[pdf.Ref]pdf.Object{
		content: pdf.NewStream(nil, []byte("1 0 0 rg 0 0 50 50 re f\n")),
		tree:    pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))},
		catalog: pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)},
	} {
		if err := w.Put(ref, o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(pdf.Dict{pdf.E("Root", catalog)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestPage(t *testing.T) {
	d, err := newRenderer(t).Open(t.Context(), twoPages(t))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if d.Pages() != 2 || d.Signed() || d.Active() {
		t.Errorf("%d pages, signed %v", d.Pages(), d.Signed())
	}
	red, white := color.RGBA{255, 0, 0, 255}, color.RGBA{255, 255, 255, 255}
	for i, tt := range []struct {
		w, h       int
		redX, redY int
	}{{300, 600, 10, 590}, {600, 300, 10, 10}} {
		img, err := d.Page(i, tt.w)
		if err != nil {
			t.Fatal(err)
		}
		if r := img.Bounds(); r.Dx() != tt.w || r.Dy() != tt.h {
			t.Errorf("page %d is drawn %v", i, r)
		}
		if img.RGBAAt(tt.redX, tt.redY) != red || img.RGBAAt(tt.w-10, tt.h/2) != white {
			t.Errorf("page %d: colours %v %v", i, img.RGBAAt(tt.redX, tt.redY), img.RGBAAt(tt.w-10, tt.h/2))
		}
	}
	if _, err := d.Page(0, 20_000); !errors.Is(err, ErrTooLarge) {
		t.Errorf("20,000 × 40,000: %v", err)
	}
	if _, err := d.Page(7, 100); !errors.Is(err, ErrDamaged) {
		t.Errorf("page 8 of 2: %v", err)
	}
}

func TestOpenRefuses(t *testing.T) {
	r := newRenderer(t)
	for name, b := range map[string][]byte{"empty": {}, "text": []byte("hello"), "header only": []byte("%PDF-1.7\n"), "cut": twoPages(t)[:200]} {
		if _, err := r.Open(t.Context(), b); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// All instances came back from the refusals.
	for range 3 {
		d, err := r.Open(t.Context(), twoPages(t))
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func BenchmarkPage(b *testing.B) {
	d, err := newRenderer(b).Open(b.Context(), twoPages(b))
	if err != nil {
		b.Fatal(err)
	}
	defer d.Close()
	for _, width := range []int{413, 827, 1240} {
		b.Run(fmt.Sprint(width), func(b *testing.B) {
			for b.Loop() {
				if _, err := d.Page(0, width); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
