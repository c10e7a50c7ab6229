package validation

import (
	"crypto/x509"
	"errors"
	"time"

	"github.com/saoy/saoy/signer/trust"
)

// Fetcher gets revocation evidence about a certificate from where the operator allows. It
// returns what is authentic and fresh for when; an error means there is none.
type Fetcher interface {
	Revocation(cert, issuer *x509.Certificate, when trust.When) (trust.Revocation, error)
}

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
	store := x.options.Anchors
	if store == nil {
		store = trust.NewStore()
	}
	path, err := trust.BuildPath(cert, x.evidence.certs, store, used, p)
	d.path = path
	if len(path.Certificates) == 0 {
		d.path.Certificates = []*x509.Certificate{cert}
	}
	if err != nil {
		d.failPath(err)
		return d
	}
	for _, c := range path.Certificates[:len(path.Certificates)-1] {
		if proven.After(c.NotAfter) {
			d.open(OutOfBoundsNoPOE, both{nameOfCert(c) + " hết hạn " + stamp(c.NotAfter), nameOfCert(c) + " expired on " + stamp(c.NotAfter)})
			return d
		}
	}
	x.revocation(&d, used, proven)
	return d
}

// open leaves a verdict undecided.
func (d *verdict) open(sub SubIndication, why both) {
	d.indication, d.sub, d.why, d.issuer = Indeterminate, sub, why, Undetermined
}

// failPath turns an error of the path builder into the indication of ETSI EN 319 102-1
// §5.2.6.4 and Table 6.
func (d *verdict) failPath(err error) {
	d.open(CertificateChainGeneral, plain(err))
	// An expired certificate under no anchor is untrusted first of all.
	var invalid x509.CertificateInvalidError
	nowhere := errors.As(err, &invalid) && invalid.Reason == x509.Expired
	switch {
	case errors.Is(err, trust.ErrNoPath), nowhere:
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

// revocation asks about every certificate of a path below its anchor.
func (x *examiner) revocation(d *verdict, used, proven time.Time) {
	certs := d.path.Certificates
	d.revocation = Passed
	for i := range len(certs) - 1 {
		r, err := x.revocationOf(certs[i], certs[i+1], used)
		switch {
		case err != nil:
			d.revocation = NotDone
			d.open(TryLater, both{nameOfCert(certs[i]) + ": chưa có dữ liệu thu hồi", nameOfCert(certs[i]) + ": no revocation data"})
			continue
		case r.At(used) == trust.Revoked:
			d.revocation = Failed
			d.why = both{nameOfCert(certs[i]) + " bị thu hồi " + stamp(r.RevokedAt), nameOfCert(certs[i]) + " revoked on " + stamp(r.RevokedAt)}
			d.indication, d.sub, d.issuer = TotalFailed, Revoked, Untrusted
			return
		case r.At(proven) == trust.Revoked:
			d.revocation = Failed
			d.open(RevokedNoPOE, both{nameOfCert(certs[i]) + " bị thu hồi " + stamp(r.RevokedAt), nameOfCert(certs[i]) + " revoked on " + stamp(r.RevokedAt)})
			return
		}
	}
}

// revocationOf takes the file's own evidence and, where it has none for the time in
// question, what the operator lets the validator fetch.
func (x *examiner) revocationOf(cert, issuer *x509.Certificate, used time.Time) (trust.Revocation, error) {
	when := trust.When{At: used, Now: x.options.At}
	if x.evidence.found == nil {
		x.evidence.found = trust.NewEvidence(x.evidence.ocsps, x.evidence.crls)
	}
	r, err := x.evidence.found.Find(cert, issuer, x.evidence.certs, when)
	if err == nil && r.Status == trust.Revoked || x.options.Fetch == nil {
		return r, err
	}
	// A fetched answer is younger and may know of a revocation the file could not.
	fetched, fetchErr := x.options.Fetch.Revocation(cert, issuer, when)
	if fetchErr == nil && (err != nil || fetched.ThisUpdate.After(r.ThisUpdate)) {
		return fetched, nil
	}
	return r, err
}

// path notes a verdict on the signer's certificate in the report.
func (s *Signature) path(d verdict) {
	s.Issuer = d.issuer
	for _, c := range d.path.Certificates {
		s.Path = append(s.Path, describeCert(c))
	}
	s.Anchor = d.path.Anchor.Name
	switch d.sub {
	case "", TryLater:
		s.check("certificate-path", Passed, msgPathOK.of(d.path.Anchor.Name, stamp(d.at)))
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
