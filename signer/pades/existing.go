package pades

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
)

// existing is a signature or document time-stamp found in a file, verified over its bytes.
// Trust is not its subject.
type existing struct {
	field     string
	contents  []byte // as in the file, padding included
	timeStamp bool   // a document time-stamp
	stamped   bool   // carries a signature time-stamp
	end       int64  // of its revision
	chains    []subject
}

// subject is a certificate whose validity must be proven, with those found beside it.
type subject struct {
	certificate *x509.Certificate
	others      []*x509.Certificate
}

// readSignatures finds and verifies the signatures of a file. It hashes the file once for
// each.
func readSignatures(r *pdf.Reader) ([]existing, error) {
	_, catalog, err := r.Catalog()
	if err != nil {
		return nil, err
	}
	f, err := readForm(r, catalog)
	if err != nil {
		return nil, err
	}
	var out []existing
	for _, x := range f.signed() {
		s, err := readSignature(r, x)
		if err != nil {
			return nil, fmt.Errorf("signature %q: %w", x.name, err)
		}
		out = append(out, *s)
	}
	return out, nil
}

func readSignature(r *pdf.Reader, x field) (*existing, error) {
	d, err := r.Dict(x.value)
	if err != nil {
		return nil, err
	}
	contents, ok := d.Get("Contents").(pdf.String)
	if !ok {
		return nil, fmt.Errorf("%w: no /Contents", ErrSignature)
	}
	der, _, err := cms.Split(contents.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if len(sd.Signers) != 1 {
		return nil, fmt.Errorf("%w: %d signers", ErrSignature, len(sd.Signers))
	}
	ranges, err := readByteRange(d, r.Size())
	if err != nil {
		return nil, err
	}
	s := &existing{field: x.name, contents: contents.Bytes, end: ranges[2] + ranges[3]}
	digest := func(h crypto.Hash) ([]byte, error) { return rangeDigest(r.File(), ranges, h) }
	switch d.Name("SubFilter") {
	case "ETSI.CAdES.detached", "adbe.pkcs7.detached":
		return s, s.readSignature(sd, digest)
	case "ETSI.RFC3161":
		s.timeStamp = true
		return s, s.addStamper(sd, digest)
	}
	return nil, fmt.Errorf("%w: /SubFilter %s is not extended", ErrLevel, d.Name("SubFilter"))
}

// readByteRange reads /ByteRange: two parts, in order, inside the file.
func readByteRange(d pdf.Dict, size int64) (r [4]int64, err error) {
	a, _ := d.Get("ByteRange").(pdf.Array)
	if len(a) != len(r) {
		return r, fmt.Errorf("%w: /ByteRange has not four numbers", ErrSignature)
	}
	for i, o := range a {
		v, ok := o.(pdf.Integer)
		if !ok || v < 0 || int64(v) > size {
			return r, fmt.Errorf("%w: /ByteRange", ErrSignature)
		}
		r[i] = int64(v)
	}
	if r[0] != 0 || r[1] >= r[2] || r[2]+r[3] > size {
		return r, fmt.Errorf("%w: /ByteRange %v", ErrSignature, r)
	}
	return r, nil
}

func rangeDigest(f io.ReaderAt, r [4]int64, hash crypto.Hash) ([]byte, error) {
	if !hash.Available() {
		return nil, fmt.Errorf("%w: hash %v", cms.ErrAlgorithm, hash)
	}
	h := hash.New()
	for i := 0; i < len(r); i += 2 {
		n, err := stream(h, io.NewSectionReader(f, r[i], r[i+1]))
		if err == nil && n != r[i+1] {
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return nil, err
		}
	}
	return h.Sum(nil), nil
}

func (s *existing) readSignature(sd *cms.SignedData, digest cms.Digester) error {
	v := sd.Verify(digest)[0]
	if err := v.Err(); err != nil && !onlyESSMissing(v) {
		return fmt.Errorf("%w: %w", ErrSignature, err)
	}
	s.chains = append(s.chains, subject{v.Signer, sd.Certificates})
	for _, token := range sd.Signers[0].TimeStampTokens() {
		stamp, err := cms.Parse(token)
		if err != nil || len(stamp.Signers) != 1 {
			return fmt.Errorf("%w: its time-stamp cannot be read", ErrSignature)
		}
		if err := s.addStamper(stamp, cms.BytesOf(sd.Signers[0].Signature)); err != nil {
			return err
		}
		s.stamped = true
	}
	return nil
}

// onlyESSMissing reports whether nothing failed but the signing-certificate attribute, which
// signatures older than PAdES lack.
func onlyESSMissing(v *cms.Verification) bool {
	for _, c := range v.Checks {
		if c.Outcome != cms.Passed && (c.ID != cms.CheckESS || v.ESSVersion != 0) {
			return false
		}
	}
	return v.Signer != nil
}

// addStamper verifies a time-stamp token over content and notes its authority.
func (s *existing) addStamper(sd *cms.SignedData, content cms.Digester) error {
	v, err := verifyToken(sd, content)
	if err != nil {
		return err
	}
	s.chains = append(s.chains, subject{v.Signer, sd.Certificates})
	return nil
}
