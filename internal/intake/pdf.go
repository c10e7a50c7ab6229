package intake

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"math"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake/ccitt"
	"github.com/saoy/saoy/internal/render"
)

// Resolutions at which a page of a PDF is drawn: that of the scan on it, within these, and
// one that keeps small print sharp for a page that is none.
const (
	minDrawDPI = 200
	maxDrawDPI = 600
	textDPI    = 300
)

// readPDF draws each page of a PDF as a picture. Nothing of the PDF's own objects survives.
func readPDF(ctx context.Context, name string, r *render.Renderer, b []byte, emit func(Page) error) error {
	d, err := r.Open(ctx, b)
	if err != nil {
		return pdfError(name, err)
	}
	defer d.Close()
	switch {
	case d.Signed():
		return errSigned(name)
	case d.Pages() == 0:
		return errNoPages(name)
	case d.Pages() > certcopy.MaxPages:
		return errPages(name, d.Pages())
	}
	active := d.Active()
	for i := range d.Pages() {
		p, err := drawPage(d, i)
		if err != nil {
			return pdfError(name, err)
		}
		if active || d.Annotations(i) > 0 {
			p.Warnings = append(p.Warnings, warnCleaned())
			active = false
		}
		if err := emit(p); err != nil {
			return err
		}
	}
	return nil
}

func pdfError(name string, err error) error {
	switch {
	case errors.Is(err, render.ErrEncrypted):
		return errEncrypted(name)
	case errors.Is(err, render.ErrDamaged):
		return errDamaged(name, err)
	}
	return err
}

func drawPage(d *render.Document, i int) (Page, error) {
	w, h, err := d.Size(i)
	if err != nil {
		return Page{}, err
	}
	if p, ok := passScan(d, i, w, h); ok {
		return p, nil
	}
	scan, err := d.ScanDPI(i)
	if err != nil {
		return Page{}, err
	}
	img, err := d.Page(i, drawWidth(w, h, scan))
	if err != nil {
		return Page{}, err
	}
	p := Page{Image: Image{Width: img.Rect.Dx(), Height: img.Rect.Dy(), Orientation: 1}}
	p.claimSize(w, h, scan)
	return p, p.encodeDrawn(img)
}

// claimSize says that the image as seen is w × h points on paper.
func (p *Page) claimSize(w, h, scan float64) {
	if p.Orientation.Swaps() {
		w, h = h, w
	}
	p.Sized, p.DPIX, p.DPIY = true, float64(p.Width)*72/w, float64(p.Height)*72/h
	if scan > 0 && scan < 99.5 && (w > a4Height || h > a4Height) || math.Max(w, h) > a0Long {
		// A page of one point for each pixel: the size is a converter's, not the paper's.
		p.Sized, p.DPIX, p.DPIY = false, 0, 0
	}
}

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

// drawWidth chooses the width in pixels.
func drawWidth(w, h, scan float64) int {
	dpi := float64(textDPI)
	if scan > 0 {
		dpi = math.Min(math.Max(scan, minDrawDPI), maxDrawDPI)
		if scan < 99.5 && (w > a4Height || h > a4Height) {
			dpi = scan
		}
	}
	// Room for the rounding of both sides.
	most := math.Sqrt(0.99 * render.MaxPixels / (w * h))
	return max(1, int(math.Round(w*math.Min(dpi/72, most))))
}

// encodeDrawn chooses the encoding of a drawn page: without loss for text and lines, JPEG for
// what is a photograph; grey where there is no colour.
func (p *Page) encodeDrawn(img *image.RGBA) error {
	p.Bits, p.Components, p.Encoding = 8, 3, Flate
	p.Free = inkOf(img).free(p.Orientation)
	var flat image.Image = img
	if g := greyOf(img); g != nil {
		flat, p.Components = g, 1
	}
	if g, ok := flat.(*image.Gray); ok && isBilevel(g) {
		p.Bits, p.Encoding, p.Data = 1, G4, fax(g)
		return nil
	}
	if isPhotograph(img) {
		var b bytes.Buffer
		err := jpeg.Encode(&b, flat, &jpeg.Options{Quality: reencodeQuality})
		p.Encoding, p.Data = DCT, b.Bytes()
		return err
	}
	var err error
	p.Data, err = flateOf(flat)
	return err
}

// greyOf returns img without its equal colour components, nil if they differ anywhere.
func greyOf(img *image.RGBA) *image.Gray {
	for i := 0; i+3 < len(img.Pix); i += 4 {
		if img.Pix[i] != img.Pix[i+1] || img.Pix[i] != img.Pix[i+2] {
			return nil
		}
	}
	g := image.NewGray(img.Rect)
	for i := range g.Pix {
		g.Pix[i] = img.Pix[4*i]
	}
	return g
}

// isPhotograph reports whether neighbouring pixels differ as they do in a scan or photograph:
// in drawn text nineteen of twenty are equal.
func isPhotograph(img *image.RGBA) bool {
	different, n := 0, 0
	for y := 0; y < img.Rect.Dy(); y += 4 {
		row := img.Pix[y*img.Stride:][:4*img.Rect.Dx()]
		for i := 4; i+3 < len(row); i += 4 {
			n++
			if row[i] != row[i-4] || row[i+1] != row[i-3] || row[i+2] != row[i-2] {
				different++
			}
		}
	}
	return different*6 > n
}

func isBilevel(g *image.Gray) bool {
	for _, v := range g.Pix {
		if v != 0 && v != 255 {
			return false
		}
	}
	return true
}

// fax encodes a picture of black and white.
func fax(g *image.Gray) []byte {
	w := g.Rect.Dx()
	enc, row := ccitt.NewEncoder(w), make([]byte, (w+7)/8)
	for y := range g.Rect.Dy() {
		clear(row)
		for x, v := range g.Pix[y*g.Stride:][:w] {
			if v == 0 {
				row[x/8] |= 0x80 >> (x % 8)
			}
		}
		enc.Add(row)
	}
	return enc.Close()
}
