package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Reader reads a PDF file object by object. It holds the cross-reference entries and a
// small cache, never the file. It is not safe for concurrent use.
type Reader struct {
	file      io.ReaderAt
	size      int64
	limits    Limits
	version   string
	startXRef int64
	sections  []*Section // newest first
	entries   int        // of all sections

	buf        []byte // the bytes read last, from bufAt on
	bufAt      int64
	ahead      int64  // how much is read at least
	p          parser // of the object being parsed
	cache      map[int]Object
	cached     int          // values in cache
	parsed     int          // values of the object parsed last
	containers []*container // decoded object streams, most recently used last
	decoded    int64        // bytes that streams gave so far
	nested     int          // reads within reads: an indirect /Length, an object stream
}

const (
	headerSearch  = 1024 // bytes at the front in which %PDF- must stand
	trailerSearch = 2048 // bytes at the end in which the last startxref must stand
	usualTrailer  = 256  // bytes at the end in which it usually stands
	cacheValues   = 200_000
	maxNested     = 8
)

// Open reads the header and the chain of cross-reference sections of a file of size bytes.
// It reads no object beyond them. The version is 1.0 to 2.0; tables, streams, hybrid files,
// object streams and linearized files are understood (ISO 32000-2 §7.5, Annex F).
//
// Errors: ErrEncrypted, ErrLimit, ErrDamaged (a *DamageError), or one of r.
func Open(r io.ReaderAt, size int64, l Limits) (*Reader, error) {
	rd := &Reader{file: r, size: size, limits: l.withDefaults(), cache: map[int]Object{}}
	if err := rd.readHeader(); err != nil {
		return nil, err
	}
	start, err := rd.findStartXRef()
	if err != nil {
		return nil, err
	}
	rd.startXRef = start
	if err := rd.readChain(start); err != nil {
		return nil, err
	}
	for _, s := range rd.sections {
		if s.Trailer.Has("Encrypt") {
			return nil, ErrEncrypted
		}
	}
	if rd.Trailer().Ref("Root").IsZero() {
		return nil, damaged(start, Ref{}, "the trailer has no /Root reference")
	}
	return rd, nil
}

// Size is the length of the file, or of the view that AtRevision made.
func (r *Reader) Size() int64 { return r.size }

// File returns the bytes of the file, or of the view that AtRevision made.
func (r *Reader) File() *io.SectionReader { return io.NewSectionReader(r.file, 0, r.size) }

// Version is the version of the header, "1.7". The catalog's /Version may be later.
func (r *Reader) Version() string { return r.version }

// StartXRef is the offset of the newest cross-reference section.
func (r *Reader) StartXRef() int64 { return r.startXRef }

// Trailer is the trailer of the newest section; it must not be changed.
func (r *Reader) Trailer() Dict { return r.sections[0].Trailer }

// Catalog returns the document catalog and where it is.
func (r *Reader) Catalog() (Ref, Dict, error) {
	ref := r.Trailer().Ref("Root")
	o, err := r.Object(ref)
	if err != nil {
		return ref, nil, err
	}
	d, ok := o.(Dict)
	if !ok {
		return ref, nil, damaged(0, ref, "the document catalog is not a dictionary")
	}
	return ref, d, nil
}

func (r *Reader) readHeader() error {
	b, err := r.bytesAt(0, 16)
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("%PDF-")) {
		return r.headerFault()
	}
	if len(b) < 8 || !isDigit(b[5]) || b[6] != '.' || !isDigit(b[7]) {
		return damaged(5, Ref{}, "the header names no version")
	}
	r.version = string(b[5:8])
	return nil
}

// headerFault says what is wrong with a file that does not begin with its header.
func (r *Reader) headerFault() error {
	b, err := r.bytesAt(0, headerSearch)
	if err != nil {
		return err
	}
	if at := bytes.Index(b, []byte("%PDF-")); at >= 0 {
		return damaged(0, Ref{}, "%d bytes stand before the %%PDF- header: offsets are ambiguous", at)
	}
	return damaged(0, Ref{}, "no %%PDF- header")
}

// isLinearized reports whether the first object of the file is a linearization dictionary
// (ISO 32000-2 Annex F.3.3).
func (r *Reader) isLinearized() (bool, error) {
	head, err := r.bytesAt(0, headerSearch)
	if err != nil {
		return false, err
	}
	p := parser{b: head, pos: 8, depth: 4}
	for p.pos < len(head) && head[p.pos] != '\r' && head[p.pos] != '\n' {
		p.pos++
	}
	if _, err := p.header(); err != nil {
		return false, nil
	}
	o, err := p.object()
	d, ok := o.(Dict)
	return err == nil && ok && d.Has("Linearized"), nil
}

// findStartXRef returns the offset that the last startxref gives (ISO 32000-2 §7.5.5).
func (r *Reader) findStartXRef() (int64, error) {
	for _, n := range []int64{usualTrailer, trailerSearch} {
		from := max(0, r.size-n)
		b, err := r.bytesAt(from, n)
		if err != nil {
			return 0, err
		}
		if at := bytes.LastIndex(b, []byte("startxref")); at >= 0 {
			t, err := r.readTail(from + int64(at))
			return t.target, err
		}
	}
	return 0, damaged(r.size, Ref{}, "no startxref in the last %d bytes", trailerSearch)
}

// bytesAt returns up to n bytes at an offset, fewer only at the end of the file. They hold
// until the next read.
func (r *Reader) bytesAt(offset, n int64) ([]byte, error) {
	if offset < 0 || offset > r.size {
		return nil, damaged(offset, Ref{}, "the offset lies outside the file")
	}
	return r.window(offset, min(n, r.size-offset))
}

// atHand is how many bytes from an offset on were read last.
func (r *Reader) atHand(offset int64) int64 {
	if offset < r.bufAt {
		return 0
	}
	return max(0, r.bufAt+int64(len(r.buf))-offset)
}

// Read-ahead, in bytes: little where objects lie far apart, more and more where one follows
// another.
const (
	leastAhead = 1 << 10
	mostAhead  = 16 << 10
)

// window returns n bytes at an offset that are in the file, from those at hand if they are
// there. They hold until the next read.
func (r *Reader) window(offset, n int64) ([]byte, error) {
	if r.atHand(offset) >= n {
		return r.buf[offset-r.bufAt:][:n], nil
	}
	end := r.bufAt + int64(len(r.buf))
	if offset > r.bufAt && offset <= end+leastAhead {
		r.ahead = min(2*r.ahead, mostAhead)
	} else {
		r.ahead = leastAhead
	}
	want := min(max(n, r.ahead), r.size-offset)
	if int64(cap(r.buf)) < want {
		r.buf = make([]byte, want)
	}
	r.buf, r.bufAt = r.buf[:want], offset
	if err := readFull(r.file, r.buf, offset); err != nil {
		r.buf = r.buf[:0]
		return nil, err
	}
	return r.buf[:n], nil
}

func readFull(f io.ReaderAt, b []byte, offset int64) error {
	n, err := f.ReadAt(b, offset)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("read at offset %d: %w", offset, err)
}
