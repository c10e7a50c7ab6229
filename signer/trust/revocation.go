package trust

import (
	"crypto/x509"
	"errors"
	"fmt"
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
	// Source is "OCSP" or "CRL"; Raw the DER of OCSPResponse or CertificateList.
	Source string
	Raw    []byte
	// Responder signed the OCSP response; nil if the issuer did, and for a CRL.
	Responder *x509.Certificate
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
	crls  []*x509.RevocationList
	// Malformed is how many entries were left out.
	Malformed int
}

// maxEvidence bounds how many entries of each kind are looked at.
const maxEvidence = 500

// NewEvidence parses OCSP responses (OCSPResponse or BasicOCSPResponse) and CRLs in DER.
func NewEvidence(ocsps, crls [][]byte) *Evidence {
	e := &Evidence{}
	for _, der := range ocsps[:min(len(ocsps), maxEvidence)] {
		r, err := parseOCSP(der)
		if err != nil {
			e.Malformed++
			continue
		}
		e.ocsps = append(e.ocsps, r)
	}
	for _, der := range crls[:min(len(crls), maxEvidence)] {
		l, err := x509.ParseRevocationList(der)
		if err != nil {
			e.Malformed++
			continue
		}
		e.crls = append(e.crls, l)
	}
	return e
}

// Find returns the youngest valid evidence about cert, or any that says it was revoked for
// ever; others are certificates among which OCSP responders are looked for.
// ErrRevocationUnknown, with the reasons, if there is none.
func (e *Evidence) Find(cert, issuer *x509.Certificate, others []*x509.Certificate, when When) (Revocation, error) {
	var best Revocation
	errs := []error{ErrRevocationUnknown}
	take := func(r Revocation, err error) {
		switch {
		case err != nil:
			errs = append(errs, err)
		case r.Status == Unknown:
			errs = append(errs, fmt.Errorf("%w: responder does not know the certificate", ErrEvidence))
		case best.Status == Unknown, r.final() && !best.final(), r.final() == best.final() && r.ThisUpdate.After(best.ThisUpdate):
			best = r
		}
	}
	if e != nil {
		for _, r := range e.ocsps {
			if r.about(cert, issuer) {
				take(r.check(cert, issuer, others, when))
			}
		}
		for _, l := range e.crls {
			if string(l.RawIssuer) == string(cert.RawIssuer) {
				take(checkCRL(l, cert, issuer, when))
			}
		}
	}
	if best.Status == Unknown {
		return Revocation{}, errors.Join(errs...)
	}
	return best, nil
}
