package intake

import (
	"image"
	"math"
)

// Ink is told from paper by its surroundings, so that pencil, a pale stamp and a shadow over a
// part of the page come out right (Sauvola and Pietikäinen 2000, with a weight found on scans
// with pencil: paper's grain stays white, a stroke an eighth darker than the paper does not).
const (
	inkWeight  = 0.12
	inkSpread  = 128 // the deviation of a window that is half ink and half paper
	surelyDark = 110 // at most; what is as dark is ink even in the middle of a black area
	windowMM   = 2.0 // from a sample to the edge of its window
)

// blackAndWhite makes of a grey picture of so many dots per inch one of black and white.
func blackAndWhite(g *image.Gray, dpi float64) *image.Gray {
	w, h := g.Rect.Dx(), g.Rect.Dy()
	out := image.NewGray(image.Rect(0, 0, w, h))
	dark := min(otsu(g), surelyDark)
	win := newWindow(g, max(6, int(dpi*windowMM/25.4)))
	limits := make([]uint8, w)
	for y := range h {
		win.limits(y, limits)
		row, to := g.Pix[y*g.Stride:][:w], out.Pix[y*out.Stride:][:w]
		for x, v := range row {
			to[x] = 255
			if v <= dark || v < limits[x] {
				to[x] = 0
			}
		}
	}
	return out
}

// window keeps the sums of each column over the rows around one, so that the mean and the
// deviation around a sample cost a few additions.
type window struct {
	g            *image.Gray
	radius       int
	from, to     int // rows in the sums
	sum, squares []int64
}

func newWindow(g *image.Gray, radius int) *window {
	return &window{g: g, radius: radius, sum: make([]int64, g.Rect.Dx()), squares: make([]int64, g.Rect.Dx())}
}

func (w *window) row(y int, sign int64) {
	for x, v := range w.g.Pix[y*w.g.Stride:][:len(w.sum)] {
		w.sum[x] += sign * int64(v)
		w.squares[x] += sign * int64(v) * int64(v)
	}
}

// limits writes for each sample of row y below what brightness it is ink; rows come in order.
func (w *window) limits(y int, out []uint8) {
	for w.to < min(y+w.radius+1, w.g.Rect.Dy()) {
		w.row(w.to, 1)
		w.to++
	}
	for w.from < y-w.radius {
		w.row(w.from, -1)
		w.from++
	}
	var sum, squares int64
	from, to := 0, 0
	for x := range out {
		for to < min(x+w.radius+1, len(out)) {
			sum, squares = sum+w.sum[to], squares+w.squares[to]
			to++
		}
		for from < x-w.radius {
			sum, squares = sum-w.sum[from], squares-w.squares[from]
			from++
		}
		n := float64((to - from) * (w.to - w.from))
		mean := float64(sum) / n
		deviation := math.Sqrt(max(0, float64(squares)/n-mean*mean))
		out[x] = uint8(max(0, min(255, mean*(1+inkWeight*(deviation/inkSpread-1)))))
	}
}
