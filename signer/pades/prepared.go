package pades

import (
	"bytes"
	"crypto"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Prepared is a revision that waits for its signature: the update with an empty place, and
// what is needed to check what comes back. It holds no secret and marshals to JSON. The
// revision it describes is a function of the base and the options alone.
type Prepared struct {
	kind        string
	field       string
	hash        crypto.Hash
	baseSize    int64
	baseDigest  []byte
	digest      []byte
	certificate []byte // SHA-256 of the certificate that must sign; nil: any
	layout
}

const (
	kindSignature = "signature"
	kindTimeStamp = "document-time-stamp"
)

// Digest is what is to be signed: the digest, by Hash, of the bytes that ByteRange names.
func (p *Prepared) Digest() []byte { return slices.Clone(p.digest) }

// Hash is the hash that Digest was made with.
func (p *Prepared) Hash() crypto.Hash { return p.hash }

// Field is the full name of the signature field.
func (p *Prepared) Field() string { return p.field }

// BaseSize is the length of the file that was prepared.
func (p *Prepared) BaseSize() int64 { return p.baseSize }

// Reserved is the place for the CMS, in bytes of DER.
func (p *Prepared) Reserved() int { return p.reserved }

// ByteRange is the /ByteRange of the signature: offset and length of the two parts that are
// signed (ISO 32000-2 §12.8.1).
func (p *Prepared) ByteRange() [4]int64 { return p.byteRange(p.baseSize) }

// SignedSize is the length of the file that Embed writes.
func (p *Prepared) SignedSize() int64 {
	r := p.ByteRange()
	return r[2] + r[3]
}

// Increment returns the update with a CMS in its place: the bytes that follow the base in
// the signed file. It makes the same checks as Embed except that of the base.
func (p *Prepared) Increment(cms []byte) ([]byte, error) {
	if err := p.check(cms); err != nil {
		return nil, err
	}
	return p.fill(cms), nil
}

func (p *Prepared) fill(cms []byte) []byte {
	return p.appendFilled(nil, cms)
}

// write writes the update with cms in its place at once, by way of memory that is used again.
func (p *Prepared) write(w io.Writer, cms []byte) error {
	buf := updateBuffers.Get().(*[]byte)
	defer updateBuffers.Put(buf)
	*buf = p.appendFilled((*buf)[:0], cms)
	if _, err := w.Write(*buf); err != nil {
		return fmt.Errorf("write the signature: %w", err)
	}
	return nil
}

var updateBuffers = sync.Pool{New: func() any { return new([]byte) }}

func (p *Prepared) appendFilled(b, cms []byte) []byte {
	b = slices.Grow(b, len(p.head)+2*p.reserved+2+len(p.tail))
	b = append(append(b, p.head...), '<')
	b = hex.AppendEncode(b, cms)
	for digits := 2 * (p.reserved - len(cms)); digits > 0; {
		n := min(digits, len(padding))
		b = append(b, padding[:n]...)
		digits -= n
	}
	return append(append(b, '>'), p.tail...)
}

const padding = "0000000000000000000000000000000000000000000000000000000000000000" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"0000000000000000000000000000000000000000000000000000000000000000" +
	"0000000000000000000000000000000000000000000000000000000000000000"

// Embed writes the signed file to out: the base, byte for byte, and the update with cms in
// its place. Before the first byte is written it has checked that base is the file that was
// prepared, that cms fits, and that it is a valid signature of the prepared bytes by the
// intended certificate.
//
// Errors: ErrBaseChanged, ErrTooLarge (a *TooLargeError), ErrSignature, ErrPrepared, or one
// of base or out.
func (p *Prepared) Embed(base io.ReaderAt, cms []byte, out io.Writer) error {
	if err := p.check(cms); err != nil {
		return err
	}
	baseDigest, digest, err := digests(base, p.baseSize, p.hash, &p.layout, nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(baseDigest, p.baseDigest) {
		return ErrBaseChanged
	}
	if !bytes.Equal(digest, p.digest) {
		return fmt.Errorf("%w: its digest is not that of its bytes", ErrPrepared)
	}
	if _, err := streamAll(out, base, p.baseSize); err != nil {
		return fmt.Errorf("copy the base: %w", err)
	}
	return p.write(out, cms)
}

// preparedJSON is the stored form, version 1.
type preparedJSON struct {
	Version     int    `json:"version"`
	Kind        string `json:"kind"`
	Field       string `json:"field"`
	Hash        string `json:"hash"`
	BaseSize    int64  `json:"base_size"`
	BaseDigest  []byte `json:"base_digest"`
	Digest      []byte `json:"digest"`
	Certificate []byte `json:"certificate_sha256,omitempty"`
	Head        []byte `json:"head"`
	Reserved    int    `json:"reserved"`
	Tail        []byte `json:"tail"`
}

// MarshalJSON returns the stored form.
func (p *Prepared) MarshalJSON() ([]byte, error) {
	return json.Marshal(preparedJSON{
		Version: 1, Kind: p.kind, Field: p.field, Hash: p.hash.String(), BaseSize: p.baseSize, BaseDigest: p.baseDigest,
		Digest: p.digest, Certificate: p.certificate, Head: p.head, Reserved: p.reserved, Tail: p.tail,
	})
}

// UnmarshalJSON reads the stored form; ErrPrepared if it contradicts itself.
func (p *Prepared) UnmarshalJSON(b []byte) error {
	var j preparedJSON
	if err := json.Unmarshal(b, &j); err != nil {
		return fmt.Errorf("%w: %w", ErrPrepared, err)
	}
	if j.Version != 1 {
		return fmt.Errorf("%w: version %d", ErrPrepared, j.Version)
	}
	q := Prepared{kind: j.Kind, field: j.Field, baseSize: j.BaseSize, baseDigest: j.BaseDigest, digest: j.Digest,
		certificate: j.Certificate, layout: layout{head: j.Head, tail: j.Tail, reserved: j.Reserved}}
	for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
		if h.String() == j.Hash {
			q.hash = h
		}
	}
	if err := q.consistent(); err != nil {
		return err
	}
	*p = q
	return nil
}

func (p *Prepared) consistent() error {
	switch {
	case p.kind != kindSignature && p.kind != kindTimeStamp:
		return fmt.Errorf("%w: kind %q", ErrPrepared, p.kind)
	case p.hash == 0 || len(p.digest) != p.hash.Size() || len(p.baseDigest) != p.hash.Size():
		return fmt.Errorf("%w: hash or digest", ErrPrepared)
	case p.baseSize <= 0 || p.reserved <= 0 || p.reserved > maxContentsSize:
		return fmt.Errorf("%w: sizes", ErrPrepared)
	case !bytes.HasSuffix(p.head, []byte("/Contents ")):
		return fmt.Errorf("%w: no place for the signature", ErrPrepared)
	}
	text := formatByteRange(p.ByteRange(), 0)
	if !bytes.Contains(p.head, text[:len(text)-1]) {
		return fmt.Errorf("%w: /ByteRange is not that of the update", ErrPrepared)
	}
	return nil
}
