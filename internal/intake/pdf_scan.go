package intake

import (
	"image"
	"math"

	"github.com/saoy/saoy/internal/render"
)

// Comparison of a scan's own samples with the page as drawn.
const (
	compareWidth   = 300 // pixels
	sameEverywhere = 6   // mean difference, of 255, that another resampling may make
)

// passScan returns the page made of the JPEG it consists of, whose samples then need not
// be encoded again. It draws the page small and takes the JPEG only if it looks the same.
func passScan(d *render.Document, i int, w, h float64) (Page, bool) {
	s, ok := d.SoleJPEG(i)
	if !ok {
		return Page{}, false
	}
	j, err := openJPEG("", s.JPEG)
	if err != nil || j.conversion() != nil {
		return Page{}, false
	}
	// Its place in the PDF says how it is turned, not what its camera noted.
	j.orientation = [4]Orientation{1, 6, 3, 8}[s.Rotate&3]
	p, err := j.page("")
	if err != nil || len(p.Warnings) > 0 {
		return Page{}, false
	}
	across, down := p.Seen()
	if ratio := float64(across) / float64(down) / (w / h); ratio < 0.98 || ratio > 1.02 {
		return Page{}, false
	}
	drawn, err := d.Page(i, compareWidth)
	if err != nil {
		return Page{}, false
	}
	img, err := j.look("", true)
	if err != nil {
		return Page{}, false
	}
	if !looksLike(img, p.Orientation, drawn) {
		return Page{}, false
	}
	p.claimSize(w, h, math.Min(float64(across)*72/w, float64(down)*72/h))
	return p, true
}

// looksLike reports whether img, turned, is the picture drawn, which is smaller: each of its
// pixels is compared with the mean of the same place.
func looksLike(img image.Image, o Orientation, drawn *image.RGBA) bool {
	w, h := drawn.Rect.Dx(), drawn.Rect.Dy()
	if o.Swaps() {
		w, h = h, w
	}
	if r := img.Bounds(); r.Dx() < w || r.Dy() < h {
		return false
	}
	total := 0
	row, same := make([]byte, 4*w), reduce(img, w, h)
	for y := range h {
		opaqueRow(row, same, y)
		for x := range w {
			sx, sy := seenAt(o, x, y, w, h)
			at := drawn.PixOffset(drawn.Rect.Min.X+sx, drawn.Rect.Min.Y+sy)
			for k := range 3 {
				total += abs(int(row[4*x+k]) - int(drawn.Pix[at+k]))
			}
		}
	}
	return total <= sameEverywhere*3*w*h
}
