package pades

import (
	"bytes"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"

	"github.com/saoy/saoy/signer/cms"
)

// check refuses a CMS that does not fit or is not a valid signature of the prepared bytes.
func (p *Prepared) check(der []byte) error {
	if len(der) > p.reserved {
		return &TooLargeError{Need: len(der), Reserved: p.reserved}
	}
	sd, err := cms.Parse(der)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if len(sd.Signers) != 1 {
		return fmt.Errorf("%w: %d signers, one is required (ETSI EN 319 142-1 §6.3)", ErrSignature, len(sd.Signers))
	}
	if p.kind == kindTimeStamp {
		return p.checkToken(sd)
	}
	return p.checkSignature(sd)
}

func (p *Prepared) checkSignature(sd *cms.SignedData) error {
	if sd.Content != nil || !sd.ContentType.Equal(cms.OIDData) {
		return fmt.Errorf("%w: the content is not detached data", ErrSignature)
	}
	if sd.Signers[0].HasSignedAttribute(cms.OIDSigningTime) {
		return fmt.Errorf("%w: it has a signing-time attribute, which PAdES forbids (ETSI EN 319 142-1 §6.3)", ErrSignature)
	}
	v := sd.Verify(cms.DigestOf(p.hash, p.digest))[0]
	if err := v.Err(); err != nil {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if p.certificate == nil {
		return nil
	}
	if sum := sha256.Sum256(v.Signer.Raw); !bytes.Equal(sum[:], p.certificate) {
		return fmt.Errorf("%w: another certificate signed", ErrSignature)
	}
	return nil
}

// tstInfo is the beginning of TSTInfo (RFC 3161 §2.4.2), which is all that matters here.
type tstInfo struct {
	Version int
	Policy  asn1.ObjectIdentifier
	Imprint struct {
		Algorithm struct {
			OID        asn1.ObjectIdentifier
			Parameters asn1.RawValue `asn1:"optional"`
		}
		Digest []byte
	}
}

// checkToken checks the token's own signature and that it stamps the prepared bytes.
func (p *Prepared) checkToken(sd *cms.SignedData) error {
	_, err := verifyToken(sd, cms.DigestOf(p.hash, p.digest))
	return err
}

// verifyToken checks a token's own signature and that it stamps the content.
func verifyToken(sd *cms.SignedData, content cms.Digester) (*cms.Verification, error) {
	if !sd.ContentType.Equal(cms.OIDTSTInfo) {
		return nil, fmt.Errorf("%w: not a time-stamp token", ErrSignature)
	}
	v := sd.Verify(nil)[0]
	if err := v.Err(); err != nil {
		return nil, fmt.Errorf("%w: time-stamp: %w", ErrSignature, err)
	}
	var body asn1.RawValue
	var info tstInfo
	if _, err := asn1.Unmarshal(sd.Content, &body); err != nil {
		return nil, fmt.Errorf("%w: TSTInfo: %w", ErrSignature, err)
	}
	if err := unmarshalPrefix(body.Bytes, &info.Version, &info.Policy, &info.Imprint); err != nil {
		return nil, fmt.Errorf("%w: TSTInfo: %w", ErrSignature, err)
	}
	digest, err := content(cms.HashOf(info.Imprint.Algorithm.OID))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if !bytes.Equal(info.Imprint.Digest, digest) {
		return nil, fmt.Errorf("%w: the token stamps another digest", ErrSignature)
	}
	return v, nil
}

// unmarshalPrefix reads the first elements of a sequence, one into each value.
func unmarshalPrefix(b []byte, values ...any) (err error) {
	for _, v := range values {
		if b, err = asn1.Unmarshal(b, v); err != nil {
			return err
		}
	}
	return nil
}
