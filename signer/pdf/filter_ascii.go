package pdf

import (
	"bufio"
	"errors"
	"io"
)

// asciiHexReader undoes ASCIIHexDecode (ISO 32000-2 §7.4.2).
type asciiHexReader struct {
	r    *bufio.Reader
	done bool
}

func (a *asciiHexReader) Read(p []byte) (int, error) {
	for i := range p {
		c, err := a.next()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func (a *asciiHexReader) next() (byte, error) {
	high, err := a.digit()
	if err != nil {
		return 0, err
	}
	low, err := a.digit()
	if errors.Is(err, io.EOF) {
		return byte(high << 4), nil
	}
	return byte(high<<4 | low), err
}

func (a *asciiHexReader) digit() (int, error) {
	for !a.done {
		c, err := a.r.ReadByte()
		if err != nil {
			return 0, err
		}
		if d := unhex(c); d >= 0 {
			return d, nil
		}
		if c == '>' {
			a.done = true
		} else if !isSpace(c) {
			return 0, errors.New("a character that is no hexadecimal digit")
		}
	}
	return 0, io.EOF
}

// ascii85Reader undoes ASCII85Decode (ISO 32000-2 §7.4.3).
type ascii85Reader struct {
	r    *bufio.Reader
	out  [4]byte
	left []byte // of out
	done bool
}

var errASCII85 = errors.New("data that is not ASCII base-85")

func (a *ascii85Reader) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		if len(a.left) == 0 {
			if err := a.group(); err != nil {
				return n, err
			}
		}
		c := copy(p[n:], a.left)
		a.left = a.left[c:]
		n += c
	}
	return n, nil
}

// group decodes the next five characters, or fewer at the end.
func (a *ascii85Reader) group() error {
	if a.done {
		return io.EOF
	}
	v, digits := uint64(0), 0
	for digits < 5 {
		c, err := a.r.ReadByte()
		switch {
		case errors.Is(err, io.EOF), err == nil && c == '~':
			a.done = true
			return a.short(v, digits)
		case err != nil:
			return err
		case isSpace(c):
		case c == 'z' && digits == 0:
			a.out = [4]byte{}
			a.left = a.out[:]
			return nil
		case c < '!' || c > 'u':
			return errASCII85
		default:
			v = v*85 + uint64(c-'!')
			digits++
		}
	}
	return a.set(v, 4)
}

func (a *ascii85Reader) short(v uint64, digits int) error {
	switch digits {
	case 0:
		return io.EOF
	case 1:
		return errASCII85
	}
	for i := digits; i < 5; i++ {
		v = v*85 + 84
	}
	return a.set(v, digits-1)
}

func (a *ascii85Reader) set(v uint64, n int) error {
	if v > 1<<32-1 {
		return errASCII85
	}
	a.out = [4]byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)}
	a.left = a.out[:n]
	return nil
}

// runLengthReader undoes RunLengthDecode (ISO 32000-2 §7.4.5).
type runLengthReader struct {
	r      *bufio.Reader
	left   int
	repeat bool
	value  byte
	done   bool
}

func (l *runLengthReader) Read(p []byte) (int, error) {
	for i := range p {
		c, err := l.next()
		if err != nil {
			return i, err
		}
		p[i] = c
	}
	return len(p), nil
}

func (l *runLengthReader) next() (byte, error) {
	if l.left == 0 {
		if err := l.run(); err != nil {
			return 0, err
		}
	}
	l.left--
	if l.repeat {
		return l.value, nil
	}
	c, err := l.r.ReadByte()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return c, err
}

func (l *runLengthReader) run() error {
	if l.done {
		return io.EOF
	}
	n, err := l.r.ReadByte()
	switch {
	case err != nil:
		return err
	case n == 128:
		l.done = true
		return io.EOF
	case n < 128:
		l.left, l.repeat = int(n)+1, false
		return nil
	}
	l.left, l.repeat = 257-int(n), true
	l.value, err = l.r.ReadByte()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return err
}
