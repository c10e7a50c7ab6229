package pdf

import (
	"errors"
	"fmt"
	"io"
)

// predictor undoes the PNG and TIFF predictors row by row (ISO 32000-2 §7.4.4.4).
type predictor struct {
	r        io.Reader
	tiff     bool
	pixel    int // bytes from a sample to the same sample of the next pixel, at least 1
	wide     bool
	row      []byte // of the PNG kind with the byte that names its filter
	previous []byte
	out      []byte
}

const maxRowBytes = 1 << 20

func newPredictor(r io.Reader, parms Dict) (io.Reader, error) {
	kind, ok := parms.Int("Predictor")
	if !ok || kind == 1 {
		return r, nil
	}
	colors, bits, columns := intOr(parms, "Colors", 1), intOr(parms, "BitsPerComponent", 8), intOr(parms, "Columns", 1)
	if colors < 1 || colors > 32 || bits < 1 || bits > 16 || columns < 1 || columns > maxRowBytes {
		return nil, errors.New("predictor parameters out of range")
	}
	rowBytes := (colors*bits*columns + 7) / 8
	if rowBytes > maxRowBytes {
		return nil, fmt.Errorf("%w: a row of %d bytes", ErrLimit, rowBytes)
	}
	p := &predictor{r: r, tiff: kind == 2, pixel: int(max(1, colors*bits/8)), wide: bits == 16}
	switch {
	case kind == 2 && bits != 8 && bits != 16:
		return nil, fmt.Errorf("%w: TIFF predictor with %d bits", ErrFilter, bits)
	case kind == 2:
		p.row = make([]byte, rowBytes)
	case kind >= 10 && kind <= 15:
		p.row, p.previous = make([]byte, rowBytes+1), make([]byte, rowBytes)
	default:
		return nil, fmt.Errorf("unknown predictor %d", kind)
	}
	return p, nil
}

func intOr(d Dict, key Name, standard int64) int64 {
	if v, ok := d.Int(key); ok {
		return v
	}
	return standard
}

func (p *predictor) Read(b []byte) (int, error) {
	if len(p.out) == 0 {
		n, err := io.ReadFull(p.r, p.row)
		if err != nil && !(errors.Is(err, io.ErrUnexpectedEOF) && n > 1) {
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = io.EOF
			}
			return 0, err
		}
		if err := p.undo(n); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.out)
	p.out = p.out[n:]
	return n, nil
}

// undo reverses the prediction of the first n bytes of the row; a last row may be short.
func (p *predictor) undo(n int) error {
	if p.tiff {
		p.undoTIFF(p.row[:n])
		p.out = p.row[:n]
		return nil
	}
	cur := p.row[1:n]
	switch p.row[0] {
	case 0:
	case 1:
		for i := p.pixel; i < len(cur); i++ {
			cur[i] += cur[i-p.pixel]
		}
	case 2:
		for i := range cur {
			cur[i] += p.previous[i]
		}
	case 3:
		for i := range cur {
			cur[i] += byte((int(p.left(cur, i)) + int(p.previous[i])) / 2)
		}
	case 4:
		for i := range cur {
			cur[i] += paeth(p.left(cur, i), p.previous[i], p.left(p.previous, i))
		}
	default:
		return fmt.Errorf("unknown PNG row filter %d", p.row[0])
	}
	copy(p.previous, cur)
	p.out = p.previous[:len(cur)]
	return nil
}

func (p *predictor) left(row []byte, i int) byte {
	if i < p.pixel {
		return 0
	}
	return row[i-p.pixel]
}

func (p *predictor) undoTIFF(row []byte) {
	if !p.wide {
		for i := p.pixel; i < len(row); i++ {
			row[i] += row[i-p.pixel]
		}
		return
	}
	for i := p.pixel; i+1 < len(row); i += 2 {
		v := uint16(row[i])<<8 + uint16(row[i+1]) + uint16(row[i-p.pixel])<<8 + uint16(row[i-p.pixel+1])
		row[i], row[i+1] = byte(v>>8), byte(v)
	}
}

func paeth(a, b, c byte) byte {
	pa, pb, pc := abs(int(b)-int(c)), abs(int(a)-int(c)), abs(int(a)+int(b)-2*int(c))
	switch {
	case pa <= pb && pa <= pc:
		return a
	case pb <= pc:
		return b
	}
	return c
}

func abs(v int) int {
	if v < 0 {
		return -v
	}
	return v
}
