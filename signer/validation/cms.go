package validation

import (
	"crypto"
	"crypto/x509"
	"errors"

	"github.com/saoy/saoy/signer/cms"
)

const subFilterTimestamp = "ETSI.RFC3161"

// cryptography checks the CMS over the signed bytes.
func (x *examiner) cryptography(s *signing) error {
	if s.out.SubFilter == "adbe.x509.rsa_sha1" {
		return s.rsaSHA1(view{x.doc})
	}
	element, _, err := cms.Split(s.contents)
	if err == nil {
		s.cms, err = cms.Parse(element)
	}
	if err != nil {
		s.cms = nil
		s.fail("cms-format", FormatFailure, Broken, msgCMSBad.of(plain(err)))
		return nil
	}
	if bad := envelope(element, s.cms); bad != (both{}) {
		s.out.check("cms-envelope", Failed, msgEnvelope.of(bad))
		s.out.settle(Indeterminate, SigConstraintsFailure)
	}
	certs := x.storeCerts
	switch s.out.SubFilter {
	case "ETSI.CAdES.detached", "adbe.pkcs7.detached":
		return s.detached(certs)
	case "adbe.pkcs7.sha1":
		return s.sha1Content(certs)
	case subFilterTimestamp:
		return s.timestampToken(certs)
	}
	s.fail("subfilter", FormatFailure, IntegrityNotChecked, msgSubFilter.of(s.out.SubFilter))
	return nil
}

func (s *signing) detached(certs []*x509.Certificate) error {
	if s.cms.Content != nil {
		s.fail("cms-format", FormatFailure, Broken, msgCMSBad.of(
			both{"chữ ký tách rời lại mang theo nội dung", "a detached signature carries content"}))
		return nil
	}
	return s.verify(s.digest.sum, certs...)
}

// sha1Content: the CMS encapsulates the SHA-1 digest of the byte range (ISO 32000-1
// §12.8.3.3.1), which proves little today.
func (s *signing) sha1Content(certs []*x509.Certificate) error {
	d, err := s.digest.sum(crypto.SHA1)
	if err != nil {
		return err
	}
	if !equal(d, s.cms.Content) {
		s.fail("message-digest", HashFailure, Broken, msgDigestBad)
	}
	if err := s.verify(nil, certs...); err != nil {
		return err
	}
	s.addWeakness(cms.WeakDigest)
	return nil
}

func (s *signing) addWeakness(w cms.Weakness) {
	if s.verified != nil {
		s.verified.Weaknesses = append(s.verified.Weaknesses, w)
	}
}

// verify checks the one signer a PDF signature may have (ISO 32000-2 §12.8.3.3.1).
func (s *signing) verify(content cms.Digester, certs ...*x509.Certificate) error {
	var failed error
	watched := content
	if content != nil {
		watched = func(h crypto.Hash) ([]byte, error) {
			d, err := content(h)
			if err != nil && isRead(err) {
				failed = err
			}
			return d, err
		}
	}
	results := s.cms.Verify(watched, certs...)
	if failed != nil {
		return failed
	}
	if len(results) != 1 {
		s.fail("cms-format", FormatFailure, Broken, msgCMSBad.of(both{"không có đúng một người ký", "not exactly one signer"}))
		return nil
	}
	s.verified = results[0]
	s.out.check("cms-format", Passed, msgCMSOK)
	s.out.Algorithm = s.verified.Algorithm.String()
	for _, c := range s.verified.Checks {
		s.cmsCheck(c)
	}
	if s.verified.Signer != nil {
		s.out.Signer = distinguishedName(s.verified.Signer.Subject)
	}
	return nil
}

// isRead reports whether a digest could not be made for want of the bytes.
func isRead(err error) bool {
	return !errors.Is(err, cms.ErrAlgorithm) && !errors.Is(err, errTooComplex)
}

// cmsCheck turns one check of the CMS into a line of the report and, if it failed, into the
// indication of ETSI EN 319 102-1.
func (s *signing) cmsCheck(c cms.Check) {
	line := func(good, bad message, args ...any) {
		m := good
		switch c.Outcome {
		case cms.Failed:
			m = bad.of(args...)
		case cms.NotDone:
			m = msgNotDone
		}
		m.clause = c.Clause
		s.out.check(string(c.ID), resultOf(c.Outcome), m)
	}
	if c.Outcome == cms.Failed && s.tolerated(c) {
		return
	}
	switch c.ID {
	case cms.CheckDigest:
		if c.Err == nil || errors.Is(c.Err, cms.ErrDigest) {
			line(msgDigestOK, msgDigestBad)
			break
		}
		line(msgDigestOK, msgCMSBad, c.Err)
	case cms.CheckSignature:
		line(msgValueOK, msgValueBad, c.Err)
	case cms.CheckESS:
		line(msgESSOK, msgESSBad, c.Err)
	default:
		line(msgCMSOK, msgCMSBad, c.Err)
	}
	if c.Outcome != cms.Failed {
		return
	}
	i, sub := failureOf(c)
	s.out.settle(i, sub)
	if i == TotalFailed {
		s.out.Integrity = Broken
	} else {
		s.out.Integrity = worse(s.out.Integrity, IntegrityNotChecked, Intact, IntegrityNotChecked, Modified, Broken)
	}
}

// tolerated reports whether a failed check belongs to older kinds of signature that never
// had what it asks for; the report says so and the level is none.
func (s *signing) tolerated(c cms.Check) bool {
	if s.out.SubFilter == "ETSI.CAdES.detached" {
		return false
	}
	signer := s.cms.Signers[0]
	if c.ID == cms.CheckAttributes && len(signer.SignedAttributes) == 0 {
		// The bytes were signed, but nothing says what for or by which certificate: such a
		// value can be passed off as another kind of signature (RFC 5652 §5.3 wants attributes
		// for every content but plain data).
		m := msgCMSBad.of(both{"không có thuộc tính được ký", "there are no signed attributes"})
		s.out.check(string(c.ID), Failed, m)
		s.out.settle(Indeterminate, SigConstraintsFailure)
		return true
	}
	if c.ID != cms.CheckESS {
		return false
	}
	if signer.HasSignedAttribute(cms.OIDSigningCertificate) || signer.HasSignedAttribute(cms.OIDSigningCertificateV2) {
		return false
	}
	s.out.check(string(c.ID), NotDone, msgESSNone)
	return true
}

func failureOf(c cms.Check) (Indication, SubIndication) {
	switch {
	case c.ID == cms.CheckDigest && errors.Is(c.Err, cms.ErrDigest):
		return TotalFailed, HashFailure
	case errors.Is(c.Err, cms.ErrNoSigner):
		return Indeterminate, NoSigningCertificateFound
	case errors.Is(c.Err, cms.ErrAlgorithm):
		return Indeterminate, CryptoConstraintsFailure
	case c.ID == cms.CheckSignature:
		return TotalFailed, SigCryptoFailure
	}
	return TotalFailed, FormatFailure
}

func resultOf(o cms.Outcome) Result {
	switch o {
	case cms.Passed:
		return Passed
	case cms.Failed:
		return Failed
	}
	return NotDone
}
