package intake

import (
	"bytes"
	"fmt"

	"github.com/saoy/saoy/internal/intake/ccitt"
)

// encode decodes the image row by row and writes it anew: black and white in Group 4, the
// rest in eight bits without loss.
func (t *tiffImage) encode(p *Page) error {
	if t.bits == 1 && t.samples == 1 && t.photometric != paletteUsed {
		return t.encodeBilevel(p)
	}
	icc := t.d[tagICC].data
	p.Components, p.Bits, p.Encoding = 3, 8, Flate
	if t.photometric == whiteIsZero || t.photometric == blackIsZero {
		p.Components = 1
	}
	convert := colorsOf(icc, p.Components)
	if t.photometric == separated {
		convert = nil
	}
	if convert != nil || t.photometric == separated {
		p.Warnings = append(p.Warnings, warnConverted())
	}
	enc := newFlateRows(t.width*p.Components, p.Components)
	ink := newInkMap(t.width, t.height)
	out, luma := make([]byte, t.width*p.Components), make([]byte, t.width)
	steps, show := srgbSteps(), t.opaque()
	err := t.rows(func(planes [][]byte) error {
		show(out, planes)
		if convert != nil {
			convert.row(out, p.Components, steps)
		}
		if p.Components == 1 {
			ink.add(out)
		} else {
			lumaOf(luma, out, 3)
			ink.add(luma)
		}
		return enc.add(out)
	})
	if err != nil {
		return err
	}
	p.see(ink)
	p.Data, err = enc.close()
	return err
}

func (t *tiffImage) encodeBilevel(p *Page) error {
	p.Components, p.Bits, p.Encoding = 1, 1, G4
	if t.width > ccitt.MaxWidth {
		return fmt.Errorf("%d pixels across", t.width)
	}
	enc := ccitt.NewEncoder(t.width)
	ink := newInkMap(t.width, t.height)
	luma := make([]byte, t.width)
	// A fax's black is the sample 1; so is ours.
	invert := t.photometric == blackIsZero
	err := t.rows(func(planes [][]byte) error {
		row := planes[0]
		if invert {
			invertBits(row)
		}
		unpack(luma, row, 1)
		for i := range luma {
			luma[i] = 255 - 255*luma[i]
		}
		ink.add(luma)
		enc.Add(row)
		return nil
	})
	if err != nil {
		return err
	}
	p.see(ink)
	p.Data = enc.Close()
	return nil
}

// rows decodes all segments and calls each with the rows of the image, one for each plane.
func (t *tiffImage) rows(each func(planes [][]byte) error) error {
	segBytes := (t.segWidth*t.perSegment()*t.bits + 7) / 8
	rowBytes := (t.width*t.perSegment()*t.bits + 7) / 8
	across, planes := t.across(), make([][]byte, t.planes())
	for i := range planes {
		planes[i] = make([]byte, across*segBytes)
	}
	if across > 1 && t.segWidth*t.perSegment()*t.bits%8 != 0 {
		return unsupportedTIFF("tile width")
	}
	trimmed := make([][]byte, len(planes))
	for band := range t.down() {
		sources, err := t.openBand(band)
		if err != nil {
			return err
		}
		for range min(t.segHeight, t.height-band*t.segHeight) {
			for k := range planes {
				for x := range across {
					if err := sources[k*across+x].next(planes[k][x*segBytes : (x+1)*segBytes]); err != nil {
						return err
					}
				}
				trimmed[k] = planes[k][:rowBytes]
			}
			if err := each(trimmed); err != nil {
				return err
			}
		}
	}
	return nil
}

// openBand opens the segments of one row of segments, plane after plane.
func (t *tiffImage) openBand(band int) ([]rowSource, error) {
	across, down := t.across(), t.down()
	var sources []rowSource
	for plane := range t.planes() {
		for x := range across {
			s, err := t.open(plane*across*down + band*across + x)
			if err != nil {
				return nil, err
			}
			sources = append(sources, s)
		}
	}
	return sources, nil
}

// opaque returns a function that writes a row in eight bits of grey or RGB, on white.
func (t *tiffImage) opaque() func(dst []byte, planes [][]byte) {
	if t.photometric == paletteUsed || t.bits < 8 {
		table := t.table()
		step := len(table[0])
		if t.photometric != paletteUsed {
			step = 1
		}
		index := make([]byte, t.width)
		return func(dst []byte, planes [][]byte) {
			unpack(index, planes[0], t.bits)
			for x, v := range index {
				copy(dst[x*step:(x+1)*step], table[v][:step])
			}
		}
	}
	wide := t.bits / 8
	high := 0 // where the high byte of a sample lies
	if wide == 2 && bytes.Equal(t.f.b[:2], []byte("II")) {
		high = 1
	}
	px := make([]byte, t.samples)
	colours := map[int]int{whiteIsZero: 1, blackIsZero: 1, separated: 4}[t.photometric]
	if colours == 0 {
		colours = 3
	}
	return func(dst []byte, planes [][]byte) {
		for x := range t.width {
			for k := range px {
				if t.planar {
					px[k] = planes[k][x*wide+high]
				} else {
					px[k] = planes[0][(x*t.samples+k)*wide+high]
				}
			}
			t.pixel(dst, x, px, colours)
		}
	}
}

// pixel writes one pixel of samples of eight bits.
func (t *tiffImage) pixel(dst []byte, x int, px []byte, colours int) {
	switch t.photometric {
	case whiteIsZero:
		px[0] = 255 - px[0]
	case separated:
		for k := range 3 {
			dst[3*x+k] = uint8(uint32(255-px[k]) * uint32(255-px[3]) / 255)
		}
		return
	}
	if len(px) > colours {
		alpha := px[colours]
		for k := range colours {
			switch t.alpha {
			case 1: // colours are multiplied by it already
				px[k] = uint8(min(255, int(px[k])+255-int(alpha)))
			case 2:
				px[k] = onWhite(px[k], alpha)
			}
		}
	}
	copy(dst[x*colours:(x+1)*colours], px)
}

// table is the colour of each index, or the grey of each sample of less than eight bits.
func (t *tiffImage) table() (table [256][3]byte) {
	n := 1 << t.bits
	for i := range min(n, 256) {
		if t.photometric == paletteUsed {
			for k := range 3 {
				v, _ := t.d[tagColorMap].uint(uint64(k*n + i))
				table[i][k] = uint8(v >> 8)
			}
			continue
		}
		table[i][0] = uint8(i * 255 / (n - 1))
		if t.photometric == whiteIsZero {
			table[i][0] = 255 - table[i][0]
		}
	}
	return table
}
