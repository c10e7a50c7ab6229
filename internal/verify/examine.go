package verify

import (
	"bytes"
	"compress/zlib"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/validation"
)

// Examination is what can be said of a file without the register.
type Examination struct {
	Digest certcopy.Digest
	Size   int64
	// Prefixes are the states of the file before its last additions, longest first.
	Prefixes []Prefix
	// Codes are the verification codes found in the file, as they stand there.
	Codes  []string
	Report *validation.Report
}

// Prefix is the file up to the end of one of its revisions.
type Prefix struct {
	Length int64
	Digest certcopy.Digest
}

const (
	maxPrefixes = 64
	maxCodes    = 16
	// maxInflated bounds what is unpacked in search of codes: per stream and in all.
	maxInflatedStream = 256 << 10
	maxInflated       = 16 << 20
)

// Validate is how the signatures of a file are validated: validation.File with its options
// bound.
type Validate func(ctx context.Context, r io.ReaderAt, size int64) (*validation.Report, error)

// examine reads the whole file; MaxFileBytes bounds it.
func examine(ctx context.Context, name string, r io.ReaderAt, size int64, validate Validate) (*Examination, error) {
	b := make([]byte, size)
	if n, err := r.ReadAt(b, 0); int64(n) != size {
		return nil, fmt.Errorf("read %s: %w", name, errors.Join(err, io.ErrUnexpectedEOF))
	}
	report, err := validate(ctx, bytes.NewReader(b), size)
	if err != nil {
		return nil, err
	}
	report.File = name
	e := &Examination{Size: size, Codes: codesIn(b), Report: report}
	e.Digest, e.Prefixes = digests(b)
	return e, nil
}

var endOfFile = []byte("%%EOF")

// digests returns the digest of b, and of its prefixes that end as a revision does: behind an
// end-of-file marker and at most one end of line. One pass hashes them all.
func digests(b []byte) (certcopy.Digest, []Prefix) {
	h := sha256.New()
	var prefixes []Prefix
	done := 0
	for at := 0; ; {
		i := bytes.Index(b[at:], endOfFile)
		if i < 0 {
			break
		}
		at += i + len(endOfFile)
		for _, end := range lineEnds(b, at) {
			if end == len(b) || end <= done {
				continue
			}
			h.Write(b[done:end])
			done = end
			prefixes = append(prefixes, Prefix{Length: int64(end), Digest: certcopy.Digest(h.Sum(nil))}) // Sum leaves h as it is
		}
	}
	h.Write(b[done:])
	slices.Reverse(prefixes)
	return certcopy.Digest(h.Sum(nil)), prefixes[:min(len(prefixes), maxPrefixes)]
}

// lineEnds returns where a revision may end whose marker ends at i: there, and behind the end
// of line that follows.
func lineEnds(b []byte, i int) []int {
	ends := []int{i}
	if i < len(b) && b[i] == '\r' {
		i++
		ends = append(ends, i)
	}
	if i < len(b) && b[i] == '\n' {
		ends = append(ends, i+1)
	}
	return ends
}

// codeMarks stand before the places where a copy of ours carries its code in plain text: its
// XMP metadata, and any address that ends in it.
var codeMarks = [][]byte{[]byte(link.VerifyPath), []byte("verificationCode>")}

var codeForm = regexp.MustCompile(`^\s{0,8}([0-9A-Za-z]{17}|[0-9A-Za-z]{4}(?:-[0-9A-Za-z]{4}){3}-[0-9A-Za-z])\b`)

// codeWindow is how far behind a mark a code may reach.
const codeWindow = 64

// codesIn looks for codes in the bytes and in every stream that unpacks. It is a search for
// honest mistakes and simple forgeries: who hides the code from it shows no code.
func codesIn(b []byte) []string {
	codes := appendCodes(nil, b)
	left := maxInflated
	for at := 0; left > 0 && len(codes) < maxCodes; {
		i := bytes.Index(b[at:], []byte("stream"))
		if i < 0 {
			break
		}
		at += i + len("stream")
		plain := inflate(bytes.TrimLeft(b[at:min(at+2, len(b))], "\r\n"), b[min(at+2, len(b)):], min(left, maxInflatedStream))
		left -= len(plain)
		codes = appendCodes(codes, plain)
	}
	return codes
}

// inflate unpacks at most limit bytes of head and tail; nil if they are not packed.
func inflate(head, tail []byte, limit int) []byte {
	z, err := zlib.NewReader(io.MultiReader(bytes.NewReader(head), bytes.NewReader(tail)))
	if err != nil {
		return nil
	}
	defer z.Close()
	plain, _ := io.ReadAll(io.LimitReader(z, int64(limit))) // what came before a fault still counts
	return plain
}

func appendCodes(codes []string, b []byte) []string {
	for _, mark := range codeMarks {
		for at := 0; len(codes) < maxCodes; {
			i := bytes.Index(b[at:], mark)
			if i < 0 {
				break
			}
			at += i + len(mark)
			m := codeForm.FindSubmatch(b[at:min(at+codeWindow, len(b))])
			if m != nil && !slices.Contains(codes, string(m[1])) {
				codes = append(codes, string(m[1]))
			}
		}
	}
	return codes
}
