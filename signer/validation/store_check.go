package validation

import (
	"crypto/x509"
	"errors"
	"slices"

	"golang.org/x/crypto/ocsp"
)

// maxStoreWork bounds how many pairs of an issuer and a piece of evidence are looked at.
const maxStoreWork = 10_000

// storeIntact looks at what no signature covers because it came after the last one: the
// document security store. What in it served to judge a certificate is good; of the rest,
// every piece must read and be signed by an issuer at hand. Else somebody may have written
// into it, and a file in which something was altered does not pass.
func (x *examiner) storeIntact(all []*signing) {
	for _, s := range all {
		if s.rev == len(x.revs)-1 && !s.unsound {
			return // covered
		}
	}
	bad := x.storeBad()
	if bad == (both{}) {
		return
	}
	for _, s := range all {
		s.out.check("validation-data", Failed, msgStoreBad.of(bad))
		s.out.settle(Indeterminate, CertificateChainGeneral)
	}
}

func (x *examiner) storeBad() both {
	e := x.evidence
	switch {
	case e.bad > 0:
		return both{"không đọc được", "it cannot be read"}
	case slices.ContainsFunc(e.stored.certs, func(c *x509.Certificate) bool { return !x.used[string(c.Raw)] && x.alteredOnce(c) }):
		return both{"một chứng thư bị sửa", "a certificate is altered"}
	}
	issuers := e.certs
	if x.options.Anchors != nil {
		issuers = append(slices.Clip(issuers), anchorsOf(x.options.Anchors)...)
	}
	left := maxStoreWork
	signed := func(by func(*x509.Certificate) error) bool {
		return slices.ContainsFunc(issuers, func(i *x509.Certificate) bool { left--; return left >= 0 && by(i) == nil })
	}
	for _, der := range e.stored.ocsps {
		if x.used[string(der)] {
			continue
		}
		// Of a certificate that need not be at hand: programs store all they were told.
		if !signed(func(i *x509.Certificate) error { return signedOCSP(der, i) }) {
			return both{"một trả lời OCSP không đúng chữ ký", "an OCSP response is not signed as it should be"}
		}
	}
	for _, der := range e.stored.crls {
		if x.used[string(der)] {
			continue
		}
		crl, err := x509.ParseRevocationList(der)
		if err != nil || !signed(func(i *x509.Certificate) error { return signedCRL(crl, i) }) {
			return both{"một danh sách thu hồi không đúng chữ ký", "a CRL is not signed as it should be"}
		}
	}
	return both{}
}

// signedOCSP reports whether an issuer, or a responder it appointed, signed a response.
func signedOCSP(der []byte, issuer *x509.Certificate) error {
	_, err := ocsp.ParseResponse(der, issuer)
	return err
}

var errOtherIssuer = errors.New("another issuer")

func signedCRL(crl *x509.RevocationList, issuer *x509.Certificate) error {
	if !equal(crl.RawIssuer, issuer.RawSubject) {
		return errOtherIssuer
	}
	return crl.CheckSignatureFrom(issuer)
}
