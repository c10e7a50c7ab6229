package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
)

// EstimateSize returns how many bytes Build needs at most for a signature under cert with the
// chain and a time-stamp token of up to tsaBytes (0: none). It is the length of a SignedData built
// with the longest signature value and digests the key can give, so it never falls short.
func EstimateSize(cert *x509.Certificate, chain []*x509.Certificate, tsaBytes int) int {
	attributes, err := SignedAttributes(make([]byte, crypto.SHA512.Size()), crypto.SHA512, cert)
	if err != nil {
		return 0
	}
	in := Input{
		Attributes: attributes, Signature: make([]byte, maxSignature(cert.PublicKey)), Certificate: cert, Chain: chain,
		// the longest AlgorithmIdentifier of all
		Algorithm: Algorithm{Scheme: RSAPSS, Hash: crypto.SHA512},
	}
	if tsaBytes > 0 {
		in.TimeStampToken = make([]byte, tsaBytes)
	}
	der, err := Build(in)
	if err != nil {
		return 0
	}
	return len(der)
}

// maxSignature returns the longest signature value of a key, in bytes.
func maxSignature(pub crypto.PublicKey) int {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		return k.Size()
	case *ecdsa.PublicKey:
		// SEQUENCE of two INTEGERs, each with a possible leading zero
		return 2*((k.Curve.Params().BitSize+7)/8+1+3) + 4
	}
	return 1024
}
