package intake

import (
	"image"
	"image/color"
)

// apply returns img in sRGB, opaque on white: an *image.Gray for grey input, else an
// *image.RGBA.
func (c *colors) apply(img image.Image) image.Image {
	r := img.Bounds()
	encode := srgbSteps()
	if g, ok := img.(*image.Gray); ok {
		out := image.NewGray(r)
		for y := r.Min.Y; y < r.Max.Y; y++ {
			row := out.Pix[out.PixOffset(r.Min.X, y):][:r.Dx()]
			copy(row, g.Pix[g.PixOffset(r.Min.X, y):])
			if c.grey != nil {
				c.row(row, 1, encode)
			}
		}
		return out
	}
	out := image.NewRGBA(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		row := out.Pix[out.PixOffset(r.Min.X, y):][:4*r.Dx()]
		opaqueRow(row, img, y)
		if c.grey == nil {
			c.row(row, 4, encode)
		}
	}
	return out
}

// opaqueRow writes one row of img as RGBA, what is transparent on white paper.
func opaqueRow(row []uint8, img image.Image, y int) {
	r := img.Bounds()
	for x := range r.Dx() {
		p := row[4*x : 4*x+4 : 4*x+4]
		switch v := img.(type) {
		case *image.YCbCr:
			yi, ci := v.YOffset(r.Min.X+x, y), v.COffset(r.Min.X+x, y)
			p[0], p[1], p[2] = color.YCbCrToRGB(v.Y[yi], v.Cb[ci], v.Cr[ci])
		case *image.CMYK:
			s := v.Pix[v.PixOffset(r.Min.X+x, y):]
			p[0], p[1], p[2] = color.CMYKToRGB(s[0], s[1], s[2], s[3])
		case *image.NRGBA:
			s := v.Pix[v.PixOffset(r.Min.X+x, y):]
			for k := range 3 {
				p[k] = onWhite(s[k], s[3])
			}
		default:
			n := color.NRGBA64Model.Convert(img.At(r.Min.X+x, y)).(color.NRGBA64)
			a := uint8(n.A >> 8)
			p[0], p[1], p[2] = onWhite(uint8(n.R>>8), a), onWhite(uint8(n.G>>8), a), onWhite(uint8(n.B>>8), a)
		}
		p[3] = 255
	}
}

func onWhite(v, alpha uint8) uint8 {
	return uint8((uint32(v)*uint32(alpha) + 255*uint32(255-alpha) + 127) / 255)
}

// inkOf fills an ink map from a decoded image.
func inkOf(img image.Image) *inkMap {
	r := img.Bounds()
	m := newInkMap(r.Dx(), r.Dy())
	row := make([]uint8, r.Dx())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		switch v := img.(type) {
		case *image.YCbCr:
			at := v.YOffset(r.Min.X, y)
			m.add(v.Y[at : at+r.Dx()])
		case *image.Gray:
			at := v.PixOffset(r.Min.X, y)
			m.add(v.Pix[at : at+r.Dx()])
		case *image.RGBA:
			at := v.PixOffset(r.Min.X, y)
			lumaOf(row, v.Pix[at:at+4*r.Dx()], 4)
			m.add(row)
		default:
			for x := range row {
				row[x] = color.GrayModel.Convert(img.At(r.Min.X+x, y)).(color.Gray).Y
			}
			m.add(row)
		}
	}
	return m
}

// lumaOf writes the brightness of pixels of n bytes that begin with red, green and blue.
func lumaOf(row, pix []uint8, n int) {
	for x := range row {
		p := pix[x*n : x*n+3 : x*n+3]
		row[x] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
}

// lossless writes a decoded image without loss, opaque and in sRGB.
func (p *Page) lossless(img image.Image, convert *colors) error {
	if convert != nil {
		p.Warnings = append(p.Warnings, warnConverted())
	}
	flat := orIdentity(convert).apply(img)
	r := flat.Bounds()
	p.Width, p.Height, p.Bits, p.Encoding, p.Components = r.Dx(), r.Dy(), 8, Flate, 3
	if _, grey := flat.(*image.Gray); grey {
		p.Components = 1
	}
	p.see(inkOf(flat))
	var err error
	p.Data, err = flateOf(flat)
	return err
}

// flateOf encodes an *image.Gray, or an opaque *image.RGBA, for a PDF image.
func flateOf(img image.Image) ([]byte, error) {
	r := img.Bounds()
	step := 3
	if _, grey := img.(*image.Gray); grey {
		step = 1
	}
	enc := newFlateRows(r.Dx()*step, step)
	row := make([]byte, step*r.Dx())
	for y := r.Min.Y; y < r.Max.Y; y++ {
		switch v := img.(type) {
		case *image.Gray:
			copy(row, v.Pix[v.PixOffset(r.Min.X, y):])
		case *image.RGBA:
			packRGB(row, v.Pix[v.PixOffset(r.Min.X, y):][:4*r.Dx()])
		}
		if err := enc.add(row); err != nil {
			return nil, err
		}
	}
	return enc.close()
}

// packRGB drops every fourth byte.
func packRGB(dst, rgba []byte) {
	for i, j := 0, 0; j+3 < len(rgba); i, j = i+3, j+4 {
		copy(dst[i:i+3], rgba[j:j+3])
	}
}
