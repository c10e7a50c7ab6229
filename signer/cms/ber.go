package cms

import (
	"errors"
	"fmt"
)

// Limits of what Parse reads.
const (
	// MaxBytes of one SignedData. The largest in use carry CRLs of a few megabytes.
	MaxBytes = 16 << 20
	// maxDepth of nested BER elements; a SignedData with a time-stamp in it needs about 25.
	maxDepth = 64
	// maxElements bounds the work of reading BER.
	maxElements = 1 << 20
)

// ErrSyntax: the bytes are no SignedData that can be read.
var ErrSyntax = errors.New("malformed CMS")

// Split cuts the first BER element off, as the caller must who has the string of a PDF's
// /Contents, which is padded with zeros to the size reserved (ISO 32000-2 §12.8.1). padding is
// what follows the element. It is ErrSyntax if padding holds anything but zero bytes.
func Split(contents []byte) (element, padding []byte, err error) {
	r := berReader{in: contents}
	if err := r.skip(0); err != nil {
		return nil, nil, err
	}
	element, padding = contents[:r.pos], contents[r.pos:]
	for i, c := range padding {
		if c != 0 {
			return nil, nil, fmt.Errorf("%w: byte %#02x at %d after the end of the CMS", ErrSyntax, c, r.pos+i)
		}
	}
	return element, padding, nil
}

// toDER re-encodes BER with definite, minimal lengths and primitive strings. canonical tells
// that the input was so already. It does not sort sets or check values.
func toDER(in []byte) (der []byte, canonical bool, err error) {
	if len(in) > MaxBytes {
		return nil, false, fmt.Errorf("%w: %d bytes, at most %d are read", ErrSyntax, len(in), MaxBytes)
	}
	r := berReader{in: in, canonical: true}
	if err := r.skip(0); err != nil {
		return nil, false, err
	}
	if r.pos != len(in) {
		return nil, false, fmt.Errorf("%w: %d bytes after the end", ErrSyntax, len(in)-r.pos)
	}
	if r.canonical {
		return in, true, nil
	}
	r = berReader{in: in}
	der, err = r.convert(0)
	return der, false, err
}

// berReader walks BER from pos on.
type berReader struct {
	in        []byte
	pos       int
	elements  int
	canonical bool
}

// header is tag and length of an element; length is -1 if indefinite.
type header struct {
	tag    []byte
	length int
}

func (h header) constructed() bool { return h.tag[0]&0x20 != 0 }

// stringTag tells universal string types, which BER may cut into constructed pieces.
func (h header) stringTag() bool {
	if len(h.tag) != 1 || h.tag[0]&0xc0 != 0 {
		return false
	}
	switch h.tag[0] & 0x1f {
	case 4, 12, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 30:
		return true
	}
	return false
}

func (r *berReader) fail(format string, args ...any) error {
	return fmt.Errorf("%w: at byte %d: %s", ErrSyntax, r.pos, fmt.Sprintf(format, args...))
}

func (r *berReader) header() (header, error) {
	if r.elements++; r.elements > maxElements {
		return header{}, r.fail("more than %d elements", maxElements)
	}
	tag, err := r.tag()
	if err != nil {
		return header{}, err
	}
	length, err := r.length()
	if err != nil {
		return header{}, err
	}
	if length > len(r.in)-r.pos {
		return header{}, r.fail("element of %d bytes, %d are left", length, len(r.in)-r.pos)
	}
	h := header{tag: tag, length: length}
	if length < 0 && !h.constructed() {
		return header{}, r.fail("indefinite length of a primitive element")
	}
	if h.constructed() && h.stringTag() {
		r.canonical = false
	}
	return h, nil
}

func (r *berReader) tag() ([]byte, error) {
	start := r.pos
	if r.pos >= len(r.in) {
		return nil, r.fail("unexpected end")
	}
	r.pos++
	if r.in[start]&0x1f != 0x1f {
		return r.in[start:r.pos], nil
	}
	for {
		if r.pos >= len(r.in) || r.pos-start > 5 {
			return nil, r.fail("malformed tag")
		}
		r.pos++
		if r.in[r.pos-1]&0x80 == 0 {
			return r.in[start:r.pos], nil
		}
	}
}

// length reads a length of at most four bytes; -1 is the indefinite one.
func (r *berReader) length() (int, error) {
	if r.pos >= len(r.in) {
		return 0, r.fail("unexpected end")
	}
	first := r.in[r.pos]
	r.pos++
	if first < 0x80 {
		return int(first), nil
	}
	if first == 0x80 {
		r.canonical = false
		return -1, nil
	}
	n := int(first & 0x7f)
	if n > 4 || n > len(r.in)-r.pos {
		return 0, r.fail("length of %d bytes", n)
	}
	length := 0
	for _, c := range r.in[r.pos : r.pos+n] {
		length = length<<8 | int(c)
	}
	if r.in[r.pos] == 0 || length < 0x80 {
		r.canonical = false
	}
	r.pos += n
	return length, nil
}

// skip passes over one element and what is in it.
func (r *berReader) skip(depth int) error {
	h, err := r.header()
	if err != nil {
		return err
	}
	return r.children(h, depth, func() error { return r.skip(depth + 1) })
}

// children calls each for every element inside h, or passes over a primitive h.
func (r *berReader) children(h header, depth int, each func() error) error {
	if depth > maxDepth {
		return r.fail("nested deeper than %d", maxDepth)
	}
	if !h.constructed() {
		r.pos += h.length
		return nil
	}
	if h.length < 0 {
		return r.indefinite(each)
	}
	outer, end := r.in, r.pos+h.length
	r.in = r.in[:end]
	for r.pos < end {
		if err := each(); err != nil {
			return err
		}
	}
	r.in = outer
	return nil
}

func (r *berReader) indefinite(each func() error) error {
	for {
		if r.pos+1 < len(r.in) && r.in[r.pos] == 0 && r.in[r.pos+1] == 0 {
			r.pos += 2
			return nil
		}
		if err := each(); err != nil {
			return err
		}
	}
}

// convert returns the next element in DER lengths.
func (r *berReader) convert(depth int) ([]byte, error) {
	h, err := r.header()
	if err != nil {
		return nil, err
	}
	start := r.pos
	var body []byte
	flatten := h.constructed() && h.stringTag()
	err = r.children(h, depth, func() error {
		child, err := r.convert(depth + 1)
		if err != nil {
			return err
		}
		if flatten {
			child, err = r.piece(child, h.tag[0]&0x1f)
		}
		body = append(body, child...)
		return err
	})
	if err != nil {
		return nil, err
	}
	if !h.constructed() {
		body = r.in[start:r.pos]
	}
	return encode(h.tag, body, flatten), nil
}

// piece returns the value of a converted part of a constructed string.
func (r *berReader) piece(der []byte, tag byte) ([]byte, error) {
	p := berReader{in: der}
	h, err := p.header()
	if err != nil {
		return nil, err
	}
	if h.constructed() || len(h.tag) != 1 || (h.tag[0] != tag && h.tag[0] != 4) {
		return nil, r.fail("constructed string holds something else")
	}
	return der[p.pos:], nil
}

func encode(tag, body []byte, primitive bool) []byte {
	out := make([]byte, 0, len(tag)+5+len(body))
	out = append(out, tag...)
	if primitive {
		out[0] &^= 0x20
	}
	n := len(body)
	switch {
	case n < 0x80:
		out = append(out, byte(n))
	case n < 1<<8:
		out = append(out, 0x81, byte(n))
	case n < 1<<16:
		out = append(out, 0x82, byte(n>>8), byte(n))
	case n < 1<<24:
		out = append(out, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, body...)
}
