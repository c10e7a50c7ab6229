package stamp

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strings"

	"golang.org/x/image/math/f32"
	"golang.org/x/image/vector"

	"github.com/saoy/saoy/internal/stamp/typeface"
)

// Inks of the demonstration images.
var (
	blueInk = color.NRGBA{R: 0x1A, G: 0x3C, B: 0xB4, A: 0xFF}
	redInk  = color.NRGBA{R: 0xD2, G: 0x14, B: 0x1E, A: 0xFF}
)

// DemonstrationSignature returns a PNG of a scribble in blue ink that is nobody's signature.
// It is always the same.
func DemonstrationSignature() ([]byte, error) {
	const width, height = 640, 340
	p := &pen{raster: vector.NewRasterizer(width, height)}
	// A capital, a run of loops that flattens out, and a flourish underneath.
	p.stroke(90, func(t float64) (x, y float64) {
		return 70 + 90*t + 46*math.Sin(5.2*t), 250 - 190*math.Sin(math.Pi*t) + 26*math.Cos(8*t)
	})
	p.stroke(400, func(t float64) (x, y float64) {
		swell := 62 * (1 - 0.72*t)
		return 150 + 360*t + 30*math.Sin(27*t+0.4), 196 - swell*math.Sin(27*t) - 24*t
	})
	p.stroke(120, func(t float64) (x, y float64) {
		return 560 - 440*t, 232 + 58*math.Sin(math.Pi*t) + 14*math.Sin(9*t)
	})
	return p.png(blueInk)
}

// DemonstrationSeal returns a PNG of a round red seal that bears the agency's name and says
// that it is a demonstration. It has no emblem. It is to be drawn 36 mm across. A character
// that cannot be drawn gives a *typeface.MissingGlyphError.
func DemonstrationSeal(agency string) ([]byte, error) {
	const side, middle = 600, 300
	p := &pen{raster: vector.NewRasterizer(side, side)}
	p.ring(middle, middle, 289, 279)
	p.ring(middle, middle, 272, 267)
	p.ring(middle, middle, 178, 173)
	face, err := typeface.Tinos(typeface.Bold)
	if err != nil {
		return nil, err
	}
	name := strings.ToUpper(strings.Join(strings.Fields(agency), " "))
	if err := p.arc(face, name, middle, middle, 198, 52, 1.75*math.Pi); err != nil {
		return nil, err
	}
	for _, l := range []struct {
		text    string
		size, y float64
	}{{"BẢN", 54, 254}, {"TRÌNH DIỄN", 48, 316}, {"không có giá trị", 36, 370}} {
		run, err := face.Shape(l.text)
		if err != nil {
			return nil, err
		}
		p.line(face, run, l.size, middle-run.Width(l.size)/2, l.y)
	}
	return p.png(redInk)
}

// pen collects outlines in pixels, y downwards.
type pen struct{ raster *vector.Rasterizer }

// stroke draws a curve with t from 0 to 1 as a pen does: thin at the ends, thick between.
func (p *pen) stroke(steps int, at func(t float64) (x, y float64)) {
	x0, y0 := at(0)
	for i := 1; i <= steps; i++ {
		t := float64(i) / float64(steps)
		x1, y1 := at(t)
		p.segment(x0, y0, x1, y1, 1.6+3.4*math.Sin(math.Pi*min(1, t*1.05)))
		x0, y0 = x1, y1
	}
}

// segment adds a thick line with round ends. All its outlines run the same way round, so
// that those which overlap do not cancel.
func (p *pen) segment(x0, y0, x1, y1, half float64) {
	const corners = 12
	angle := math.Atan2(y1-y0, x1-x0)
	for i := range 2 * corners {
		x, y := x1, y1
		if i >= corners {
			x, y = x0, y0
		}
		turn := angle - math.Pi/2 + math.Pi*float64(i)/(corners-1)
		if i >= corners {
			turn = angle + math.Pi/2 + math.Pi*float64(i-corners)/(corners-1)
		}
		point := f32.Vec2{float32(x + half*math.Cos(turn)), float32(y + half*math.Sin(turn))}
		if i == 0 {
			p.raster.MoveTo(point[0], point[1])
			continue
		}
		p.raster.LineTo(point[0], point[1])
	}
	p.raster.ClosePath()
}

// ring adds the area between two circles.
func (p *pen) ring(x, y, outer, inner float64) {
	p.circle(x, y, outer, 1)
	p.circle(x, y, inner, -1)
}

func (p *pen) circle(x, y, radius, direction float64) {
	const corners = 720
	p.raster.MoveTo(float32(x+radius), float32(y))
	for i := 1; i < corners; i++ {
		sin, cos := math.Sincos(direction * 2 * math.Pi * float64(i) / corners)
		p.raster.LineTo(float32(x+radius*cos), float32(y+radius*sin))
	}
	p.raster.ClosePath()
}

// arc sets a text around a circle, centred on its top, smaller if it would go further round
// than the given angle.
func (p *pen) arc(face *typeface.Face, text string, x, y, radius, size, most float64) error {
	run, err := face.Shape(text)
	if err != nil {
		return err
	}
	const spacing = 1.08
	if length := run.Width(size) * spacing; length > most*radius {
		size *= most * radius / length
	}
	angle := -math.Pi/2 - run.Width(size)*spacing/radius/2
	for _, d := range run {
		advance := d.Advance * size / 1000
		middle := angle + advance*spacing/radius/2
		sin, cos := math.Sincos(middle + math.Pi/2)
		bx, by := x+radius*math.Cos(middle), y+radius*math.Sin(middle)
		p.glyph(face, d.Glyph, size, func(gx, gy float64) (float64, float64) {
			gx -= advance / 2
			return bx + gx*cos + gy*sin, by + gx*sin - gy*cos
		})
		angle += advance * spacing / radius
	}
	return nil
}

// line sets a run from x on the baseline y.
func (p *pen) line(face *typeface.Face, run typeface.Run, size, x, y float64) {
	for _, d := range run {
		p.glyph(face, d.Glyph, size, func(gx, gy float64) (float64, float64) { return x + gx, y - gy })
		x += d.Advance * size / 1000
	}
}

// glyph adds the contours of a glyph, mapped to pixels by place.
func (p *pen) glyph(face *typeface.Face, g typeface.GlyphID, size float64, place func(x, y float64) (float64, float64)) {
	scale := size / float64(face.UnitsPerEm)
	at := func(q typeface.Point) (float32, float32) {
		x, y := place(q.X*scale, q.Y*scale)
		return float32(x), float32(y)
	}
	for _, contour := range face.Outline(g) {
		x, y := at(contour.Start)
		p.raster.MoveTo(x, y)
		for _, curve := range contour.Curves {
			cx, cy := at(curve[0])
			ex, ey := at(curve[1])
			p.raster.QuadTo(cx, cy, ex, ey)
		}
		p.raster.ClosePath()
	}
}

func (p *pen) png(ink color.NRGBA) ([]byte, error) {
	mask := image.NewAlpha(p.raster.Bounds())
	p.raster.DrawOp = draw.Src
	p.raster.Draw(mask, mask.Bounds(), image.Opaque, image.Point{})
	picture := image.NewNRGBA(mask.Bounds())
	for i, a := range mask.Pix {
		copy(picture.Pix[4*i:], []byte{ink.R, ink.G, ink.B, a})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return nil, fmt.Errorf("png: %w", err)
	}
	return b.Bytes(), nil
}
