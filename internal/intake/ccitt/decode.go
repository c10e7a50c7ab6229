package ccitt

import (
	"errors"
	"fmt"
	"io"
)

// Errors of Next. A picture that ends early gives io.ErrUnexpectedEOF.
var ErrCode = errors.New("ccitt: no such code")

// Options say how a picture was coded.
type Options struct {
	Width int
	// Group4 is T.6; else it is T.4, with TwoDimensional rows among the others if set.
	Group4, TwoDimensional bool
	// AlignedRows begin on a byte and have no end-of-line codes: TIFF's compression 2.
	AlignedRows bool
}

// Decoder reads the rows of a picture.
type Decoder struct {
	o        Options
	b        []byte
	at       int // bits consumed
	row      int
	ref, cur []int
}

// NewDecoder decodes b, which it does not change.
func NewDecoder(b []byte, o Options) (*Decoder, error) {
	if o.Width < 1 || o.Width > MaxWidth {
		return nil, fmt.Errorf("ccitt: width %d", o.Width)
	}
	return &Decoder{o: o, b: b, ref: []int{o.Width, o.Width, o.Width}}, nil
}

// peek returns the next n bits, up to 24, with zeros behind the end.
func (d *Decoder) peek(n int) int {
	v, first := 0, d.at>>3
	for i := range 4 {
		v <<= 8
		if first+i < len(d.b) {
			v |= int(d.b[first+i])
		}
	}
	return v >> (32 - n - d.at&7) & (1<<n - 1)
}

func (d *Decoder) ended() bool { return d.at >= 8*len(d.b) }

// Next decodes a row to dst, which has at least (Width+7)/8 bytes.
func (d *Decoder) Next(dst []byte) error {
	d.row++
	d.cur = d.cur[:0]
	twoDimensional, err := d.startRow()
	if err == nil && twoDimensional {
		err = d.row2D()
	} else if err == nil {
		err = d.row1D()
	}
	if err != nil {
		if d.ended() {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("ccitt: row %d: %w", d.row, err)
	}
	for len(d.cur) > 0 && d.cur[len(d.cur)-1] >= d.o.Width {
		d.cur = d.cur[:len(d.cur)-1]
	}
	d.cur = append(d.cur, d.o.Width, d.o.Width, d.o.Width)
	paint(dst, d.cur, d.o.Width)
	d.ref, d.cur = d.cur, d.ref
	return nil
}

// startRow passes over what stands before a row and tells how the row is coded.
func (d *Decoder) startRow() (twoDimensional bool, err error) {
	switch {
	case d.o.Group4:
		return true, nil
	case d.o.AlignedRows:
		d.at = (d.at + 7) &^ 7
		return false, nil
	}
	eol := d.endOfLine()
	if !d.o.TwoDimensional {
		return false, nil
	}
	if !eol {
		return false, ErrCode
	}
	tag := d.peek(1)
	d.at++
	return tag == 0, nil
}

// endOfLine passes over fill bits and an end-of-line code, if they are next. A code of a
// run never begins with eleven zeros.
func (d *Decoder) endOfLine() bool {
	at := d.at
	if d.peek(11) != 0 {
		return false
	}
	for !d.ended() && d.peek(1) == 0 {
		d.at++
	}
	if d.ended() {
		d.at = at
		return false
	}
	d.at++
	return true
}

// add notes a change of colour; two in one place are none.
func (d *Decoder) add(x int) {
	if n := len(d.cur); n > 0 && d.cur[n-1] == x {
		d.cur = d.cur[:n-1]
		return
	}
	d.cur = append(d.cur, x)
}

func (d *Decoder) row1D() error {
	x, colour := 0, 0
	for x < d.o.Width {
		n, err := d.run(colour, d.o.Width-x)
		if err != nil {
			return err
		}
		x += n
		d.add(x)
		colour = 1 - colour
	}
	return nil
}

// run reads a run of at most room pixels.
func (d *Decoder) run(colour, room int) (n int, err error) {
	for {
		e := lookupOf[colour][d.peek(longestCode)]
		if e.n == 0 {
			return 0, ErrCode
		}
		d.at += int(e.n)
		if n += int(e.value); n > room {
			return 0, fmt.Errorf("%w: run leaves the row", ErrCode)
		}
		if d.at > 8*len(d.b) {
			return 0, io.ErrUnexpectedEOF
		}
		if e.value < 64 {
			return n, nil
		}
	}
}

func (d *Decoder) row2D() error {
	a0, colour := -1, 0
	for i := 0; a0 < d.o.Width; {
		m := modesByBits[d.peek(longestMode)]
		if m.n == 0 {
			return ErrCode
		}
		if d.at += int(m.n); d.at > 8*len(d.b) {
			return io.ErrUnexpectedEOF
		}
		i = next(d.ref, i, a0, colour)
		switch m.value {
		case modePass:
			a0 = d.o.Width
			if i+1 < len(d.ref) {
				a0 = d.ref[i+1]
			}
		case modeHorizontal:
			for range 2 {
				a0 = max(a0, 0)
				n, err := d.run(colour, d.o.Width-a0)
				if err != nil {
					return err
				}
				a0 += n
				d.add(a0)
				colour = 1 - colour
			}
		default:
			a1 := d.ref[i] + int(m.value)
			if a1 < max(a0, 0) || a1 > d.o.Width {
				return fmt.Errorf("%w: change leaves the row", ErrCode)
			}
			d.add(a1)
			a0, colour = a1, 1-colour
		}
	}
	return nil
}
