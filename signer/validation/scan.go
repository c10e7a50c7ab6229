package validation

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
)

// scanChunk is how much of a file is held at a time while it is scanned.
const scanChunk = 256 << 10

// maxMarkers bounds what the scan remembers of one kind. A file with more revisions than
// this is not examined further.
const maxMarkers = 4096

// frontScan is what a reader sees that knows no cross-reference table and reads the file
// from its first byte: the markers of revisions and anything that looks like a signature.
type frontScan struct {
	digest     [sha256.Size]byte
	header     int64   // offset of the first "%PDF-", -1 if none
	ends       []int64 // offset after each "%%EOF", line end not included
	byteRanges []int64 // offset of each "/ByteRange"
	linearized []int64 // offset of each "/Linearized"
	subFilters []int64 // offset of each name that only signatures use
	// last is the offset after the last byte that is not white space.
	last     int64
	overflow bool // more markers than are remembered
	marks    []mark
}

// mark is the digest of the file up to an offset, from which more can be digested: every
// signature covers the file from its first byte.
type mark struct {
	at    int64
	state hash.Cloner
}

// upTo returns the digest of the file up to some offset not beyond at, and that offset.
func (s *frontScan) upTo(at int64) (hash.Hash, int64) {
	i, _ := slices.BinarySearchFunc(s.marks, at+1, func(m mark, at int64) int { return cmp.Compare(m.at, at) })
	if i == 0 {
		return sha256.New(), 0
	}
	m := s.marks[i-1]
	again, err := m.state.Clone()
	if err != nil {
		return sha256.New(), 0
	}
	return again, m.at
}

var (
	tokHeader     = []byte("%PDF-")
	tokEOF        = []byte("%%EOF")
	tokByteRange  = []byte("/ByteRange")
	tokLinearized = []byte("/Linearized")
	tokSubFilters = [][]byte{[]byte("/adbe.pkcs7.detached"), []byte("/adbe.pkcs7.sha1"), []byte("/adbe.x509.rsa_sha1"), []byte("/ETSI.CAdES"), []byte("/ETSI.RFC3161"), []byte("/DocTimeStamp")}
)

// beginsToken are the second bytes of the tokens looked for.
var beginsToken = [256]bool{'%': true, 'P': true, 'B': true, 'L': true, 'a': true, 'E': true, 'D': true}

// scan reads the file once from the front. Memory does not grow with the file.
func scan(r io.ReaderAt, size int64) (*frontScan, error) {
	s := &frontScan{header: -1}
	h := sha256.New()
	const overlap = 64 // longer than any token
	buf := make([]byte, scanChunk+overlap)
	carried := 0
	for pos := int64(0); pos < size; {
		n := int(min(scanChunk, size-pos))
		if _, err := r.ReadAt(buf[carried:carried+n], pos); err != nil && !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("read at %d: %w", pos, err)
		} else if err != nil && pos+int64(n) < size {
			return nil, fmt.Errorf("read at %d: %w", pos, io.ErrUnexpectedEOF)
		}
		h.Write(buf[carried : carried+n])
		if c, ok := h.(hash.Cloner); ok {
			if state, err := c.Clone(); err == nil {
				s.marks = append(s.marks, mark{pos + int64(n), state})
			}
		}
		window := buf[:carried+n]
		base := pos - int64(carried)
		pos += int64(n)
		// A token that begins in the last bytes is found in the next window.
		fresh := len(window)
		if pos < size {
			fresh -= overlap
		}
		s.window(window, base, fresh)
		carried = copy(buf, window[fresh:])
	}
	h.Sum(s.digest[:0])
	return s, nil
}

// window notes the tokens that begin in w[:fresh]; w[0] stands at offset base.
func (s *frontScan) window(w []byte, base int64, fresh int) {
	for i, c := range w[:fresh] {
		if (c != '%' && c != '/') || i+2 >= len(w) || !beginsToken[w[i+1]] || c == '%' && w[i+2] != 'E' && w[i+2] != 'D' {
			continue // "%%E", "%PD" or a name
		}
		s.token(w[i:], base+int64(i))
	}
	for i := fresh - 1; i >= 0; i-- {
		if !isSpace(w[i]) {
			s.last = base + int64(i) + 1
			break
		}
	}
}

func (s *frontScan) token(t []byte, at int64) {
	switch {
	case bytes.HasPrefix(t, tokEOF):
		s.note(&s.ends, at+int64(len(tokEOF)))
	case bytes.HasPrefix(t, tokHeader):
		if s.header < 0 {
			s.header = at
		}
	case bytes.HasPrefix(t, tokByteRange):
		s.note(&s.byteRanges, at)
	case bytes.HasPrefix(t, tokLinearized):
		s.note(&s.linearized, at)
	default:
		for _, f := range tokSubFilters {
			if bytes.HasPrefix(t, f) {
				s.note(&s.subFilters, at)
			}
		}
	}
}

func (s *frontScan) note(list *[]int64, at int64) {
	if len(*list) >= maxMarkers {
		s.overflow = true
		return
	}
	*list = append(*list, at)
}

// signatureLike reports whether the bytes hold anything that looks like a signature.
func (s *frontScan) signatureLike() bool { return len(s.byteRanges) > 0 || len(s.subFilters) > 0 }

func isSpace(c byte) bool {
	return c == 0 || c == '\t' || c == '\n' || c == '\f' || c == '\r' || c == ' '
}

func isEOL(c byte) bool { return c == '\n' || c == '\r' }
