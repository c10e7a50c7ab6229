package cms

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
)

// checkAlgorithm wants the hash of the signature to be that of the content, as RFC 5652
// leaves open but every profile demands: a mismatch is a sign of tampering.
func (v *verifier) checkAlgorithm() error {
	a, err := v.si.Algorithm()
	if err != nil {
		return err
	}
	v.out.Algorithm = a
	if a.Hash == crypto.MD5 || a.Hash == crypto.SHA1 {
		v.weak(WeakSignature)
	}
	h, err := v.si.DigestAlgorithm()
	if err != nil {
		return err
	}
	if h != a.Hash {
		return fmt.Errorf("%w: digest by %s, signature by %s", ErrFormat, h, a.Hash)
	}
	if !slices.ContainsFunc(v.sd.DigestOIDs, v.si.DigestOID.Equal) {
		return fmt.Errorf("%w: %w: %s", ErrFormat, ErrDigestAlgorithms, h)
	}
	return nil
}

// checkProtection compares the CMSAlgorithmProtection attribute with what is outside.
func (v *verifier) checkProtection() error {
	value, ok := v.si.SignedAttribute(OIDAlgorithmProtection)
	if !ok {
		return fmt.Errorf("%w: algorithm-protection attribute is repeated", ErrFormat)
	}
	s := cryptobyte.String(value)
	var seq, signature cryptobyte.String
	if !s.ReadASN1(&seq, 0x30) {
		return fmt.Errorf("%w: algorithm-protection attribute", ErrFormat)
	}
	digest, _ := readAlgorithm(&seq)
	if digest == nil || !seq.ReadASN1(&signature, contextTag(1)) {
		return fmt.Errorf("%w: algorithm-protection attribute", ErrFormat)
	}
	var oid asn1.ObjectIdentifier
	if !signature.ReadASN1ObjectIdentifier(&oid) || !digest.Equal(v.si.DigestOID) ||
		!oid.Equal(v.si.SignatureOID) || !bytes.Equal(signature, v.si.signatureParams) {
		return fmt.Errorf("%w: algorithms differ from those protected", ErrFormat)
	}
	return nil
}
