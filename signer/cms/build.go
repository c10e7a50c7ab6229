package cms

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Input is what a SignedData with one signer is made of.
type Input struct {
	// Attributes is the DER SET OF signed attributes, from SignedAttributes.
	Attributes []byte
	// Signature is the signature value over Attributes.
	Signature []byte
	Algorithm Algorithm
	// Certificate is the signer's; Chain its issuers, in any order, duplicates ignored.
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
	// TimeStampToken, if any, is put into the signature-time-stamp unsigned attribute (ETSI
	// EN 319 122-1 §5.3). It is not verified here.
	TimeStampToken []byte
	// Content is encapsulated with ContentType; nil leaves the content out (detached).
	Content []byte
	// ContentType is OIDData if nil. It must be the one in Attributes.
	ContentType asn1.ObjectIdentifier
	// OmitCertificates leaves the certificates out, as RFC 3161 §2.4.1 wants when certReq is
	// not set.
	OmitCertificates bool
}

// Build returns the DER of ContentInfo with a SignedData of one signer (RFC 5652 §5), named
// by issuer and serial number. It does not verify the signature; SignedData.Verify does.
func Build(in Input) ([]byte, error) {
	if in.Certificate == nil || len(in.Certificate.Raw) == 0 {
		return nil, errors.New("no signing certificate")
	}
	if len(in.Signature) == 0 || len(in.Attributes) == 0 {
		return nil, errors.New("signature or signed attributes missing")
	}
	hash, err := HashOID(in.Algorithm.Hash)
	if err != nil {
		return nil, err
	}
	if in.ContentType == nil {
		in.ContentType = OIDData
	}
	b := cryptobyte.NewBuilder(make([]byte, 0, in.sizeHint()))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // ContentInfo
		b.AddASN1ObjectIdentifier(OIDSignedData)
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { in.addSignedData(b, hash) })
		})
	})
	return b.Bytes()
}

// sizeHint is about how long the result will be.
func (in Input) sizeHint() int {
	n := sizeOfRest + len(in.Attributes) + len(in.Signature) + len(in.TimeStampToken) + len(in.Content) + len(in.Certificate.Raw)
	for _, c := range in.Chain {
		if c != nil {
			n += len(c.Raw)
		}
	}
	return n
}

func (in Input) addSignedData(b *cryptobyte.Builder, hash asn1.ObjectIdentifier) {
	version := int64(1)
	if !in.ContentType.Equal(OIDData) {
		version = 3 // RFC 5652 §5.1
	}
	b.AddASN1Int64(version)
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) { addHash(b, hash) })
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // EncapsulatedContentInfo
		b.AddASN1ObjectIdentifier(in.ContentType)
		if in.Content != nil {
			b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddASN1OctetString(in.Content) })
		}
	})
	if !in.OmitCertificates {
		addSortedSet(b, contextTag(0), in.certificates())
	}
	b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { in.addSignerInfo(b, hash) })
	})
}

// certificates returns the signer's certificate and the chain, each once.
func (in Input) certificates() [][]byte {
	all := [][]byte{in.Certificate.Raw}
	for _, c := range in.Chain {
		if c != nil && !slices.ContainsFunc(all, func(der []byte) bool { return slices.Equal(der, c.Raw) }) {
			all = append(all, c.Raw)
		}
	}
	return all
}

func (in Input) addSignerInfo(b *cryptobyte.Builder, hash asn1.ObjectIdentifier) {
	b.AddASN1Int64(1)
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // IssuerAndSerialNumber
		b.AddBytes(in.Certificate.RawIssuer)
		b.AddASN1BigInt(in.Certificate.SerialNumber)
	})
	addHash(b, hash)
	in.addSignedAttributes(b)
	if err := in.Algorithm.addSignatureAlgorithm(b); err != nil {
		b.SetError(err)
		return
	}
	b.AddASN1OctetString(in.Signature)
	if in.TimeStampToken != nil {
		b.AddASN1(contextTag(1), attribute(OIDTimeStampToken, func(b *cryptobyte.Builder) { b.AddBytes(in.TimeStampToken) }))
	}
}

// addSignedAttributes writes the attributes under [0] IMPLICIT instead of SET OF, which is
// the only difference to the bytes that were signed (RFC 5652 §5.4).
func (in Input) addSignedAttributes(b *cryptobyte.Builder) {
	s := cryptobyte.String(in.Attributes)
	var set cryptobyte.String
	if !s.ReadASN1(&set, cbasn1.SET) || !s.Empty() {
		b.SetError(errors.New("signed attributes are no DER SET OF"))
		return
	}
	b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { b.AddBytes(set) })
}
