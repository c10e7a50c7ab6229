package pdf

import (
	"bufio"
	"errors"
	"io"
)

// lzwReader undoes LZWDecode: codes of 9 to 12 bits, most significant first, 256 clears the
// table, 257 ends (ISO 32000-2 §7.4.4). compress/lzw cannot widen its codes early.
type lzwReader struct {
	r     *bufio.Reader
	early int // 1: codes widen one code early, the default

	bits, have uint32
	width      uint
	next       int // the next free code
	previous   int // the code before; -1 after a clear
	prefix     [4096]uint16
	suffix     [4096]byte
	stack      [4096]byte
	out        []byte // of stack, still to be given
	done       bool
}

const (
	lzwClear = 256
	lzwEnd   = 257
)

var errLZW = errors.New("a code that is not in the table")

func newLZWReader(r io.Reader, parms Dict) *lzwReader {
	l := &lzwReader{r: bufio.NewReader(r), early: 1}
	if v, ok := parms.Int("EarlyChange"); ok && v == 0 {
		l.early = 0
	}
	l.clear()
	return l
}

func (l *lzwReader) clear() { l.width, l.next, l.previous = 9, 258, -1 }

func (l *lzwReader) Read(p []byte) (int, error) {
	for len(l.out) == 0 {
		if l.done {
			return 0, io.EOF
		}
		if err := l.step(); err != nil {
			return 0, err
		}
	}
	n := copy(p, l.out)
	l.out = l.out[n:]
	return n, nil
}

// step reads one code and puts the bytes it stands for into out.
func (l *lzwReader) step() error {
	code, err := l.code()
	switch {
	case errors.Is(err, io.EOF), err == nil && code == lzwEnd:
		l.done = true
		return nil
	case err != nil:
		return err
	case code == lzwClear:
		l.clear()
		return nil
	case code > l.next || code == l.next && l.previous < 0 || code >= 4096:
		return errLZW
	}
	l.expand(code)
	if l.previous >= 0 && l.next < 4096 {
		l.prefix[l.next], l.suffix[l.next] = uint16(l.previous), l.out[0]
		l.next++
		if l.next+l.early >= 1<<l.width && l.width < 12 {
			l.width++
		}
	}
	l.previous = code
	return nil
}

// expand writes the bytes of a code from the end of the stack backwards. The code that is
// about to be defined stands for the previous one followed by its own first byte.
func (l *lzwReader) expand(code int) {
	at := len(l.stack)
	c := code
	if code == l.next {
		at--
		c = l.previous
	}
	for c >= 258 {
		at--
		l.stack[at] = l.suffix[c]
		c = int(l.prefix[c])
	}
	at--
	l.stack[at] = byte(c)
	if code == l.next {
		l.stack[len(l.stack)-1] = byte(c)
	}
	l.out = l.stack[at:]
}

func (l *lzwReader) code() (int, error) {
	for l.have < uint32(l.width) {
		b, err := l.r.ReadByte()
		if err != nil {
			return 0, err
		}
		l.bits = l.bits<<8 | uint32(b)
		l.have += 8
	}
	l.have -= uint32(l.width)
	return int(l.bits >> l.have & (1<<l.width - 1)), nil
}
