package intake

import "math"

// Sheet is the page an image is placed on, in points of 1/72 inch.
type Sheet struct {
	Width, Height float64
	// X, Y, W and H are the rectangle the image fills, from the lower left corner.
	X, Y, W, H float64
	// DPI is the lower of the image's resolutions at that size.
	DPI float64
	// FreeBottom is the empty height at the foot of the sheet.
	FreeBottom float64
}

// Sizes in points.
const (
	mm       = 72 / 25.4
	a4Width  = 595.28
	a4Height = 841.89
	// a0Long is the longest side believed: that of an A0 map, with a tenth to spare.
	a0Long = 3370.39 * 1.1
	// nearA4 is how far a scan of an A4 sheet may be off and still be a sheet of its own size.
	nearA4 = 10.0
	// topMargin is kept above an original smaller than A4; the rest is room for the statement.
	topMargin = 15 * mm
)

// place lays what f, as seen, leaves of m on a sheet. Resolutions of 100 to 1200 dpi are believed; an image without one
// is fitted to A4. An original smaller than A4 is placed at its own size on an A4 sheet, a larger
// one makes a sheet of its size.
func place(m *Image, f Frame) Sheet {
	w, h, ok := paperSize(m)
	w, h = w*f.across(), h*f.down()
	var s Sheet
	switch {
	case !ok:
		s = fitA4(w, h)
	case w <= a4Width+nearA4 && h <= a4Height+nearA4:
		s = onA4(w, h, a4Width, a4Height)
	case w <= a4Height+nearA4 && h <= a4Width+nearA4:
		s = onA4(w, h, a4Height, a4Width)
	default:
		s = Sheet{Width: w, Height: h, W: w, H: h}
	}
	pw, ph := m.Seen()
	s.Width, s.Height = round(s.Width), round(s.Height)
	s.DPI = round(math.Min(float64(pw)*f.across()*72/s.W, float64(ph)*f.down()*72/s.H))
	s.FreeBottom = round(s.Y + m.Free*s.H)
	if m.Free >= 1 {
		s.FreeBottom = s.Height
	}
	s.X, s.Y, s.W, s.H = round(s.X), round(s.Y), round(s.W), round(s.H)
	return s
}

// paperSize returns the size of the image on paper as seen. If its resolution is not to be
// believed, ok is false and the size has the right proportions only: a fax has twice as
// many samples across as down.
func paperSize(m *Image) (w, h float64, ok bool) {
	x, y := m.DPIX, m.DPIY
	if x <= 0 || y <= 0 || x/y > 4 || y/x > 4 || math.IsNaN(x/y) {
		x, y = 1, 1
	}
	w, h = float64(m.Width)*72/x, float64(m.Height)*72/y
	if m.Orientation.Swaps() {
		w, h = h, w
	}
	believed := func(v float64) bool { return m.Sized || v > 99.5 && v < 1200.5 }
	return w, h, believed(x) && believed(y) && math.Max(w, h) <= a0Long
}

// fitA4 scales to the largest size that fits an A4 sheet, upright or across as the image is.
func fitA4(w, h float64) Sheet {
	sw, sh := a4Width, a4Height
	if w > h {
		sw, sh = sh, sw
	}
	scale := math.Min(sw/w, sh/h)
	w, h = w*scale, h*scale
	return Sheet{Width: sw, Height: sh, X: (sw - w) / 2, Y: sh - h, W: w, H: h}
}

// onA4 places at 100 % near the top of an A4 sheet, or keeps the size of what is an A4 sheet.
func onA4(w, h, sw, sh float64) Sheet {
	if w > sw-nearA4 && h > sh-nearA4 {
		return Sheet{Width: w, Height: h, W: w, H: h}
	}
	w, h = math.Min(w, sw), math.Min(h, sh)
	top := math.Min(topMargin, (sh-h)/2)
	return Sheet{Width: sw, Height: sh, X: (sw - w) / 2, Y: sh - top - h, W: w, H: h}
}

// matrix is the transformation from the unit square of an image to its place, upright
// (ISO 32000-2 §8.9.3; the orientations of TIFF 6.0 tag 274).
func (s Sheet) matrix(o Orientation) [6]float64 {
	x, y, w, h := s.X, s.Y, s.W, s.H
	switch o {
	case 2:
		return [6]float64{-w, 0, 0, h, x + w, y}
	case 3:
		return [6]float64{-w, 0, 0, -h, x + w, y + h}
	case 4:
		return [6]float64{w, 0, 0, -h, x, y + h}
	case 5:
		return [6]float64{0, -h, -w, 0, x + w, y + h}
	case 6:
		return [6]float64{0, -h, w, 0, x, y + h}
	case 7:
		return [6]float64{0, h, w, 0, x, y}
	case 8:
		return [6]float64{0, h, -w, 0, x + w, y}
	}
	return [6]float64{w, 0, 0, h, x, y}
}

// round keeps hundredths of a point, which no printer can show.
func round(v float64) float64 { return math.Round(v*100) / 100 }
