package cms

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
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
	hash, err := HashOID(in.Algorithm.Hash)
	if err != nil {
		return nil, err
	}
	if in.ContentType == nil {
		in.ContentType = OIDData
	}
	if err := in.check(); err != nil {
		return nil, err
	}
	e := newEncoder(in.sizeHint())
	e.signedData(&in, hash)
	e.wrap(tagConstructed, 0)
	e.oid(OIDSignedData)
	e.wrap(tagSequence, 0) // ContentInfo
	return e.bytes(), nil
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

func (e *encoder) signedData(in *Input, hash asn1.ObjectIdentifier) {
	mark := e.mark()
	e.signerInfo(in, hash)
	e.wrap(tagSet, mark)
	if !in.OmitCertificates {
		e.sortedSet(tagConstructed, in.certificates())
	}
	e.encapsulated(in)
	digests := e.mark()
	e.hash(hash)
	e.wrap(tagSet, digests)
	if in.ContentType.Equal(OIDData) {
		e.small(1)
	} else {
		e.small(3) // RFC 5652 §5.1
	}
	e.wrap(tagSequence, mark)
}

// encapsulated writes EncapsulatedContentInfo.
func (e *encoder) encapsulated(in *Input) {
	mark := e.mark()
	if in.Content != nil {
		e.octets(in.Content)
		e.wrap(tagConstructed, mark)
	}
	e.oid(in.ContentType)
	e.wrap(tagSequence, mark)
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

// signerInfo writes SignerInfo. The attributes stand under [0] IMPLICIT instead of SET OF,
// which is the only difference to the bytes that were signed (RFC 5652 §5.4).
func (e *encoder) signerInfo(in *Input, hash asn1.ObjectIdentifier) {
	mark := e.mark()
	if in.TimeStampToken != nil {
		e.raw(in.TimeStampToken)
		e.attribute(OIDTimeStampToken, mark)
		e.wrap(tagConstructed|1, mark)
	}
	e.octets(in.Signature)
	e.signatureAlgorithm(in.Algorithm)
	e.raw(in.Attributes)
	e.bytes()[0] = tagConstructed
	e.hash(hash)
	sid := e.mark()
	e.integer(in.Certificate.SerialNumber)
	e.raw(in.Certificate.RawIssuer)
	e.wrap(tagSequence, sid) // IssuerAndSerialNumber
	e.small(1)
	e.wrap(tagSequence, mark)
}

// check refuses what would not give a SignedData.
func (in *Input) check() error {
	if len(in.Signature) == 0 || len(in.Attributes) == 0 {
		return errors.New("signature or signed attributes missing")
	}
	s := cryptobyte.String(in.Attributes)
	var set cryptobyte.String
	if !s.ReadASN1(&set, cbasn1.SET) || !s.Empty() {
		return errors.New("signed attributes are no DER SET OF")
	}
	if n := in.Certificate.SerialNumber; n == nil || n.Sign() < 0 {
		return fmt.Errorf("%w: serial number of the certificate", ErrFormat)
	}
	_, err := in.Algorithm.OID()
	return err
}
