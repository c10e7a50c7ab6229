package validation

import (
	"cmp"
	"crypto"
	"crypto/x509"
	"errors"
	"slices"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/timestamp"
)

// authenticity judges, from the outside in, the time-stamps and then the signatures: each
// document time-stamp that holds proves that everything it covers existed at its time, and
// what is inside is judged as of that time (ETSI EN 319 102-1 §5.6, past signature
// validation with proofs of existence).
func (x *examiner) authenticity(all []*signing) error {
	e, err := x.gather(all)
	if err != nil {
		return err
	}
	x.evidence = e
	if x.options.Source != nil {
		x.ctx = x.caller // the file has been read; what is left asks the network
	}
	for i := len(all) - 1; i >= 0; i-- {
		s := all[i]
		s.unsound = s.out.Indication == TotalFailed && s.out.Integrity == Broken || s.verified == nil || s.verified.Signer == nil
		s.proven = x.options.At
		for _, t := range all[i+1:] {
			if t.holds && t.covers(s) && t.token.Time.Before(s.proven) {
				s.proven = t.token.Time
			}
		}
		if s.out.Kind == KindDocTimestamp {
			x.documentTimestamp(s)
		}
	}
	for _, s := range all {
		if s.out.Kind == KindSignature {
			x.signer(s)
		}
	}
	for _, s := range all {
		x.bag(s)
	}
	x.storeIntact(all)
	levels(all, e)
	return x.ctx.Err()
}

// documentTimestamp judges a document time-stamp as of the time it is proven to exist.
func (x *examiner) documentTimestamp(s *signing) {
	// One whose value could not be verified, if only for its algorithm, proves nothing.
	if s.token == nil || s.unsound || s.verified.Err() != nil {
		s.out.Issuer = Undetermined
		return
	}
	s.out.Time, s.out.TimeSource = s.token.Time, TimeClaimed
	why, ok := x.tokenHolds(s.token, s.verified, s.proven, &s.out)
	if !ok {
		s.out.settle(why.indication, why.sub)
		return
	}
	s.holds = true
	s.out.TimeSource = TimeFromTimestamp
	s.out.check("time-stamp", Passed, msgTimeProven.of(stamp(s.token.Time), nameOfCert(s.verified.Signer)))
}

// tokenHolds judges the authority of a token that is proven to exist at a time. The verdict
// on its path is noted in out, if not nil.
func (x *examiner) tokenHolds(t *timestamp.Token, v *cms.Verification, proven time.Time, out *Signature) (verdict, bool) {
	if err := timestamp.CheckAuthority(v.Signer); err != nil {
		return x.noteToken(out, verdict{indication: Indeterminate, sub: ChainConstraintsFailure, why: plain(err)}), false
	}
	if t.Time.After(proven.Add(t.Accuracy)) {
		return x.noteToken(out, verdict{indication: Indeterminate, sub: TimestampOrderFailure,
			why: both{"dấu thời gian ở sau thời điểm mà nó đã phải tồn tại", "its time is later than the time by which it must have existed"}}), false
	}
	if weak, bad := x.options.Policy.weakest(v, proven); bad {
		return x.noteToken(out, verdict{indication: Indeterminate, sub: CryptoConstraintsFailureNoPOE, why: plain(errors.New(weak))}), false
	}
	d := x.path(v.Signer, purposeTimestamp, t.Time, proven)
	if out != nil {
		out.path(d)
	}
	if d.indication != TotalPassed {
		return x.noteToken(out, d), false
	}
	return d, true
}

func (x *examiner) noteToken(out *Signature, d verdict) verdict {
	if out != nil {
		m := msgTimeBad
		if d.sub == NoCertificateChainFound {
			m = msgTimeUntrusted
		}
		out.check("time-stamp", Failed, m.of(d.why))
	}
	return d
}

// signer judges a signature: its best time, its algorithms at that time, and the path of its
// certificate as of that time.
func (x *examiner) signer(s *signing) {
	if s.verified == nil || s.verified.Signer == nil {
		return
	}
	best, from := s.proven, "document time-stamp"
	proved := s.proven.Before(x.options.At)
	for _, der := range s.tokens() {
		t, ok := x.signatureTimestamp(s, der)
		if ok && t.Time.Before(best) {
			best, from, proved = t.Time, "signature time-stamp", true
		}
	}
	if proved {
		s.out.Time, s.out.TimeSource = best, TimeFromTimestamp
		s.out.check("signing-time", Passed, msgTimeProven.of(stamp(best), timeSources[from]))
	} else {
		s.out.check("signing-time", NotDone, msgTimeUnproven)
	}
	x.policy(s, best)
	if s.unsound {
		s.out.Issuer = Undetermined
		return
	}
	d := x.path(s.verified.Signer, purposeSigner, best, best)
	if !proved && d.sub == Revoked {
		d.indication, d.sub = Indeterminate, RevokedNoPOE
	}
	s.out.path(d)
	s.out.settle(d.indication, d.sub)
}

var timeSources = map[string]both{
	"document time-stamp":  {"dấu thời gian tài liệu", "document time-stamp"},
	"signature time-stamp": {"dấu thời gian chữ ký", "signature time-stamp"},
}

// tokens are the signature time-stamps of a signature with one signer.
func (s *signing) tokens() [][]byte {
	if s.cms == nil || len(s.cms.Signers) != 1 {
		return nil
	}
	return s.cms.Signers[0].TimeStampTokens()
}

// signatureTimestamp judges a token over the signature value. One that does not hold proves
// nothing and does no harm by itself (ETSI EN 319 102-1 §5.5.4), except that a token over
// something else is a sign of tampering and fails the signature.
func (x *examiner) signatureTimestamp(s *signing, der []byte) (*timestamp.Token, bool) {
	t, err := timestamp.ParseToken(der)
	if err != nil {
		s.out.check("signature-time-stamp", Failed, msgTimeBad.of(plain(err)))
		s.out.settle(Indeterminate, SigConstraintsFailure)
		return nil, false
	}
	value := s.cms.Signers[0].Signature
	if err := t.Covers(cms.BytesOf(value)); err != nil {
		s.out.check("signature-time-stamp", Failed, msgTimeBad.of(plain(err)))
		s.out.settle(Indeterminate, SigConstraintsFailure)
		return nil, false
	}
	s.stamped = true
	v := t.VerifySignature(x.evidence.certs...)
	if err := v.Err(); err != nil {
		s.out.check("signature-time-stamp", Failed, msgTimeBad.of(plain(err)))
		if !absent(der, err) {
			s.out.settle(Indeterminate, SigConstraintsFailure) // a token that once was right was altered
		}
		return nil, false
	}
	var line Signature
	if _, ok := x.tokenHolds(t, v, s.proven, &line); !ok {
		for _, c := range line.Checks {
			if c.ID == "time-stamp" {
				c.ID = "signature-time-stamp"
				s.out.Checks = append(s.out.Checks, c)
			}
		}
		return nil, false
	}
	s.out.check("signature-time-stamp", Passed, msgTimeProven.of(stamp(t.Time), nameOfCert(v.Signer)))
	return t, true
}

// absent reports whether a token cannot be verified for want of its certificate, which an
// authority need not send along.
func absent(der []byte, err error) bool {
	sd, bad := cms.Parse(der)
	return bad == nil && len(sd.Certificates)+sd.BadCertificates == 0 && errors.Is(err, cms.ErrNoSigner)
}

// stamp writes a time for people, in UTC.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

func nameOfCert(c *x509.Certificate) string {
	if c.Subject.CommonName != "" {
		return escape(c.Subject.CommonName)
	}
	return distinguishedName(c.Subject)
}

// policy judges the algorithms of a signature at the time it is proven to exist.
func (x *examiner) policy(s *signing, at time.Time) {
	weak, bad := x.options.Policy.weakest(s.verified, at)
	if !bad {
		s.out.check("algorithm-policy", Passed, msgStrong.of(s.out.Algorithm, stamp(at)))
		return
	}
	s.out.check("algorithm-policy", Failed, msgWeak.of(weak, stamp(at)))
	sub := CryptoConstraintsFailureNoPOE
	if s.out.TimeSource == TimeFromTimestamp {
		sub = CryptoConstraintsFailure
	}
	s.out.settle(Indeterminate, sub)
}

// timestampToken checks a document time-stamp: the token's own signature, and that its
// imprint is the digest of the signed bytes (ISO 32000-2 §12.8.5).
func (s *signing) timestampToken(certs []*x509.Certificate) error {
	element, _, err := cms.Split(s.contents)
	if err != nil {
		return nil //nolint:nilerr // reported when the CMS was read
	}
	t, err := timestamp.ParseToken(element)
	if err != nil {
		s.fail("cms-format", FormatFailure, Broken, msgCMSBad.of(plain(err)))
		return nil
	}
	var failed error
	err = t.Covers(func(h crypto.Hash) ([]byte, error) {
		d, err := s.digest.sum(h)
		if err != nil && isRead(err) {
			failed = err
		}
		return d, err
	})
	switch {
	case failed != nil:
		return failed
	case err != nil:
		s.fail("message-imprint", HashFailure, Broken, msgDigestBad)
	default:
		s.out.check("message-imprint", Passed, msgDigestOK)
	}
	s.token = t
	return s.verify(nil, certs...)
}

// order sorts signatures as they were made.
func order(all []*signing) {
	slices.SortStableFunc(all, func(a, b *signing) int { return cmp.Compare(a.span.end, b.span.end) })
}
