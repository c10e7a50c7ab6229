package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/x509"
)

// sizeOfRest bounds what Build writes besides certificates, names, serial numbers, signature
// value and token: identifiers, digests of SHA-512, parameters of RSASSA-PSS, and the headers
// around it all. It is at most 412 for contents below 16 MiB.
const sizeOfRest = 448

// EstimateSize returns how many bytes Build needs at most for a signature under cert with the
// chain and a time-stamp token of up to tsaBytes (0: none), whatever algorithm of the key is
// used. It is a sum of lengths, a few hundred bytes above what is needed, never below.
func EstimateSize(cert *x509.Certificate, chain []*x509.Certificate, tsaBytes int) int {
	n := sizeOfRest + maxSignature(cert.PublicKey) + tsaBytes
	// issuer and serial number occur in the signer's identifier and in the ESS attribute
	n += 2 * (len(cert.RawIssuer) + cert.SerialNumber.BitLen()/8 + 1)
	for _, der := range (Input{Certificate: cert, Chain: chain}).certificates() {
		n += len(der)
	}
	return n
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
