package cms

import (
	"crypto"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// DigestAlgorithm returns the hash of the message digest; ErrAlgorithm if it is unknown.
// Broken hashes are returned: whether they are acceptable is for the caller.
func (si *SignerInfo) DigestAlgorithm() (crypto.Hash, error) {
	h := HashOf(si.DigestOID)
	if h == 0 {
		return 0, fmt.Errorf("%w: digest %v", ErrAlgorithm, si.DigestOID)
	}
	return h, nil
}

// Algorithm returns the scheme and hash of the signature. Where the signature algorithm
// names no hash (rsaEncryption, id-ecPublicKey), it is that of the digest.
func (si *SignerInfo) Algorithm() (Algorithm, error) {
	scheme := Scheme(0)
	switch {
	case si.SignatureOID.Equal(oidRSA):
		scheme = RSAPKCS1
	case si.SignatureOID.Equal(oidECPublic):
		scheme = ECDSA
	}
	if scheme != 0 {
		h, err := si.DigestAlgorithm()
		if err != nil {
			return Algorithm{}, err
		}
		return Algorithm{Scheme: scheme, Hash: h}, nil
	}
	return ParseAlgorithm(si.SignatureOID, si.signatureParams)
}

// ParseAlgorithm reads the signature algorithm of an AlgorithmIdentifier: its identifier and
// the DER of its parameters. ErrAlgorithm if it is unknown here.
func ParseAlgorithm(oid asn1.ObjectIdentifier, params []byte) (Algorithm, error) {
	switch {
	case oid.Equal(oidPSS):
		return parsePSS(params)
	case oid.Equal(oidEd25519):
		return Algorithm{Scheme: Ed25519, Hash: crypto.SHA512}, nil
	}
	for _, x := range hashOIDs {
		if oid.Equal(x.rsa) {
			return Algorithm{Scheme: RSAPKCS1, Hash: x.hash}, nil
		}
		if x.ecdsa != nil && oid.Equal(x.ecdsa) {
			return Algorithm{Scheme: ECDSA, Hash: x.hash}, nil
		}
	}
	return Algorithm{}, fmt.Errorf("%w: signature %v", ErrAlgorithm, oid)
}

// parsePSS reads RSASSA-PSS-params (RFC 4055 §3.1). Absent fields are SHA-1 and a salt of
// 20 bytes. Another hash in MGF1 than in the signature is refused: nobody needs it.
func parsePSS(params []byte) (Algorithm, error) {
	bad := fmt.Errorf("%w: RSASSA-PSS parameters", ErrAlgorithm)
	outer := cryptobyte.String(params)
	var s, hash, mgf, salt, trailer cryptobyte.String
	var hasHash, hasMGF, hasSalt, hasTrailer bool
	if !outer.ReadASN1(&s, cbasn1.SEQUENCE) || !outer.Empty() ||
		!s.ReadOptionalASN1(&hash, &hasHash, contextTag(0)) || !s.ReadOptionalASN1(&mgf, &hasMGF, contextTag(1)) ||
		!s.ReadOptionalASN1(&salt, &hasSalt, contextTag(2)) || !s.ReadOptionalASN1(&trailer, &hasTrailer, contextTag(3)) || !s.Empty() {
		return Algorithm{}, bad
	}
	a := Algorithm{Scheme: RSAPSS, Hash: crypto.SHA1, SaltLength: 20}
	mgfHash := crypto.SHA1
	if hasHash {
		oid, _ := readAlgorithm(&hash)
		a.Hash = HashOf(oid)
	}
	if hasMGF {
		mgfHash = parseMGF1(mgf)
	}
	if hasSalt && (!salt.ReadASN1Integer(&a.SaltLength) || a.SaltLength < 1 || a.SaltLength > 512) {
		return Algorithm{}, bad
	}
	var field int
	if hasTrailer && (!trailer.ReadASN1Integer(&field) || field != 1) {
		return Algorithm{}, bad
	}
	if a.Hash == 0 || a.Hash != mgfHash {
		return Algorithm{}, bad
	}
	return a, nil
}

func parseMGF1(s cryptobyte.String) crypto.Hash {
	var seq cryptobyte.String
	var oid asn1.ObjectIdentifier
	if !s.ReadASN1(&seq, cbasn1.SEQUENCE) || !seq.ReadASN1ObjectIdentifier(&oid) || !oid.Equal(oidMGF1) {
		return 0
	}
	hash, _ := readAlgorithm(&seq)
	return HashOf(hash)
}
