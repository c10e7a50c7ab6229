package cms

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
)

// SignedAttributes returns the DER of the SET OF signed attributes for detached content with
// the given digest, as ETSI EN 319 142-1 §6.3 wants them: content-type, message-digest and
// signing-certificate-v2 with issuerSerial; no signing-time. Hash these bytes with the hash of the
// signature algorithm, which must be h, and have the digest signed.
func SignedAttributes(digest []byte, h crypto.Hash, signerCert *x509.Certificate) ([]byte, error) {
	return SignedAttributesOf(OIDData, digest, h, signerCert)
}

// SignedAttributesOf is SignedAttributes for content of another type, such as OIDTSTInfo.
func SignedAttributesOf(contentType asn1.ObjectIdentifier, digest []byte, h crypto.Hash, signerCert *x509.Certificate) ([]byte, error) {
	oid, err := HashOID(h)
	if err != nil {
		return nil, err
	}
	if len(digest) != h.Size() {
		return nil, fmt.Errorf("digest of %d bytes is no %s digest", len(digest), h)
	}
	if signerCert == nil || len(signerCert.Raw) == 0 {
		return nil, errors.New("no signing certificate")
	}
	if signerCert.SerialNumber == nil || signerCert.SerialNumber.Sign() < 0 {
		return nil, fmt.Errorf("%w: serial number of the certificate", ErrFormat)
	}
	e := newEncoder(2 * (sizeOfRest/2 + len(signerCert.RawIssuer)))
	var elements [][]byte
	e.oid(contentType)
	e.attribute(OIDContentType, 0)
	elements = append(elements, e.bytes())
	mark := e.mark()
	e.octets(digest)
	e.attribute(OIDMessageDigest, mark)
	elements = append(elements, e.bytes()[:e.mark()-mark])
	mark = e.mark()
	e.signingCertificate(h, oid, signerCert)
	e.attribute(OIDSigningCertificateV2, mark)
	elements = append(elements, e.bytes()[:e.mark()-mark])
	set := newEncoder(e.mark() + 4)
	set.sortedSet(tagSet, elements)
	return set.bytes(), nil
}

// signingCertificate writes the SigningCertificateV2 of RFC 5035 §3 with one ESSCertIDv2;
// SHA-256 is the default and so is left out, as DER demands.
func (e *encoder) signingCertificate(h crypto.Hash, oid asn1.ObjectIdentifier, cert *x509.Certificate) {
	mark := e.mark()
	e.issuerSerial(cert)
	e.octets(sum(h, cert.Raw))
	if h != crypto.SHA256 {
		e.hash(oid)
	}
	e.wrap(tagSequence, mark) // ESSCertIDv2
	e.wrap(tagSequence, mark) // certs
	e.wrap(tagSequence, mark) // SigningCertificateV2
}

// issuerSerial writes IssuerSerial: the issuer as GeneralNames, and the serial number.
func (e *encoder) issuerSerial(cert *x509.Certificate) {
	mark := e.mark()
	e.integer(cert.SerialNumber)
	names := e.mark()
	e.raw(cert.RawIssuer)
	e.wrap(tagConstructed|4, names) // directoryName
	e.wrap(tagSequence, names)
	e.wrap(tagSequence, mark)
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}
