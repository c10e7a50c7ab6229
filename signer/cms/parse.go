package cms

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds of lists in a SignedData.
const (
	maxCertificates = 256
	maxSigners      = 16
	maxAttributes   = 64
)

// SignedData is a parsed SignedData. Nothing in it has been verified.
type SignedData struct {
	Version     int
	ContentType asn1.ObjectIdentifier
	// Content is the encapsulated content; nil if it is detached.
	Content []byte
	// Certificates are those that could be parsed, in the order found; BadCertificates
	// counts the others (attribute certificates among them).
	Certificates    []*x509.Certificate
	BadCertificates int
	// CRLs and OCSPs are the DER of the revocation data carried (RFC 5652 §10.2.1,
	// RFC 5940): CertificateList and OCSPResponse.
	CRLs, OCSPs [][]byte
	Signers     []*SignerInfo
	// DigestOIDs are the digest algorithms that the content is said to be digested with.
	DigestOIDs []asn1.ObjectIdentifier
	// Canonical tells that lengths and strings were encoded as DER demands.
	Canonical bool
}

// SignerInfo is one signer's part of a SignedData (RFC 5652 §5.3).
type SignerInfo struct {
	Version int
	// The signer is named by RawIssuer and Serial, or by SubjectKeyID.
	RawIssuer    []byte
	Serial       *big.Int
	SubjectKeyID []byte
	// DigestOID is the digest algorithm, SignatureOID the signature algorithm as written,
	// signatureParams the DER of its parameters.
	DigestOID       asn1.ObjectIdentifier
	SignatureOID    asn1.ObjectIdentifier
	signatureParams []byte
	// SignedAttributes and UnsignedAttributes are in the order found.
	SignedAttributes   []Attribute
	UnsignedAttributes []Attribute
	Signature          []byte

	rawSigned []byte // the SET OF as found, under the tag SET
}

// Attribute is an attribute with the DER of each value.
type Attribute struct {
	OID    asn1.ObjectIdentifier
	Values [][]byte
	raw    []byte
}

// Parse reads a ContentInfo with SignedData, in DER or BER, and nothing after it: cut the
// padding of a PDF's /Contents with Split. The input must not be changed afterwards.
// ErrSyntax if it cannot be read. Sizes, depth and counts are bounded.
func Parse(in []byte) (*SignedData, error) {
	der, canonical, err := toDER(in)
	if err != nil {
		return nil, err
	}
	s := cryptobyte.String(der)
	var info, explicit, body cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1ObjectIdentifier(&oid) {
		return nil, syntax("ContentInfo")
	}
	if !oid.Equal(OIDSignedData) {
		return nil, fmt.Errorf("%w: content type %v is not signed-data", ErrSyntax, oid)
	}
	if !info.ReadASN1(&explicit, contextTag(0)) || !info.Empty() || !explicit.ReadASN1(&body, cbasn1.SEQUENCE) || !explicit.Empty() {
		return nil, syntax("ContentInfo")
	}
	sd := &SignedData{Canonical: canonical}
	return sd, sd.parse(body)
}

func syntax(what string) error { return fmt.Errorf("%w: %s", ErrSyntax, what) }

func (sd *SignedData) parse(s cryptobyte.String) error {
	var digests, certs, crls, signers cryptobyte.String
	var hasCerts, hasCRLs bool
	if !s.ReadASN1Integer(&sd.Version) || !s.ReadASN1(&digests, cbasn1.SET) {
		return syntax("SignedData version or digestAlgorithms")
	}
	for !digests.Empty() {
		oid, _ := readAlgorithm(&digests)
		if oid == nil || len(sd.DigestOIDs) == maxSigners {
			return syntax("digestAlgorithms")
		}
		sd.DigestOIDs = append(sd.DigestOIDs, oid)
	}
	if err := sd.parseContent(&s); err != nil {
		return err
	}
	if !s.ReadOptionalASN1(&certs, &hasCerts, contextTag(0)) || !s.ReadOptionalASN1(&crls, &hasCRLs, contextTag(1)) ||
		!s.ReadASN1(&signers, cbasn1.SET) || !s.Empty() {
		return syntax("SignedData")
	}
	if err := sd.parseCertificates(certs); err != nil {
		return err
	}
	if err := sd.parseRevocation(crls); err != nil {
		return err
	}
	for !signers.Empty() {
		var one cryptobyte.String
		if len(sd.Signers) == maxSigners || !signers.ReadASN1(&one, cbasn1.SEQUENCE) {
			return syntax("SignerInfos")
		}
		si, err := parseSigner(one)
		if err != nil {
			return err
		}
		sd.Signers = append(sd.Signers, si)
	}
	return nil
}

func (sd *SignedData) parseContent(s *cryptobyte.String) error {
	var encap, explicit cryptobyte.String
	var present bool
	if !s.ReadASN1(&encap, cbasn1.SEQUENCE) || !encap.ReadASN1ObjectIdentifier(&sd.ContentType) ||
		!encap.ReadOptionalASN1(&explicit, &present, contextTag(0)) || !encap.Empty() {
		return syntax("EncapsulatedContentInfo")
	}
	if !present {
		return nil
	}
	var content cryptobyte.String
	if !explicit.ReadASN1(&content, cbasn1.OCTET_STRING) || !explicit.Empty() {
		return syntax("eContent")
	}
	sd.Content = append([]byte{}, content...)
	return nil
}

func (sd *SignedData) parseCertificates(s cryptobyte.String) error {
	for !s.Empty() {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if len(sd.Certificates)+sd.BadCertificates == maxCertificates || !s.ReadAnyASN1Element(&raw, &tag) {
			return syntax("certificates")
		}
		cert, err := x509.ParseCertificate(raw)
		if err != nil {
			sd.BadCertificates++
			continue
		}
		sd.Certificates = append(sd.Certificates, cert)
	}
	return nil
}

var oidOCSPRevocation = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 16, 2} // RFC 5940 §2.1

func (sd *SignedData) parseRevocation(s cryptobyte.String) error {
	for !s.Empty() {
		var raw, other cryptobyte.String
		var tag cbasn1.Tag
		if len(sd.CRLs)+len(sd.OCSPs) == maxCertificates || !s.ReadAnyASN1Element(&raw, &tag) {
			return syntax("crls")
		}
		if tag == cbasn1.SEQUENCE {
			sd.CRLs = append(sd.CRLs, raw)
			continue
		}
		var oid asn1.ObjectIdentifier
		if raw.ReadASN1(&other, contextTag(1)) && other.ReadASN1ObjectIdentifier(&oid) && oid.Equal(oidOCSPRevocation) {
			sd.OCSPs = append(sd.OCSPs, other)
		}
	}
	return nil
}

func parseSigner(s cryptobyte.String) (*SignerInfo, error) {
	si := &SignerInfo{}
	var signature, unsigned cryptobyte.String
	var hasSigned, hasUnsigned bool
	if !s.ReadASN1Integer(&si.Version) || !si.parseIdentifier(&s) {
		return nil, syntax("SignerInfo sid")
	}
	if si.DigestOID, _ = readAlgorithm(&s); si.DigestOID == nil {
		return nil, syntax("SignerInfo digestAlgorithm")
	}
	var signed cryptobyte.String
	if !s.ReadOptionalASN1(&signed, &hasSigned, contextTag(0)) {
		return nil, syntax("SignerInfo signedAttrs")
	}
	if si.SignatureOID, si.signatureParams = readAlgorithm(&s); si.SignatureOID == nil {
		return nil, syntax("SignerInfo signatureAlgorithm")
	}
	if !s.ReadASN1(&signature, cbasn1.OCTET_STRING) || !s.ReadOptionalASN1(&unsigned, &hasUnsigned, contextTag(1)) || !s.Empty() {
		return nil, syntax("SignerInfo signature")
	}
	si.Signature = signature
	if hasSigned {
		si.rawSigned = encode([]byte{0x31}, signed, false)
	}
	var ok bool
	if si.SignedAttributes, ok = parseAttributes(signed); !ok {
		return nil, syntax("signed attributes")
	}
	if si.UnsignedAttributes, ok = parseAttributes(unsigned); !ok {
		return nil, syntax("unsigned attributes")
	}
	return si, nil
}

func (si *SignerInfo) parseIdentifier(s *cryptobyte.String) bool {
	var id cryptobyte.String
	if s.PeekASN1Tag(cbasn1.Tag(0).ContextSpecific()) {
		ok := s.ReadASN1(&id, cbasn1.Tag(0).ContextSpecific())
		si.SubjectKeyID = id
		return ok
	}
	var issuer cryptobyte.String
	si.Serial = new(big.Int)
	ok := s.ReadASN1(&id, cbasn1.SEQUENCE) && id.ReadASN1Element(&issuer, cbasn1.SEQUENCE) &&
		id.ReadASN1Integer(si.Serial) && id.Empty()
	si.RawIssuer = issuer
	return ok
}

// readAlgorithm reads an AlgorithmIdentifier; the identifier is nil if there is none.
func readAlgorithm(s *cryptobyte.String) (asn1.ObjectIdentifier, []byte) {
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) {
		return nil, nil
	}
	return oid, seq
}

func parseAttributes(s cryptobyte.String) ([]Attribute, bool) {
	var attributes []Attribute
	for !s.Empty() {
		var raw, seq, set cryptobyte.String
		var a Attribute
		if len(attributes) == maxAttributes || !s.ReadASN1Element(&raw, cbasn1.SEQUENCE) {
			return nil, false
		}
		a.raw = raw
		if !raw.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&a.OID) || !seq.ReadASN1(&set, cbasn1.SET) || !seq.Empty() {
			return nil, false
		}
		for !set.Empty() {
			var value cryptobyte.String
			var tag cbasn1.Tag
			if len(a.Values) == maxAttributes || !set.ReadAnyASN1Element(&value, &tag) {
				return nil, false
			}
			a.Values = append(a.Values, value)
		}
		attributes = append(attributes, a)
	}
	return attributes, true
}

// SignedAttribute returns the value of a signed attribute that must occur once with one
// value; ok is false if it is absent, repeated or has several values.
func (si *SignerInfo) SignedAttribute(oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	return single(si.SignedAttributes, oid)
}

// HasSignedAttribute tells whether a signed attribute occurs at all.
func (si *SignerInfo) HasSignedAttribute(oid asn1.ObjectIdentifier) bool {
	return slices.ContainsFunc(si.SignedAttributes, func(a Attribute) bool { return a.OID.Equal(oid) })
}

func single(attributes []Attribute, oid asn1.ObjectIdentifier) (value []byte, ok bool) {
	for _, a := range attributes {
		if !a.OID.Equal(oid) {
			continue
		}
		if value != nil || len(a.Values) != 1 {
			return nil, false
		}
		value = a.Values[0]
	}
	return value, value != nil
}

// TimeStampTokens returns the tokens of the signature-time-stamp attribute, in order. Each
// covers the bytes of Signature.
func (si *SignerInfo) TimeStampTokens() [][]byte {
	var tokens [][]byte
	for _, a := range si.UnsignedAttributes {
		if a.OID.Equal(OIDTimeStampToken) {
			tokens = append(tokens, a.Values...)
		}
	}
	return tokens
}

// derAttributes returns the signed attributes as they are signed: DER, in the order of SET
// OF (RFC 5652 §5.4). sorted tells that they were stored in that order.
func (si *SignerInfo) derAttributes() (der []byte, sorted bool) {
	elements := make([][]byte, len(si.SignedAttributes))
	for i, a := range si.SignedAttributes {
		elements[i] = a.raw
	}
	e := newEncoder(len(si.rawSigned) + 4)
	e.sortedSet(tagSet, elements)
	return e.bytes(), bytes.Equal(e.bytes(), si.rawSigned)
}
