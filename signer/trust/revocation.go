package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Status of a certificate by an OCSP response or CRL.
type Status int

// The statuses.
const (
	Unknown Status = iota
	Good
	Revoked
)

// Revocation is verified evidence about one certificate.
type Revocation struct {
	Status Status
	// RevokedAt and Reason (RFC 5280 §5.3.1) are set if Status is Revoked.
	RevokedAt time.Time
	Reason    int
	// ThisUpdate and NextUpdate bound for when the evidence speaks; NextUpdate may be zero.
	ThisUpdate, NextUpdate time.Time
	// Source is "OCSP" or "CRL"; Raw the DER of OCSPResponse or CertificateList, More that of
	// further lists: delta CRLs, and those for other reasons.
	Source string
	Raw    []byte
	More   [][]byte
	// Signers are whose certificates signed the evidence, if not the issuer's own: an OCSP
	// responder, or who issues CRLs in the issuer's stead. Their own revocation is still to be checked.
	Signers []*x509.Certificate
}

// At returns the status as of a time: a certificate revoked later was good then, unless the
// reason is that its key was compromised at a time nobody knows before (RFC 5280 §5.3.2 gives
// none, so the date of revocation stands).
func (r Revocation) At(t time.Time) Status {
	if r.Status == Revoked && t.Before(r.RevokedAt) {
		return Good
	}
	return r.Status
}

// Errors of evidence.
var (
	// ErrEvidence: malformed, not authentic, or about another certificate.
	ErrEvidence = errors.New("revocation evidence is not valid")
	// ErrStale: the evidence is too old for the time in question.
	ErrStale = errors.New("revocation evidence is too old")
)

// When says for which time evidence is wanted.
type When struct {
	// At is the time in question: now, or the proven time of a signature.
	At time.Time
	// Now bounds thisUpdate: evidence from the future is refused.
	Now time.Time
	// MaxAge is how old thisUpdate may be at At; zero: as old as nextUpdate allows, and one
	// week where there is none.
	MaxAge time.Duration
	// Skew is how far clocks may differ; zero is five minutes.
	Skew time.Duration
}

// certificateHold is the one reason for which a revocation may be taken back (RFC 5280 §5.3.1).
const certificateHold = 6

// final tells that a certificate is revoked for ever, so that no time makes this untrue.
func (r Revocation) final() bool { return r.Status == Revoked && r.Reason != certificateHold }

// accept tells whether evidence answers for When. Of one that says "revoked" for ever, only
// that it is not from the future matters.
func (w When) accept(r Revocation, cert *x509.Certificate) error {
	err := w.fresh(r.ThisUpdate, r.NextUpdate, cert)
	if r.final() && errors.Is(err, ErrStale) {
		return nil
	}
	return err
}

// fresh tells whether evidence about cert with these times answers for When. Evidence younger
// than At is welcome: who was good later was good before. But it says nothing about a
// certificate that had expired by then, for issuers forget those.
func (w When) fresh(this, next time.Time, cert *x509.Certificate) error {
	skew := w.Skew
	if skew == 0 {
		skew = 5 * time.Minute
	}
	maxAge := w.MaxAge
	if maxAge == 0 && next.IsZero() {
		maxAge = 7 * 24 * time.Hour
	}
	switch {
	case this.After(w.Now.Add(skew)):
		return fmt.Errorf("%w: thisUpdate %s lies in the future", ErrEvidence, this.Format(time.RFC3339))
	case !next.IsZero() && next.Before(w.At.Add(-skew)):
		return fmt.Errorf("%w: nextUpdate was %s", ErrStale, next.Format(time.RFC3339))
	case maxAge > 0 && this.Before(w.At.Add(-maxAge-skew)):
		return fmt.Errorf("%w: thisUpdate was %s", ErrStale, this.Format(time.RFC3339))
	case this.After(cert.NotAfter):
		return fmt.Errorf("%w: made after the certificate expired", ErrStale)
	}
	return nil
}

// Evidence is a collection of parsed revocation data, such as that in a file. What could not
// be parsed is left out and counted.
type Evidence struct {
	ocsps []*ocspResponse
	crls  []*crl
	// Malformed is how many entries were left out.
	Malformed int

	memo *memo
}

// maxEvidence bounds how many entries of each kind are looked at.
const maxEvidence = 500

// NewEvidence parses OCSP responses (OCSPResponse or BasicOCSPResponse) and CRLs in DER.
func NewEvidence(ocsps, crls [][]byte) *Evidence {
	e := &Evidence{memo: &memo{}}
	for _, der := range ocsps[:min(len(ocsps), maxEvidence)] {
		r, err := parseOCSP(der)
		if err != nil {
			e.Malformed++
			continue
		}
		e.ocsps = append(e.ocsps, r)
	}
	for _, der := range crls[:min(len(crls), maxEvidence)] {
		l, err := parseCRL(der)
		if err != nil {
			e.Malformed++
			continue
		}
		e.crls = append(e.crls, l)
	}
	return e
}

// subject is a certificate about which evidence is wanted.
type subject struct {
	cert, issuer *x509.Certificate
	// others are certificates among which OCSP responders and signers of CRLs are looked for.
	others []*x509.Certificate
	// byAnchor: the issuer is the trust anchor. Then lists are asked before responders, for a
	// response that the anchor signs itself leaves validators that want to know of its signer too
	// (pyHanko) without an answer: nothing but its list speaks of an anchor.
	byAnchor bool
	// crlSigner tells whether another than the issuer may sign CRLs: one with a path to the
	// anchor of cert. Nil: nobody may.
	crlSigner func(*x509.Certificate) error
}

// Find returns the youngest valid evidence about cert, or any that says it was revoked for
// ever; others are certificates among which OCSP responders are looked for. CRLs have to be the
// issuer's own: who else may sign them takes a path to judge, which Validator does.
// ErrRevocationUnknown, with the reasons, if there is none.
func (e *Evidence) Find(cert, issuer *x509.Certificate, others []*x509.Certificate, when When) (Revocation, error) {
	return e.find(subject{cert: cert, issuer: issuer, others: others}, when)
}

func (e *Evidence) find(s subject, when When) (Revocation, error) {
	found := finding{errs: []error{ErrRevocationUnknown}}
	if e != nil {
		for _, r := range e.ocsps {
			if r.about(s.cert, s.issuer) {
				found.take(r.check(e.memo, s, when))
			}
		}
		e.lists(s, when, &found)
	}
	if found.best.Status == Unknown {
		return Revocation{}, errors.Join(found.errs...)
	}
	return found.best, nil
}

// finding is the best evidence so far, and why other evidence was not taken.
type finding struct {
	best Revocation
	errs []error
}

func (f *finding) take(r Revocation, err error) {
	best := &f.best
	switch {
	case err != nil:
		f.errs = append(f.errs, err)
	case r.Status == Unknown:
		f.errs = append(f.errs, fmt.Errorf("%w: responder does not know the certificate", ErrEvidence))
	case best.Status == Unknown, r.final() && !best.final(), r.final() == best.final() && r.ThisUpdate.After(best.ThisUpdate):
		*best = r
	}
}

// lists takes what the CRLs say. Those that cover all reasons speak for themselves; the
// others together, if no reason is left out (RFC 5280 §6.3.3 l).
func (e *Evidence) lists(s subject, when When, found *finding) {
	var deltas, complete []*crl
	for _, l := range e.crls {
		if l.base != nil {
			deltas = append(deltas, l)
		} else {
			complete = append(complete, l)
		}
	}
	if len(complete) == 0 && len(deltas) > 0 {
		found.errs = append(found.errs, badCRL("is a delta CRL, and the complete one is not at hand"))
	}
	var parts []partial
	issuer := parseName(s.cert.RawIssuer)
	points := pointsOf(s.cert, issuer)
	for _, l := range complete {
		var reasons reasonSet
		for _, p := range points {
			reasons |= p.covers(l, s.cert, issuer)
		}
		if reasons == 0 {
			if slices.Equal(l.issuer, issuer) {
				found.errs = append(found.errs, badCRL("does not cover the certificate"))
			}
			continue
		}
		p, err := l.statement(s, reasons, deltas, when)
		if err != nil || p.Status == Revoked || reasons == allReasons {
			found.take(p.Revocation, err)
			continue
		}
		parts = append(parts, p)
	}
	if len(parts) > 0 {
		found.take(join(parts))
	}
}

// join makes one statement of several that say "good", each for some reasons.
func join(parts []partial) (Revocation, error) {
	whole := parts[0]
	for _, p := range parts[1:] {
		whole.reasons |= p.reasons
		whole.More = append(append(whole.More, p.Raw), p.More...)
		whole.Signers = append(whole.Signers, p.Signers...)
		if p.ThisUpdate.Before(whole.ThisUpdate) {
			whole.ThisUpdate = p.ThisUpdate
		}
		if whole.NextUpdate.IsZero() || (!p.NextUpdate.IsZero() && p.NextUpdate.Before(whole.NextUpdate)) {
			whole.NextUpdate = p.NextUpdate
		}
	}
	if whole.reasons != allReasons {
		return Revocation{}, badCRL("covers only some reasons")
	}
	return whole.Revocation, nil
}
