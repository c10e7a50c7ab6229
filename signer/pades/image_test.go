package pades

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// stampPNG is a red ring on nothing with a blue mark at its upper left.
func stampPNG(t testing.TB) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, 120, 120))
	for y := range 120 {
		for x := range 120 {
			d := (x-60)*(x-60) + (y-60)*(y-60)
			switch {
			case x < 30 && y < 30:
				img.Set(x, y, color.NRGBA{0, 0, 255, 255})
			case d < 55*55 && d > 45*45:
				img.Set(x, y, color.NRGBA{255, 0, 0, 160})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestAppearanceIsUprightOnTurnedPages renders a visible signature on pages that are shown
// turned and finds its mark where the reader expects it.
func TestAppearanceIsUprightOnTurnedPages(t *testing.T) {
	pdftoppm := needTool(t, "pdftoppm")
	for _, rotate := range []int{0, 90, 180, 270} {
		t.Run(fmt.Sprint(rotate), func(t *testing.T) {
			base := document(t, "1.7", func(_ *pdf.Writer, _, page *pdf.Dict) {
				page.Set("Rotate", pdf.Integer(rotate))
				page.Set("CropBox", pdf.Rect(20, 10, 420, 310))
			})
			o := options()
			o.Rect, o.Appearance = [4]float64{50, 40, 170, 160}, Image{stampPNG(t)}
			data := signed(t, base, official(), o, Means{})
			accepted(t, data, 1)
			path := filepath.Join(t.TempDir(), "a")
			write(t, path+".pdf", data)
			if out, err := exec.Command(pdftoppm, "-r", "72", "-cropbox", "-f", "1", "-l", "1", "-singlefile", "-png", path+".pdf", path).CombinedOutput(); err != nil {
				t.Fatalf("pdftoppm: %v %s", err, out)
			}
			img, err := png.Decode(bytes.NewReader(read(t, path+".png")))
			if err != nil {
				t.Fatal(err)
			}
			height := img.Bounds().Dy()
			// 10 points right of and below the upper left corner of the place
			r, g, b, _ := img.At(60, height-150).RGBA()
			if b>>8 < 200 || r>>8 > 60 || g>>8 > 60 {
				t.Errorf("the mark is not there: %d %d %d", r>>8, g>>8, b>>8)
			}
		})
	}
}

func TestImageRefuses(t *testing.T) {
	var grey bytes.Buffer
	if err := jpeg.Encode(&grey, image.NewGray(image.Rect(0, 0, 9, 9)), nil); err != nil {
		t.Fatal(err)
	}
	base := document(t, "1.7", nil)
	for name, c := range map[string]struct {
		data []byte
		want error
	}{
		"grey JPEG": {grey.Bytes(), nil},
		"PNG":       {stampPNG(t), nil},
		"garbage":   {[]byte("GIF89a"), ErrImage},
		"cut off":   {stampPNG(t)[:100], ErrImage},
		"empty":     {nil, ErrImage},
	} {
		o := options()
		o.Rect, o.Appearance = [4]float64{50, 40, 170, 160}, Image{c.data}
		if _, err := Prepare(bytes.NewReader(base), int64(len(base)), o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
