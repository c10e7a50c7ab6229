package register

import (
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/saoy/saoy/internal/certcopy"
)

// originForm is a schema-less URL, as c2sp.org/tlog-checkpoint recommends: no space, no plus.
var originForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]*(:[0-9]+)?(/[A-Za-z0-9._~-]+)*$`)

// CheckOrigin reports whether s may be the origin line of a log: a host and path without
// scheme, at most 128 characters, such as "saoy.example.vn/log". It is fixed at installation.
// The error wraps ErrOrigin.
func CheckOrigin(s string) error {
	if len(s) > 128 || !originForm.MatchString(s) {
		return fmt.Errorf("%w: %.140q: want host and path without scheme, such as saoy.example.vn/log", ErrOrigin, s)
	}
	return nil
}

// GenerateKey makes the Ed25519 key of the log named origin: the secret half for NewSigner and
// the public half, to be published, for ParseLogKey, both in the encoding of Go's signed notes.
func GenerateKey(rand io.Reader, origin string) (secret certcopy.Secret, public string, err error) {
	if err := CheckOrigin(origin); err != nil {
		return certcopy.Secret{}, "", err
	}
	skey, vkey, err := note.GenerateKey(rand, origin)
	if err != nil {
		return certcopy.Secret{}, "", fmt.Errorf("log key: %w", err)
	}
	return certcopy.NewSecret([]byte(skey)), vkey, nil
}

// Signer signs the checkpoints of one log. Safe for concurrent use.
type Signer struct {
	sign note.Signer
	log  Log
}

// NewSigner reads a secret key. Its name is the log's origin.
func NewSigner(secret certcopy.Secret) (*Signer, error) {
	text := strings.TrimSpace(string(secret.Reveal()))
	s, err := note.NewSigner(text)
	if err != nil {
		return nil, fmt.Errorf("log key: %w", err) // the error of note never holds the key
	}
	if err := CheckOrigin(s.Name()); err != nil {
		return nil, err
	}
	public, err := publicHalf(text, s.Name())
	if err != nil {
		return nil, err
	}
	log, err := ParseLogKey(public)
	if err != nil {
		return nil, err
	}
	return &Signer{sign: s, log: log}, nil
}

// Watching returns a Signer without a key, for a process that compares the log with what was
// signed and signs nothing: Checkpoint is ErrNoKey.
func Watching(l Log) *Signer { return &Signer{log: l} }

// publicHalf derives the verifier key of an encoded secret key that note.NewSigner accepted.
func publicHalf(skey, name string) (string, error) {
	parts := strings.SplitN(skey, "+", 5) // PRIVATE+KEY+name+hash+base64, which may hold a plus
	b, err := base64.StdEncoding.DecodeString(parts[len(parts)-1])
	if err != nil || len(b) != 1+ed25519.SeedSize {
		return "", errors.New("log key: malformed")
	}
	pub := ed25519.NewKeyFromSeed(b[1:]).Public().(ed25519.PublicKey)
	return note.NewEd25519VerifierKey(name, pub)
}

// Log returns the log's public side.
func (s *Signer) Log() Log { return s.log }

// Log is a log as the world knows it: an origin and a public key. It verifies.
type Log struct {
	verify note.Verifier
	key    string
}

// ParseLogKey reads a public key as GenerateKey returns it. Its name is the log's origin.
func ParseLogKey(public string) (Log, error) {
	public = strings.TrimSpace(public)
	v, err := note.NewVerifier(public)
	if err != nil {
		return Log{}, fmt.Errorf("log key: %w", err)
	}
	if err := CheckOrigin(v.Name()); err != nil {
		return Log{}, err
	}
	return Log{verify: v, key: public}, nil
}

// Origin returns the log's name, the first line of its checkpoints.
func (l Log) Origin() string { return l.verify.Name() }

// Key returns the public key in the form ParseLogKey reads.
func (l Log) Key() string { return l.key }
