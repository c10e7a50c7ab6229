package validation

import (
	"crypto/x509"
	"errors"
	"slices"

	"github.com/saoy/saoy/signer/trust"
)

// maxStoreWork bounds how many pairs of a certificate and a piece of evidence are looked at.
const maxStoreWork = 20_000

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
	left := maxStoreWork
	for _, der := range e.stored.ocsps {
		if !x.used[string(der)] && !x.vouchedFor(trust.NewEvidence([][]byte{der}, nil), &left) {
			return both{"một trả lời OCSP không đúng chữ ký", "an OCSP response is not signed as it should be"}
		}
	}
	for _, der := range e.stored.crls {
		if !x.used[string(der)] && !x.vouchedFor(trust.NewEvidence(nil, [][]byte{der}), &left) {
			return both{"một danh sách thu hồi không đúng chữ ký", "a CRL is not signed as it should be"}
		}
	}
	return both{}
}

// vouchedFor reports whether evidence speaks of a certificate at hand under its issuer's
// signature, whenever that was.
func (x *examiner) vouchedFor(e *trust.Evidence, left *int) bool {
	issuers := x.evidence.certs
	if x.options.Anchors != nil {
		issuers = append(slices.Clip(issuers), anchorsOf(x.options.Anchors)...)
	}
	for _, c := range x.evidence.certs {
		for _, i := range issuers {
			if !equal(i.RawSubject, c.RawIssuer) {
				continue
			}
			if *left--; *left < 0 || x.ctx.Err() != nil {
				return false
			}
			_, err := e.Find(c, i, x.evidence.certs, trust.When{At: x.options.At, Now: x.options.At})
			if err == nil || errors.Is(err, trust.ErrStale) && !errors.Is(err, trust.ErrEvidence) {
				return true
			}
		}
	}
	return false
}
