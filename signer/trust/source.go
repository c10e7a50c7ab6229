package trust

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/saoy/saoy/signer"
)

// Source fetches revocation data and remembers what it verified until it is due for renewal.
// It is safe for concurrent use.
type Source struct {
	fetcher *Fetcher
	nonce   bool

	mu    sync.Mutex
	cache map[[32]byte]cached   // guarded by mu
	lists map[string]cachedList // guarded by mu; CRLs by address
	found map[string]issuers    // guarded by mu; certificates by address
	down  map[string]time.Time  // guarded by mu; addresses that failed, until when they are left alone
}

type cached struct {
	revocation Revocation
	until      time.Time
}

// maxCached bounds the cache; CRLs make entries large, but few are different.
const maxCached = 2000

// downTime is how long an address that did not answer is left alone, so that not every
// document waits for the same time-out.
const downTime = 30 * time.Second

// maxCacheAge is how long an answer is reused at most, whatever its nextUpdate says.
const maxCacheAge = time.Hour

// NewSource makes a source. With nonce, OCSP requests carry one, and a response with another
// is refused; responders that pre-produce their answers (RFC 5019) leave it out, which is accepted:
// freshness is proven by the times.
func NewSource(f *Fetcher, nonce bool) *Source {
	return &Source{fetcher: f, nonce: nonce, cache: map[[32]byte]cached{}, lists: map[string]cachedList{}, found: map[string]issuers{}, down: map[string]time.Time{}}
}

// Fetch returns verified evidence about a certificate: by OCSP, else by CRL, from the
// addresses in the certificate. others are certificates among which the responder's may be; CRLs
// have to be the issuer's own. ErrRevocationUnknown with the reasons if there is none; among them is
// signer.ErrUnavailable if trying later may help.
func (s *Source) Fetch(ctx context.Context, cert, issuer *x509.Certificate, others []*x509.Certificate, when When) (Revocation, error) {
	return s.fetch(ctx, subject{cert: cert, issuer: issuer, others: others}, when)
}

func (s *Source) fetch(ctx context.Context, about subject, when When) (Revocation, error) {
	key := sha256.Sum256(append(append([]byte{}, about.cert.Raw...), about.issuer.Raw...))
	if r, ok := s.cached(key, about, when); ok {
		return r, nil
	}
	errs := []error{ErrRevocationUnknown}
	if len(about.cert.OCSPServer)+len(about.cert.CRLDistributionPoints) == 0 {
		errs = append(errs, errors.New("the certificate names neither OCSP nor CRL"))
	}
	ways := []func(context.Context, subject, When) (Revocation, error){s.fromResponders, s.fromLists}
	if about.byAnchor {
		slices.Reverse(ways)
	}
	for _, way := range ways {
		r, err := way(ctx, about, when)
		if err == nil {
			s.keep(key, r, when)
			return r, nil
		}
		errs = append(errs, err)
	}
	return Revocation{}, errors.Join(errs...)
}

func (s *Source) fromResponders(ctx context.Context, about subject, when When) (Revocation, error) {
	errs := []error{ErrRevocationUnknown}
	for _, address := range about.cert.OCSPServer {
		if !overHTTP(address) {
			errs = append(errs, errNotHTTP(address))
			continue
		}
		r, err := s.unlessDown(ctx, address, when.Now, func() (Revocation, error) { return s.ocsp(ctx, address, about, when) })
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
	}
	return Revocation{}, errors.Join(errs...)
}

// overHTTP: directories (ldap) are named by many certificates beside the web, and are not asked.
func overHTTP(address string) bool {
	scheme, _, _ := strings.Cut(address, ":")
	return strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
}

func errNotHTTP(address string) error { return fmt.Errorf("%.200q is not fetched over HTTP", address) }

// fromLists asks the lists at the certificate's addresses together: it may take several to
// cover all reasons.
func (s *Source) fromLists(ctx context.Context, about subject, when When) (Revocation, error) {
	errs := []error{ErrRevocationUnknown}
	lists := &Evidence{}
	for _, address := range about.cert.CRLDistributionPoints {
		if !overHTTP(address) {
			errs = append(errs, errNotHTTP(address))
			continue
		}
		r, err := s.unlessDown(ctx, address, when.Now, func() (Revocation, error) { return s.crl(ctx, address, lists, about, when) })
		if err == nil {
			return r, nil
		}
		errs = append(errs, err)
	}
	return Revocation{}, errors.Join(errs...)
}

// unlessDown fetches from an address that has not just failed.
func (s *Source) unlessDown(ctx context.Context, address string, now time.Time, fetch func() (Revocation, error)) (Revocation, error) {
	s.mu.Lock()
	until := s.down[address]
	s.mu.Unlock()
	if now.Before(until) {
		return Revocation{}, fmt.Errorf("%w: %s did not answer, left alone until %s", signer.ErrUnavailable, address, until.UTC().Format(time.RFC3339))
	}
	r, err := fetch()
	if errors.Is(err, signer.ErrUnavailable) && ctx.Err() == nil { // our own caller's haste is not its fault
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.down) >= maxCached {
			clear(s.down)
		}
		s.down[address] = now.Add(downTime)
	}
	return r, err
}

func (s *Source) ocsp(ctx context.Context, address string, about subject, when When) (Revocation, error) {
	var nonce []byte
	if s.nonce {
		nonce = make([]byte, 32)
		if _, err := rand.Read(nonce); err != nil {
			return Revocation{}, err
		}
	}
	body, err := ocspRequest(about.cert, about.issuer, nonce)
	if err != nil {
		return Revocation{}, err
	}
	der, err := s.fetcher.Post(ctx, address, "application/ocsp-request", body)
	if err != nil {
		return Revocation{}, err
	}
	resp, err := parseOCSP(der)
	if err != nil {
		return Revocation{}, notAnAnswer(err)
	}
	if nonce != nil && resp.nonce != nil && !sameNonce(resp.nonce, nonce) {
		return Revocation{}, badOCSP("nonce differs from the request's")
	}
	r, err := resp.check(nil, about, when)
	if err == nil && r.Status == Unknown {
		err = badOCSP("responder does not know the certificate")
	}
	return r, err
}

// sameNonce compares the extension's value, an OCTET STRING, with the nonce in it.
func sameNonce(value, nonce []byte) bool {
	want := append([]byte{0x04, byte(len(nonce))}, nonce...)
	return subtle.ConstantTimeCompare(value, want) == 1
}

// notAnAnswer marks what is no OCSP response or CRL at all, a gateway's error page most often,
// as something to try again later.
func notAnAnswer(err error) error {
	var status OCSPStatusError
	if errors.As(err, &status) {
		return err
	}
	return fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
}

// crl adds the list at an address to those at hand and asks all of them.
func (s *Source) crl(ctx context.Context, address string, at *Evidence, about subject, when When) (Revocation, error) {
	list, ok := s.cachedList(address, about, when)
	if !ok {
		der, err := s.fetcher.Get(ctx, address)
		if err != nil {
			return Revocation{}, err
		}
		if list, err = parseCRL(der); err != nil {
			return Revocation{}, notAnAnswer(err)
		}
	}
	at.crls = append(at.crls, list)
	r, err := at.find(about, when)
	if err == nil && !ok {
		s.keepList(address, list, when)
	}
	return r, err
}

// maxCachedLists bounds the bytes of the CRLs that are remembered. One list answers for every
// certificate of an authority.
const maxCachedLists = 32 << 20

type cachedList struct {
	list  *crl
	until time.Time
}

func (s *Source) cachedList(address string, about subject, when When) (*crl, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.lists[address]
	return c.list, ok && when.Now.Before(c.until) && when.fresh(c.list.ThisUpdate, c.list.NextUpdate, about.cert) == nil
}

func (s *Source) keepList(address string, list *crl, when When) {
	s.mu.Lock()
	defer s.mu.Unlock()
	total := len(list.Raw)
	for _, c := range s.lists {
		total += len(c.list.Raw)
	}
	if total > maxCachedLists || len(s.lists) >= maxCached {
		clear(s.lists)
	}
	s.lists[address] = cachedList{list: list, until: when.renewal(list.NextUpdate)}
}

func (s *Source) cached(key [32]byte, about subject, when When) (Revocation, bool) {
	s.mu.Lock()
	c, ok := s.cache[key]
	s.mu.Unlock()
	if !ok || !when.Now.Before(c.until) {
		return Revocation{}, false
	}
	r := c.revocation
	if r.Source == "CRL" { // who may sign lists depends on the anchor, and that on who asks
		for _, who := range r.Signers {
			if about.crlSigner == nil || about.crlSigner(who) != nil {
				return Revocation{}, false
			}
		}
	}
	return r, when.accept(r, about.cert) == nil
}

// renewal is when evidence that is fresh until next has to be fetched again.
func (w When) renewal(next time.Time) time.Time {
	until := w.Now.Add(maxCacheAge)
	if !next.IsZero() && next.Before(until) {
		return next
	}
	return until
}

// keep remembers evidence that says "good" or "revoked" until it must be renewed.
func (s *Source) keep(key [32]byte, r Revocation, when When) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.cache) >= maxCached {
		clear(s.cache)
	}
	s.cache[key] = cached{revocation: r, until: when.renewal(r.NextUpdate)}
}
