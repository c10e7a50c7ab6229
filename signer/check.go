package signer

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Reason says why a key may not sign. It is for programs; RefusedError.Detail is for people
// who read logs.
type Reason string

// The reasons.
const (
	ReasonExpired     Reason = "expired"
	ReasonNotYetValid Reason = "not-yet-valid"
	ReasonKeyUsage    Reason = "key-usage"   // the certificate is for something else
	ReasonAuthority   Reason = "authority"   // it is a certification authority's
	ReasonWeakKey     Reason = "weak-key"    // RSA below 2048 bits, curve below 256
	ReasonMismatch    Reason = "mismatch"    // the certificate is for another key
	ReasonUnsupported Reason = "unsupported" // neither RSA nor ECDSA on P-256, P-384, P-521
	ReasonDigest      Reason = "digest"      // no digest of SHA-256, SHA-384 or SHA-512
)

// RefusedError is an ErrKeyRefused with its reason. Nothing was signed.
type RefusedError struct {
	Reason Reason
	Detail string
}

// Error gives the detail.
func (e *RefusedError) Error() string { return ErrKeyRefused.Error() + ": " + e.Detail }

// Unwrap makes it ErrKeyRefused.
func (e *RefusedError) Unwrap() error { return ErrKeyRefused }

func refuse(r Reason, format string, args ...any) error {
	return &RefusedError{Reason: r, Detail: fmt.Sprintf(format, args...)}
}

// Check tells whether an identity may sign documents at a time: the certificate is for this
// key, valid then, an end entity's with digitalSignature or contentCommitment and no extended
// key usage that excludes it, and the key is strong enough (ETSI TS 119 312 §6). The error is a
// *RefusedError. Trust and revocation are not its subject.
func Check(id Identity, at time.Time) error {
	if id.Key == nil || id.Certificate == nil {
		return refuse(ReasonMismatch, "key or certificate is missing")
	}
	if !Matches(id.Key, id.Certificate) {
		return refuse(ReasonMismatch, "certificate %s is for another key", id.Certificate.Subject)
	}
	if err := checkStrength(id.Certificate.PublicKey); err != nil {
		return err
	}
	if err := checkUsage(id.Certificate); err != nil {
		return err
	}
	return checkValidity(id.Certificate, at)
}

// Matches reports whether a certificate is for a key.
func Matches(k Key, c *x509.Certificate) bool {
	pub, ok := k.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && pub.Equal(c.PublicKey)
}

func checkValidity(c *x509.Certificate, at time.Time) error {
	if at.Before(c.NotBefore) {
		return refuse(ReasonNotYetValid, "certificate %s is valid from %s", c.Subject, c.NotBefore.UTC().Format(time.RFC3339))
	}
	if at.After(c.NotAfter) {
		return refuse(ReasonExpired, "certificate %s was valid until %s", c.Subject, c.NotAfter.UTC().Format(time.RFC3339))
	}
	return nil
}

func checkStrength(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			return refuse(ReasonWeakKey, "RSA key of %d bits, at least 2048 are needed", k.N.BitLen())
		}
		return nil
	case *ecdsa.PublicKey:
		switch n := k.Curve.Params().BitSize; n {
		case 256, 384, 521:
			return nil
		default:
			return refuse(ReasonWeakKey, "elliptic curve of %d bits", n)
		}
	}
	return refuse(ReasonUnsupported, "key of type %T is neither RSA nor ECDSA", pub)
}

// checkUsage: a certificate without key usage may do everything (RFC 5280 §4.2.1.3), one
// whose extended key usages are all for protocols may not sign documents.
func checkUsage(c *x509.Certificate) error {
	if c.IsCA {
		return refuse(ReasonAuthority, "%s is a certification authority", c.Subject)
	}
	const signs = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if c.KeyUsage != 0 && c.KeyUsage&signs == 0 {
		return refuse(ReasonKeyUsage, "key usage of %s allows no signatures", c.Subject)
	}
	if len(c.ExtKeyUsage) == 0 || len(c.UnknownExtKeyUsage) > 0 {
		return nil
	}
	for _, u := range c.ExtKeyUsage {
		switch u {
		case x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageOCSPSigning, x509.ExtKeyUsageCodeSigning:
		default:
			return nil
		}
	}
	return refuse(ReasonKeyUsage, "extended key usage of %s is not for documents", c.Subject)
}

// Guard returns the identity with a key that checks, before each use, that the certificate
// is valid at the clock's time and that what is signed is a digest of SHA-256, SHA-384 or
// SHA-512. Everything else Check demands is checked once, here.
func Guard(id Identity, clock func() time.Time) (Identity, error) {
	if clock == nil {
		return Identity{}, errors.New("a clock is needed")
	}
	if err := Check(id, clock()); err != nil {
		return Identity{}, err
	}
	id.Key = &guarded{key: id.Key, certificate: id.Certificate, clock: clock}
	return id, nil
}

type guarded struct {
	key         Key
	certificate *x509.Certificate
	clock       func() time.Time
}

// Public returns the public key.
func (g *guarded) Public() crypto.PublicKey { return g.key.Public() }

// Sign checks, then has the key sign; see Key.
func (g *guarded) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch h := opts.HashFunc(); h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512:
		if len(digest) != h.Size() {
			return nil, refuse(ReasonDigest, "%d bytes are no %s digest", len(digest), h)
		}
	default:
		return nil, refuse(ReasonDigest, "%s is not used for signatures", h)
	}
	if err := checkValidity(g.certificate, g.clock()); err != nil {
		return nil, err
	}
	return g.key.Sign(ctx, digest, opts)
}
