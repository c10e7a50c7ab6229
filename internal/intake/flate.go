package intake

import (
	"bytes"
	"compress/zlib"
)

// flateRows encodes rows of samples with PNG filters and zlib, for a PDF image with
// predictor 15 (ISO 32000-2 §7.4.4.4).
type flateRows struct {
	out    bytes.Buffer
	z      *zlib.Writer
	step   int // bytes of a pixel
	prior  []byte
	trials [3][]byte
}

// newFlateRows makes an encoder of rows of rowBytes bytes, pixels of step whole bytes.
func newFlateRows(rowBytes, step int) *flateRows {
	f := &flateRows{step: step, prior: make([]byte, rowBytes)}
	for i := range f.trials {
		f.trials[i] = make([]byte, rowBytes+1)
	}
	f.z = zlib.NewWriter(&f.out)
	return f
}

// add takes the next row. It chooses among Sub, Up and Paeth the filter whose output is
// nearest zero, which is what the PNG specification recommends (§12.7).
func (f *flateRows) add(row []byte) error {
	best, least := 0, int(^uint(0)>>1)
	for i, kind := range []byte{1, 2, 4} {
		f.trials[i][0] = kind
		if n := filterRow(kind, f.trials[i][1:], row, f.prior, f.step, least); n < least {
			best, least = i, n
		}
	}
	copy(f.prior, row)
	_, err := f.z.Write(f.trials[best])
	return err
}

func (f *flateRows) close() ([]byte, error) {
	err := f.z.Close()
	return f.out.Bytes(), err
}

// filterRow writes row filtered to dst and returns the sum of the magnitudes; it may stop
// once the sum passes enough.
func filterRow(kind byte, dst, row, prior []byte, step, enough int) (sum int) {
	for i := range row {
		var left, corner byte
		if i >= step {
			left, corner = row[i-step], prior[i-step]
		}
		var guess byte
		switch kind {
		case 1:
			guess = left
		case 2:
			guess = prior[i]
		case 4:
			guess = paeth(left, prior[i], corner)
		}
		v := row[i] - guess
		dst[i] = v
		if v < 128 {
			sum += int(v)
		} else {
			sum += 256 - int(v)
		}
		if i&255 == 255 && sum > enough {
			return sum
		}
	}
	return sum
}

// unfilter undoes a PNG filter in place; false for a filter that does not exist.
func unfilter(kind byte, row, prior []byte, step int) bool {
	switch kind {
	case 0:
	case 1:
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
	case 2:
		for i := range row {
			row[i] += prior[i]
		}
	case 3:
		for i := range row {
			left := 0
			if i >= step {
				left = int(row[i-step])
			}
			row[i] += byte((left + int(prior[i])) / 2)
		}
	case 4:
		for i := range row {
			var left, corner byte
			if i >= step {
				left, corner = row[i-step], prior[i-step]
			}
			row[i] += paeth(left, prior[i], corner)
		}
	default:
		return false
	}
	return true
}

// paeth predicts a byte from its left, upper and upper left neighbours (PNG §9.4).
func paeth(a, b, c byte) byte {
	p := int(a) + int(b) - int(c)
	pa, pb, pc := abs(p-int(a)), abs(p-int(b)), abs(p-int(c))
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
