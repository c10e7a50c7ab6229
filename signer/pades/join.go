package pades

import (
	"errors"
	"fmt"
	"io"
)

// Joined is a file followed by increments that are not written yet. It lets the next
// increment be made before the first is on disk.
type Joined struct {
	base io.ReaderAt
	size int64
	tail []byte
}

// Join makes a Joined of base, a file of size bytes, and increments in their order.
func Join(base io.ReaderAt, size int64, increments ...[]byte) *Joined {
	j := &Joined{base: base, size: size}
	for _, inc := range increments {
		j.tail = append(j.tail, inc...)
	}
	return j
}

// Size is the length of the whole.
func (j *Joined) Size() int64 { return j.size + int64(len(j.tail)) }

// Tail returns the increments.
func (j *Joined) Tail() []byte { return j.tail }

// ReadAt reads as io.ReaderAt says.
func (j *Joined) ReadAt(p []byte, offset int64) (int, error) {
	if offset < 0 {
		return 0, fmt.Errorf("%w: negative offset", ErrOptions)
	}
	n := 0
	if offset < j.size {
		want := min(int64(len(p)), j.size-offset)
		m, err := j.base.ReadAt(p[:want], offset)
		if int64(m) < want || err != nil && !errors.Is(err, io.EOF) {
			return m, err
		}
		n, offset = m, j.size
	}
	if rest := offset - j.size; n < len(p) && rest < int64(len(j.tail)) {
		n += copy(p[n:], j.tail[rest:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// WriteTo copies the whole to w.
func (j *Joined) WriteTo(w io.Writer) (int64, error) {
	n, err := streamAll(w, j.base, j.size)
	if err == nil && n != j.size {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return n, fmt.Errorf("copy the base: %w", err)
	}
	m, err := w.Write(j.tail)
	return n + int64(m), err
}
