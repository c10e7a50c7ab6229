package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/softkey"
)

// keyTypes are what generateKey makes.

func generateKey(kind string) (crypto.Signer, error) {
	switch kind {
	case "P-256":
		return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case "P-384":
		return ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	}
	var bits int
	if _, err := fmt.Sscanf(kind, "RSA-%d", &bits); err != nil {
		return nil, fmt.Errorf("unknown type of key %q", kind)
	}
	return rsa.GenerateKey(rand.Reader, bits)
}

// keyType names the type of a public key.
func keyType(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return k.Curve.Params().Name
	}
	return fmt.Sprintf("%T", public)
}

// placeholderUsage is that of a placeholder: no signature.
const placeholderUsage = x509.KeyUsageKeyAgreement

// withPlaceholder returns the key with a certificate of its own making, for PKCS #12 keeps no
// key without one. It holds the subject for the request; its key usage allows no signatures,
// so that nothing can be signed before an authority's certificate has taken its place.
func withPlaceholder(private crypto.Signer, subject pkix.Name, email string, now time.Time) (signer.Identity, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return signer.Identity{}, err
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: subject, NotBefore: now, NotAfter: now.AddDate(1, 0, 0),
		KeyUsage: placeholderUsage, EmailAddresses: one(email)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		return signer.Identity{}, err
	}
	certificate, err := x509.ParseCertificate(der)
	return signer.Identity{Key: softkey.New(private), Certificate: certificate}, err
}

func isPlaceholder(c *x509.Certificate) bool {
	return bytes.Equal(c.RawIssuer, c.RawSubject) && c.KeyUsage == placeholderUsage
}

// cryptoSigner makes the standard library's contract of ours.
type cryptoSigner struct {
	ctx context.Context // of the command
	signer.Key
}

// Sign signs with the key.
func (s cryptoSigner) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return s.Key.Sign(s.ctx, digest, opts)
}

var oidKeyUsage = asn1.ObjectIdentifier{2, 5, 29, 15}

// newRequest makes a PKCS #10 request (RFC 2986) in PEM for a certificate that signs
// documents, and verifies it.
func newRequest(ctx context.Context, key signer.Key, rawSubject []byte, emails []string) ([]byte, error) {
	// digitalSignature and contentCommitment: bits 0 and 1 (RFC 5280 §4.2.1.3)
	usage, err := asn1.Marshal(asn1.BitString{Bytes: []byte{0xC0}, BitLength: 2})
	if err != nil {
		return nil, err
	}
	template := &x509.CertificateRequest{RawSubject: rawSubject, EmailAddresses: emails,
		ExtraExtensions: []pkix.Extension{{Id: oidKeyUsage, Critical: true, Value: usage}}}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, cryptoSigner{ctx, key})
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificateRequest(der)
	if err != nil {
		return nil, err
	}
	if err := made.CheckSignature(); err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), nil
}

// publicFingerprint is the SHA-256 of a public key's SubjectPublicKeyInfo: the same in the
// key file, the request and every certificate.
func publicFingerprint(public crypto.PublicKey) (string, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	return fingerprint(der), err
}
