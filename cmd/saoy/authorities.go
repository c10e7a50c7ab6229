package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/timestamp"
	"github.com/saoy/saoy/signer/trust"
)

// revocationMaxAge is how old the revocation data put into a copy may be, unless configured.
const revocationMaxAge = 24 * time.Hour

// newCollector gathers validation data for our own signatures through a transport.
func newCollector(store *trust.Store, transport http.RoundTripper) pades.Collector {
	return agedCollector(store, transport, revocationMaxAge)
}

// agedCollector is newCollector with a bound on how old revocation data may be.
func agedCollector(store *trust.Store, transport http.RoundTripper, maxAge time.Duration) pades.Collector {
	source := trust.NewSource(trust.NewFetcher(trust.FetcherConfig{Transport: transport}), false)
	return &trust.Collector{Validator: trust.Validator{Store: store, Source: source, MaxAge: maxAge}, Clock: time.Now}
}

// transport reaches the servers of revocation data: those that are named, wherever they are,
// or any at a public address.
func (c revocationConfig) transport() http.RoundTripper {
	if len(c.Hosts) == 0 {
		return trust.GuardedTransport(false)
	}
	return onlyHosts{hosts: c.Hosts, next: trust.GuardedTransport(true)}
}

// onlyHosts refuses every host that is not in its list. A redirect is a request of its own.
type onlyHosts struct {
	hosts []string
	next  http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (o onlyHosts) RoundTrip(r *http.Request) (*http.Response, error) {
	named := slices.ContainsFunc(o.hosts, func(h string) bool {
		return strings.EqualFold(h, r.URL.Host) || strings.EqualFold(h, r.URL.Hostname())
	})
	if !named {
		return nil, fmt.Errorf("%w: %s is not among revocation.hosts", trust.ErrForbiddenAddress, r.URL.Host)
	}
	return o.next.RoundTrip(r)
}

// timeStamper returns the configured authorities as one. Without any, or without anchors to
// verify them by, it says so each time it is asked: copies wait with those words.
func (c Config) timeStamper(anchors *trust.Store) (signer.TimeStamper, error) {
	var roots []*x509.Certificate
	for _, a := range anchors.Anchors() {
		if len(a.Purposes) == 0 || slices.Contains(a.Purposes, trust.TimeStamping) {
			roots = append(roots, a.Certificate)
		}
	}
	if len(c.TimeStamps) == 0 || len(roots) == 0 {
		return noTimeStamps{}, nil
	}
	config := timestamp.Config{Clock: time.Now}
	for _, t := range c.TimeStamps {
		a := timestamp.Authority{URL: t.URL, Roots: roots, Timeout: t.Timeout, Concurrency: t.Concurrency}
		if t.AuthorizationFile != "" {
			secret, err := secretFile(string(t.AuthorizationFile))
			if err != nil {
				return nil, err
			}
			if err := private(t.URL); err != nil {
				return nil, err
			}
			a.Header = http.Header{"Authorization": {strings.TrimSpace(string(secret.Reveal()))}}
		}
		config.Authorities = append(config.Authorities, a)
	}
	return timestamp.New(config)
}

// private refuses to show a secret over plain http, except on this machine.
func private(address string) error {
	u, err := url.Parse(address)
	if err != nil {
		return badConfig("time_stamps", err)
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return badConfig("time_stamps", errors.New("a secret is sent over https only: "+u.Host))
	}
	return nil
}

// noTimeStamps is the authority of an installation that has none yet.
type noTimeStamps struct{}

// TimeStamp implements signer.TimeStamper.
func (noTimeStamps) TimeStamp(context.Context, []byte, crypto.Hash) ([]byte, error) {
	return nil, certcopy.Errorf(certcopy.Unavailable, "time_stamps", signer.ErrUnavailable, certcopy.Msg(
		"Chưa cấu hình dịch vụ cấp dấu thời gian và chứng thư gốc. Hãy báo quản trị viên đặt time_stamps và anchors; bản sao sẽ tự tiếp tục.",
		"No time-stamp authority with trust anchors is configured. Ask the administrator to set time_stamps and anchors; the copy goes on by itself."))
}
