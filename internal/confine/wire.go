package confine

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
)

// marker is the variable that makes a started binary serve one task and exit.
const marker = "SAOY_CONFINED"

const (
	maxHeader = 2 << 20
	maxFrame  = 1 << 20
)

// header travels to the child on its standard input, which then stays open: its end tells
// the child that the parent is gone.
type header struct {
	Task   string
	Args   []byte
	Size   int64
	Memory int64
	Time   int64 // seconds of CPU, a backstop behind the parent's clock
}

// trailer ends the output. A child whose output has none has crashed.
type trailer struct {
	Failed  bool              `json:",omitempty"`
	Text    string            `json:",omitempty"`
	Code    certcopy.Code     `json:",omitempty"`
	Subject string            `json:",omitempty"`
	Message *certcopy.Message `json:",omitempty"`
}

func trailerOf(err error) trailer {
	if err == nil {
		return trailer{}
	}
	t := trailer{Failed: true, Text: clip(err.Error(), 4096)}
	var e *certcopy.Error
	if errors.As(err, &e) {
		t.Code, t.Subject, t.Message, t.Text = e.Code, e.Subject, &e.Message, ""
		if e.Err != nil {
			t.Text = clip(e.Err.Error(), 4096)
		}
	}
	return t
}

func (t trailer) err(task string) error {
	switch {
	case !t.Failed:
		return nil
	case t.Code == "":
		return &TaskError{Task: task, Text: t.Text}
	}
	var cause error
	if t.Text != "" {
		cause = &TaskError{Task: task, Text: t.Text}
	}
	var m certcopy.Message
	if t.Message != nil {
		m = *t.Message
	}
	return certcopy.Errorf(t.Code, t.Subject, cause, m)
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}

func writeHeader(w io.Writer, h header) error {
	b, err := json.Marshal(h)
	if err != nil {
		return err
	}
	if len(b) > maxHeader {
		return fmt.Errorf("arguments of %d bytes are too long", len(h.Args))
	}
	_, err = w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
	return err
}

func readHeader(r io.Reader) (h header, err error) {
	var n [4]byte
	if _, err = io.ReadFull(r, n[:]); err != nil {
		return h, err
	}
	size := binary.BigEndian.Uint32(n[:])
	if size > maxHeader {
		return h, fmt.Errorf("header of %d bytes", size)
	}
	b := make([]byte, size)
	if _, err = io.ReadFull(r, b); err != nil {
		return h, err
	}
	return h, json.Unmarshal(b, &h)
}

// frames writes output as frames: a length of 32 bits, then so many bytes.
type frames struct{ w io.Writer }

func (f frames) Write(p []byte) (int, error) {
	for done := 0; done < len(p); {
		n := min(len(p)-done, maxFrame)
		if err := f.put(uint32(n), p[done:done+n]); err != nil {
			return done, err
		}
		done += n
	}
	return len(p), nil
}

func (f frames) put(head uint32, p []byte) error {
	if _, err := f.w.Write(binary.BigEndian.AppendUint32(nil, head)); err != nil {
		return err
	}
	_, err := f.w.Write(p)
	return err
}

// end writes the trailer behind a frame of length 0.
func (f frames) end(err error) error {
	b, e := json.Marshal(trailerOf(err))
	if e != nil {
		return e
	}
	return f.put(0, append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

// errNoTrailer says that the child's output ends in the middle.
var errNoTrailer = errors.New("output without end")

// readFrames copies the child's output to w, at most limit bytes, and returns its trailer.
func readFrames(r io.Reader, w io.Writer, limit int64) (t trailer, err error) {
	for {
		n, err := readLength(r)
		if err != nil {
			return t, errNoTrailer
		}
		if n == 0 {
			return readTrailer(r)
		}
		if limit -= int64(n); limit < 0 {
			return t, ErrOutput
		}
		if _, err := io.CopyN(w, r, int64(n)); err != nil {
			if errors.Is(err, io.EOF) {
				return t, errNoTrailer
			}
			return t, err
		}
	}
}

func readLength(r io.Reader) (uint32, error) {
	var b [4]byte
	_, err := io.ReadFull(r, b[:])
	return binary.BigEndian.Uint32(b[:]), err
}

func readTrailer(r io.Reader) (t trailer, err error) {
	n, err := readLength(r)
	if err != nil || n > maxFrame {
		return t, errNoTrailer
	}
	b := make([]byte, n)
	if _, err = io.ReadFull(r, b); err != nil || json.Unmarshal(b, &t) != nil {
		return t, errNoTrailer
	}
	return t, nil
}
