package intake

import (
	"bytes"
	"context"
	"errors"
	"image"
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
	p.see(inkOf(img))
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
