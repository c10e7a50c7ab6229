package certcopy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"log/slog"
)

// Identifiers. Each is its own type so that one cannot be passed for another. RequestID,
// CopyID, AccountID and ScanID hold a UUID in its canonical text form; AgencyID is the
// short code an administrator chose ("an-tuong-dong"), permanent once a number is taken.
type (
	AgencyID  string
	AccountID string
	RequestID string
	CopyID    string
	ScanID    string
	// DocumentTypeCode names an entry of the coded, dated list of document types; it is the
	// only description of an original that is made public.
	DocumentTypeCode string
	// LeafIndex is the position of a leaf in the log, from 0.
	LeafIndex int64
	// Generation counts the attempts of one role to sign one copy, from 1. Different bytes
	// never share a generation.
	Generation int
)

// Digest is a SHA-256 digest.
type Digest [sha256.Size]byte

// DigestOf returns the SHA-256 digest of b.
func DigestOf(b []byte) Digest { return sha256.Sum256(b) }

// ParseDigest reads 64 hexadecimal digits, in either case.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	if len(s) != hex.EncodedLen(len(d)) {
		return d, fmt.Errorf("digest: %d characters, want %d", len(s), hex.EncodedLen(len(d)))
	}
	if _, err := hex.Decode(d[:], []byte(s)); err != nil {
		return Digest{}, fmt.Errorf("digest: %w", err)
	}
	return d, nil
}

// String returns the digest as 64 lower-case hexadecimal digits.
func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText and UnmarshalText use the form of String.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText wrote.
func (d *Digest) UnmarshalText(b []byte) error {
	v, err := ParseDigest(string(b))
	if err != nil {
		return err
	}
	*d = v
	return nil
}

// IsZero reports whether no digest was set.
func (d Digest) IsZero() bool { return d == Digest{} }

// Secret is material that must not be shown: a password, a token, a key. It cannot be
// printed, logged or marshalled by accident; Reveal is the one way to its value.
type Secret struct{ value []byte }

// NewSecret wraps a copy of b.
func NewSecret(b []byte) Secret { return Secret{value: append([]byte(nil), b...)} }

// Reveal returns the secret bytes; the caller must not keep or change them.
func (s Secret) Reveal() []byte { return s.value }

// Empty reports whether there is no secret.
func (s Secret) Empty() bool { return len(s.value) == 0 }

const hidden = "(secret)"

// String hides the value.
func (Secret) String() string { return hidden }

// GoString hides the value.
func (Secret) GoString() string { return hidden }

// LogValue hides the value.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText hides the value.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }
