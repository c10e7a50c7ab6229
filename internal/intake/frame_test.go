package intake

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// askew draws original on a larger, dark table, turned clockwise by some degrees.
func askew(degrees float64, table color.RGBA, border int) *image.RGBA {
	src := original()
	w, h := src.Rect.Dx(), src.Rect.Dy()
	out := image.NewRGBA(image.Rect(0, 0, w+2*border, h+2*border))
	sin, cos := math.Sincos(-degrees * math.Pi / 180)
	for y := range out.Rect.Dy() {
		for x := range out.Rect.Dx() {
			dx, dy := float64(x-border)+0.5-float64(w)/2, float64(y-border)+0.5-float64(h)/2
			at := image.Pt(int(math.Floor(float64(w)/2+dx*cos-dy*sin)), int(math.Floor(float64(h)/2+dx*sin+dy*cos)))
			c := table
			if at.In(src.Rect) {
				c = src.RGBAAt(at.X, at.Y)
			}
			out.SetRGBA(x, y, c)
		}
	}
	return out
}

// What is suggested puts a page upright that lay askew, and takes away what lay around it, on
// every way up, without a change of its samples.
func TestAskewPageIsStraightened(t *testing.T) {
	in := newIntake(t)
	for _, tt := range []struct {
		degrees float64
		border  int
		turn    int
	}{{2.3, 0, 0}, {-1.8, 0, 1}, {5, 120, 0}, {-3.4, 120, 2}, {0, 120, 3}, {0.4, 90, 1}} {
		t.Run(fmt.Sprintf("%v° %d %d", tt.degrees, tt.border, tt.turn), func(t *testing.T) {
			table := color.RGBA{70, 60, 50, 255}
			if tt.border == 0 {
				table = color.RGBA{255, 255, 255, 255}
			}
			scan := withSegments(jpegOf(t, askew(tt.degrees, table, tt.border), 92), jfifSegment(100))
			r, err := in.Read(t.Context(), Upload{Name: "scan.jpg", Body: bytes.NewReader(scan), Size: int64(len(scan))})
			if err != nil {
				t.Fatal(err)
			}
			page := r.Pages[0]
			f := page.Look.Suggest
			if math.Abs(float64(f.Tilt)/100+tt.degrees) > 0.16 || (f.Left > 0) != (tt.border > 0) || !warnsAskew(page) {
				t.Fatalf("suggested %+v, warned of %v", f, page.Warnings)
			}
			made, err := in.Edit(t.Context(), page, Edit{Frame: f, Turn: tt.turn})
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(made.Data, page.Data) || made.Look.Suggest != f || warnsAskew(made) {
				t.Errorf("samples changed or warnings stayed: %v", made.Warnings)
			}
			if w, h := made.Sheet.W, made.Sheet.H; tt.border > 0 && tt.turn%2 == 0 && math.Abs(h/w-float64(original().Rect.Dy())/float64(original().Rect.Dx())) > 0.03 {
				t.Errorf("cropped to %.0f × %.0f", w, h)
			}
			var out bytes.Buffer
			if _, err := Assemble(&out, &Result{Pages: []Page{made.Turned(-tt.turn)}}); err != nil {
				t.Fatal(err)
			}
			if d := difference(drawn(t, out.Bytes(), 100)[0], original()); d > 12 {
				t.Errorf("differs by %.1f from the page as it is", d)
			}
		})
	}
}

func warnsAskew(p Page) bool {
	return slices.ContainsFunc(p.Warnings, func(w Warning) bool { return w.Code == Askew })
}

// What shows nothing to go by, or lies straight, is let alone.
func TestNothingIsSuggestedForStraightPages(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noise, dark := image.NewGray(image.Rect(0, 0, 900, 1200)), image.NewGray(image.Rect(0, 0, 900, 1200))
	for i := range noise.Pix {
		noise.Pix[i], dark.Pix[i] = uint8(r.Uint32()), 60
	}
	for name, img := range map[string]image.Image{"straight": original(), "noise": noise, "dark": dark, "empty": image.NewGray(image.Rect(0, 0, 1, 1)), "scanned": scannedSheet(3)} {
		var p Page
		p.Orientation = 1
		p.see(inkOf(img))
		if p.Look.Suggest != (Frame{}) {
			t.Errorf("%s: %+v", name, p.Look.Suggest)
		}
	}
}

func TestFrameKeepsItsLimits(t *testing.T) {
	page := Page{Image: Image{Width: 10, Height: 10, Components: 1, Bits: 8, Encoding: DCT, Orientation: 1, Data: jpegOf(t, image.NewGray(image.Rect(0, 0, 10, 10)), 90)}}
	for _, f := range []Frame{{Tilt: MaxTilt + 1}, {Tilt: -MaxTilt - 1}, {Left: -1}, {Top: whole + 1}, {Left: 5000, Right: 4800}, {Top: 9600}} {
		if _, err := newIntake(t).Edit(t.Context(), page, Edit{Frame: f}); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%+v: %v", f, err)
		}
	}
	f := Frame{Tilt: 7, Left: 1, Top: 2, Right: 3, Bottom: 4}
	if got := f.Turned(1); got != (Frame{7, 4, 1, 2, 3}) {
		t.Errorf("a quarter turn: %+v", got)
	}
	if got := f.Turned(1).Turned(3); got != f {
		t.Errorf("there and back: %+v", got)
	}
	if f.Turned(-1) != f.Turned(3) {
		t.Error("counter-clockwise")
	}
}

// What is suggested for scans and photographs of others: the angle in hundredths of a degree, and
// whether something lies around the paper.
func TestSuggestionsForTheCorpus(t *testing.T) {
	for name, want := range map[string]struct {
		tilt int
		crop bool
	}{
		"eurotext.tif": {-75, false}, "8071_093.3B.tif": {-40, true}, "8087_054.3B.tif": {0, false}, "hebtypo.jpg": {0, false},
		"phototest_2.tif": {0, false}, "exif_Portrait_1.jpg": {0, false}, "exif_Portrait_6.jpg": {0, false},
	} {
		b, pages := corpus(t, "scans/"+name), []Page(nil)
		d := &decoder{}
		err := d.pages(t.Context(), taskArgs{Name: name, Format: sniff(b)}, b, func(p Page) error {
			pages = append(pages, p)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if f := pages[0].Look.Suggest; abs(f.Tilt-want.tilt) > 10 || f.Bottom > 0 != want.crop {
			t.Errorf("%s: %+v", name, f)
		}
	}
}
