package intake

import (
	"bytes"
	"errors"
	"image/png"
	"io"
	"math"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake/ccitt"
)

// readPNG makes the page of a PNG file. The compressed samples of grey, RGB and palette
// images are passed through, since PDF has the same predictors; what has transparency, 16 bits,
// interlacing or other colours is written anew.
func readPNG(name string, b []byte) (Page, error) {
	f, err := scanPNG(b)
	if err != nil {
		return Page{}, pngError(name, err)
	}
	if uint64(f.width)*uint64(f.height) > certcopy.MaxImagePixels {
		return Page{}, errPixels(name, int64(f.width), int64(f.height))
	}
	if !f.interlaced && f.isBomb() {
		return Page{}, errTooMuch(name, errors.New("inflates to more than a picture can"))
	}
	p := Page{Image: Image{
		Width: int(f.width), Height: int(f.height), Components: 1, Bits: 8, Encoding: Flate,
		Orientation: f.orientation, DPIX: f.dpiX, DPIY: f.dpiY,
	}}
	switch convert := f.conversion(); {
	case f.interlaced:
		err = f.readInterlaced(&p, name, b, convert)
	case convert == nil && f.passes():
		err = f.passThrough(&p)
	default:
		err = f.writeAnew(&p, convert)
	}
	if err != nil {
		return Page{}, pngError(name, err)
	}
	return p, nil
}

// isBomb reports whether the samples are both many and so even that no paper was scanned: the
// grain of any scanner keeps deflate below a ratio of 20.
func (p *pngFile) isBomb() bool {
	stored := 0
	for _, d := range p.data {
		stored += len(d)
	}
	inflated := uint64(p.rowBytes()) * uint64(p.height)
	return inflated > 256<<20 && inflated/200 > uint64(stored)
}

func pngError(name string, err error) error {
	switch {
	case certcopy.CodeOf(err) == certcopy.Invalid:
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return errTruncated(name, err)
	}
	return errDamaged(name, err)
}

// passes reports whether the compressed samples can stand in a PDF as they are.
func (p *pngFile) passes() bool {
	return p.bits <= 8 && p.transparent == nil && (p.kind == 0 || p.kind == 2 || p.kind == 3 && p.palette != nil)
}

// conversion returns what makes sRGB of the samples, nil if they are.
func (p *pngFile) conversion() *colors {
	components := 3
	if p.kind == 0 || p.kind == 4 {
		components = 1
	}
	if p.icc != nil {
		return colorsOf(p.icc, components)
	}
	if p.gamma < 0.01 || p.gamma > 10 || math.Abs(p.gamma-1/2.2) < 0.03 {
		return nil
	}
	return gammaColors(1/p.gamma, components)
}

// gammaColors has the primaries of sRGB and a tone curve of a power.
func gammaColors(power float64, components int) *colors {
	c := &colors{matrix: [9]float32{0: 1, 4: 1, 8: 1}}
	for i := range 256 {
		v := float32(math.Pow(float64(i)/255, power))
		c.linear[0][i], c.linear[1][i], c.linear[2][i] = v, v, v
	}
	if components == 1 {
		c.grey = new([256]uint8)
		for i, v := range c.linear[0] {
			c.grey[i] = encodeSRGB(v)
		}
	}
	return c
}

// passThrough checks all samples and keeps the compressed bytes. An image in black and white
// becomes Group 4 where that is smaller.
func (p *pngFile) passThrough(out *Page) error {
	out.Components, out.Bits = p.samples(), int(p.bits)
	ink := newInkMap(out.Width, out.Height)
	luma := make([]byte, out.Width)
	used := byte(0)
	look := p.lumaReader(&used)
	var fax *ccitt.Encoder
	black, bilevel := p.blackSample()
	if bilevel && out.Width <= ccitt.MaxWidth {
		fax = ccitt.NewEncoder(out.Width)
	}
	exact, err := p.rows(func(row []byte) error {
		look(luma, row)
		ink.add(luma)
		switch {
		case fax == nil:
		case black == 1:
			fax.Add(row)
		default:
			addInverted(fax, row)
		}
		return nil
	})
	if err != nil {
		return err
	}
	out.see(ink)
	if !exact {
		return p.writeAnew(out, nil)
	}
	out.Data = bytes.Join(p.data, nil)
	if fax != nil {
		if code := fax.Close(); len(code) < len(out.Data) {
			out.Encoding, out.Data = G4, code
		}
	}
	if p.kind == 3 && out.Encoding == Flate {
		// An index beyond the palette is black, as decoders agree.
		n := max(len(p.palette)/3, int(used)+1)
		out.Palette = append(bytes.Clone(p.palette), make([]byte, 3*n-len(p.palette))...)
	}
	return nil
}

// blackSample returns which of two samples is black in an image of black and white.
func (p *pngFile) blackSample() (sample int, bilevel bool) {
	const black, white = "\x00\x00\x00", "\xFF\xFF\xFF"
	switch {
	case p.bits != 1:
		return 0, false
	case p.kind == 0 || string(p.palette) == black+white:
		return 0, true
	}
	return 1, string(p.palette) == white+black
}

// addInverted encodes a row in which 1 is white. The row is put back, since the next is
// predicted from it.
func addInverted(fax *ccitt.Encoder, row []byte) {
	invertBits(row)
	fax.Add(row)
	invertBits(row)
}

func invertBits(row []byte) {
	for i := range row {
		row[i] = ^row[i]
	}
}

// lumaReader returns a function that writes the brightness of a row of stored samples, and
// notes the highest palette index in used.
func (p *pngFile) lumaReader(used *byte) func(luma, row []byte) {
	if p.kind == 2 {
		return func(luma, row []byte) { lumaOf(luma, row, 3) }
	}
	var of [256]byte
	for i := range of {
		if p.kind == 0 {
			of[i] = uint8(i * 255 / (1<<p.bits - 1))
		} else if 3*i < len(p.palette) {
			lumaOf(of[i:i+1], p.palette[3*i:], 3)
		}
	}
	return func(luma, row []byte) {
		unpack(luma, row, int(p.bits))
		for x, v := range luma {
			*used = max(*used, v)
			luma[x] = of[v]
		}
	}
}

// unpack spreads samples of 1, 2, 4 or 8 bits to a byte each.
func unpack(dst, row []byte, bits int) {
	if bits == 8 {
		copy(dst, row)
		return
	}
	mask := byte(1<<bits - 1)
	for x := range dst {
		at := x * bits
		dst[x] = row[at/8] >> (8 - bits - at%8) & mask
	}
}

// writeAnew decodes row by row to eight bits, on white, in sRGB.
func (p *pngFile) writeAnew(out *Page, convert *colors) error {
	grey := p.kind == 0 || p.kind == 4
	step := 3
	if grey {
		step = 1
	}
	out.Components, out.Bits, out.Palette = step, 8, nil
	enc := newFlateRows(out.Width*step, step)
	ink := newInkMap(out.Width, out.Height)
	row8, luma := make([]byte, out.Width*step), make([]byte, out.Width)
	steps := srgbSteps()
	_, err := p.rows(func(row []byte) error {
		p.opaque(row8, row)
		if convert != nil {
			convert.row(row8, step, steps)
		}
		if grey {
			ink.add(row8)
		} else {
			lumaOf(luma, row8, 3)
			ink.add(luma)
		}
		return enc.add(row8)
	})
	if err != nil {
		return err
	}
	if convert != nil {
		out.Warnings = append(out.Warnings, warnConverted())
	}
	out.see(ink)
	out.Data, err = enc.close()
	return err
}

// opaque writes a row as one (grey) or three (colour) bytes for each pixel, transparency on
// white.
func (p *pngFile) opaque(dst, row []byte) {
	n, wide := p.samples(), 1
	if p.bits == 16 {
		wide = 2
	}
	if p.bits < 8 || p.kind == 3 {
		p.opaqueSmall(dst, row)
		return
	}
	colour := n
	if p.kind >= 4 {
		colour--
	}
	for at, to := 0, 0; at+n*wide <= len(row); at, to = at+n*wide, to+colour {
		px := row[at : at+n*wide]
		alpha := byte(255)
		switch {
		case p.kind >= 4:
			alpha = px[colour*wide]
		case len(p.transparent) >= 2*n && p.isTransparent(px, wide):
			alpha = 0
		}
		for k := range colour {
			dst[to+k] = onWhite(px[k*wide], alpha)
		}
	}
}

// isTransparent compares a pixel with the one colour that tRNS declares transparent.
func (p *pngFile) isTransparent(px []byte, wide int) bool {
	if wide == 2 {
		return bytes.Equal(px, p.transparent[:len(px)])
	}
	for k, v := range px {
		if p.transparent[2*k] != 0 || v != p.transparent[2*k+1] {
			return false
		}
	}
	return true
}

// opaqueSmall does the work of opaque for palettes and for grey of less than a byte.
func (p *pngFile) opaqueSmall(dst, row []byte) {
	var table [256][3]byte
	for i := range table {
		if p.kind == 0 {
			table[i][0] = uint8(i * 255 / (1<<p.bits - 1))
			if len(p.transparent) >= 2 && int(p.transparent[0])<<8|int(p.transparent[1]) == i {
				table[i][0] = 255
			}
			continue
		}
		alpha := byte(255)
		if i < len(p.transparent) {
			alpha = p.transparent[i]
		}
		if 3*i < len(p.palette) {
			for k := range 3 {
				table[i][k] = onWhite(p.palette[3*i+k], alpha)
			}
		}
	}
	step := len(dst) / int(p.width)
	index := make([]byte, p.width)
	unpack(index, row, int(p.bits))
	for x, v := range index {
		copy(dst[x*step:(x+1)*step], table[v][:step])
	}
}

// maxInterlacedBytes bounds the memory of an interlaced image, which must be decoded whole.
const maxInterlacedBytes = 256 << 20

func (p *pngFile) readInterlaced(out *Page, name string, b []byte, convert *colors) error {
	if uint64(p.width)*uint64(p.height)*uint64(4*max(1, p.bits/8)) > maxInterlacedBytes {
		return errUnsupported(name, "PNG interlaced")
	}
	img, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		return err
	}
	return out.lossless(img, convert)
}
