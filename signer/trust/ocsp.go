package trust

import (
	"bytes"
	"crypto"
	"crypto/sha1" // byKey of RFC 6960 is SHA-1 by definition; it identifies, it does not protect
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

var (
	oidOCSPBasic   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
	oidOCSPNoCheck = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
)

// maxOCSP bounds an OCSP response in bytes, maxSingles the answers in one.
const (
	maxOCSP    = 256 << 10
	maxSingles = 100
)

// ocspResponse is a parsed, not yet verified BasicOCSPResponse (RFC 6960 §4.2.1).
type ocspResponse struct {
	raw            []byte
	tbs, signature []byte
	algorithm      cms.Algorithm
	certs          []*x509.Certificate
	name, keyHash  []byte // responderID: one of them
	producedAt     time.Time
	singles        []ocspSingle
	nonce          []byte
}

type ocspSingle struct {
	hash              crypto.Hash
	nameHash, keyHash []byte
	serial            *big.Int
	revocation        Revocation
}

// OCSPStatusError is an OCSP answer that is no response: RFC 6960 §4.2.1 OCSPResponseStatus.
type OCSPStatusError int

// Error names the status.
func (e OCSPStatusError) Error() string {
	names := map[int]string{1: "malformedRequest", 2: "internalError", 3: "tryLater", 5: "sigRequired", 6: "unauthorized"}
	return fmt.Sprintf("OCSP responder answers %d %s", int(e), names[int(e)])
}

// Is makes internalError and tryLater signer.ErrUnavailable.
func (e OCSPStatusError) Is(target error) bool {
	return target == signer.ErrUnavailable && (e == 2 || e == 3)
}

func badOCSP(what string) error { return fmt.Errorf("%w: OCSP: %s", ErrEvidence, what) }

// parseOCSP reads an OCSPResponse, or a bare BasicOCSPResponse as CMS carries it.
func parseOCSP(der []byte) (*ocspResponse, error) {
	if len(der) > maxOCSP {
		return nil, badOCSP("too long")
	}
	s := cryptobyte.String(der)
	var outer, wrapped, responseBytes, basic cryptobyte.String
	if !s.ReadASN1(&outer, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, badOCSP("OCSPResponse")
	}
	if outer.PeekASN1Tag(cbasn1.SEQUENCE) {
		return parseBasicOCSP(der, der)
	}
	var status int
	if !outer.ReadASN1Enum(&status) {
		return nil, badOCSP("responseStatus")
	}
	if status != 0 {
		return nil, OCSPStatusError(status)
	}
	var oid asn1.ObjectIdentifier
	if !outer.ReadASN1(&wrapped, contextTag(0)) || !wrapped.ReadASN1(&responseBytes, cbasn1.SEQUENCE) ||
		!responseBytes.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidOCSPBasic) || !responseBytes.ReadASN1(&basic, cbasn1.OCTET_STRING) {
		return nil, badOCSP("responseBytes")
	}
	return parseBasicOCSP(der, basic)
}

func contextTag(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

func parseBasicOCSP(raw []byte, der cryptobyte.String) (*ocspResponse, error) {
	r := &ocspResponse{raw: raw}
	var s, tbs, algorithm, certs cryptobyte.String
	var bits asn1.BitString
	var hasCerts bool
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&s, cbasn1.SEQUENCE) || !der.Empty() || !s.ReadASN1Element(&tbs, cbasn1.SEQUENCE) ||
		!s.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!s.ReadASN1BitString(&bits) || !s.ReadOptionalASN1(&certs, &hasCerts, contextTag(0)) || !s.Empty() {
		return nil, badOCSP("BasicOCSPResponse")
	}
	r.tbs, r.signature = tbs, bits.RightAlign()
	var err error
	if r.algorithm, err = cms.ParseAlgorithm(oid, algorithm); err != nil {
		return nil, fmt.Errorf("%w: OCSP: %w", ErrEvidence, err)
	}
	if hasCerts && !r.parseCertificates(certs) {
		return nil, badOCSP("certs")
	}
	return r, r.parseData(tbs)
}

func (r *ocspResponse) parseCertificates(s cryptobyte.String) bool {
	var list, raw cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return false
	}
	for !list.Empty() && len(r.certs) < 20 {
		if !list.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return false
		}
		if c, err := x509.ParseCertificate(raw); err == nil {
			r.certs = append(r.certs, c)
		}
	}
	return true
}

// parseData reads ResponseData.
func (r *ocspResponse) parseData(tbs cryptobyte.String) error {
	var s, version, responses, extensions cryptobyte.String
	var hasVersion, hasExtensions bool
	if !tbs.ReadASN1(&s, cbasn1.SEQUENCE) || !s.ReadOptionalASN1(&version, &hasVersion, contextTag(0)) || !r.parseResponder(&s) ||
		!s.ReadASN1GeneralizedTime(&r.producedAt) || !s.ReadASN1(&responses, cbasn1.SEQUENCE) ||
		!s.ReadOptionalASN1(&extensions, &hasExtensions, contextTag(1)) || !s.Empty() {
		return badOCSP("ResponseData")
	}
	for !responses.Empty() {
		var one cryptobyte.String
		if len(r.singles) == maxSingles || !responses.ReadASN1(&one, cbasn1.SEQUENCE) {
			return badOCSP("responses")
		}
		single, ok := parseSingle(one)
		if !ok {
			return badOCSP("SingleResponse")
		}
		r.singles = append(r.singles, single)
	}
	return r.parseNonce(extensions)
}

func (r *ocspResponse) parseResponder(s *cryptobyte.String) bool {
	var id, key cryptobyte.String
	if s.PeekASN1Tag(contextTag(1)) {
		ok := s.ReadASN1(&id, contextTag(1))
		r.name = id
		return ok
	}
	ok := s.ReadASN1(&id, contextTag(2)) && id.ReadASN1(&key, cbasn1.OCTET_STRING)
	r.keyHash = key
	return ok
}

func (r *ocspResponse) parseNonce(s cryptobyte.String) error {
	if s.Empty() {
		return nil
	}
	var list cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return badOCSP("responseExtensions")
	}
	for !list.Empty() {
		var ext, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !list.ReadASN1(&ext, cbasn1.SEQUENCE) || !ext.ReadASN1ObjectIdentifier(&oid) ||
			(ext.PeekASN1Tag(cbasn1.BOOLEAN) && !ext.ReadASN1Boolean(&critical)) || !ext.ReadASN1(&value, cbasn1.OCTET_STRING) {
			return badOCSP("responseExtensions")
		}
		switch {
		case oid.Equal(oidOCSPNonce):
			r.nonce = value
		case critical:
			return badOCSP("unknown critical extension " + oid.String())
		}
	}
	return nil
}

func parseSingle(s cryptobyte.String) (ocspSingle, bool) {
	var one ocspSingle
	var id, algorithm, name, key, next cryptobyte.String
	var oid asn1.ObjectIdentifier
	var hasNext bool
	one.serial = new(big.Int)
	if !s.ReadASN1(&id, cbasn1.SEQUENCE) || !id.ReadASN1(&algorithm, cbasn1.SEQUENCE) || !algorithm.ReadASN1ObjectIdentifier(&oid) ||
		!id.ReadASN1(&name, cbasn1.OCTET_STRING) || !id.ReadASN1(&key, cbasn1.OCTET_STRING) || !id.ReadASN1Integer(one.serial) {
		return one, false
	}
	one.hash, one.nameHash, one.keyHash = cms.HashOf(oid), name, key
	if !parseStatus(&s, &one.revocation) || !s.ReadASN1GeneralizedTime(&one.revocation.ThisUpdate) ||
		!s.ReadOptionalASN1(&next, &hasNext, contextTag(0)) {
		return one, false
	}
	if hasNext && !next.ReadASN1GeneralizedTime(&one.revocation.NextUpdate) {
		return one, false
	}
	return one, true // singleExtensions change nothing of this
}

func parseStatus(s *cryptobyte.String, r *Revocation) bool {
	r.Source = "OCSP"
	var body, reason cryptobyte.String
	switch {
	case s.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific()):
		r.Status = Good
		return s.SkipASN1(cbasn1.Tag(0).ContextSpecific())
	case s.PeekASN1Tag(cbasn1.Tag(2).ContextSpecific()):
		r.Status = Unknown
		return s.SkipASN1(cbasn1.Tag(2).ContextSpecific())
	}
	var hasReason bool
	r.Status = Revoked
	if !s.ReadASN1(&body, contextTag(1)) || !body.ReadASN1GeneralizedTime(&r.RevokedAt) || !body.ReadOptionalASN1(&reason, &hasReason, contextTag(0)) {
		return false
	}
	return !hasReason || reason.ReadASN1Enum(&r.Reason)
}

// about tells whether the response speaks of a certificate.
func (r *ocspResponse) about(cert, issuer *x509.Certificate) bool {
	return r.single(cert, issuer) != nil
}

func (r *ocspResponse) single(cert, issuer *x509.Certificate) *ocspSingle {
	for i := range r.singles {
		one := &r.singles[i]
		if one.serial.Cmp(cert.SerialNumber) == 0 && one.hash.Available() &&
			bytes.Equal(one.nameHash, hashOf(one.hash, issuer.RawSubject)) && bytes.Equal(one.keyHash, hashOf(one.hash, keyBits(issuer))) {
			return one
		}
	}
	return nil
}

func hashOf(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}

// keyBits returns the bits of subjectPublicKey, without the tag and unused-bits byte.
func keyBits(cert *x509.Certificate) []byte {
	s := cryptobyte.String(cert.RawSubjectPublicKeyInfo)
	var spki cryptobyte.String
	var bits asn1.BitString
	if !s.ReadASN1(&spki, cbasn1.SEQUENCE) || !spki.SkipASN1(cbasn1.SEQUENCE) || !spki.ReadASN1BitString(&bits) {
		return nil
	}
	return bits.RightAlign()
}

// check verifies that an authorised responder signed and that the answer is fresh.
func (r *ocspResponse) check(m *memo, s subject, when When) (Revocation, error) {
	one := r.single(s.cert, s.issuer)
	if one == nil {
		return Revocation{}, badOCSP("is about another certificate")
	}
	responder, err := r.responder(m, s.issuer, s.others)
	if err != nil {
		return Revocation{}, err
	}
	rev := one.revocation
	rev.Raw = r.raw
	if !responder.Equal(s.issuer) {
		rev.Signers = []*x509.Certificate{responder}
	}
	return rev, when.accept(rev, s.cert)
}

// responder finds who signed, and that he may: the issuer itself, or whom the issuer
// certified for it (RFC 6960 §4.2.2.2).
func (r *ocspResponse) responder(m *memo, issuer *x509.Certificate, others []*x509.Certificate) (*x509.Certificate, error) {
	if r.algorithm.Hash == crypto.SHA1 || r.algorithm.Hash == crypto.MD5 {
		return nil, badOCSP("signed with " + r.algorithm.String())
	}
	err := badOCSP("responder's certificate is not at hand")
	for _, c := range slices.Concat([]*x509.Certificate{issuer}, r.certs, others) {
		if !r.namedBy(c) {
			continue
		}
		if err = r.authorised(m, c, issuer); err != nil {
			continue
		}
		if err = m.verify(r, c, func() error { return r.algorithm.Verify(c.PublicKey, hashOf(r.algorithm.Hash, r.tbs), r.signature) }); err == nil {
			return c, nil
		}
		err = fmt.Errorf("%w: OCSP: %w", ErrEvidence, err)
	}
	return nil, err
}

func (r *ocspResponse) namedBy(c *x509.Certificate) bool {
	if r.name != nil {
		return bytes.Equal(r.name, c.RawSubject)
	}
	sum := sha1.Sum(keyBits(c)) // see the import
	return bytes.Equal(r.keyHash, sum[:])
}

// delegated is a responder's certificate in a memo: more is asked of its signature than of
// one in a path.
type delegated struct{ *x509.Certificate }

func (r *ocspResponse) authorised(m *memo, c, issuer *x509.Certificate) error {
	if c.Equal(issuer) {
		return nil
	}
	if !slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageOCSPSigning) {
		return badOCSP("signed by a certificate without the right to sign OCSP")
	}
	if !bytes.Equal(c.RawIssuer, issuer.RawSubject) || m.verify(delegated{c}, issuer, func() error { return c.CheckSignatureFrom(issuer) }) != nil {
		return badOCSP("responder was not certified by the certificate's issuer")
	}
	if r.producedAt.Before(c.NotBefore) || r.producedAt.After(c.NotAfter) {
		return badOCSP("responder's certificate was not valid when it signed")
	}
	return nil
}

// noCheck tells that a responder's certificate needs no revocation check.
func noCheck(c *x509.Certificate) bool {
	for _, e := range c.Extensions {
		if e.Id.Equal(oidOCSPNoCheck) {
			return true
		}
	}
	return false
}

// ocspRequest encodes a request about one certificate; nonce may be nil.
func ocspRequest(cert, issuer *x509.Certificate, nonce []byte) ([]byte, error) {
	oid := asn1.ObjectIdentifier{1, 3, 14, 3, 2, 26} // SHA-1: the one every responder knows (RFC 5019 §2.1.1)
	var b cryptobyte.Builder
	seq := func(b *cryptobyte.Builder, f cryptobyte.BuilderContinuation) { b.AddASN1(cbasn1.SEQUENCE, f) }
	certID := func(b *cryptobyte.Builder) {
		seq(b, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(hashOf(crypto.SHA1, issuer.RawSubject))
		b.AddASN1OctetString(hashOf(crypto.SHA1, keyBits(issuer)))
		b.AddASN1BigInt(cert.SerialNumber)
	}
	seq(&b, func(b *cryptobyte.Builder) { // OCSPRequest
		seq(b, func(b *cryptobyte.Builder) { // TBSRequest
			seq(b, func(b *cryptobyte.Builder) { // requestList
				seq(b, func(b *cryptobyte.Builder) { seq(b, certID) })
			})
			if nonce != nil {
				b.AddASN1(contextTag(2), func(b *cryptobyte.Builder) { seq(b, func(b *cryptobyte.Builder) { addNonce(b, nonce) }) })
			}
		})
	})
	return b.Bytes()
}

func addNonce(b *cryptobyte.Builder, nonce []byte) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOCSPNonce)
		b.AddASN1(cbasn1.OCTET_STRING, func(b *cryptobyte.Builder) { b.AddASN1OctetString(nonce) })
	})
}
