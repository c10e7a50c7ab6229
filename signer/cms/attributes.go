package cms

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
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
	return encodeSet([]func(*cryptobyte.Builder){
		attribute(OIDContentType, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(contentType) }),
		attribute(OIDMessageDigest, func(b *cryptobyte.Builder) { b.AddASN1OctetString(digest) }),
		attribute(OIDSigningCertificateV2, func(b *cryptobyte.Builder) { addSigningCertificateV2(b, h, oid, signerCert) }),
	})
}

func attribute(oid asn1.ObjectIdentifier, value cryptobyte.BuilderContinuation) func(*cryptobyte.Builder) {
	return func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oid)
			b.AddASN1(cbasn1.SET, value)
		})
	}
}

// addSigningCertificateV2 writes the SigningCertificateV2 of RFC 5035 §3 with one ESSCertIDv2;
// SHA-256 is the default and so is left out, as DER demands.
func addSigningCertificateV2(b *cryptobyte.Builder, h crypto.Hash, oid asn1.ObjectIdentifier, cert *x509.Certificate) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // SigningCertificateV2
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // certs
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // ESSCertIDv2
				if h != crypto.SHA256 {
					addHash(b, oid)
				}
				b.AddASN1OctetString(sum(h, cert.Raw))
				addIssuerSerial(b, cert)
			})
		})
	})
}

// addIssuerSerial writes IssuerSerial: the issuer as GeneralNames, and the serial number.
func addIssuerSerial(b *cryptobyte.Builder, cert *x509.Certificate) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(contextTag(4), func(b *cryptobyte.Builder) { b.AddBytes(cert.RawIssuer) })
		})
		b.AddASN1BigInt(cert.SerialNumber)
	})
}

// encodeSet encodes a SET OF in DER: elements in ascending order (X.690 §11.6).
func encodeSet(elements []func(*cryptobyte.Builder)) ([]byte, error) {
	encoded := make([][]byte, 0, len(elements))
	for _, e := range elements {
		var b cryptobyte.Builder
		e(&b)
		der, err := b.Bytes()
		if err != nil {
			return nil, err
		}
		encoded = append(encoded, der)
	}
	var b cryptobyte.Builder
	addSortedSet(&b, cbasn1.SET, encoded)
	return b.Bytes()
}

func addSortedSet(b *cryptobyte.Builder, tag cbasn1.Tag, elements [][]byte) {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	b.AddASN1(tag, func(b *cryptobyte.Builder) {
		for _, e := range sorted {
			b.AddBytes(e)
		}
	})
}

func sum(h crypto.Hash, data []byte) []byte {
	w := h.New()
	w.Write(data)
	return w.Sum(nil)
}
