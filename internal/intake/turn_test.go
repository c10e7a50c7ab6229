package intake

import (
	"bytes"
	"image"
	"math/rand/v2"
	"testing"
)

// A sample that is seen at x, y is seen where a quarter turn moves it.
func TestOrientationTurned(t *testing.T) {
	const cols, rows = 5, 3
	for o := Orientation(1); o <= 8; o++ {
		w, h := cols, rows
		if o.Swaps() {
			w, h = rows, cols
		}
		for c := range cols {
			for r := range rows {
				x, y := seenAt(o, c, r, cols, rows)
				wantX, wantY := h-1-y, x
				gotX, gotY := seenAt(o.turned(1), c, r, cols, rows)
				if gotX != wantX || gotY != wantY {
					t.Fatalf("orientation %d → %d: sample %d,%d at %d,%d, want %d,%d", o, o.turned(1), c, r, gotX, gotY, wantX, wantY)
				}
			}
		}
		if _ = w; o.turned(4) != o || o.turned(-1) != o.turned(3) || o.turned(2) != o.turned(1).turned(1) {
			t.Errorf("orientation %d: turns do not add up", o)
		}
	}
}

// TestTurnedKeepsTheSamples turns a page as other programs see it, and no byte of its JPEG.
func TestTurnedKeepsTheSamples(t *testing.T) {
	r, err := read(t, "scan", withSegments(jpegOf(t, textPage(5, 0, 0, 0, 8), 80), jfifSegment(200)))
	if err != nil {
		t.Fatal(err)
	}
	upright := r.Pages[0]
	for k := range 4 {
		p := upright.Turned(k)
		if !bytes.Equal(p.Data, upright.Data) || p.Edit.Turn != k {
			t.Errorf("%d turns: samples or record changed: %+v", k, p.Edit)
		}
		var out bytes.Buffer
		if _, err := Assemble(&out, &Result{Pages: []Page{p}}); err != nil {
			t.Fatal(err)
		}
		var want bytes.Buffer
		if _, err := Assemble(&want, r); err != nil {
			t.Fatal(err)
		}
		got, original := drawn(t, out.Bytes(), 40)[0], drawn(t, want.Bytes(), 40)[0]
		for range k {
			original = quarter(original)
		}
		if d := difference(got, original); d > 3 {
			t.Errorf("%d turns: differs by %.1f", k, d)
		}
	}
}

func quarter(img image.Image) image.Image {
	b := img.Bounds()
	out := image.NewRGBA(image.Rect(0, 0, b.Dy(), b.Dx()))
	for y := range b.Dy() {
		for x := range b.Dx() {
			out.Set(b.Dy()-1-y, x, img.At(b.Min.X+x, b.Min.Y+y))
		}
	}
	return out
}

// The room for the statement is at the foot as it is after turning.
func TestTurnedFindsTheFootAnew(t *testing.T) {
	page := image.NewGray(image.Rect(0, 0, 1654, 2339))
	for i := range page.Pix {
		page.Pix[i] = 250
		if x, y := i%1654, i/1654; x > 200 && x < 1400 && y > 1500 && y < 2200 && y/20%2 == 0 {
			page.Pix[i] = 20
		}
	}
	p, err := readJPEG("", withSegments(jpegOf(t, page, 80), jfifSegment(200)))
	if err != nil {
		t.Fatal(err)
	}
	p.settle()
	if p.Free > 0.1 {
		t.Errorf("free %.2f at the foot of a page with text there", p.Free)
	}
	if turned := p.Turned(2); turned.Free < 0.6 || turned.Sheet.FreeBottom < 500 {
		t.Errorf("free %.2f, %.0f points after half a turn", turned.Free, turned.Sheet.FreeBottom)
	}
	if aside := p.Turned(1); aside.Sheet.Width <= aside.Sheet.Height || len(aside.Warnings) != 0 {
		t.Errorf("after a quarter turn: %+v %v", aside.Sheet, aside.Warnings)
	}
}

// textPage draws lines of words, as a page of a contract with others of its layout, moved and
// turned as by hand.
func textPage(seed uint64, dx, dy int, slant float64, grain uint32) *image.Gray {
	img := image.NewGray(image.Rect(0, 0, 1654, 2339))
	noise := rand.New(rand.NewPCG(seed, uint64(dx)+99))
	for i := range img.Pix {
		img.Pix[i] = 245 - uint8(noise.Uint32()%grain)
	}
	words := rand.New(rand.NewPCG(seed, 7))
	for line := range 38 {
		end := 1480
		if words.IntN(5) == 0 {
			end = 400 + words.IntN(1000)
		}
		for x := 180; x < end; {
			w := 25 + words.IntN(90)
			for k := 0; k < min(w, end-x); k += 3 {
				if words.IntN(3) > 0 {
					stroke(img, x+k+dx, 220+line*50+dy+int(slant*float64(x)), 2, 18+words.IntN(8))
				}
			}
			x += w + 14
		}
	}
	return img
}

func stroke(img *image.Gray, x, y, w, h int) {
	for j := range h {
		for i := range w {
			if (image.Point{X: x + i, Y: y + j}).In(img.Rect) {
				img.Pix[img.PixOffset(x+i, y+j)] = 40
			}
		}
	}
}

func TestDuplicates(t *testing.T) {
	blank := image.NewGray(image.Rect(0, 0, 1654, 2339))
	for i := range blank.Pix {
		blank.Pix[i] = 250
	}
	var pages []*Page
	for _, img := range []*image.Gray{
		textPage(1, 0, 0, 0, 8), textPage(2, 0, 0, 0, 8), textPage(3, 0, 0, 0, 8), blank, blank,
		textPage(2, 0, 0, 0, 8),        // the same file again
		textPage(1, 18, -22, 0.01, 20), // scanned again: 3 mm aside, half a degree aslant, grainy
		textPage(3, -25, 14, -0.008, 30),
		textPage(4, 5, 5, 0, 8),
	} {
		p, err := readJPEG("", withSegments(jpegOf(t, img, 70), jfifSegment(200)))
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, &p)
	}
	want := []int{0, 0, 0, 0, 0, 2, 1, 3, 0}
	got := Duplicates(pages)
	for i := range pages {
		if got[i] != want[i] {
			t.Errorf("page %d: like page %d, want %d", i+1, got[i], want[i])
		}
		for k := range i {
			t.Logf("%d %d %.2f", i+1, k+1, pages[i].Look.Print.likeness(pages[k].Look.Print))
		}
	}
	if bad := (Print{Dark: make([]uint64, 3)}); bad.Same(pages[0].Look.Print) {
		t.Error("a print of another size is compared")
	}
}
