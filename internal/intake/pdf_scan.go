package intake

import (
	"image"
	"image/color"
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
	j, img, err := decodeJPEG("", s.JPEG)
	if err != nil {
		return Page{}, false
	}
	// Its place in the PDF says how it is turned, not what its camera noted.
	j.orientation = [4]Orientation{1, 6, 3, 8}[s.Rotate&3]
	p, err := j.page(img)
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
	if !looksLike(img, p.Orientation, drawn) {
		return Page{}, false
	}
	p.claimSize(w, h, math.Min(float64(across)*72/w, float64(down)*72/h))
	return p, true
}

// looksLike reports whether img, turned, is the picture drawn, which is smaller: each of its
// pixels is compared with the mean of samples spread over the same place.
func looksLike(img image.Image, o Orientation, drawn *image.RGBA) bool {
	r, n := img.Bounds(), drawn.Bounds()
	cols, rows := r.Dx(), r.Dy()
	seenCols, seenRows := cols, rows
	if o.Swaps() {
		seenCols, seenRows = rows, cols
	}
	count, sum := make([]int, n.Dx()*n.Dy()), make([][3]int, n.Dx()*n.Dy())
	step := max(1, min(seenCols/n.Dx(), seenRows/n.Dy())/3)
	colour := sampler(img)
	for y := step / 2; y < rows; y += step {
		for x := step / 2; x < cols; x += step {
			sx, sy := seenAt(o, x, y, cols, rows)
			at := sy*n.Dy()/seenRows*n.Dx() + sx*n.Dx()/seenCols
			red, green, blue := colour(r.Min.X+x, r.Min.Y+y)
			count[at]++
			sum[at][0] += int(red)
			sum[at][1] += int(green)
			sum[at][2] += int(blue)
		}
	}
	total, places := 0, 0
	for at, c := range count {
		if c == 0 {
			continue
		}
		places += 3
		for k := range 3 {
			total += abs(sum[at][k]/c - int(drawn.Pix[4*at+k]))
		}
	}
	return places > len(count) && total <= sameEverywhere*places
}

// sampler returns a function that reads single samples of what image/jpeg decodes to.
func sampler(img image.Image) func(x, y int) (r, g, b uint8) {
	switch v := img.(type) {
	case *image.YCbCr:
		return func(x, y int) (r, g, b uint8) {
			at, chroma := v.YOffset(x, y), v.COffset(x, y)
			return color.YCbCrToRGB(v.Y[at], v.Cb[chroma], v.Cr[chroma])
		}
	case *image.Gray:
		return func(x, y int) (r, g, b uint8) {
			c := v.Pix[v.PixOffset(x, y)]
			return c, c, c
		}
	}
	return func(x, y int) (r, g, b uint8) {
		c := color.RGBAModel.Convert(img.At(x, y)).(color.RGBA)
		return c.R, c.G, c.B
	}
}
