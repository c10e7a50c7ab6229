package timestamp

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

// Authority is one time-stamping authority.
type Authority struct {
	URL string
	// Roots are the trust anchors for this authority's certificate; required.
	Roots []*x509.Certificate
	// Certificates are its intermediate ones, if its tokens leave them out.
	Certificates []*x509.Certificate
	// Timeout bounds one call; default 180 s.
	Timeout time.Duration
	// Concurrency is how many calls may run at a time; default 4.
	Concurrency int
	// Requests is how many calls the authority grants in any time of Per; the one after these is
	// not made but is a ThrottledError. 0: no limit is known.
	Requests int
	Per      time.Duration
	// Policy is asked for and demanded; nil takes the authority's own.
	Policy asn1.ObjectIdentifier
	// Header is sent with each request, for authorities that want a token or password.
	Header http.Header
}

// Config configures a Client.
type Config struct {
	// Authorities are tried in order; one that failed within the last minute comes after the others.
	Authorities []Authority
	// Retries is how many more rounds over the authorities are made after the first one
	// failed; default 2, negative none. Backoff is the pause before the first of them, doubled
	// for each further one; default 2 s.
	Retries int
	Backoff time.Duration
	// HTTPClient makes the calls; default one without proxy that follows no redirects.
	HTTPClient *http.Client
	// Clock is compared with the time in the token; required.
	Clock func() time.Time
	// MaxSkew is how far the two may differ besides the duration of the call; default 10
	// minutes.
	MaxSkew time.Duration
}

// maxReply bounds a reply, in bytes. Replies with long chains and CRLs have some 30 kB.
const maxReply = 1 << 20

// Client is a signer.TimeStamper over several authorities. It is safe for concurrent use.
type Client struct {
	cfg         Config
	authorities []*authority
}

var _ signer.TimeStamper = (*Client)(nil)

// authority is an Authority with what is known of its state.
type authority struct {
	Authority
	slots chan struct{}

	mu    sync.Mutex
	until time.Time   // guarded by mu; no call before this time, because it throttles
	rests time.Time   // guarded by mu; until then others are asked first, because it failed
	asked []time.Time // guarded by mu; the calls of the last Per, if Requests are limited
}

// New makes a client. It opens no connection.
func New(cfg Config) (*Client, error) {
	if cfg.Clock == nil || len(cfg.Authorities) == 0 {
		return nil, errors.New("timestamp: a clock and an authority are needed")
	}
	if cfg.Retries == 0 {
		cfg.Retries = 2
	}
	if cfg.Backoff == 0 {
		cfg.Backoff = 2 * time.Second
	}
	if cfg.MaxSkew == 0 {
		cfg.MaxSkew = 10 * time.Minute
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = directClient()
	}
	c := &Client{cfg: cfg}
	for _, a := range cfg.Authorities {
		u, err := url.Parse(a.URL)
		if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
			return nil, fmt.Errorf("timestamp: %q is no http address", a.URL)
		}
		if a.Requests < 0 || (a.Requests > 0 && a.Per <= 0) {
			return nil, fmt.Errorf("timestamp: %d requests per %v of %s", a.Requests, a.Per, a.URL)
		}
		if len(a.Roots) == 0 {
			return nil, fmt.Errorf("timestamp: no trust anchor for %s", a.URL)
		}
		if a.Timeout == 0 {
			a.Timeout = 180 * time.Second
		}
		if a.Concurrency <= 0 {
			a.Concurrency = 4
		}
		c.authorities = append(c.authorities, &authority{Authority: a, slots: make(chan struct{}, a.Concurrency)})
	}
	return c, nil
}

// directClient follows no redirects and uses no proxy.
func directClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{TLSHandshakeTimeout: 20 * time.Second, MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// TimeStamp returns a verified token over digest; see signer.TimeStamper. The error is
// signer.ErrUnavailable if trying later may help, ErrRejected or ErrInvalid if an authority
// refused or lied; with several authorities it may be all of them.
func (c *Client) TimeStamp(ctx context.Context, digest []byte, hash crypto.Hash) ([]byte, error) {
	t, err := c.Stamp(ctx, digest, hash)
	if err != nil {
		return nil, err
	}
	return t.Raw, nil
}

// Stamp is TimeStamp with the parsed token.
func (c *Client) Stamp(ctx context.Context, digest []byte, hash crypto.Hash) (*Token, error) {
	if _, err := request(digest, hash, nil, big.NewInt(1)); err != nil {
		return nil, err
	}
	var errs []error
	out := map[*authority]bool{} // those that are not asked again in this call
	for round := 0; round <= max(c.cfg.Retries, 0); round++ {
		if round > 0 {
			if len(out) == len(c.authorities) {
				break
			}
			if err := pause(ctx, c.cfg.Backoff<<(round-1)); err != nil {
				return nil, errors.Join(append(errs, err)...)
			}
		}
		t, failed := c.round(ctx, digest, hash, out)
		if t != nil {
			return t, nil
		}
		errs = append(errs, failed...)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, errors.Join(errs...)
}

// round asks each authority once. Those whose slots are all taken are left for a second
// pass that waits, so that a hanging authority does not hold up who could use another.
func (c *Client) round(ctx context.Context, digest []byte, hash crypto.Hash, out map[*authority]bool) (*Token, []error) {
	var errs []error
	var busy []*authority
	try := func(a *authority) *Token {
		defer func() { <-a.slots }()
		t, err := c.ask(ctx, a, digest, hash)
		if err == nil {
			return t
		}
		errs = append(errs, fmt.Errorf("time-stamp authority %s: %w", a.URL, err))
		if final(err) {
			out[a] = true
		} else if ctx.Err() == nil { // our own caller's haste is not its fault
			a.rest(c.cfg.Clock())
		}
		return nil
	}
	for _, a := range inOrder(c.authorities, c.cfg.Clock()) {
		if out[a] {
			continue
		}
		select {
		case a.slots <- struct{}{}:
			if t := try(a); t != nil {
				return t, nil
			}
		default:
			busy = append(busy, a)
		}
	}
	for _, a := range busy {
		select {
		case a.slots <- struct{}{}:
			if t := try(a); t != nil {
				return t, nil
			}
		case <-ctx.Done():
			return nil, append(errs, fmt.Errorf("%w: time-stamp authority %s is busy: %w", signer.ErrUnavailable, a.URL, context.Cause(ctx)))
		}
	}
	return nil, errs
}

// final tells that asking the same authority again in this call is of no use.
func final(err error) bool {
	var throttled *ThrottledError
	return errors.As(err, &throttled) || errors.Is(err, ErrRejected) || errors.Is(err, ErrInvalid)
}

// ThrottledError: the authority wants no calls before a time. It is signer.ErrUnavailable.
type ThrottledError struct{ Until time.Time }

// Error says until when.
func (e *ThrottledError) Error() string {
	return "throttled until " + e.Until.UTC().Format(time.RFC3339)
}

// Unwrap makes it signer.ErrUnavailable.
func (e *ThrottledError) Unwrap() error { return signer.ErrUnavailable }

// ask makes one call to one authority and verifies the answer.
func (c *Client) ask(ctx context.Context, a *authority, digest []byte, hash crypto.Hash) (*Token, error) {
	start := c.cfg.Clock()
	if err := a.admit(start); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.Timeout)
	defer cancel()
	nonce, err := newNonce()
	if err != nil {
		return nil, err
	}
	body, err := request(digest, hash, a.Policy, nonce)
	if err != nil {
		return nil, err
	}
	der, err := c.post(ctx, a, body)
	if err != nil {
		return nil, err
	}
	t, err := ParseReply(der)
	if errors.Is(err, ErrSyntax) { // a gateway's error page, most often
		return nil, fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
	}
	if err != nil {
		return nil, err
	}
	if err := c.check(a, t, cms.DigestOf(hash, digest), nonce, start); err != nil {
		return nil, err
	}
	return t, nil
}

// newNonce makes 64 positive random bits.
func newNonce() (*big.Int, error) {
	n, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 63))
	if err != nil {
		return nil, err
	}
	return n.Add(n, big.NewInt(1)), nil
}

func (c *Client) check(a *authority, t *Token, content cms.Digester, nonce *big.Int, start time.Time) error {
	if t.Nonce == nil || t.Nonce.Cmp(nonce) != 0 {
		return fmt.Errorf("%w: nonce differs from the request's", ErrInvalid)
	}
	if a.Policy != nil && !t.Policy.Equal(a.Policy) {
		return fmt.Errorf("%w: policy %v instead of %v", ErrInvalid, t.Policy, a.Policy)
	}
	if _, err := t.Verify(Verification{Content: content, Roots: a.Roots, Certificates: a.Certificates}); err != nil {
		return err
	}
	skew := c.cfg.MaxSkew + t.Accuracy
	if t.Time.Before(start.Add(-skew)) || t.Time.After(c.cfg.Clock().Add(skew)) {
		return fmt.Errorf("%w: its time is %s, this machine's clock says %s", ErrInvalid,
			t.Time.Format(time.RFC3339), start.UTC().Format(time.RFC3339))
	}
	return nil
}

// post sends a request by RFC 3161 §3.4. What goes wrong on the way is ErrUnavailable.
func (c *Client) post(ctx context.Context, a *authority, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, a.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for k, v := range a.Header {
		req.Header[k] = v
	}
	req.Header.Set("Content-Type", "application/timestamp-query")
	req.Header.Set("Accept", "application/timestamp-reply")
	resp, err := c.cfg.HTTPClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, a.refused(resp, c.cfg.Clock())
	}
	der, err := io.ReadAll(io.LimitReader(resp.Body, maxReply+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
	}
	if len(der) > maxReply {
		return nil, fmt.Errorf("%w: reply of more than %d bytes", signer.ErrUnavailable, maxReply)
	}
	return der, nil
}
