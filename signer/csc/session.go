package csc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// Endpoints asks the service for its authorisation server: by address (§11.1 oauth2), or by
// the server's own description (oauth2Issuer, RFC 8414). The rest of the configuration is the
// caller's. Addresses on another host than the service's are the service's to name, and are used.
func (c *Client) Endpoints(ctx context.Context) (OAuthConfig, error) {
	info, err := c.Info(ctx)
	if err != nil {
		return OAuthConfig{}, err
	}
	switch {
	case info.OAuth2Issuer != "":
		return c.discover(ctx, info.OAuth2Issuer)
	case info.OAuth2 != "":
		base := strings.TrimSuffix(strings.TrimRight(info.OAuth2, "/"), "/oauth2") + "/oauth2/"
		return OAuthConfig{AuthorizeURL: base + "authorize", TokenURL: base + "token", RevokeURL: base + "revoke"}, nil
	}
	return OAuthConfig{}, fmt.Errorf("csc: info: %w: the service names no authorisation server", ErrProtocol)
}

// discover reads the metadata of an issuer. They must name the issuer they were asked for
// (RFC 8414 §3.3).
func (c *Client) discover(ctx context.Context, issuer string) (OAuthConfig, error) {
	u, err := url.Parse(issuer)
	if err != nil || !secure(u) {
		return OAuthConfig{}, fmt.Errorf("csc: info: %w: %q is no https address", ErrProtocol, short(issuer))
	}
	u.Path = "/.well-known/oauth-authorization-server" + strings.TrimRight(u.Path, "/")
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return OAuthConfig{}, err
	}
	var out struct {
		Issuer    string `json:"issuer"`
		Authorize string `json:"authorization_endpoint"`
		Token     string `json:"token_endpoint"`
		Revoke    string `json:"revocation_endpoint"`
	}
	if _, err := send(c.cfg.HTTPClient, "oauth-authorization-server", req, &out); err != nil {
		return OAuthConfig{}, err
	}
	if out.Issuer != issuer {
		return OAuthConfig{}, fmt.Errorf("csc: %w: the description is of issuer %q", ErrProtocol, short(out.Issuer))
	}
	return OAuthConfig{AuthorizeURL: out.Authorize, TokenURL: out.Token, RevokeURL: out.Revoke, Issuer: issuer}, nil
}

// early is how long before its end a token is no longer used.
const early = 30 * time.Second

// ServiceToken returns Config.Token: the official logs in on the server's page once, and the
// token is renewed as long as the server allows; then he is asked again. One login is under way at
// a time.
func (o *OAuth) ServiceToken(page Page) func(ctx context.Context) (Secret, error) {
	var mu sync.Mutex
	var current Token // guarded by mu
	return func(ctx context.Context) (Secret, error) {
		mu.Lock()
		defer mu.Unlock()
		if current.Access != "" && o.cfg.Clock().Before(current.Expires.Add(-early)) {
			return current.Access, nil
		}
		next, err := o.renew(ctx, current, page)
		if err != nil {
			return "", err
		}
		current = next
		return next.Access, nil
	}
}

func (o *OAuth) renew(ctx context.Context, old Token, page Page) (Token, error) {
	if old.Refresh != "" {
		t, err := o.Refresh(ctx, old.Refresh)
		if err == nil || !errors.Is(err, ErrAuthorization) {
			return t, err
		}
	}
	l, err := o.Service()
	if err != nil {
		return Token{}, err
	}
	return o.ask(ctx, l, page)
}
