package main

import (
	"context"
	"crypto/x509"
	"net/http"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/timestamp"
	"github.com/saoy/saoy/signer/trust"
)

// levelFlags say what a file is to be given besides signatures, and where it comes from.
type levelFlags struct {
	TSA            []string      `help:"Address of a time-stamp authority (RFC 3161); may be repeated, tried in order." name:"tsa" sep:"none" placeholder:"URL"`
	TSATrust       []string      `help:"PEM file of trust anchors of the authorities; default: --trust." name:"tsa-trust" sep:"none" placeholder:"PEM"`
	TSAAuthEnv     string        `help:"Environment variable with the Authorization header for the authorities." name:"tsa-auth-env" placeholder:"VARIABLE"`
	TSATimeout     time.Duration `help:"Longest wait for one answer of an authority." name:"tsa-timeout" default:"3m"`
	TSARetries     int           `help:"How often the authorities are tried again." name:"tsa-retries" default:"2"`
	Trust          []string      `help:"PEM file of trust anchors of signers, or \"system\"; may be repeated. Needed for B-T and above." sep:"none" placeholder:"PEM"`
	RevocationAge  time.Duration `help:"How old revocation data may be." default:"24h"`
	PrivateNetwork bool          `help:"Let certificates name OCSP and CRL addresses in private networks and on this machine."`
	Timeout        time.Duration `help:"Longest time for the whole." default:"15m"`
}

// timeStamper returns the authorities as one, or nil if none is given.
func (l levelFlags) timeStamper() (signer.TimeStamper, error) {
	if len(l.TSA) == 0 {
		return nil, nil
	}
	roots, err := l.anchors(l.TSATrust)
	if err == nil && len(roots) == 0 {
		roots, err = l.anchors(l.Trust)
	}
	if err != nil {
		return nil, err
	}
	if len(roots) == 0 {
		return nil, certcopy.Errorf(certcopy.Invalid, "--trust", nil, certcopy.Msg(
			"Cần biết dấu thời gian nào đáng tin: hãy nêu chứng thư gốc bằng --trust hoặc --tsa-trust.",
			"Which time-stamps are to be believed? Name the trust anchors with --trust or --tsa-trust."))
	}
	var header http.Header
	if l.TSAAuthEnv != "" {
		secret, err := secretFrom("--tsa-auth-env", l.TSAAuthEnv)
		if err != nil {
			return nil, err
		}
		header = http.Header{"Authorization": {string(secret)}}
	}
	cfg := timestamp.Config{Retries: l.TSARetries, Clock: time.Now}
	if l.TSARetries == 0 {
		cfg.Retries = -1
	}
	for _, url := range l.TSA {
		cfg.Authorities = append(cfg.Authorities, timestamp.Authority{URL: url, Roots: certificatesOf(roots), Timeout: l.TSATimeout, Header: header})
	}
	return timestamp.New(cfg)
}

func certificatesOf(anchors []trust.Anchor) []*x509.Certificate {
	var all []*x509.Certificate
	for _, a := range anchors {
		all = append(all, a.Certificate)
	}
	return all
}

func (l levelFlags) anchors(names []string) ([]trust.Anchor, error) {
	var all []trust.Anchor
	for _, name := range names {
		anchors, err := trustedBy(name)
		if err != nil {
			return nil, err
		}
		all = append(all, anchors...)
	}
	return all, nil
}

// collector returns the source of validation data, or nil if nothing is trusted.
func (l levelFlags) collector() (pades.Collector, error) {
	signers, err := l.anchors(l.Trust)
	if err != nil || len(signers) == 0 {
		return nil, err
	}
	authorities, err := l.anchors(l.TSATrust)
	if err != nil {
		return nil, err
	}
	source := trust.NewSource(trust.NewFetcher(trust.FetcherConfig{AllowPrivate: l.PrivateNetwork}), false)
	of := func(roots []trust.Anchor) *trust.Collector {
		return &trust.Collector{Clock: time.Now, Validator: trust.Validator{Store: trust.NewStore(roots...), Source: source, MaxAge: l.RevocationAge}}
	}
	documents, stamps := of(signers), of(append(authorities, signers...))
	return pades.CollectorFunc(func(ctx context.Context, c *x509.Certificate, others []*x509.Certificate) (pades.ValidationData, error) {
		collector := documents
		if trust.PurposeOf(c) == trust.TimeStamping {
			collector = stamps
		}
		return collector.Collect(ctx, c, others)
	}), nil
}
