package trust

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/saoy/saoy/signer"
)

// ErrForbiddenAddress: a certificate names a place to which no connection may be opened.
var ErrForbiddenAddress = errors.New("address not allowed")

// FetcherConfig configures a Fetcher.
type FetcherConfig struct {
	// Transport makes the calls, and then is responsible for which addresses it connects to.
	// Nil: a transport without proxy that connects to public addresses only.
	Transport http.RoundTripper
	// AllowPrivate lets the default transport connect to loopback and private addresses. With
	// it, whoever writes a certificate can make this machine call its neighbours.
	AllowPrivate bool
	// Timeout bounds one fetch with its redirects; default 15 s.
	Timeout time.Duration
	// MaxBytes bounds an answer; default 16 MiB, the size of the largest CRLs in use.
	MaxBytes int64
	// MaxRedirects bounds redirects; default 3, negative none.
	MaxRedirects int
}

// Fetcher fetches OCSP responses, CRLs and certificates over HTTP within limits. It is safe
// for concurrent use.
type Fetcher struct {
	cfg    FetcherConfig
	client *http.Client
}

// NewFetcher makes a fetcher. It opens no connection.
func NewFetcher(cfg FetcherConfig) *Fetcher {
	if cfg.Timeout == 0 {
		cfg.Timeout = 15 * time.Second
	}
	if cfg.MaxBytes == 0 {
		cfg.MaxBytes = 16 << 20
	}
	if cfg.MaxRedirects == 0 {
		cfg.MaxRedirects = 3
	}
	f := &Fetcher{cfg: cfg, client: &http.Client{Transport: cfg.Transport}}
	if cfg.Transport == nil {
		f.client.Transport = GuardedTransport(cfg.AllowPrivate)
	}
	f.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if len(via) > max(cfg.MaxRedirects, 0) {
			return fmt.Errorf("%w: more than %d redirects", ErrForbiddenAddress, max(cfg.MaxRedirects, 0))
		}
		return checkURL(r.URL)
	}
	return f
}

// GuardedTransport returns a transport without proxy whose every connection, after name
// resolution and redirects, goes to a public address, unless private ones are allowed.
func GuardedTransport(allowPrivate bool) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second}
	if !allowPrivate {
		// judged when connecting, not when resolving: a name may resolve differently twice
		dialer.Control = func(_, address string, _ syscall.RawConn) error { return checkAddress(address) }
	}
	return &http.Transport{
		DialContext: dialer.DialContext, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 15 * time.Second,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute,
	}
}

// shared are ranges that are not private by netip's rules but not public either.
var shared = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("2001::/32"),
}

func checkAddress(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: %s", ErrForbiddenAddress, address)
	}
	ip := ap.Addr().Unmap()
	public := ip.IsGlobalUnicast() && !ip.IsPrivate()
	for _, p := range shared {
		public = public && !p.Contains(ip)
	}
	if !public {
		return fmt.Errorf("%w: %s is not public", ErrForbiddenAddress, ip)
	}
	return nil
}

func checkURL(u *url.URL) error {
	if (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return fmt.Errorf("%w: %q", ErrForbiddenAddress, u.Redacted())
	}
	return nil
}

// Get fetches an address.
func (f *Fetcher) Get(ctx context.Context, address string) ([]byte, error) {
	return f.do(ctx, http.MethodGet, address, "", nil)
}

// Post sends a body and returns the answer.
func (f *Fetcher) Post(ctx context.Context, address, contentType string, body []byte) ([]byte, error) {
	return f.do(ctx, http.MethodPost, address, contentType, body)
}

// do fetches. What fails on the way is signer.ErrUnavailable, an address that is not allowed
// ErrForbiddenAddress.
func (f *Fetcher) do(ctx context.Context, method, address, contentType string, body []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, f.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrForbiddenAddress, err)
	}
	if err := checkURL(req.URL); err != nil {
		return nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := f.client.Do(req)
	if errors.Is(err, ErrForbiddenAddress) {
		return nil, err
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%w: %s: HTTP status %d", signer.ErrUnavailable, address, resp.StatusCode)
	}
	data, err := io.ReadAll(io.LimitReader(resp.Body, f.cfg.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", signer.ErrUnavailable, err)
	}
	if int64(len(data)) > f.cfg.MaxBytes {
		return nil, fmt.Errorf("%w: %s: answer of more than %d bytes", signer.ErrUnavailable, address, f.cfg.MaxBytes)
	}
	return data, nil
}
