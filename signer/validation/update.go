package validation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

// hidden is something in an update that its cross-reference section does not declare.
type hidden struct {
	at   int64
	what both
}

func (h *hidden) Error() string { return fmt.Sprintf("byte %d: %s", h.at, h.what.en) }

var (
	hiddenBytes  = both{"dữ liệu không thuộc đối tượng nào", "data that belongs to no object"}
	hiddenObject = both{"một đối tượng không đúng chỗ", "an object that is not where it should be"}
	hiddenMarker = both{"dấu kết thúc hoặc đầu đề PDF", "an end marker or header of a PDF"}
	hiddenLinear = both{"từ điển tuyến tính hoá thứ hai", "a second linearization dictionary"}
	hiddenHybrid = both{"bảng tham chiếu lai, chương trình cũ và mới đọc ra khác nhau", "a hybrid cross-reference section, which old and new programs read differently"}
	hiddenTail   = both{"phần kết thúc bản cập nhật không đúng", "the end of the update is malformed"}
)

// accountFor checks that every byte of a later revision is an object its cross-reference
// section declares, that section, or white space. Then a reader that scans the file from its
// front finds the same objects as one that follows the cross-reference chain from its end.
func accountFor(file io.ReaderAt, r *pdf.Reader, rev pdf.Revision, from int64) error {
	t := &tiling{file: file, r: r, end: rev.End}
	for _, s := range rev.Sections {
		// Some writers copy /XRefStm of the base, which adds nothing.
		if at, ok := s.Trailer.Int("XRefStm"); ok && at >= from {
			return &hidden{s.Offset, hiddenHybrid}
		}
	}
	starts := t.starts(rev, from)
	at := from
	for _, start := range starts {
		if start < at {
			return &hidden{start, hiddenObject}
		}
		if err := t.blank(at, start); err != nil {
			return err
		}
		end, err := t.piece(start, rev)
		if err != nil {
			return err
		}
		at = end
	}
	return t.tail(at, rev)
}

type tiling struct {
	file io.ReaderAt
	r    *pdf.Reader
	end  int64
}

// starts lists where objects and cross-reference sections of a revision begin, in order.
func (t *tiling) starts(rev pdf.Revision, from int64) []int64 {
	var starts []int64
	add := func(at int64) {
		if at >= from && at < t.end {
			starts = append(starts, at)
		}
	}
	for _, s := range rev.Sections {
		add(s.Offset)
		for _, e := range s.Entries() {
			if e.Kind == pdf.InUse {
				add(e.Offset)
			}
		}
	}
	slices.Sort(starts)
	return slices.Compact(starts)
}

// blank wants white space and harmless comments between two offsets.
func (t *tiling) blank(from, to int64) error {
	const most = 64 << 10
	if to-from > most {
		return &hidden{from, hiddenBytes}
	}
	b := make([]byte, to-from)
	if err := readExactly(t.file, b, from); err != nil {
		return err
	}
	for i := 0; i < len(b); {
		switch {
		case isSpace(b[i]):
			i++
		case b[i] == '%':
			rest := b[i:]
			if bytes.HasPrefix(rest, tokEOF) || bytes.HasPrefix(rest, tokHeader) {
				return &hidden{from + int64(i), hiddenMarker}
			}
			for i < len(b) && !isEOL(b[i]) {
				i++
			}
		default:
			return &hidden{from + int64(i), hiddenBytes}
		}
	}
	return nil
}

// piece walks one object or cross-reference section and returns where it ends.
func (t *tiling) piece(start int64, rev pdf.Revision) (int64, error) {
	for _, s := range rev.Sections {
		if s.Offset == start && !s.Stream {
			return t.table(start)
		}
	}
	o, err := readObject(t.file, start, t.end)
	if err != nil {
		return 0, asHidden(err, start, hiddenObject)
	}
	switch {
	case o.marker:
		return 0, &hidden{start, hiddenMarker}
	case o.count["Linearized"] > 0:
		return 0, &hidden{start, hiddenLinear}
	}
	return t.objectEnd(o, start)
}

func asHidden(err error, at int64, what both) error {
	if errors.Is(err, errSyntax) {
		return &hidden{at, what}
	}
	return err
}

// window reads up to n bytes at an offset, fewer at the end of the revision.
func (t *tiling) window(at, n int64) ([]byte, error) {
	if at < 0 || at > t.end {
		return nil, &hidden{at, hiddenBytes}
	}
	b := make([]byte, min(n, t.end-at))
	return b, readExactly(t.file, b, at)
}

// objectEnd finds endobj, behind stream data if there is any.
func (t *tiling) objectEnd(o *rawObject, start int64) (int64, error) {
	at := o.end
	b, err := t.window(at, 256)
	if err != nil {
		return 0, err
	}
	l := lexer{b: b}
	if l.keyword("endobj") && !l.marker {
		return at + int64(l.i), nil
	}
	if !l.keyword("stream") || !o.isDict {
		return 0, &hidden{start, hiddenObject}
	}
	if at, err = t.streamEnd(o, start); err != nil {
		return 0, err
	}
	if b, err = t.window(at, 256); err != nil {
		return 0, err
	}
	l = lexer{b: b}
	if !l.keyword("endstream") || !l.keyword("endobj") || l.marker {
		return 0, &hidden{at, hiddenObject}
	}
	return at + int64(l.i), nil
}

// streamEnd returns the offset behind the data of the stream that begins at start.
func (t *tiling) streamEnd(o *rawObject, start int64) (int64, error) {
	ref := pdf.Ref{Number: int(o.number), Generation: int(o.generation)}
	e, ok := t.r.Entry(ref.Number)
	if ok && e.Kind == pdf.InUse && e.Offset == start {
		obj, err := t.r.Object(ref)
		if err != nil {
			return 0, err
		}
		if s, isStream := obj.(*pdf.Stream); isStream {
			_, from, n := s.Raw().Outer()
			return from + n, nil
		}
		return 0, &hidden{start, hiddenObject}
	}
	// A cross-reference stream need not list itself; its /Length is direct.
	return t.directLength(o)
}

func (t *tiling) directLength(o *rawObject) (int64, error) {
	at, ok := o.place["Length"]
	if !ok {
		return 0, &hidden{o.end, hiddenObject}
	}
	b, err := t.window(at[0], at[1]-at[0])
	if err != nil {
		return 0, err
	}
	number := lexer{b: b}
	n, ok := number.integer()
	if !ok || number.i != len(b) {
		return 0, &hidden{at[0], hiddenObject}
	}
	head, err := t.window(o.end, 256)
	if err != nil {
		return 0, err
	}
	l := lexer{b: head}
	l.keyword("stream")
	data := head[l.i:]
	data = bytes.TrimPrefix(data, []byte("\r"))
	data = bytes.TrimPrefix(data, []byte("\n"))
	return o.end + int64(len(head)-len(data)) + n, nil
}

// table walks a cross-reference table and its trailer dictionary.
func (t *tiling) table(start int64) (int64, error) {
	b, err := t.window(start, min(t.end-start, maxContents))
	if err != nil {
		return 0, err
	}
	l := lexer{b: b}
	if !l.keyword("xref") {
		return 0, &hidden{start, hiddenObject}
	}
	for !l.keyword("trailer") {
		from := l.i
		if l.regular(); l.i == from || l.i-from > 20 {
			return 0, &hidden{start + int64(l.i), hiddenObject}
		}
	}
	if l.space(); l.i+1 >= len(b) || b[l.i] != '<' || b[l.i+1] != '<' || l.dict(0, nil) != nil || l.marker {
		return 0, &hidden{start + int64(l.i), hiddenObject}
	}
	return start + int64(l.i), nil
}

// tail wants startxref, the offset of this revision's section, and %%EOF, and nothing else.
func (t *tiling) tail(at int64, rev pdf.Revision) error {
	b, err := t.window(at, 4096)
	if err != nil {
		return err
	}
	l := lexer{b: b}
	if !l.keyword("startxref") || l.marker {
		return &hidden{at, hiddenTail}
	}
	target, ok := l.integer()
	for l.i < len(b) && isSpace(b[l.i]) {
		l.i++
	}
	if !ok || target != rev.StartXRef || !bytes.HasPrefix(b[l.i:], tokEOF) {
		return &hidden{at, hiddenTail}
	}
	return t.blank(at+int64(l.i)+int64(len(tokEOF)), t.end)
}
