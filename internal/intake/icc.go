package intake

import (
	"encoding/binary"
	"math"
)

// colors converts samples to sRGB.
type colors struct {
	linear [3][256]float32 // of each component
	matrix [9]float32      // linear device to linear sRGB
	grey   *[256]uint8     // set for a grey profile
	plain  bool            // samples mean sRGB already; only the model changes
}

// profileTolerance is how far, of 255, a profile's colours may lie from sRGB and still be
// called sRGB: the many sRGB profiles differ from one another by less.
const profileTolerance = 4

// colorsOf returns the conversion an ICC profile asks for, or nil when there is none to
// make: no profile, one that is sRGB, or one that cannot be read. Of the kinds of profile (ICC.1
// §8) the matrix and the grey ones are read, which is what cameras and scanners write.
func colorsOf(profile []byte, components int) *colors {
	c, ok := readProfile(profile, components)
	if !ok || c.nearSRGB() {
		return nil
	}
	return c
}

func orIdentity(c *colors) *colors {
	if c == nil {
		return &colors{plain: true}
	}
	return c
}

func readProfile(b []byte, components int) (*colors, bool) {
	if len(b) < 132 || string(b[20:24]) != "XYZ " && string(b[20:24]) != "Lab " {
		return nil, false
	}
	tags := profileTags(b)
	switch space := string(b[16:20]); {
	case space == "GRAY" && components == 1:
		curve, ok := readCurve(tags["kTRC"])
		if !ok {
			return nil, false
		}
		c := &colors{grey: new([256]uint8)}
		for i, v := range curve {
			c.grey[i] = encodeSRGB(v)
		}
		return c, true
	case space == "RGB " && components == 3:
		return matrixProfile(tags)
	}
	return nil, false
}

func profileTags(b []byte) map[string][]byte {
	tags := map[string][]byte{}
	n := min(binary.BigEndian.Uint32(b[128:]), 100)
	for i := range int(n) {
		at := 132 + 12*i
		if at+12 > len(b) {
			break
		}
		offset, size := uint64(binary.BigEndian.Uint32(b[at+4:])), uint64(binary.BigEndian.Uint32(b[at+8:]))
		if offset+size <= uint64(len(b)) {
			tags[string(b[at:at+4])] = b[offset : offset+size]
		}
	}
	return tags
}

// fromD50 takes XYZ of the profile connection space to linear sRGB (IEC 61966-2-1,
// adapted to D50 by the Bradford method).
var fromD50 = [9]float64{
	3.1338561, -1.6168667, -0.4906146,
	-0.9787684, 1.9161415, 0.0334540,
	0.0719453, -0.2289914, 1.4052427,
}

func matrixProfile(tags map[string][]byte) (*colors, bool) {
	c := &colors{}
	var device [9]float64
	for i, name := range []string{"r", "g", "b"} {
		xyz := tags[name+"XYZ"]
		curve, ok := readCurve(tags[name+"TRC"])
		if !ok || len(xyz) < 20 || string(xyz[:4]) != "XYZ " {
			return nil, false
		}
		c.linear[i] = curve
		for k := range 3 {
			device[3*k+i] = fixed(xyz[8+4*k:])
		}
	}
	for r := range 3 {
		for k := range 3 {
			var s float64
			for n := range 3 {
				s += fromD50[3*r+n] * device[3*n+k]
			}
			c.matrix[3*r+k] = float32(s)
		}
	}
	return c, true
}

// fixed reads an s15Fixed16Number.
func fixed(b []byte) float64 { return float64(int32(binary.BigEndian.Uint32(b))) / 65536 }

// readCurve samples a tone curve at the 256 values of a byte (ICC.1 §10.6, §10.18).
func readCurve(b []byte) (curve [256]float32, ok bool) {
	if len(b) < 12 {
		return curve, false
	}
	var f func(float64) float64
	switch string(b[:4]) {
	case "curv":
		f = tableCurve(b)
	case "para":
		f = formulaCurve(b)
	}
	if f == nil {
		return curve, false
	}
	for i := range curve {
		v := f(float64(i) / 255)
		if math.IsNaN(v) {
			return curve, false
		}
		curve[i] = float32(math.Max(0, math.Min(1, v)))
	}
	return curve, true
}

func tableCurve(b []byte) func(float64) float64 {
	n := uint64(binary.BigEndian.Uint32(b[8:]))
	if 12+2*n > uint64(len(b)) {
		return nil
	}
	at := func(i int) float64 { return float64(binary.BigEndian.Uint16(b[12+2*i:])) }
	switch n {
	case 0:
		return func(x float64) float64 { return x }
	case 1:
		g := at(0) / 256
		return func(x float64) float64 { return math.Pow(x, g) }
	}
	return func(x float64) float64 {
		p := x * float64(n-1)
		i := min(int(p), int(n)-2)
		return (at(i) + (at(i+1)-at(i))*(p-float64(i))) / 65535
	}
}

func formulaCurve(b []byte) func(float64) float64 {
	kind := int(binary.BigEndian.Uint16(b[8:]))
	counts := []int{1, 3, 4, 5, 7}
	if kind >= len(counts) || len(b) < 12+4*counts[kind] {
		return nil
	}
	var p [7]float64 // g a b c d e f
	for i := range counts[kind] {
		p[i] = fixed(b[12+4*i:])
	}
	g, a, bb, c, d, e, f := p[0], p[1], p[2], p[3], p[4], p[5], p[6]
	switch kind {
	case 0:
		return func(x float64) float64 { return math.Pow(x, g) }
	case 1, 2:
		return func(x float64) float64 {
			if a*x+bb < 0 {
				return c
			}
			return math.Pow(a*x+bb, g) + c
		}
	}
	return func(x float64) float64 {
		if x < d {
			return c*x + f
		}
		return math.Pow(math.Max(0, a*x+bb), g) + e
	}
}

func encodeSRGB(v float32) uint8 {
	x := math.Max(0, math.Min(1, float64(v)))
	if x <= 0.0031308 {
		x *= 12.92
	} else {
		x = 1.055*math.Pow(x, 1/2.4) - 0.055
	}
	return uint8(x*255 + 0.5)
}

// srgbSteps makes a table of encodeSRGB fine enough for eight bits.
func srgbSteps() *[4097]uint8 {
	t := new([4097]uint8)
	for i := range t {
		t[i] = encodeSRGB(float32(i) / 4096)
	}
	return t
}

func (c *colors) nearSRGB() bool {
	near := func(a, b uint8) bool { return max(a, b)-min(a, b) <= profileTolerance }
	if c.grey != nil {
		for i, v := range c.grey {
			if !near(v, uint8(i)) {
				return false
			}
		}
		return true
	}
	for i := range 6 * 6 * 6 {
		in := [3]uint8{uint8(i % 6 * 51), uint8(i / 6 % 6 * 51), uint8(i / 36 * 51)}
		r := c.mix(in)
		for k := range 3 {
			if !near(encodeSRGB(r[k]), in[k]) {
				return false
			}
		}
	}
	return true
}

func (c *colors) mix(p [3]uint8) (out [3]float32) {
	r, g, b := c.linear[0][p[0]], c.linear[1][p[1]], c.linear[2][p[2]]
	for k := range 3 {
		out[k] = min(1, max(0, c.matrix[3*k]*r+c.matrix[3*k+1]*g+c.matrix[3*k+2]*b))
	}
	return out
}

// row converts pixels in place; pix holds step bytes for each, the first three (or, of a grey
// profile, the first) its components.
func (c *colors) row(pix []uint8, step int, encode *[4097]uint8) {
	if c.plain {
		return
	}
	for i := 0; i+step <= len(pix); i += step {
		if c.grey != nil {
			pix[i] = c.grey[pix[i]]
			continue
		}
		v := c.mix([3]uint8(pix[i : i+3]))
		for k := range 3 {
			pix[i+k] = encode[int(v[k]*4096+0.5)]
		}
	}
}
