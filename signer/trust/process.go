package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"slices"
	"time"
)

// process is basic path validation (RFC 5280 §6.1) of certificates that were found to be
// signed by one another, the anchor last. The anchor's own constraints count too (RFC 5937).
// What depends on the time comes last, so that ErrExpired and ErrNotYetValid mean: else good.
func (b *pathBuilder) process(path []*x509.Certificate, anchor *Anchor) ([]string, error) {
	policies, err := b.walk(path)
	if err != nil {
		return nil, err
	}
	if err := b.usages(path); err != nil {
		return nil, err
	}
	for _, c := range path {
		if weakKey(c.PublicKey) {
			return nil, fmt.Errorf("%w: the key of %s", ErrWeakKey, c.Subject)
		}
	}
	for _, c := range path[:len(path)-1] {
		if weakSignature(c.SignatureAlgorithm) {
			return nil, fmt.Errorf("%w: %s under %s", ErrWeakKey, c.SignatureAlgorithm, c.Subject)
		}
	}
	for i, c := range path {
		from, until := c.NotBefore, c.NotAfter
		if i > 0 && i == len(path)-1 {
			from, until = anchor.bounds()
		}
		if err := valid(c, from, until, b.at); err != nil {
			return nil, err
		}
	}
	return policies, nil
}

func valid(c *x509.Certificate, from, until, at time.Time) error {
	if at.After(until) {
		return fmt.Errorf("%w: %s on %s", ErrExpired, c.Subject, until.Format(time.RFC3339))
	}
	if at.Before(from) {
		return fmt.Errorf("%w: %s before %s", ErrNotYetValid, c.Subject, from.Format(time.RFC3339))
	}
	return nil
}

// walk goes from the anchor to the certificate in question.
func (b *pathBuilder) walk(path []*x509.Certificate) ([]string, error) {
	w := walk{policies: newPolicyState(b.policies, len(path)-1), length: len(path) - 1}
	for i, cert := range slices.Backward(path) {
		if err := criticalKnown(cert); err != nil {
			return nil, err
		}
		self := sameName(cert.RawSubject, cert.RawIssuer)
		if i < len(path)-1 {
			if err := w.certified(cert, self, i == 0); err != nil {
				return nil, err
			}
		}
		if i > 0 {
			if err := w.certifies(cert, self, i == len(path)-1); err != nil {
				return nil, err
			}
		}
	}
	return w.policies.finish(path[0])
}

// walk is the state of path validation between two certificates (RFC 5280 §6.1.2).
type walk struct {
	policies *policyState
	names    []*nameConstraints
	length   int // authorities that may still follow, self-issued ones not counted
}

// certified is RFC 5280 §6.1.3: what issuers so far allow. A self-issued authority may have any
// name.
func (w *walk) certified(cert *x509.Certificate, selfIssued, last bool) error {
	if len(w.names) > 0 && (!selfIssued || last) {
		names, err := namesOf(cert)
		if err != nil {
			return err
		}
		for _, c := range w.names {
			if err := c.check(names); err != nil {
				return fmt.Errorf("%s: %w", cert.Subject, err)
			}
		}
	}
	return w.policies.add(cert, selfIssued, last)
}

// certifies is RFC 5280 §6.1.4: what an authority allows those below it. Its policies are not
// looked at if it is the anchor.
func (w *walk) certifies(cert *x509.Certificate, selfIssued, anchor bool) error {
	constraints, err := constraintsOf(cert)
	if err != nil {
		return err
	}
	if constraints != nil {
		w.names = append(w.names, constraints)
	}
	if !anchor {
		if err := w.policies.prepare(cert, selfIssued); err != nil {
			return err
		}
	}
	return w.authority(cert, selfIssued, anchor)
}

// authority is RFC 5280 §6.1.4 k to n: the certificate may issue, and this far down. An
// anchor of version 1 is an authority because it is configured.
func (w *walk) authority(cert *x509.Certificate, selfIssued, anchor bool) error {
	switch {
	case (!cert.BasicConstraintsValid || !cert.IsCA) && (!anchor || cert.Version >= 3):
		return fmt.Errorf("%w: %s is no authority", ErrConstraints, cert.Subject)
	case cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0:
		return fmt.Errorf("%w: %s may not sign certificates", ErrConstraints, cert.Subject)
	case !selfIssued && w.length <= 0:
		return fmt.Errorf("%w: %s: path too long", ErrConstraints, cert.Subject)
	case !selfIssued:
		w.length--
	}
	if cert.MaxPathLen > 0 || (cert.MaxPathLen == 0 && cert.MaxPathLenZero) {
		w.length = min(w.length, cert.MaxPathLen)
	}
	return nil
}

// criticalKnown refuses a critical extension that nothing here understands. Constraints of
// names, and names that only these look at, are read here and not by crypto/x509.
func criticalKnown(cert *x509.Certificate) error {
	unknown := slices.IndexFunc(cert.UnhandledCriticalExtensions, func(id asn1.ObjectIdentifier) bool {
		return !id.Equal(oidNameConstraints) && !id.Equal(oidSubjectAltName)
	})
	if unknown >= 0 {
		return fmt.Errorf("%w: %s: unknown critical extension %s", ErrConstraints, cert.Subject, cert.UnhandledCriticalExtensions[unknown])
	}
	return nil
}

// usages checks what the certificate in question and the authorities above it are for.
func (b *pathBuilder) usages(path []*x509.Certificate) error {
	leaf := path[0]
	want, what := x509.KeyUsageDigitalSignature|x509.KeyUsageContentCommitment, "sign"
	if b.purpose == crlSigning {
		want, what = x509.KeyUsageCRLSign, "sign CRLs"
	}
	if leaf.KeyUsage != 0 && leaf.KeyUsage&want == 0 {
		return fmt.Errorf("%w: %s may not %s", ErrKeyUsage, leaf.Subject, what)
	}
	if b.purpose != TimeStamping {
		return nil
	}
	if PurposeOf(leaf) != TimeStamping || len(leaf.UnknownExtKeyUsage) != 0 {
		return fmt.Errorf("%w: %s may not sign time-stamps, or not only these", ErrKeyUsage, leaf.Subject)
	}
	for _, c := range path[1:] {
		limited := len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) > 0
		if limited && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageTimeStamping) && !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny) {
			return fmt.Errorf("%w: %s may not certify authorities of time-stamps", ErrKeyUsage, c.Subject)
		}
	}
	return nil
}

// sameEntity: name and key are those of another certificate, which adds nothing to a path.
func sameEntity(a, b *x509.Certificate) bool {
	return bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) && sameName(a.RawSubject, b.RawSubject)
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

// weakSignature: digests for which collisions are known.
func weakSignature(a x509.SignatureAlgorithm) bool {
	switch a {
	case x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1:
		return true
	}
	return false
}
