package softkey

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"

	"github.com/saoy/saoy/signer"
)

// Encode makes a PKCS #12 file of an identity: AES-256 under PBKDF2 with HMAC-SHA-256,
// integrity by HMAC-SHA-256. The key must be one in memory: from New, or of another type with
// a method PrivateKey() crypto.Signer. Another is ErrFormat; an empty passphrase ErrPassphrase; a
// certificate of another key a *signer.RefusedError.
func Encode(id signer.Identity, passphrase []byte) ([]byte, error) {
	if len(passphrase) == 0 {
		return nil, fmt.Errorf("%w: a key file needs one", ErrPassphrase)
	}
	private := privateOf(id.Key)
	if private == nil {
		return nil, fmt.Errorf("%w: a key of type %T cannot be written to a file", ErrFormat, id.Key)
	}
	if _, err := assemble(private, []*x509.Certificate{id.Certificate}); err != nil {
		return nil, err
	}
	return pkcs12.Modern2023.Encode(private, id.Certificate, id.Chain, string(passphrase))
}

func privateOf(k signer.Key) crypto.Signer {
	if k, ok := k.(interface{ PrivateKey() crypto.Signer }); ok {
		return k.PrivateKey()
	}
	return nil
}

// Decode reads the bytes of a key file; see Load. It does not check validity or usage.
func Decode(data, passphrase []byte) (signer.Identity, error) {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("-----BEGIN")) {
		return decodePEM(data)
	}
	private, first, more, err := pkcs12.DecodeChain(data, string(passphrase))
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return signer.Identity{}, ErrPassphrase
	}
	if err != nil {
		return signer.Identity{}, fmt.Errorf("%w: PKCS #12: %w", ErrFormat, err)
	}
	return assemble(private, append([]*x509.Certificate{first}, more...))
}

func decodePEM(data []byte) (signer.Identity, error) {
	var private any
	var certs []*x509.Certificate
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			c, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return signer.Identity{}, fmt.Errorf("%w: %w", ErrFormat, err)
			}
			certs = append(certs, c)
			continue
		}
		if private != nil {
			return signer.Identity{}, fmt.Errorf("%w: more than one key", ErrFormat)
		}
		var err error
		if private, err = parseKey(block); err != nil {
			return signer.Identity{}, fmt.Errorf("%w: %w", ErrFormat, err)
		}
	}
	return assemble(private, certs)
}

func parseKey(block *pem.Block) (any, error) {
	_, legacy := block.Headers["DEK-Info"]
	switch {
	case block.Type == "ENCRYPTED PRIVATE KEY" || legacy:
		return nil, errors.New("encrypted PEM; convert it: openssl pkcs12 -export -in FILE -out FILE.p12")
	case block.Type == "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case block.Type == "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case block.Type == "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	}
	return nil, fmt.Errorf("PEM block of type %q", block.Type)
}

// assemble finds the certificate of the key, wherever it lies, and orders its issuers.
func assemble(private any, certs []*x509.Certificate) (signer.Identity, error) {
	s, ok := private.(crypto.Signer)
	if !ok {
		return signer.Identity{}, fmt.Errorf("%w: no private key that signs", ErrFormat)
	}
	pub, ok := s.Public().(interface{ Equal(crypto.PublicKey) bool })
	if !ok {
		return signer.Identity{}, fmt.Errorf("%w: key of type %T", ErrFormat, private)
	}
	for _, c := range certs {
		if c != nil && pub.Equal(c.PublicKey) {
			return signer.Identity{Key: New(s), Certificate: c, Chain: signer.OrderChain(c, certs)}, nil
		}
	}
	return signer.Identity{}, &signer.RefusedError{Reason: signer.ReasonMismatch, Detail: "no certificate in the file is for its key"}
}
