package cms

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // recognised, and reported as broken
	"crypto/rsa"
	_ "crypto/sha1" // recognised, and reported as broken
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// ErrAlgorithm: a key, hash or signature scheme that is unknown here or not allowed.
var ErrAlgorithm = errors.New("unsupported algorithm")

// Scheme is a signature scheme without its hash.
type Scheme int

// The schemes. Ed25519 is verified, never made: PDF readers do not know it.
const (
	RSAPKCS1 Scheme = iota + 1 // RSASSA-PKCS1-v1_5, RFC 8017 §8.2
	RSAPSS                     // RSASSA-PSS, RFC 8017 §8.1, MGF1 with the same hash
	ECDSA                      // RFC 5753
	Ed25519                    // RFC 8419
)

var schemeNames = map[Scheme]string{RSAPKCS1: "RSA", RSAPSS: "RSASSA-PSS", ECDSA: "ECDSA", Ed25519: "Ed25519"}

// String names the scheme as reports do.
func (s Scheme) String() string {
	if n := schemeNames[s]; n != "" {
		return n
	}
	return "unknown scheme"
}

// Algorithm is a signature scheme with its hash.
type Algorithm struct {
	Scheme Scheme
	Hash   crypto.Hash
	// SaltLength of RSASSA-PSS in bytes. Zero means the length of the hash when signing and
	// the value of the parameters when read.
	SaltLength int
}

// String gives for example "RSASSA-PSS with SHA-256".
func (a Algorithm) String() string { return a.Scheme.String() + " with " + a.Hash.String() }

// AlgorithmFor returns the algorithm that suits a public key: RSA with SHA-256 (RSASSA-PSS if
// preferPSS), ECDSA with the hash of the curve's strength (ETSI TS 119 312 §7). ErrAlgorithm
// for other keys and curves.
func AlgorithmFor(pub crypto.PublicKey, preferPSS bool) (Algorithm, error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if preferPSS {
			return Algorithm{Scheme: RSAPSS, Hash: crypto.SHA256}, nil
		}
		return Algorithm{Scheme: RSAPKCS1, Hash: crypto.SHA256}, nil
	case *ecdsa.PublicKey:
		switch k.Curve.Params().BitSize {
		case 256:
			return Algorithm{Scheme: ECDSA, Hash: crypto.SHA256}, nil
		case 384:
			return Algorithm{Scheme: ECDSA, Hash: crypto.SHA384}, nil
		case 521:
			return Algorithm{Scheme: ECDSA, Hash: crypto.SHA512}, nil
		}
		return Algorithm{}, fmt.Errorf("%w: elliptic curve %s", ErrAlgorithm, k.Curve.Params().Name)
	}
	return Algorithm{}, fmt.Errorf("%w: key of type %T", ErrAlgorithm, pub)
}

// SignerOpts returns the options to give signer.Key.Sign.
func (a Algorithm) SignerOpts() crypto.SignerOpts {
	if a.Scheme != RSAPSS {
		return a.Hash
	}
	salt := a.SaltLength
	if salt == 0 {
		salt = rsa.PSSSaltLengthEqualsHash
	}
	return &rsa.PSSOptions{SaltLength: salt, Hash: a.Hash}
}

// Verify checks a signature over a digest made with a.Hash. The public key must be of the
// scheme's kind and of a curve or size known here.
func (a Algorithm) Verify(pub crypto.PublicKey, digest, signature []byte) error {
	if !a.Hash.Available() || len(digest) != a.Hash.Size() {
		return fmt.Errorf("%w: digest of %d bytes for %s", ErrAlgorithm, len(digest), a.Hash)
	}
	switch k := pub.(type) {
	case *rsa.PublicKey:
		switch a.Scheme {
		case RSAPKCS1:
			return rsa.VerifyPKCS1v15(k, a.Hash, digest, signature)
		case RSAPSS:
			return rsa.VerifyPSS(k, a.Hash, digest, signature, a.SignerOpts().(*rsa.PSSOptions))
		}
	case *ecdsa.PublicKey:
		if a.Scheme != ECDSA {
			break
		}
		if !ecdsa.VerifyASN1(k, digest, signature) {
			return errors.New("ecdsa: verification error")
		}
		return nil
	}
	return fmt.Errorf("%w: %s with a key of type %T", ErrAlgorithm, a.Scheme, pub)
}

func verifyEd25519(pub crypto.PublicKey, message, signature []byte) error {
	k, ok := pub.(ed25519.PublicKey)
	if !ok {
		return fmt.Errorf("%w: Ed25519 with a key of type %T", ErrAlgorithm, pub)
	}
	if !ed25519.Verify(k, message, signature) {
		return errors.New("ed25519: verification error")
	}
	return nil
}

var hashOIDs = []struct {
	hash           crypto.Hash
	digest         asn1.ObjectIdentifier
	rsa, ecdsa     asn1.ObjectIdentifier
	mayBeGenerated bool
}{
	{crypto.SHA256, oidSHA256, oidSHA256RSA, oidECDSA256, true},
	{crypto.SHA384, oidSHA384, oidSHA384RSA, oidECDSA384, true},
	{crypto.SHA512, oidSHA512, oidSHA512RSA, oidECDSA512, true},
	{crypto.SHA224, oidSHA224, oidSHA224RSA, oidECDSA224, false},
	{crypto.SHA1, oidSHA1, oidSHA1RSA, oidECDSASHA1, false},
	{crypto.MD5, oidMD5, oidMD5RSA, nil, false},
}

// HashOID returns the identifier of a hash that may be used for new signatures and
// time-stamps: SHA-256, SHA-384, SHA-512. ErrAlgorithm for others.
func HashOID(h crypto.Hash) (asn1.ObjectIdentifier, error) {
	for _, x := range hashOIDs {
		if x.hash == h && x.mayBeGenerated {
			return x.digest, nil
		}
	}
	return nil, fmt.Errorf("%w: hash %s", ErrAlgorithm, h)
}

// HashOf returns the hash an identifier names, broken ones (MD5, SHA-1) included; 0 if unknown.
func HashOf(oid asn1.ObjectIdentifier) crypto.Hash {
	for _, x := range hashOIDs {
		if x.digest.Equal(oid) {
			return x.hash
		}
	}
	return 0
}

// signatureAlgorithm writes signatureAlgorithm of SignerInfo for an algorithm that has an OID.
// For PKCS #1 v1.5 it is rsaEncryption with NULL, which every reader knows (RFC 3370 §3.2).
func (e *encoder) signatureAlgorithm(a Algorithm) {
	oid, _ := a.OID() // Input.check has asked
	mark := e.mark()
	switch a.Scheme {
	case RSAPKCS1:
		oid = oidRSA
		e.null()
	case RSAPSS:
		e.pssParameters(a)
	}
	e.oid(oid)
	e.wrap(tagSequence, mark)
}

// pssParameters writes RSASSA-PSS-params (RFC 4055 §3.1), trailerField left at its default.
func (e *encoder) pssParameters(a Algorithm) {
	hash, _ := HashOID(a.Hash) // the caller has asked
	salt := a.SaltLength
	if salt == 0 {
		salt = a.Hash.Size()
	}
	mark := e.mark()
	e.integer(big.NewInt(int64(salt)))
	e.wrap(tagConstructed|2, mark)
	mgf := e.mark()
	e.hash(hash)
	e.oid(oidMGF1)
	e.wrap(tagSequence, mgf)
	e.wrap(tagConstructed|1, mgf)
	digest := e.mark()
	e.hash(hash)
	e.wrap(tagConstructed, digest)
	e.wrap(tagSequence, mark)
}

// PSSParameters returns the DER of RSASSA-PSS-params, for protocols that carry it by itself.
// ErrAlgorithm for other schemes and hashes that are not used any more.
func (a Algorithm) PSSParameters() ([]byte, error) {
	if _, err := HashOID(a.Hash); err != nil || a.Scheme != RSAPSS {
		return nil, fmt.Errorf("%w: %s", ErrAlgorithm, a)
	}
	e := newEncoder(64)
	e.pssParameters(a)
	return e.bytes(), nil
}

// OID returns the identifier of scheme and hash together: sha256WithRSAEncryption,
// id-RSASSA-PSS, ecdsa-with-SHA256 and so on. ErrAlgorithm if it may not be used for new
// signatures.
func (a Algorithm) OID() (asn1.ObjectIdentifier, error) {
	for _, x := range hashOIDs {
		if x.hash != a.Hash || !x.mayBeGenerated {
			continue
		}
		switch a.Scheme {
		case RSAPKCS1:
			return x.rsa, nil
		case RSAPSS:
			return oidPSS, nil
		case ECDSA:
			return x.ecdsa, nil
		}
	}
	return nil, fmt.Errorf("%w: %s", ErrAlgorithm, a)
}

func contextTag(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
