package signer

import (
	"bytes"
	"crypto/x509"
)

// OrderChain picks the issuers of cert out of certificates in any order, nearest first, up to
// a self-issued one or as far as they go. What does not belong is left out. Signatures are
// verified.
func OrderChain(cert *x509.Certificate, certs []*x509.Certificate) []*x509.Certificate {
	var chain []*x509.Certificate
	for at := cert; len(chain) < len(certs) && !bytes.Equal(at.RawIssuer, at.RawSubject); {
		next := issuerIn(at, certs)
		if next == nil {
			break
		}
		chain = append(chain, next)
		at = next
	}
	return chain
}

func issuerIn(cert *x509.Certificate, certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		if c != nil && bytes.Equal(c.RawSubject, cert.RawIssuer) && cert.CheckSignatureFrom(c) == nil {
			return c
		}
	}
	return nil
}
