package csc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/saoy/saoy/signer"
)

// Errors of this package.
var (
	// ErrAuthorization: the service did not accept the token, PIN or one-time password. They
	// are not tried again.
	ErrAuthorization = errors.New("authorisation refused")
	// ErrInteractive: the credential is authorised on a page of the service, not by data.
	ErrInteractive = errors.New("credential needs authorisation on the service's page")
	// ErrProtocol: the service answered something that the API does not allow.
	ErrProtocol = errors.New("unexpected answer")
)

// Error is what a service says about a failure (CSC API v2 §10.1).
type Error struct {
	Status      int    // of HTTP
	Code        string // error
	Description string // error_description
}

// Error gives code and description.
func (e *Error) Error() string {
	return strings.TrimSpace(fmt.Sprintf("csc: HTTP status %d: %s %s", e.Status, e.Code, e.Description))
}

// Is puts it under the errors that callers test for.
func (e *Error) Is(target error) bool {
	busy := e.Status == http.StatusTooManyRequests || e.Status >= 500
	denied := e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
	for _, code := range []string{"invalid_otp", "invalid_pin", "invalid_token", "access_denied", "unauthorized", "invalid_auth", "invalid_authdata",
		"invalid_authentication_data", "authentication_error", "invalid_grant", "invalid_client"} {
		denied = denied || e.Code == code
	}
	return target == signer.ErrUnavailable && busy || target == ErrAuthorization && denied
}

// Factor is one piece of authorisation data.
type Factor struct {
	ID    string `json:"id"` // as the credential's auth objects name it: "PIN", "OTP"
	Value string `json:"value"`
}

// Config configures a Client.
type Config struct {
	// BaseURL is the service's address up to and with the version: https://host/csc/v2. It must
	// be https, except on loopback.
	BaseURL string
	// Token returns the OAuth 2.0 access token for the service; see OAuth.ServiceToken.
	Token func(ctx context.Context) (Secret, error)
	// Authorize returns the factors the credential wants for a number of signatures; nil for
	// credentials with implicit authorisation.
	Authorize func(ctx context.Context, c Credential, signatures int) ([]Factor, error)
	// Consent returns the token with which the official allows exactly these digests to be signed,
	// for credentials of mode "oauth2code"; see OAuth.Consent.
	Consent func(ctx context.Context, c Credential, d Digests) (Secret, error)
	// Async has the service sign in its own time (operationMode "A"): the signatures are asked for
	// every PollInterval, default 2 s, at most Patience long, default 5 min. The same holds where the
	// official decides on another device while the service answers "accepted" (§11.7).
	Async                  bool
	PollInterval, Patience time.Duration
	// HTTPClient makes the calls; default one without redirects. Timeout bounds each; default 60 s.
	HTTPClient *http.Client
	Timeout    time.Duration
	// Clock tells whether certificates are valid; required.
	Clock func() time.Time
}

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 1 << 20

// Client speaks to one service. It is safe for concurrent use.
type Client struct{ cfg Config }

// New makes a client. It opens no connection.
func New(cfg Config) (*Client, error) {
	u, err := url.Parse(cfg.BaseURL)
	if err != nil || !secure(u) {
		return nil, fmt.Errorf("csc: %q is no https address", cfg.BaseURL)
	}
	if cfg.Clock == nil || cfg.Token == nil {
		return nil, errors.New("csc: a clock and a source of access tokens are needed")
	}
	cfg.BaseURL = strings.TrimRight(cfg.BaseURL, "/")
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.PollInterval == 0 {
		cfg.PollInterval = 2 * time.Second
	}
	if cfg.Patience == 0 {
		cfg.Patience = 5 * time.Minute
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = withoutRedirects()
	}
	return &Client{cfg: cfg}, nil
}

// withoutRedirects: a redirect would carry token and PIN to another place.
func withoutRedirects() *http.Client {
	return &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// secure tells whether an address may be sent secrets: https, or this machine.
func secure(u *url.URL) bool {
	return u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

// call posts a request and reads the answer into out; it returns the status of HTTP. Only
// info is asked without a token.
func (c *Client) call(ctx context.Context, method string, in, out any) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, c.cfg.Timeout)
	defer cancel()
	body, err := json.Marshal(in)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.cfg.BaseURL+"/"+method, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set("Content-Type", "application/json")
	if method != "info" {
		token, err := c.cfg.Token(ctx)
		if err != nil {
			return 0, fmt.Errorf("csc: access token: %w", err)
		}
		req.Header.Set("Authorization", "Bearer "+string(token))
	}
	return send(c.cfg.HTTPClient, method, req, out)
}

// send makes a call and reads the answer, JSON, into out.
func send(client *http.Client, method string, req *http.Request, out any) (int, error) {
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, fmt.Errorf("csc: %s: %w: %w", method, signer.ErrUnavailable, withoutAddress(err))
	}
	defer func() { _ = resp.Body.Close() }()
	return resp.StatusCode, readAnswer(method, resp, out)
}

// withoutAddress takes the address out of an error: that of an authorisation server may carry
// what is secret.
func withoutAddress(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}

func readAnswer(method string, resp *http.Response, out any) error {
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("csc: %s: %w: %w", method, signer.ErrUnavailable, err)
	}
	switch resp.StatusCode {
	case http.StatusOK, http.StatusAccepted:
	case http.StatusNoContent:
		return nil
	default:
		e := &Error{Status: resp.StatusCode}
		var said struct {
			Code        string `json:"error"`
			Description string `json:"error_description"`
		}
		if json.Unmarshal(data, &said) == nil {
			e.Code, e.Description = short(said.Code), short(said.Description)
		}
		return fmt.Errorf("%s: %w", method, e)
	}
	if len(data) > maxAnswer {
		return fmt.Errorf("csc: %s: %w: more than %d bytes", method, ErrProtocol, maxAnswer)
	}
	if len(data) == 0 && resp.StatusCode == http.StatusAccepted {
		return nil
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("csc: %s: %w: %w", method, ErrProtocol, err)
	}
	return nil
}

// poll asks until the answer is no longer "accepted", at most Patience long.
func (c *Client) poll(ctx context.Context, ask func(ctx context.Context) (int, error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, c.cfg.Patience, fmt.Errorf("%w: nothing was decided within %v", signer.ErrUnavailable, c.cfg.Patience))
	defer cancel()
	tick := time.NewTicker(c.cfg.PollInterval)
	defer tick.Stop()
	for {
		status, err := ask(ctx)
		if err != nil || status != http.StatusAccepted {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("csc: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// short bounds what a service can put into our logs.
func short(s string) string {
	if len(s) > 200 {
		return strings.ToValidUTF8(s[:200], "")
	}
	return s
}

// Info describes a service (§11.1).
type Info struct {
	Specs   string   `json:"specs"`
	Name    string   `json:"name"`
	Methods []string `json:"methods"`
	// AuthTypes are the ways to get an access token: "oauth2code", "oauth2client", "TLS", …
	AuthTypes []string `json:"authType"`
	// OAuth2 is the address below which the authorisation server is, or OAuth2Issuer the issuer
	// that describes it (RFC 8414); see OAuthConfig.
	OAuth2       string `json:"oauth2"`
	OAuth2Issuer string `json:"oauth2Issuer"`
	// Async: signatures may be collected later (Config.Async).
	Async bool `json:"asynchronousOperationMode"`
}

// Info asks what the service is and offers; it needs no token.
func (c *Client) Info(ctx context.Context) (Info, error) {
	var info Info
	_, err := c.call(ctx, "info", struct{}{}, &info)
	return info, err
}

// Credentials lists the identifiers of the user's credentials (§11.4).
func (c *Client) Credentials(ctx context.Context) ([]string, error) {
	var out struct {
		IDs []string `json:"credentialIDs"`
	}
	_, err := c.call(ctx, "credentials/list", struct{}{}, &out)
	return out.IDs, err
}
