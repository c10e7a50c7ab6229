package pdf

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// Writer writes a whole PDF file with one classic cross-reference table. It keeps only the
// offsets, lays tokens and line ends out as PDF/A asks (ISO 19005-2 §6.1), and writes the
// same bytes for the same calls. Objects may be put in any order; references may point
// ahead. It is not safe for concurrent use.
type Writer struct {
	w       *bufio.Writer
	n       int64   // bytes written
	offsets []int64 // by object number; 0: allocated, not yet put
	err     error   // the first error; every later call returns it
}

// ErrUse: a writer was used against its rules: an object put twice or never allocated, or
// a reference allocated and never put.
var ErrUse = errors.New("wrong use of the writer")

// NewWriter starts a file of a version such as "1.7" or "2.0". An error of w is returned by
// the next call.
func NewWriter(w io.Writer, version string) *Writer {
	pw := &Writer{w: bufio.NewWriterSize(w, 64<<10), offsets: make([]int64, 1, 64)}
	_ = pw.write([]byte("%PDF-" + version + "\n%\xE2\xE3\xCF\xD3\n"))
	return pw
}

// Alloc reserves the next object number.
func (w *Writer) Alloc() Ref {
	w.offsets = append(w.offsets, 0)
	return Ref{Number: len(w.offsets) - 1}
}

// Put writes o as the indirect object ref, which Alloc returned. A *Stream is copied from
// its source and its /Length is set.
func (w *Writer) Put(ref Ref, o Object) error {
	if s, ok := o.(*Stream); ok {
		return w.PutStream(ref, s.Dict, s.Raw(), s.Len())
	}
	if err := w.start(ref); err != nil {
		return err
	}
	b, err := Append(appendObjectHead(nil, ref), o)
	if err != nil {
		return w.fail(fmt.Errorf("object %v: %w", ref, err))
	}
	return w.write(append(b, "\nendobj\n"...))
}

// PutStream writes a stream of exactly length bytes of r, already encoded as d's /Filter
// says. /Length of d is replaced.
func (w *Writer) PutStream(ref Ref, d Dict, r io.Reader, length int64) error {
	if err := w.start(ref); err != nil {
		return err
	}
	b, err := appendStreamHead(nil, ref, d, length)
	if err != nil {
		return w.fail(fmt.Errorf("object %v: %w", ref, err))
	}
	if err := w.write(b); err != nil {
		return err
	}
	n, err := io.Copy(w.w, io.LimitReader(r, length))
	w.n += n
	if err == nil && n != length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return w.fail(fmt.Errorf("object %v: stream: %w", ref, err))
	}
	return w.write([]byte("\nendstream\nendobj\n"))
}

// Add allocates a reference and puts o there.
func (w *Writer) Add(o Object) (Ref, error) {
	ref := w.Alloc()
	return ref, w.Put(ref, o)
}

// Len is the number of bytes written so far.
func (w *Writer) Len() int64 { return w.n }

// Close writes the cross-reference table and the trailer, whose /Size it sets, and flushes;
// the underlying writer stays open. The trailer needs /Root, and for a file that will be
// signed /ID.
func (w *Writer) Close(trailer Dict) error {
	if w.err != nil {
		return w.err
	}
	for number, offset := range w.offsets[1:] {
		if offset == 0 {
			return w.fail(fmt.Errorf("%w: object %d was never put", ErrUse, number+1))
		}
	}
	start := w.n
	b := []byte("xref\n0 " + strconv.Itoa(len(w.offsets)) + "\n0000000000 65535 f \n")
	for _, offset := range w.offsets[1:] {
		b = fmt.Appendf(b, "%010d 00000 n \n", offset)
	}
	trailer = trailer.Clone()
	trailer.Set("Size", Integer(len(w.offsets)))
	b, err := appendTrailer(b, trailer, start)
	if err != nil {
		return w.fail(err)
	}
	if err := w.write(b); err != nil {
		return err
	}
	w.err = fmt.Errorf("%w: closed", ErrUse)
	return w.w.Flush()
}

// start notes the offset of an object that is about to be written.
func (w *Writer) start(ref Ref) error {
	switch {
	case w.err != nil:
		return w.err
	case ref.Generation != 0 || ref.Number <= 0 || ref.Number >= len(w.offsets):
		return w.fail(fmt.Errorf("%w: object %v was not allocated", ErrUse, ref))
	case w.offsets[ref.Number] != 0:
		return w.fail(fmt.Errorf("%w: object %v put twice", ErrUse, ref))
	case w.n > 9_999_999_999:
		return w.fail(fmt.Errorf("%w: a cross-reference table cannot address beyond 10 digits", ErrUse))
	}
	w.offsets[ref.Number] = w.n
	return nil
}

func (w *Writer) write(b []byte) error {
	if w.err != nil {
		return w.err
	}
	n, err := w.w.Write(b)
	w.n += int64(n)
	if err != nil {
		w.err = err
	}
	return err
}

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return err
}

func appendObjectHead(b []byte, ref Ref) []byte {
	b = strconv.AppendInt(b, int64(ref.Number), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(ref.Generation), 10)
	return append(b, " obj\n"...)
}

func appendStreamHead(b []byte, ref Ref, d Dict, length int64) ([]byte, error) {
	d = append(make(Dict, 0, len(d)+1), d...)
	d.Set("Length", Integer(length))
	b, err := Append(appendObjectHead(b, ref), d)
	return append(b, "\nstream\n"...), err
}

func appendTrailer(b []byte, trailer Dict, xref int64) ([]byte, error) {
	b, err := Append(append(b, "trailer\n"...), trailer)
	if err != nil {
		return b, fmt.Errorf("trailer: %w", err)
	}
	return appendStartXRef(append(b, '\n'), xref), nil
}

func appendStartXRef(b []byte, at int64) []byte {
	b = strconv.AppendInt(append(b, "startxref\n"...), at, 10)
	return append(b, "\n%%EOF\n"...)
}
