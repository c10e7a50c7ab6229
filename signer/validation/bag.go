package validation

import (
	"bytes"
	"crypto/x509"
	"errors"
	"slices"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/trust"
)

// bag checks the certificates that come with a signature and its time-stamps. No signature
// covers them; one whose own signature is wrong under its issuer's key was altered, and a
// file in which something was altered does not pass.
func (x *examiner) bag(s *signing) {
	if s.cms == nil {
		return
	}
	bags := []*cms.SignedData{s.cms}
	for _, der := range s.tokens() {
		if sd, err := cms.Parse(der); err == nil {
			bags = append(bags, sd)
		}
	}
	for _, b := range bags {
		if b.BadCertificates > 0 {
			s.out.check("certificates", Failed, msgBagBad.of(both{"không đọc được", "it cannot be read"}))
			s.out.settle(Indeterminate, CertificateChainGeneral)
		}
		for _, c := range b.Certificates {
			if x.alteredOnce(c) {
				s.out.check("certificates", Failed, msgBagBad.of(nameOfCert(c)))
				s.out.settle(Indeterminate, CertificateChainGeneral)
			}
		}
	}
}

// alteredOnce remembers what altered said.
func (x *examiner) alteredOnce(c *x509.Certificate) bool {
	bad, known := x.judged[string(c.Raw)]
	if !known {
		bad = x.altered(c)
		x.judged[string(c.Raw)] = bad
	}
	return bad
}

// altered reports whether issuers of a certificate are at hand and none of them signed it.
func (x *examiner) altered(c *x509.Certificate) bool {
	issuers := x.evidence.certs
	if x.options.Anchors != nil {
		issuers = append(issuers[:len(issuers):len(issuers)], anchorsOf(x.options.Anchors)...)
	}
	for _, known := range [][]*x509.Certificate{issuers, x.onPaths} {
		if slices.ContainsFunc(known, func(o *x509.Certificate) bool { return twin(c, o) }) {
			return true
		}
	}
	const most = 8 // a file can name one issuer in very many certificates
	tried := 0
	for _, i := range issuers {
		if !bytes.Equal(i.RawSubject, c.RawIssuer) || len(c.AuthorityKeyId) > 0 && len(i.SubjectKeyId) > 0 && !bytes.Equal(c.AuthorityKeyId, i.SubjectKeyId) {
			continue
		}
		err := i.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature)
		var insecure x509.InsecureAlgorithmError
		if err == nil || errors.As(err, &insecure) {
			return false
		}
		if errors.Is(err, x509.ErrUnsupportedAlgorithm) {
			continue
		}
		if tried++; tried == most {
			return false
		}
	}
	return tried > 0
}

// twin reports whether two certificates are one and the same but for some of its bytes: one
// of them was altered, for instance in the name of its issuer.
func twin(a, b *x509.Certificate) bool {
	return a.SerialNumber.Cmp(b.SerialNumber) == 0 && bytes.Equal(a.RawSubjectPublicKeyInfo, b.RawSubjectPublicKeyInfo) && !bytes.Equal(a.Raw, b.Raw)
}

func anchorsOf(s *trust.Store) []*x509.Certificate {
	var certs []*x509.Certificate
	for _, a := range s.Anchors() {
		certs = append(certs, a.Certificate)
	}
	return certs
}
