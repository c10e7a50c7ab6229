package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync/atomic"
)

// Local is a private key in this process's memory. It cannot be printed or marshalled.
type Local struct {
	private crypto.Signer
	paired  atomic.Bool // a signature of it has been verified with its public half
}

var _ Key = (*Local)(nil)

// NewLocal makes a key of a private key in memory, RSA or ECDSA.
func NewLocal(private crypto.Signer) *Local { return &Local{private: private} }

// Public returns the public key.
func (k *Local) Public() crypto.PublicKey { return k.private.Public() }

// PrivateKey returns the private key, for those who write key files.
func (k *Local) PrivateKey() crypto.Signer { return k.private }

// Sign signs a digest; see Key. It waits for nothing, so the context matters only before it
// begins. A first ECDSA signature is verified with the public half of the key: ErrKeyRefused
// if the two halves do not belong together.
func (k *Local) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if h := opts.HashFunc(); !h.Available() || len(digest) != h.Size() {
		return nil, refuse(ReasonDigest, "%d bytes are no %s digest", len(digest), h)
	}
	signature, err := k.private.Sign(rand.Reader, digest, opts)
	if err != nil || k.paired.Load() {
		return signature, err
	}
	if pub, ok := k.Public().(*ecdsa.PublicKey); ok && !ecdsa.VerifyASN1(pub, digest, signature) {
		return nil, refuse(ReasonMismatch, "the two halves of the key do not belong together")
	}
	k.paired.Store(true)
	return signature, nil
}

// Trustworthy reports whether what the key signs verifies with its Public without anyone
// looking: the key is one of Go's own types in this process. Of an RSA key the standard
// library verifies every signature itself, against faults in the computation by remainders;
// of an ECDSA key Local has verified the first, and what could make a later one wrong, a fault
// of this machine, could as well strike after a verification. Any other key, in a token, behind
// a network or of a type from elsewhere, may give wrong bytes at any time.
func Trustworthy(k Key) bool {
	switch k := k.(type) {
	case *guarded:
		return Trustworthy(k.key)
	case *Local:
		switch k.private.(type) {
		case *rsa.PrivateKey, *ecdsa.PrivateKey:
			return true
		}
	}
	return false
}

const hidden = "private key (hidden)"

// Format hides the key from every verb of fmt.
func (k *Local) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, hidden) }

// LogValue hides the key from logs.
func (k *Local) LogValue() slog.Value { return slog.StringValue(hidden) }

// MarshalText refuses.
func (k *Local) MarshalText() ([]byte, error) {
	return nil, errors.New("a private key is not written out")
}
