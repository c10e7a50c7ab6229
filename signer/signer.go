package signer

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
)

// Errors that keys and authorities return, wrapped.
var (
	// ErrKeyRefused: the key or its certificate may not be used for this; nothing was signed.
	ErrKeyRefused = errors.New("key refused")
	// ErrUnavailable: the token, service or authority does not answer now; try again later.
	ErrUnavailable = errors.New("unavailable")
)

// Key signs digests. Implementations are safe for concurrent use.
type Key interface {
	Public() crypto.PublicKey
	// Sign signs a digest made with opts.HashFunc(); *rsa.PSSOptions asks for RSASSA-PSS.
	// ECDSA signatures are in ASN.1 DER (RFC 3279 §2.2.3). The context bounds the call.
	Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error)
}

// Identity is a key with the certificate it signs under and that certificate's issuers,
// nearest first, the trust anchor last or left out.
type Identity struct {
	Key         Key
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
}

// TimeStamper returns RFC 3161 time-stamp tokens.
type TimeStamper interface {
	// TimeStamp returns the DER of a TimeStampToken over digest, verified against the
	// request: imprint, nonce, signature, and an authority the implementation trusts.
	TimeStamp(ctx context.Context, digest []byte, hash crypto.Hash) ([]byte, error)
}
