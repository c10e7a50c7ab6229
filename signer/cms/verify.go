package cms

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
)

// CheckID names one check of Verify.
type CheckID string

// The checks, in the order they are made.
const (
	CheckSigner        CheckID = "signer-certificate"   // the certificate that sid names is at hand
	CheckAttributes    CheckID = "signed-attributes"    // they are there, in DER, each once
	CheckContentType   CheckID = "content-type"         // attribute = eContentType
	CheckDigest        CheckID = "message-digest"       // attribute = digest of the content
	CheckESS           CheckID = "signing-certificate"  // ESS attribute names the signer's certificate
	CheckAlgorithm     CheckID = "algorithm"            // known, consistent, fit for the key
	CheckAlgorithmSeal CheckID = "algorithm-protection" // RFC 6211 attribute, if there is one
	CheckSignature     CheckID = "signature-value"
)

// Outcome of a check.
type Outcome int

// The outcomes.
const (
	NotDone Outcome = iota // for want of what an earlier check should have found
	Passed
	Failed
)

// String gives the word of the reports.
func (o Outcome) String() string { return [...]string{"not-done", "passed", "failed"}[o] }

// Check is one check with its outcome. Err is nil unless it failed.
type Check struct {
	ID      CheckID
	Clause  string
	Outcome Outcome
	Err     error
}

// Errors of checks whose meaning the indications of ETSI EN 319 102-1 distinguish.
var (
	// ErrDigest: the content is not what was signed (HASH_FAILURE).
	ErrDigest = errors.New("message digest differs from the content")
	// ErrSignature: the signature value is wrong (SIG_CRYPTO_FAILURE).
	ErrSignature = errors.New("signature value is wrong")
	// ErrNoSigner: the signer's certificate is not at hand (NO_SIGNING_CERTIFICATE_FOUND).
	ErrNoSigner = errors.New("signer's certificate is not in the signature")
	// ErrFormat: the structure breaks a rule (FORMAT_FAILURE).
	ErrFormat = errors.New("signature breaks the format")
	// ErrDigestAlgorithms: the signer's digest algorithm is not among those that the
	// SignedData says its content is digested with (RFC 5652 §5.1). It comes with ErrFormat.
	ErrDigestAlgorithms = errors.New("digestAlgorithms does not list the signer's digest")
)

// Weakness is something that verifies and yet proves little today. Which weaknesses are
// acceptable, and till when, is policy (ETSI TS 119 312).
type Weakness string

// The weaknesses.
const (
	WeakDigest    Weakness = "weak-digest"    // MD5, SHA-1 over the content
	WeakSignature Weakness = "weak-signature" // MD5, SHA-1 in the signature
	WeakKey       Weakness = "weak-key"       // RSA below 2048 bits, curve below 256
	WeakESS       Weakness = "weak-ess"       // ESS v1, which is SHA-1
)

// Verification is the result of verifying one signer.
type Verification struct {
	// Signer is the certificate that sid names, nil if it is not at hand. Only this
	// certificate may be trusted or not; others in the bag have signed nothing.
	Signer     *x509.Certificate
	Algorithm  Algorithm
	Digest     crypto.Hash
	ESSVersion int // 0 if the attribute is absent
	Checks     []Check
	Weaknesses []Weakness
}

// Err returns the first failure, nil if every check passed.
func (v *Verification) Err() error {
	for _, c := range v.Checks {
		if c.Outcome == Failed {
			return fmt.Errorf("%s: %w", c.ID, c.Err)
		}
	}
	for _, c := range v.Checks {
		if c.Outcome == NotDone {
			return fmt.Errorf("%s: not checked", c.ID)
		}
	}
	return nil
}

// Check returns a check by its identifier.
func (v *Verification) Check(id CheckID) Check {
	for _, c := range v.Checks {
		if c.ID == id {
			return c
		}
	}
	return Check{ID: id}
}

// Digester returns the digest of the content by a hash.
type Digester func(crypto.Hash) ([]byte, error)

// DigestOf makes a Digester of a digest that is known already; another hash is an error.
func DigestOf(h crypto.Hash, digest []byte) Digester {
	return func(want crypto.Hash) ([]byte, error) {
		if want != h {
			return nil, fmt.Errorf("%w: the digest at hand is %s, the signature's %s", ErrAlgorithm, h, want)
		}
		return digest, nil
	}
}

// BytesOf makes a Digester of content in memory.
func BytesOf(content []byte) Digester {
	return func(h crypto.Hash) ([]byte, error) { return sum(h, content), nil }
}

// Verify verifies every signer over the content, each check by itself. extra are certificates
// to look in besides those carried. Trust, validity and revocation are not its subject.
//
// For encapsulated content give nil: the content carried is digested.
func (sd *SignedData) Verify(content Digester, extra ...*x509.Certificate) []*Verification {
	if content == nil {
		content = BytesOf(sd.Content)
	}
	results := make([]*Verification, 0, len(sd.Signers))
	for _, si := range sd.Signers {
		v := &verifier{sd: sd, si: si, content: content, extra: extra, out: &Verification{}}
		v.run()
		results = append(results, v.out)
	}
	return results
}

type verifier struct {
	sd      *SignedData
	si      *SignerInfo
	content Digester
	extra   []*x509.Certificate
	out     *Verification
}

// errNotDone is returned by a check that cannot be made.
var errNotDone = errors.New("not done")

func (v *verifier) run() {
	v.do(CheckSigner, "RFC 5652 §5.3", v.findSigner)
	v.do(CheckAttributes, "RFC 5652 §5.4", v.checkAttributes)
	v.do(CheckContentType, "RFC 5652 §11.1", v.checkContentType)
	v.do(CheckDigest, "RFC 5652 §5.4", v.checkDigest)
	v.do(CheckESS, "RFC 5035 §3", v.checkESS)
	v.do(CheckAlgorithm, "RFC 5652 §10.1.2", v.checkAlgorithm)
	if v.si.HasSignedAttribute(OIDAlgorithmProtection) {
		v.do(CheckAlgorithmSeal, "RFC 6211 §2", v.checkProtection)
	}
	v.do(CheckSignature, "RFC 5652 §5.6", v.checkSignature)
}

func (v *verifier) do(id CheckID, clause string, check func() error) {
	c := Check{ID: id, Clause: clause, Outcome: Passed}
	switch err := check(); {
	case errors.Is(err, errNotDone):
		c.Outcome = NotDone
	case err != nil:
		c.Outcome, c.Err = Failed, err
	}
	v.out.Checks = append(v.out.Checks, c)
}

// findSigner looks for the certificate that sid names. If several carry the name, the one
// that the ESS attribute names is meant: a second certificate with the same issuer and serial
// number must not take its place.
func (v *verifier) findSigner() error {
	var candidates []*x509.Certificate
	for _, c := range append(append([]*x509.Certificate{}, v.sd.Certificates...), v.extra...) {
		if v.si.names(c) {
			candidates = append(candidates, c)
		}
	}
	if len(candidates) == 0 {
		return ErrNoSigner
	}
	v.out.Signer = candidates[0]
	if id, _, err := v.si.SigningCertificate(); err == nil {
		for _, c := range candidates {
			if id.Matches(c) == nil {
				v.out.Signer = c
				break
			}
		}
	}
	v.noteKey()
	return nil
}

func (si *SignerInfo) names(c *x509.Certificate) bool {
	if si.Serial == nil {
		return len(si.SubjectKeyID) > 0 && bytes.Equal(si.SubjectKeyID, c.SubjectKeyId)
	}
	return si.Serial.Cmp(c.SerialNumber) == 0 && bytes.Equal(si.RawIssuer, c.RawIssuer)
}

func (v *verifier) noteKey() {
	switch k := v.out.Signer.PublicKey.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < 2048 {
			v.weak(WeakKey)
		}
	case *ecdsa.PublicKey:
		if k.Curve.Params().BitSize < 256 {
			v.weak(WeakKey)
		}
	}
}

func (v *verifier) weak(w Weakness) { v.out.Weaknesses = append(v.out.Weaknesses, w) }

// checkAttributes wants the attributes present, in the order of DER, and no attribute twice.
func (v *verifier) checkAttributes() error {
	if len(v.si.SignedAttributes) == 0 {
		return fmt.Errorf("%w: no signed attributes", ErrFormat)
	}
	for i, a := range v.si.SignedAttributes {
		for _, b := range v.si.SignedAttributes[:i] {
			if a.OID.Equal(b.OID) {
				return fmt.Errorf("%w: signed attribute %v occurs twice", ErrFormat, a.OID)
			}
		}
	}
	if _, sorted := v.si.derAttributes(); !sorted {
		return fmt.Errorf("%w: signed attributes are not in DER order", ErrFormat)
	}
	return nil
}

func (v *verifier) checkContentType() error {
	if len(v.si.SignedAttributes) == 0 {
		return errNotDone
	}
	value, ok := v.si.SignedAttribute(OIDContentType)
	if !ok {
		return fmt.Errorf("%w: content-type attribute is missing or repeated", ErrFormat)
	}
	s := cryptobyte.String(value)
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1ObjectIdentifier(&oid) || !s.Empty() || !oid.Equal(v.sd.ContentType) {
		return fmt.Errorf("%w: content-type attribute differs from the content's type", ErrFormat)
	}
	return nil
}

func (v *verifier) checkDigest() error {
	if len(v.si.SignedAttributes) == 0 {
		return errNotDone
	}
	h, err := v.si.DigestAlgorithm()
	if err != nil {
		return err
	}
	v.out.Digest = h
	if h == crypto.MD5 || h == crypto.SHA1 {
		v.weak(WeakDigest)
	}
	value, ok := v.si.SignedAttribute(OIDMessageDigest)
	if !ok {
		return fmt.Errorf("%w: message-digest attribute is missing or repeated", ErrFormat)
	}
	var claimed []byte
	if rest, err := asn1.Unmarshal(value, &claimed); err != nil || len(rest) > 0 {
		return fmt.Errorf("%w: message-digest attribute", ErrFormat)
	}
	digest, err := v.content(h)
	if err != nil {
		return err
	}
	if !bytes.Equal(digest, claimed) {
		return ErrDigest
	}
	return nil
}

func (v *verifier) checkESS() error {
	if v.out.Signer == nil {
		return errNotDone
	}
	id, version, err := v.si.SigningCertificate()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	v.out.ESSVersion = version
	if version == 1 {
		v.weak(WeakESS)
	}
	if err := id.Matches(v.out.Signer); err != nil {
		return fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return nil
}

// checkSignature verifies over the attributes in DER order, and, because some producers sign
// what they store, over the stored order: either way the same attributes are authenticated.
func (v *verifier) checkSignature() error {
	a := v.out.Algorithm
	if v.out.Signer == nil || a.Scheme == 0 {
		return errNotDone
	}
	err := v.verifyAttributes(a)
	if errors.Is(err, ErrAlgorithm) {
		return err
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return nil
}

// verifyAttributes verifies the signature value. Without signed attributes, as old PDF files
// have it, the content itself was signed; checkAttributes has failed then.
func (v *verifier) verifyAttributes(a Algorithm) error {
	pub := v.out.Signer.PublicKey
	if len(v.si.SignedAttributes) == 0 {
		digest, err := v.content(a.Hash)
		if err != nil {
			return err
		}
		return a.Verify(pub, digest, v.si.Signature)
	}
	der, sorted := v.si.derAttributes()
	err := verifyValue(a, pub, der, v.si.Signature)
	if err != nil && !sorted {
		err = verifyValue(a, pub, v.si.rawSigned, v.si.Signature)
	}
	return err
}

func verifyValue(a Algorithm, pub crypto.PublicKey, message, signature []byte) error {
	if a.Scheme == Ed25519 {
		return verifyEd25519(pub, message, signature)
	}
	return a.Verify(pub, sum(a.Hash, message), signature)
}
