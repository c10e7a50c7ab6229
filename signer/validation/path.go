package validation

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/saoy/saoy/signer/trust"
)

const (
	purposeSigner    = trust.Signing
	purposeTimestamp = trust.TimeStamping
)

// verdict is what path validation concluded about one certificate.
type verdict struct {
	indication Indication
	sub        SubIndication
	issuer     Issuer
	why        both
	path       trust.Path
	at         time.Time
	revocation Result
}

// path judges a certificate that was used at one time and is proven to have been used by
// another, the same or later (ETSI EN 319 102-1 §5.2.6, §5.6.2.1): it must have been valid
// and not revoked when used, and what it made must be proven to be older than its end and
// than any revocation.
func (x *examiner) path(cert *x509.Certificate, p trust.Purpose, used, proven time.Time) verdict {
	d := verdict{indication: TotalPassed, issuer: Trusted, at: used, revocation: NotDone}
	r := x.ask(cert, p, used, x.options.Source)
	d.path = r.Path
	if a := r.Path.Anchor; a.Demonstration {
		x.warnOnce(msgDemonstration.of(both{a.Name, a.English()}).both())
	}
	if len(r.Path.Certificates) == 0 {
		d.path.Certificates = []*x509.Certificate{cert}
	}
	if r.PathErr != nil {
		d.failPath(r.PathErr)
		return d
	}
	for _, c := range r.Path.Certificates[:len(r.Path.Certificates)-1] {
		if proven.After(c.NotAfter) {
			d.open(OutOfBoundsNoPOE, both{nameOfCert(c) + " hết hạn " + stamp(c.NotAfter), nameOfCert(c) + " expired on " + stamp(c.NotAfter)})
			return d
		}
	}
	if weak, bad := x.options.Policy.weakLink(r.Path.Certificates, proven); bad {
		d.open(CryptoConstraintsFailureNoPOE, plain(errors.New(weak)))
		return d
	}
	d.standings(r, used, proven)
	// Today's answer decides what the file leaves open, and whether the key of a time-stamp
	// that nothing younger covers has been revoked since.
	if x.options.Source != nil && used.Before(x.options.At) && (d.sub == TryLater || d.indication == TotalPassed && proven.Equal(x.options.At)) {
		if now := x.ask(cert, p, x.options.At, x.options.Source); now.PathErr == nil && !errors.Is(now.Err(), trust.ErrRevocationUnknown) {
			d.indication, d.sub, d.issuer = TotalPassed, "", Trusted
			d.standings(now, used, proven)
		}
	}
	return d
}

// ask puts the question of one certificate at one time to the path validation.
func (x *examiner) ask(cert *x509.Certificate, p trust.Purpose, at time.Time, source *trust.Source) trust.Result {
	if x.evidence.found == nil {
		x.evidence.found = trust.NewEvidence(x.evidence.ocsps, x.evidence.crls)
	}
	store := x.options.Anchors
	if store == nil {
		store = trust.NewStore()
	}
	v := trust.Validator{Store: store, Source: source}
	r := v.Validate(x.ctx, trust.Question{Certificate: cert, Untrusted: x.evidence.certs, Evidence: x.evidence.found,
		Purpose: p, At: at, Now: x.options.At})
	for _, c := range r.Path.Certificates {
		if !x.used[string(c.Raw)] {
			x.onPaths = append(x.onPaths, c)
		}
	}
	for _, list := range [][][]byte{r.Used.Certs, r.Used.OCSPs, r.Used.CRLs} {
		for _, der := range list {
			x.used[string(der)] = true
		}
	}
	return r
}

// standings judges the revocation of every certificate of a path below its anchor.
func (d *verdict) standings(r trust.Result, used, proven time.Time) {
	d.revocation = Passed
	for _, s := range r.Standings {
		who := nameOfCert(s.Certificate)
		switch {
		case s.Revocation == nil && s.Err != nil:
			d.revocation = NotDone
			d.open(TryLater, both{who + ": chưa có dữ liệu thu hồi", who + ": no revocation data"})
		case s.Revocation == nil:
		case s.Revocation.At(used) == trust.Revoked:
			d.revocation = Failed
			d.why = revokedOn(who, s.Revocation.RevokedAt)
			d.indication, d.sub, d.issuer = TotalFailed, Revoked, Untrusted
			return
		case s.Revocation.At(proven) == trust.Revoked:
			d.revocation = Failed
			d.open(RevokedNoPOE, revokedOn(who, s.Revocation.RevokedAt))
			return
		}
	}
}

func revokedOn(who string, at time.Time) both {
	return both{who + " bị thu hồi " + stamp(at), who + " revoked on " + stamp(at)}
}

// open leaves a verdict undecided.
func (d *verdict) open(sub SubIndication, why both) {
	d.indication, d.sub, d.why, d.issuer = Indeterminate, sub, why, Undetermined
}

// failPath turns an error of the path builder into the indication of ETSI EN 319 102-1
// §5.2.6.4 and Table 6.
func (d *verdict) failPath(err error) {
	d.open(CertificateChainGeneral, plain(err))
	switch {
	case errors.Is(err, trust.ErrNoPath):
		d.sub, d.issuer = NoCertificateChainFound, Untrusted
	case errors.Is(err, trust.ErrExpired):
		d.sub = OutOfBoundsNoPOE
	case errors.Is(err, trust.ErrNotYetValid):
		d.indication, d.sub, d.issuer = TotalFailed, NotYetValid, Untrusted
	case errors.Is(err, trust.ErrConstraints), errors.Is(err, trust.ErrKeyUsage):
		d.sub, d.issuer = ChainConstraintsFailure, Untrusted
	case errors.Is(err, trust.ErrWeakKey):
		d.sub, d.issuer = CryptoConstraintsFailure, Untrusted
	}
}

// path notes a verdict on the signer's certificate in the report.
func (s *Signature) path(d verdict) {
	s.Issuer = d.issuer
	for _, c := range d.path.Certificates {
		s.Path = append(s.Path, describeCert(c))
	}
	s.Anchor, s.AnchorEN = d.path.Anchor.Name, d.path.Anchor.English()
	switch d.sub {
	case "", TryLater:
		s.check("certificate-path", Passed, msgPathOK.of(both{s.Anchor, s.AnchorEN}, stamp(d.at)))
	case NoCertificateChainFound:
		s.check("certificate-path", Failed, msgPathNone.of(d.why))
	case OutOfBoundsNoPOE:
		s.check("certificate-path", Failed, msgExpired.of(d.why))
	case Revoked, RevokedNoPOE:
		s.check("revocation", Failed, msgRevokedBefore.of(d.why))
		return
	default:
		s.check("certificate-path", Failed, msgPathBad.of(d.why))
	}
	switch {
	case d.revocation == Passed:
		s.check("revocation", Passed, msgRevocationOK)
	case d.sub == TryLater:
		s.check("revocation", NotDone, msgRevocationOpen.of(d.why))
	default:
		s.check("revocation", NotDone, msgRevocationOff)
	}
}

func describeCert(c *x509.Certificate) Certificate {
	return Certificate{Subject: distinguishedName(c.Subject), Issuer: distinguishedName(c.Issuer), Serial: c.SerialNumber.Text(16),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Fingerprint: fingerprint(c)}
}
