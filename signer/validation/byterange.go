package validation

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// maxContents bounds the hexadecimal string of one signature.
const maxContents = 16 << 20

// span is the part of a file a signature covers: [0, gapStart) and [gapEnd, end).
type span struct{ gapStart, gapEnd, end int64 }

// length is the number of bytes digested.
func (s span) length() int64 { return s.gapStart + s.end - s.gapEnd }

// readByteRange checks the four numbers of /ByteRange against each other and the size of the
// file (ISO 32000-2 §12.8.1).
func readByteRange(v view, sig pdf.Dict, size int64) (span, []int64, both) {
	o, err := v.get(sig.Get("ByteRange"))
	if err != nil {
		return span{}, nil, both{"không đọc được /ByteRange", "/ByteRange cannot be read"}
	}
	a, ok := o.(pdf.Array)
	if !ok {
		return span{}, nil, both{"không có /ByteRange", "there is no /ByteRange"}
	}
	var n []int64
	for _, e := range a[:min(len(a), 16)] {
		i, ok := e.(pdf.Integer)
		if !ok {
			return span{}, n, both{"/ByteRange không phải là số nguyên", "/ByteRange does not hold integers"}
		}
		n = append(n, int64(i))
	}
	s, bad := rangeOf(n, size)
	if len(a) != 4 {
		bad = both{"/ByteRange không có đúng bốn số", "/ByteRange does not hold four numbers"}
	}
	return s, n, bad
}

// rangeOf applies the rules that need nothing but the numbers; bad is empty if they hold.
func rangeOf(n []int64, size int64) (s span, bad both) {
	if len(n) != 4 {
		return s, both{"/ByteRange không có đúng bốn số", "/ByteRange does not hold four numbers"}
	}
	for _, v := range n {
		if v < 0 || v > size {
			return s, both{"/ByteRange vượt ra ngoài tệp", "/ByteRange reaches outside the file"}
		}
	}
	s = span{gapStart: n[1], gapEnd: n[2], end: n[2] + n[3]}
	switch {
	case n[0] != 0:
		return s, both{"/ByteRange không bắt đầu từ byte 0", "/ByteRange does not start at byte 0"}
	case n[1] == 0 || n[3] == 0 || s.gapStart >= s.gapEnd:
		return s, both{"/ByteRange chồng lên nhau hoặc rỗng", "/ByteRange overlaps itself or is empty"}
	case s.end > size:
		return s, both{"/ByteRange vượt ra ngoài tệp", "/ByteRange reaches outside the file"}
	}
	return s, bad
}

var (
	gapTooBig  = both{"khoảng trống lớn hơn chỗ đặt chữ ký (tấn công bọc chữ ký)", "the gap is larger than the place of the signature (signature wrapping attack)"}
	gapForeign = both{"khoảng trống không phải là chỗ đặt chữ ký này (tấn công bọc chữ ký)", "the gap is not the place of this signature (signature wrapping attack)"}
)

// checkGap checks that what the signature leaves out is exactly the hexadecimal string of
// its own /Contents, delimiters included, inside its own object.
func checkGap(r io.ReaderAt, s span, l located, contents []byte, size int64) (bad both, err error) {
	if l.offset < 0 {
		return both{"từ điển chữ ký nằm trong luồng nén", "the signature dictionary is in an object stream"}, nil
	}
	if s.gapEnd-s.gapStart > maxContents {
		return gapTooBig, nil
	}
	gap := make([]byte, s.gapEnd-s.gapStart)
	if err := readExactly(r, gap, s.gapStart); err != nil {
		return bad, err
	}
	value, ok := hexOfString(gap)
	if !ok {
		return gapTooBig, nil
	}
	if !bytes.Equal(value, contents) {
		return gapForeign, nil
	}
	o, err := readObject(r, l.offset, size)
	if err != nil {
		return gapForeign, notEnd(ioOnly(err))
	}
	if s.gapStart <= l.offset || s.gapEnd >= o.end {
		return gapForeign, nil
	}
	if o.count["Contents"] > 1 || o.count["ByteRange"] > 1 {
		return both{"từ điển chữ ký có hai /Contents hoặc hai /ByteRange", "the signature dictionary has two /Contents or two /ByteRange"}, nil
	}
	if at, found := o.place["Contents"]; found && at != [2]int64{s.gapStart, s.gapEnd} {
		return gapForeign, nil
	}
	return bad, nil
}

// hexOfString decodes "<…>", the whole of b, and nothing but that. White space, which the
// syntax allows between digits, is refused: no signer writes it, and it is room for more.
func hexOfString(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != '<' || b[len(b)-1] != '>' {
		return nil, false
	}
	out := make([]byte, 0, len(b)/2)
	var high byte
	half := false
	for _, c := range b[1 : len(b)-1] {
		if !isHex(c) {
			return nil, false
		}
		if !half {
			high, half = unhex(c)<<4, true
			continue
		}
		out, half = append(out, high|unhex(c)), false
	}
	if half {
		out = append(out, high)
	}
	return out, true
}

func unhex(c byte) byte {
	switch {
	case c <= '9':
		return c - '0'
	case c >= 'a':
		return c - 'a' + 10
	}
	return c - 'A' + 10
}

// walkedKeys are the keys whose place matters.
var walkedKeys = []string{"ByteRange", "Contents", "SubFilter", "Length", "Linearized"}

// rawObject says where an indirect object and some values of its outermost dictionary stand.
type rawObject struct {
	number, generation int64
	end                int64 // behind the value, before endobj or stream
	isDict             bool
	marker             bool // see lexer
	count              map[string]int
	place              map[string][2]int64
}

// readObject walks the object at an offset in windows that grow as needed.
func readObject(r io.ReaderAt, offset, size int64) (*rawObject, error) {
	for n := int64(512); ; n *= 8 {
		n = min(n, size-offset)
		if n <= 0 {
			return nil, errSyntax
		}
		b := make([]byte, n)
		if err := readExactly(r, b, offset); err != nil {
			return nil, err
		}
		o, err := walkObject(b, offset)
		if err == nil || n == size-offset || n >= maxContents {
			return o, err
		}
	}
}

func walkObject(b []byte, base int64) (*rawObject, error) {
	o := &rawObject{count: map[string]int{}, place: map[string][2]int64{}}
	l := lexer{b: b}
	var err error
	if o.number, o.generation, err = l.header(); err != nil {
		return nil, err
	}
	l.space()
	if o.isDict = l.i+1 < len(b) && b[l.i] == '<' && b[l.i+1] == '<'; o.isDict {
		err = l.dict(0, func(raw []byte, from, to int) {
			key := nameOf(raw)
			if !slices.Contains(walkedKeys, key) {
				return
			}
			o.count[key]++
			o.place[key] = [2]int64{base + int64(from), base + int64(to)}
		})
	} else {
		err = l.value(0)
	}
	o.end, o.marker = base+int64(l.i), l.marker
	if err == nil && l.i == len(b) {
		err = errSyntax // an object ends with a keyword; the window was too small
	}
	return o, err
}

// nameOf undoes the #-escapes of a name (ISO 32000-2 §7.3.5).
func nameOf(b []byte) string {
	if bytes.IndexByte(b, '#') < 0 {
		return string(b)
	}
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); i++ {
		if b[i] == '#' && i+2 < len(b) && isHex(b[i+1]) && isHex(b[i+2]) {
			out = append(out, unhex(b[i+1])<<4|unhex(b[i+2]))
			i += 2
			continue
		}
		out = append(out, b[i])
	}
	return string(out)
}

func readExactly(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read at %d: %w", at, err)
}

// ioOnly drops findings about syntax: they are verdicts, not errors.
func ioOnly(err error) error {
	if errors.Is(err, errSyntax) {
		return nil
	}
	return err
}

// digester digests the covered bytes, each hash once.
type digester struct {
	r     io.ReaderAt
	s     span
	front *frontScan
	sums  map[crypto.Hash][]byte
	left  *int64 // bytes that may still be digested for this file
}

func (d *digester) sum(h crypto.Hash) ([]byte, error) {
	if v, ok := d.sums[h]; ok {
		return v, nil
	}
	if !h.Available() {
		return nil, fmt.Errorf("hash %v is not available", h)
	}
	var w hash.Hash
	from := int64(0)
	if h == crypto.SHA256 && d.front != nil {
		w, from = d.front.upTo(d.s.gapStart)
	} else {
		w = h.New()
	}
	if *d.left -= d.s.length() - from; *d.left < 0 {
		return nil, fmt.Errorf("digest of %d bytes: %w", d.s.length(), errTooComplex)
	}
	if err := d.copyTo(w, from); err != nil {
		return nil, err
	}
	d.sums[h] = w.Sum(nil)
	return d.sums[h], nil
}

// copyTo digests what is covered from an offset on that lies before the gap.
func (d *digester) copyTo(w hash.Hash, from int64) error {
	buf := make([]byte, min(scanChunk, max(d.s.gapStart-from, d.s.end-d.s.gapEnd, 1)))
	for _, part := range [][2]int64{{from, d.s.gapStart}, {d.s.gapEnd, d.s.end}} {
		section := io.NewSectionReader(d.r, part[0], part[1]-part[0])
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, struct{ io.Reader }{section}, buf)
		if err != nil {
			return fmt.Errorf("read signed bytes: %w", err)
		}
		if n != part[1]-part[0] {
			return fmt.Errorf("read signed bytes: %w", io.ErrUnexpectedEOF)
		}
	}
	return nil
}

// sharesGap reports whether two signatures leave out the same bytes.
func sharesGap(spans []span, i int) bool {
	s := spans[i]
	return slices.ContainsFunc(spans[:i], func(t span) bool { return overlaps(s, t) }) ||
		slices.ContainsFunc(spans[i+1:], func(t span) bool { return overlaps(s, t) })
}

func overlaps(a, b span) bool {
	return a.end > 0 && b.end > 0 && a.gapStart < b.gapEnd && b.gapStart < a.gapEnd
}
