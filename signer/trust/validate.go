package trust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/saoy/saoy/signer"
)

// Validator judges certificates.
type Validator struct {
	Store *Store
	// Source fetches what the evidence at hand lacks; nil: offline.
	Source *Source
	// MaxAge and Skew are those of When.
	MaxAge, Skew time.Duration
	// Policies are what is asked of certificate policies; the zero value accepts all.
	Policies Policies
}

// Question is what Validate is asked.
type Question struct {
	Certificate *x509.Certificate
	// Untrusted are certificates to build the path from and to find OCSP responders among.
	Untrusted []*x509.Certificate
	// Evidence is revocation data at hand, from a file for example; may be nil.
	Evidence *Evidence
	Purpose  Purpose
	// At is the time in question: now, or when the signature is proven to have existed. Now
	// is the current time. Revocation data is fetched only if At is within a day of Now: for the
	// past, today's answers are no substitute for those of then.
	At, Now time.Time
}

// Standing is what was found about one certificate of the path.
type Standing struct {
	Certificate *x509.Certificate
	// Revocation is the evidence used; nil if Err is not nil, or none is needed
	// (id-pkix-ocsp-nocheck).
	Revocation *Revocation
	// Err is nil, ErrRevoked or ErrRevocationUnknown.
	Err error
}

// Result of Validate.
type Result struct {
	Path Path
	// PathErr is nil or one of ErrNoPath, ErrConstraints, ErrExpired, ErrNotYetValid,
	// ErrKeyUsage, ErrWeakKey. With ErrExpired and ErrNotYetValid there is a path all the same.
	PathErr error
	// Standings are of the path's certificates but the anchor, the one in question first,
	// then of OCSP responders and signers of CRLs that have to be checked themselves.
	Standings []Standing
	// Used are the issuers, responders and revocation data that the result rests on.
	Used signer.ValidationData
}

// Err returns the worst that was found: the path's error, then a revocation, then a status
// that is not known; nil if the certificate is good.
func (r Result) Err() error {
	if r.PathErr != nil {
		return r.PathErr
	}
	var unknown error
	for _, s := range r.Standings {
		if errors.Is(s.Err, ErrRevoked) {
			return s.Err
		}
		if s.Err != nil && unknown == nil {
			unknown = s.Err
		}
	}
	return unknown
}

// Validate judges a certificate as of a time: path first, then revocation of everything in
// it but the anchor, and of OCSP responders without id-pkix-ocsp-nocheck. It uses the network only
// through Source.
func (v *Validator) Validate(ctx context.Context, q Question) Result {
	run := &validation{v: v, ctx: ctx, q: q, seen: map[string]bool{}}
	run.buildPath()
	if errors.Is(run.result.PathErr, ErrNoPath) && v.Source != nil {
		run.completePath()
	}
	if len(run.result.Path.Certificates) > 0 {
		run.standings(run.result.Path.Certificates)
	}
	return run.result
}

type validation struct {
	v      *Validator
	ctx    context.Context
	q      Question
	seen   map[string]bool // certificates whose standing is known
	result Result
}

func (r *validation) buildPath() {
	b := r.builder(r.q.Purpose, r.v.Store)
	b.policies = r.v.Policies
	r.result.Path, r.result.PathErr = b.build(r.q.Certificate)
}

func (r *validation) builder(p Purpose, store *Store) pathBuilder {
	return pathBuilder{purpose: p, at: r.q.At, store: store, others: r.q.Untrusted, memo: r.memo()}
}

func (r *validation) memo() *memo {
	if r.q.Evidence == nil {
		return nil
	}
	return r.q.Evidence.memo
}

// maxFetchedIssuers bounds how many missing issuers are fetched for one certificate.
const maxFetchedIssuers = 5

// completePath fetches issuers that the file lacks.
func (r *validation) completePath() {
	next := r.q.Certificate
	for range maxFetchedIssuers {
		issuers, err := r.v.Source.Issuers(r.ctx, next, r.q.Now)
		if err != nil || len(issuers) == 0 {
			return
		}
		r.q.Untrusted = append(slices.Clip(r.q.Untrusted), issuers...)
		r.buildPath()
		if !errors.Is(r.result.PathErr, ErrNoPath) {
			return
		}
		next = signerOf(next, issuers)
	}
}

// standings judges every certificate of a path but the anchor.
func (r *validation) standings(path []*x509.Certificate) {
	for i, cert := range path {
		signer.AddOnce(&r.result.Used.Certs, cert.Raw)
		if i == len(path)-1 || r.seen[string(cert.Raw)] {
			continue
		}
		r.seen[string(cert.Raw)] = true
		r.standing(cert, path[i+1], path[i+1:])
	}
}

func (r *validation) standing(cert, issuer *x509.Certificate, rest []*x509.Certificate) {
	rev, err := r.revocation(cert, issuer)
	if err != nil {
		r.result.Standings = append(r.result.Standings, Standing{Certificate: cert, Err: fmt.Errorf("%s: %w", cert.Subject, err)})
		return
	}
	s := Standing{Certificate: cert, Revocation: &rev}
	if rev.At(r.q.At) == Revoked {
		s.Err = fmt.Errorf("%s: %w since %s, reason %d", cert.Subject, ErrRevoked, rev.RevokedAt.Format(time.RFC3339), rev.Reason)
	}
	r.result.Standings = append(r.result.Standings, s)
	r.use(rev)
	for _, who := range rev.Signers {
		r.signer(rev, who, rest)
	}
}

// signer judges who signed evidence in the issuer's stead: the issuer certified a responder;
// who signs CRLs has a path of his own.
func (r *validation) signer(rev Revocation, who *x509.Certificate, rest []*x509.Certificate) {
	if rev.Source == "OCSP" {
		if !noCheck(who) {
			r.standings(append([]*x509.Certificate{who}, rest...))
		}
		return
	}
	if path, err := r.crlPath(who); err == nil { // found before, or the list had not been taken
		r.standings(path.Certificates)
	}
}

// crlPath finds the path of who signs CRLs, to the same anchor (RFC 5280 §6.3.3 f).
func (r *validation) crlPath(who *x509.Certificate) (Path, error) {
	b := r.builder(crlSigning, NewStore(r.result.Path.Anchor))
	return b.build(who)
}

func (r *validation) use(rev Revocation) {
	list := &r.result.Used.OCSPs
	if rev.Source == "CRL" {
		list = &r.result.Used.CRLs
	}
	signer.AddOnce(list, rev.Raw)
	for _, der := range rev.More {
		signer.AddOnce(list, der)
	}
	for _, who := range rev.Signers {
		signer.AddOnce(&r.result.Used.Certs, who.Raw)
	}
}

// revocation looks in the evidence at hand, then fetches.
func (r *validation) revocation(cert, issuer *x509.Certificate) (Revocation, error) {
	when := When{At: r.q.At, Now: r.q.Now, MaxAge: r.v.MaxAge, Skew: r.v.Skew}
	about := subject{cert: cert, issuer: issuer, others: r.q.Untrusted, byAnchor: issuer.Equal(r.result.Path.Anchor.Certificate), crlSigner: func(c *x509.Certificate) error {
		_, err := r.crlPath(c)
		return err
	}}
	rev, err := r.q.Evidence.find(about, when)
	if err == nil || r.v.Source == nil || r.q.Now.Sub(r.q.At).Abs() > 24*time.Hour {
		return rev, err
	}
	return r.v.Source.fetch(r.ctx, about, when)
}
