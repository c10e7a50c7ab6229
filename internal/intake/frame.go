package intake

import (
	"math"

	"github.com/saoy/saoy/internal/certcopy"
)

// Frame is how a page is straightened and cropped: by the place and the angle at which its
// picture is drawn. No sample changes. The zero Frame is the picture as it came.
type Frame struct {
	// Tilt turns the picture clockwise about its middle, in hundredths of a degree.
	Tilt int `json:",omitempty"`
	// What is cut from each side of the turned picture, in ten-thousandths of its width or
	// height, as it was seen when it was uploaded.
	Left   int `json:",omitempty"`
	Top    int `json:",omitempty"`
	Right  int `json:",omitempty"`
	Bottom int `json:",omitempty"`
}

// Limits of a Frame.
const (
	MaxTilt = 1500 // more is a turn
	whole   = 10_000
	minPart = whole / 20 // of each side that must be left
)

// Check refuses a frame beyond the limits: *certcopy.Error with code Invalid and the subject
// "frame".
func (f Frame) Check() error {
	in := func(v int) bool { return v >= 0 && v <= whole }
	if f.Tilt < -MaxTilt || f.Tilt > MaxTilt || !in(f.Left) || !in(f.Top) || !in(f.Right) || !in(f.Bottom) ||
		f.Left+f.Right > whole-minPart || f.Top+f.Bottom > whole-minPart {
		return certcopy.Errorf(certcopy.Invalid, "frame", nil, certcopy.Msg(
			"Góc nghiêng chỉ từ −15° đến 15°, và phải còn lại ít nhất 5% mỗi chiều của trang. Hãy nhập lại.",
			"The angle must lie between −15° and 15°, and at least 5% of each side of the page must be left. Enter them again."))
	}
	return nil
}

// Turned returns the frame as it is seen after so many quarter turns clockwise.
func (f Frame) Turned(quarters int) Frame {
	for range quarters & 3 {
		f.Left, f.Top, f.Right, f.Bottom = f.Bottom, f.Left, f.Top, f.Right
	}
	return f
}

// across and down are the parts of the width and height that are left.
func (f Frame) across() float64 { return float64(whole-f.Left-f.Right) / whole }
func (f Frame) down() float64   { return float64(whole-f.Top-f.Bottom) / whole }

func (f Frame) radians() float64 { return float64(f.Tilt) / 100 * math.Pi / 180 }

// around returns the rectangle of the whole picture, not turned, of which a frame shows the
// rectangle of s.
func (f Frame) around(s Sheet) Sheet {
	w, h := s.W/f.across(), s.H/f.down()
	s.X, s.Y = s.X-w*float64(f.Left)/whole, s.Y-h*float64(f.Bottom)/whole
	s.W, s.H = w, h
	return s
}

// tilted turns a transformation of the unit square by the frame's angle about the middle of
// the rectangle of s (ISO 32000-2 §8.3.3; the y axis points up).
func (f Frame) tilted(m [6]float64, s Sheet) [6]float64 {
	sin, cos := math.Sincos(-f.radians())
	x, y := s.X+s.W/2, s.Y+s.H/2
	at := func(a, b float64) (float64, float64) { return a*cos - b*sin, a*sin + b*cos }
	var out [6]float64
	out[0], out[1] = at(m[0], m[1])
	out[2], out[3] = at(m[2], m[3])
	dx, dy := at(m[4]-x, m[5]-y)
	out[4], out[5] = x+dx, y+dy
	for i := range out {
		out[i] = math.Round(out[i]*1e4) / 1e4
	}
	return out
}

// framed returns the coarse picture that a frame leaves of m seen in orientation o; the edges
// of the picture go on beyond it.
func (m *inkMap) framed(o Orientation, f Frame) *inkMap {
	m.flush()
	g := m.upright(o)
	w, h := float64(g.cols), float64(g.rows)
	left, top := w*float64(f.Left)/whole, h*float64(f.Top)/whole
	out := &inkMap{k: 1, cols: max(1, int(w*f.across())), rows: max(1, int(h*f.down()))}
	out.width = out.cols
	out.cells = make([]uint8, out.cols*out.rows)
	// Where a cell of the frame lies in the picture: turned back.
	sin, cos := math.Sincos(-f.radians())
	for y := range out.rows {
		for x := range out.cols {
			dx, dy := left+float64(x)+0.5-w/2, top+float64(y)+0.5-h/2
			cx := min(max(0, int(w/2+dx*cos-dy*sin)), g.cols-1)
			cy := min(max(0, int(h/2+dx*sin+dy*cos)), g.rows-1)
			out.cells[y*out.cols+x] = g.cells[g.first+cx*g.right+cy*g.down]
		}
	}
	return out
}
