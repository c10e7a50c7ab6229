package trust

import (
	"bytes"
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
	// ErrWeakKey: a key of the path is too short, or its digest broken
	// (CRYPTO_CONSTRAINTS_FAILURE).
	ErrWeakKey = errors.New("key or algorithm is too weak")
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
	crlSigning                  // RFC 5280 §6.3.3 f
)

// Bounds of the search for a path, so that a stranger's certificates cannot make it long.
const (
	maxUntrusted  = 1000 // certificates looked at
	maxPath       = 12   // certificates in a path
	maxSignatures = 200  // signatures verified
	maxSteps      = 5000 // certificates put on top of another
)

// Path is a certificate with its issuers.
type Path struct {
	// Certificates begins with the certificate in question and ends with the anchor.
	Certificates []*x509.Certificate
	Anchor       Anchor
	// Policies under which the path holds, as dotted object identifiers, sorted: of those
	// acceptable, if any were named. "2.5.29.32.0" stands for all.
	Policies []string
}

// BuildPath finds a path from cert to an anchor of the store, valid at a time, through
// untrusted certificates, and validates it by RFC 5280 §6.1: signatures, names by their meaning
// (§7.1), basic and name constraints, policies with their mappings, key usages; beyond it, short
// keys and SHA-1 signatures are refused. Of several paths, for example where an authority changed
// its key, one that holds is taken.
//
// With ErrExpired, ErrNotYetValid, ErrKeyUsage and ErrWeakKey the path is returned all the same.
func BuildPath(cert *x509.Certificate, untrusted []*x509.Certificate, store *Store, at time.Time, purpose Purpose) (Path, error) {
	b := pathBuilder{purpose: purpose, at: at, store: store, others: untrusted}
	return b.build(cert)
}

// build starts the search.
func (b *pathBuilder) build(cert *x509.Certificate) (Path, error) {
	b.others = b.others[:min(len(b.others), maxUntrusted)]
	b.signed, b.names = map[link]bool{}, map[string]name{}
	b.err = fmt.Errorf("%w: %s, issued by %s", ErrNoPath, cert.Subject, cert.Issuer)
	b.search([]*x509.Certificate{cert})
	return b.best, b.err
}

// link is a certificate and who may have signed it.
type link struct{ cert, issuer *x509.Certificate }

type pathBuilder struct {
	purpose  Purpose
	policies Policies
	at       time.Time
	store    *Store
	others   []*x509.Certificate
	memo     *memo // of earlier searches; may be nil

	signed map[link]bool   // signatures verified so far
	names  map[string]name // names parsed so far, by DER
	steps  int
	best   Path
	err    error // of best; nil if it holds
}

// search puts issuers on top of a path until an anchor is reached, and tells whether a path
// was found that holds.
func (b *pathBuilder) search(path []*x509.Certificate) bool {
	top := path[len(path)-1]
	// an anchor that does not do may itself be certified by one that does
	if anchor := b.anchor(top); anchor != nil && b.judge(path, anchor) {
		return true
	}
	if len(path) == maxPath {
		return false
	}
	// names in another spelling are a rarity that costs time
	for _, named := range []func(c, by *x509.Certificate) bool{namesExactly, b.namesOtherwise} {
		for _, issuer := range b.issuers(top, named) {
			if b.put(path, issuer) {
				return true
			}
		}
	}
	return false
}

// trusts tells whether an anchor counts at the time and for the purpose. One that does not is a
// certificate like any other.
func (b *pathBuilder) trusts(a Anchor) bool {
	return a.trustedAt(b.at) && (b.purpose == crlSigning || a.trustedFor(b.purpose))
}

func (b *pathBuilder) anchor(cert *x509.Certificate) *Anchor {
	if a := b.store.find(cert); a != nil && b.trusts(*a) {
		return a
	}
	return nil
}

// put puts an issuer on top of a path and goes on from there.
func (b *pathBuilder) put(path []*x509.Certificate, issuer *x509.Certificate) bool {
	if b.steps++; b.steps > maxSteps || slices.ContainsFunc(path, func(c *x509.Certificate) bool { return sameEntity(c, issuer) }) {
		return false
	}
	return b.signedBy(path[len(path)-1], issuer) && b.search(append(slices.Clip(path), issuer))
}

func namesExactly(c, by *x509.Certificate) bool { return bytes.Equal(c.RawIssuer, by.RawSubject) }

// namesOtherwise compares names that are not written alike by their meaning.
func (b *pathBuilder) namesOtherwise(c, by *x509.Certificate) bool {
	if namesExactly(c, by) {
		return false
	}
	name := func(der []byte) name {
		n, ok := b.names[string(der)]
		if !ok {
			n = parseName(der)
			b.names[string(der)] = n
		}
		return n
	}
	issuer := name(c.RawIssuer)
	return issuer != nil && slices.Equal(issuer, name(by.RawSubject))
}

// issuers are the certificates that a certificate names as its issuer's: anchors first, and
// those with the key that it says it was signed with before others.
func (b *pathBuilder) issuers(cert *x509.Certificate, named func(c, by *x509.Certificate) bool) []*x509.Certificate {
	var out []*x509.Certificate
	for _, a := range b.store.anchors {
		if b.trusts(a) && named(cert, a.Certificate) {
			out = append(out, a.Certificate)
		}
	}
	for _, c := range b.others {
		if named(cert, c) && b.anchor(c) == nil {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(x, y *x509.Certificate) int { return otherKey(cert, x) - otherKey(cert, y) })
	return out
}

// otherKey is 1 if the key identifiers say that another key signed. They are hints: only the
// signature decides.
func otherKey(cert, issuer *x509.Certificate) int {
	if len(cert.AuthorityKeyId) > 0 && len(issuer.SubjectKeyId) > 0 && !bytes.Equal(cert.AuthorityKeyId, issuer.SubjectKeyId) {
		return 1
	}
	return 0
}

func (b *pathBuilder) signedBy(cert, issuer *x509.Certificate) bool {
	ok, known := b.signed[link{cert, issuer}]
	if known || len(b.signed) >= maxSignatures {
		return ok
	}
	ok = b.memo.verify(cert, issuer, func() error {
		return issuer.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature)
	}) == nil
	b.signed[link{cert, issuer}] = ok
	return ok
}

// judge validates a complete path and keeps it if it is the best so far.
func (b *pathBuilder) judge(path []*x509.Certificate, anchor *Anchor) bool {
	policies, err := b.process(path, anchor)
	switch {
	case err == nil, severity(err) < severity(b.err):
		b.best, b.err = Path{Certificates: slices.Clone(path), Anchor: *anchor, Policies: policies}, err
	}
	if errors.Is(b.err, ErrConstraints) {
		b.best = Path{} // no path in the sense of the standard
	}
	return err == nil
}

// severity orders errors by how far they are from a path that holds.
func severity(err error) int {
	return slices.IndexFunc([]error{ErrExpired, ErrNotYetValid, ErrWeakKey, ErrKeyUsage, ErrConstraints, ErrNoPath},
		func(kind error) bool { return errors.Is(err, kind) })
}
