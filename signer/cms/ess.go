package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// CertID is one entry of a signing-certificate attribute (RFC 5035 §3, §5.4.1.1).
type CertID struct {
	Hash crypto.Hash // 0 if unknown here
	Sum  []byte
	// RawIssuer and Serial are nil if issuerSerial is absent.
	RawIssuer []byte
	Serial    *big.Int
}

// Matches tells whether the entry names the certificate.
func (id CertID) Matches(cert *x509.Certificate) error {
	if !id.Hash.Available() {
		return fmt.Errorf("%w: hash of signing-certificate attribute", ErrAlgorithm)
	}
	if !bytes.Equal(sum(id.Hash, cert.Raw), id.Sum) {
		return errors.New("signing-certificate attribute is for another certificate")
	}
	if id.Serial != nil && (id.Serial.Cmp(cert.SerialNumber) != 0 || !bytes.Equal(id.RawIssuer, cert.RawIssuer)) {
		return errors.New("issuerSerial of the signing-certificate attribute is another")
	}
	return nil
}

// SigningCertificate returns the first entry of the signing-certificate-v2 attribute, or of
// the SHA-1 based one of ESS v1; version tells which. The first names the signer's certificate.
func (si *SignerInfo) SigningCertificate() (id CertID, version int, err error) {
	version = 2
	value, ok := si.SignedAttribute(OIDSigningCertificateV2)
	if !ok {
		version = 1
		if value, ok = si.SignedAttribute(OIDSigningCertificate); !ok {
			return CertID{}, 0, errors.New("no signing-certificate attribute")
		}
	}
	s := cryptobyte.String(value)
	var attr, certs, first cryptobyte.String
	if !s.ReadASN1(&attr, cbasn1.SEQUENCE) || !attr.ReadASN1(&certs, cbasn1.SEQUENCE) || !certs.ReadASN1(&first, cbasn1.SEQUENCE) {
		return CertID{}, version, syntax("signing-certificate attribute")
	}
	id, err = parseCertID(first, version)
	return id, version, err
}

func parseCertID(s cryptobyte.String, version int) (CertID, error) {
	id := CertID{Hash: crypto.SHA1}
	if version == 2 {
		id.Hash = crypto.SHA256
		if s.PeekASN1Tag(cbasn1.SEQUENCE) {
			oid, _ := readAlgorithm(&s)
			id.Hash = HashOf(oid)
		}
	}
	var digest cryptobyte.String
	if !s.ReadASN1(&digest, cbasn1.OCTET_STRING) {
		return CertID{}, syntax("ESSCertID")
	}
	id.Sum = digest
	if s.Empty() {
		return id, nil
	}
	var is, names, directory cryptobyte.String
	id.Serial = new(big.Int)
	if !s.ReadASN1(&is, cbasn1.SEQUENCE) || !is.ReadASN1(&names, cbasn1.SEQUENCE) ||
		!names.ReadASN1(&directory, contextTag(4)) || !is.ReadASN1Integer(id.Serial) {
		return CertID{}, syntax("issuerSerial")
	}
	id.RawIssuer = directory
	return id, nil
}
