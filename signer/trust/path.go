package trust

import (
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// What can be wrong with a certificate. Errors of this package wrap them.
var (
	// ErrNoPath: no path leads to a trusted anchor (NO_CERTIFICATE_CHAIN_FOUND).
	ErrNoPath = errors.New("no path to a trusted anchor")
	// ErrConstraints: a path leads there but breaks a rule of RFC 5280 §6
	// (CHAIN_CONSTRAINTS_FAILURE).
	ErrConstraints = errors.New("certificate path breaks a constraint")
	// ErrExpired: a certificate of the path is past its end (EXPIRED, OUT_OF_BOUNDS_NO_POE).
	ErrExpired = errors.New("certificate has expired")
	// ErrNotYetValid: a certificate of the path is not valid yet (NOT_YET_VALID).
	ErrNotYetValid = errors.New("certificate is not valid yet")
	// ErrKeyUsage: the certificate is not for this use.
	ErrKeyUsage = errors.New("certificate is not for this use")
	// ErrWeakKey: a key of the path is too short (CRYPTO_CONSTRAINTS_FAILURE).
	ErrWeakKey = errors.New("key is too short")
	// ErrRevoked: a certificate of the path was revoked at the time in question (REVOKED).
	ErrRevoked = errors.New("certificate is revoked")
	// ErrRevocationUnknown: nothing proves whether a certificate was revoked (TRY_LATER,
	// REVOCATION_OUT_OF_BOUNDS_NO_POE).
	ErrRevocationUnknown = errors.New("revocation status is not known")
)

// Purpose is what a certificate is used for.
type Purpose int

// The purposes.
const (
	Signing      Purpose = iota // documents: digitalSignature or contentCommitment
	TimeStamping                // RFC 3161 §2.3
)

// maxUntrusted bounds how many certificates of a file are looked at to build a path.
const maxUntrusted = 200

// Path is a certificate with its issuers.
type Path struct {
	// Certificates begins with the certificate in question and ends with the anchor.
	Certificates []*x509.Certificate
	Anchor       Anchor
}

// BuildPath finds a path from cert to an anchor of the store, valid at a time, through
// untrusted certificates. Signatures, validity, basic and name constraints, key usages and
// policies are those of RFC 5280 §6 as crypto/x509 implements it; SHA-1 signatures are refused.
//
// With ErrExpired and ErrNotYetValid the path is returned that would hold at another time.
func BuildPath(cert *x509.Certificate, untrusted []*x509.Certificate, store *Store, at time.Time, purpose Purpose) (Path, error) {
	b := pathBuilder{cert: cert, store: store, purpose: purpose, others: x509.NewCertPool()}
	for _, c := range untrusted[:min(len(untrusted), maxUntrusted)] {
		b.others.AddCert(c)
	}
	path, err := b.build(at, at)
	if err != nil {
		return b.diagnose(at, err)
	}
	return path, b.check(path)
}

type pathBuilder struct {
	cert    *x509.Certificate
	others  *x509.CertPool
	store   *Store
	purpose Purpose
}

// build finds a path that is valid at one time to an anchor trusted at another.
func (b *pathBuilder) build(valid, trusted time.Time) (Path, error) {
	usage := x509.ExtKeyUsageAny
	if b.purpose == TimeStamping {
		usage = x509.ExtKeyUsageTimeStamping
	}
	chains, err := b.cert.Verify(x509.VerifyOptions{
		Roots: b.store.pool(trusted, b.purpose), Intermediates: b.others, CurrentTime: valid, KeyUsages: []x509.ExtKeyUsage{usage},
	})
	if err != nil {
		return Path{}, err
	}
	chain := slices.MinFunc(chains, func(x, y []*x509.Certificate) int { return len(x) - len(y) })
	anchor := b.store.find(chain[len(chain)-1])
	if anchor == nil {
		return Path{}, ErrNoPath
	}
	return Path{Certificates: chain, Anchor: *anchor}, nil
}

// diagnose tells why there is no path: if there is one at another time, it is time; else
// what crypto/x509 says.
func (b *pathBuilder) diagnose(at time.Time, cause error) (Path, error) {
	for _, other := range []time.Time{b.cert.NotAfter, b.cert.NotBefore} {
		path, err := b.build(other, at)
		if err != nil {
			continue
		}
		for _, c := range path.Certificates {
			if at.After(c.NotAfter) {
				return path, fmt.Errorf("%w: %s on %s", ErrExpired, c.Subject, c.NotAfter.Format(time.RFC3339))
			}
			if at.Before(c.NotBefore) {
				return path, fmt.Errorf("%w: %s before %s", ErrNotYetValid, c.Subject, c.NotBefore.Format(time.RFC3339))
			}
		}
	}
	var invalid x509.CertificateInvalidError
	var unhandled x509.UnhandledCriticalExtension
	switch {
	case errors.As(cause, &invalid) && invalid.Reason == x509.IncompatibleUsage:
		return Path{}, fmt.Errorf("%w: %w", ErrKeyUsage, cause)
	case errors.As(cause, &invalid), errors.As(cause, &unhandled):
		return Path{}, fmt.Errorf("%w: %w", ErrConstraints, cause)
	}
	return Path{}, fmt.Errorf("%w: %w", ErrNoPath, cause)
}

// check makes the checks that crypto/x509 does not: key usage of the leaf, and key lengths.
func (b *pathBuilder) check(path Path) error {
	const want = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	if b.cert.KeyUsage != 0 && b.cert.KeyUsage&want == 0 {
		return fmt.Errorf("%w: %s may not sign", ErrKeyUsage, b.cert.Subject)
	}
	if b.purpose == TimeStamping && (PurposeOf(b.cert) != TimeStamping || len(b.cert.UnknownExtKeyUsage) != 0) {
		return fmt.Errorf("%w: %s may not sign time-stamps, or not only these", ErrKeyUsage, b.cert.Subject)
	}
	for _, c := range path.Certificates {
		if weakKey(c.PublicKey) {
			return fmt.Errorf("%w: %s", ErrWeakKey, c.Subject)
		}
	}
	return nil
}

// weakKey: RSA below 2048 bits and curves below 256 prove nothing (ETSI TS 119 312 §6).
func weakKey(pub any) bool {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return k.N.BitLen() < 2048
	case *ecdsa.PublicKey:
		return k.Curve.Params().BitSize < 256
	}
	return false
}
