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

	"golang.org/x/crypto/cryptobyte"
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

// addHash writes the AlgorithmIdentifier of a hash, parameters absent (RFC 5754 §2).
func addHash(b *cryptobyte.Builder, oid asn1.ObjectIdentifier) {
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oid) })
}

// addSignatureAlgorithm writes signatureAlgorithm of SignerInfo. For PKCS #1 v1.5 it is
// rsaEncryption with NULL, which every reader knows (RFC 3370 §3.2).
func (a Algorithm) addSignatureAlgorithm(b *cryptobyte.Builder) error {
	var oid asn1.ObjectIdentifier
	var hash asn1.ObjectIdentifier
	for _, x := range hashOIDs {
		if x.hash == a.Hash && x.mayBeGenerated {
			oid, hash = x.ecdsa, x.digest
		}
	}
	if hash == nil {
		return fmt.Errorf("%w: %s", ErrAlgorithm, a)
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		switch a.Scheme {
		case RSAPKCS1:
			b.AddASN1ObjectIdentifier(oidRSA)
			b.AddASN1NULL()
		case RSAPSS:
			b.AddASN1ObjectIdentifier(oidPSS)
			a.addPSSParameters(b, hash)
		case ECDSA:
			b.AddASN1ObjectIdentifier(oid)
		default:
			b.SetError(fmt.Errorf("%w: %s", ErrAlgorithm, a))
		}
	})
	return nil
}

// addPSSParameters writes RSASSA-PSS-params (RFC 4055 §3.1), trailerField left at its default.
func (a Algorithm) addPSSParameters(b *cryptobyte.Builder, hash asn1.ObjectIdentifier) {
	salt := a.SaltLength
	if salt == 0 {
		salt = a.Hash.Size()
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(contextTag(0), func(b *cryptobyte.Builder) { addHash(b, hash) })
		b.AddASN1(contextTag(1), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidMGF1)
				addHash(b, hash)
			})
		})
		b.AddASN1(contextTag(2), func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(salt)) })
	})
}

// PSSParameters returns the DER of RSASSA-PSS-params, for protocols that carry it by itself.
// ErrAlgorithm for other schemes and hashes that are not used any more.
func (a Algorithm) PSSParameters() ([]byte, error) {
	hash, err := HashOID(a.Hash)
	if err != nil || a.Scheme != RSAPSS {
		return nil, fmt.Errorf("%w: %s", ErrAlgorithm, a)
	}
	var b cryptobyte.Builder
	a.addPSSParameters(&b, hash)
	return b.Bytes()
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
