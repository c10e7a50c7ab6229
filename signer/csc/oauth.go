package csc

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/saoy/saoy/signer/cms"
)

// OAuthConfig configures an OAuth.
type OAuthConfig struct {
	// AuthorizeURL, TokenURL and RevokeURL are the authorisation server's; Client.Endpoints finds
	// them. They must be https, except on loopback. Without RevokeURL nothing can be revoked.
	AuthorizeURL, TokenURL, RevokeURL string
	// Issuer is compared with the issuer that a callback names (RFC 9207), if both are there.
	Issuer string
	// ClientID and ClientSecret are what the server knows this application by; public clients
	// have no secret.
	ClientID     string
	ClientSecret Secret
	// RedirectURI is where the server sends the official back to, as registered there.
	RedirectURI string
	// HTTPClient makes the calls; default one without redirects. Timeout bounds each; default 60 s.
	HTTPClient *http.Client
	Timeout    time.Duration
	// Clock tells when tokens end; required.
	Clock func() time.Time
}

// OAuth gets tokens by the authorisation code flow with PKCE (CSC API v2 §8.4, RFC 6749 §4.1,
// RFC 7636): for the service, and for one signature or batch of them with a credential. It is safe
// for concurrent use.
type OAuth struct{ cfg OAuthConfig }

// Page shows an address to the official and returns the parameters with which the server
// sent him back to RedirectURI; see Loopback.
type Page func(ctx context.Context, address string) (url.Values, error)

// NewOAuth makes an OAuth. It opens no connection.
func NewOAuth(cfg OAuthConfig) (*OAuth, error) {
	for _, address := range []string{cfg.AuthorizeURL, cfg.TokenURL, cfg.RevokeURL} {
		u, err := url.Parse(address)
		if err != nil || (!secure(u) && (address != "" || cfg.RevokeURL != "")) {
			return nil, fmt.Errorf("csc: %q is no https address", address)
		}
	}
	if cfg.AuthorizeURL == "" || cfg.TokenURL == "" || cfg.ClientID == "" || cfg.RedirectURI == "" || cfg.Clock == nil {
		return nil, errors.New("csc: OAuth needs its two addresses, a client, a redirect address and a clock")
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = time.Minute
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = withoutRedirects()
	}
	return &OAuth{cfg: cfg}, nil
}

// Login is an authorisation that the official is asked for: he is shown URL, and Redeem takes
// what comes back. It is for one use and holds a secret; keep it where the callback is handled.
type Login struct {
	URL      string
	state    string
	verifier Secret
}

// Service begins a login for the methods of the service other than signing.
func (o *OAuth) Service() (Login, error) { return o.login(url.Values{"scope": {"service"}}) }

// Credential begins a login for signing exactly these digests with a credential. The digests
// are always named, so that an authorisation is worth nothing for another document, also where the
// service would not insist (SCAL1).
func (o *OAuth) Credential(c Credential, d Digests) (Login, error) {
	hash, err := cms.HashOID(d.Hash)
	if err != nil {
		return Login{}, err
	}
	encoded := make([]string, len(d.Values))
	for i, v := range d.Values {
		encoded[i] = base64.RawURLEncoding.EncodeToString(v)
	}
	return o.login(url.Values{"scope": {"credential"}, "credentialID": {c.ID}, "numSignatures": {strconv.Itoa(len(d.Values))},
		"hashes": {strings.Join(encoded, ",")}, "hashAlgorithmOID": {hash.String()}})
}

func (o *OAuth) login(q url.Values) (Login, error) {
	l := Login{state: random(), verifier: Secret(random())}
	challenge := sha256.Sum256([]byte(l.verifier))
	q.Set("response_type", "code")
	q.Set("client_id", o.cfg.ClientID)
	q.Set("redirect_uri", o.cfg.RedirectURI)
	q.Set("state", l.state)
	q.Set("code_challenge", base64.RawURLEncoding.EncodeToString(challenge[:]))
	q.Set("code_challenge_method", "S256")
	u, err := url.Parse(o.cfg.AuthorizeURL)
	if err != nil {
		return Login{}, err
	}
	for key, values := range u.Query() { // RFC 6749 §3.1: a query of the address itself is kept
		q[key] = values
	}
	u.RawQuery = q.Encode()
	l.URL = u.String()
	return l, nil
}

// random returns 256 bits for a state or a code verifier (RFC 7636 §4.1).
func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// Token is what an authorisation gave.
type Token struct {
	Access, Refresh Secret
	// Expires is when Access ends.
	Expires time.Time
	// CredentialID is set if the server chose the credential.
	CredentialID string
}

// Redeem takes the parameters of the callback and exchanges the code for a token. A callback
// that does not belong to this login is ErrProtocol, a refusal ErrAuthorization.
func (o *OAuth) Redeem(ctx context.Context, l Login, callback url.Values) (Token, error) {
	if l.state == "" || subtle.ConstantTimeCompare([]byte(callback.Get("state")), []byte(l.state)) != 1 {
		return Token{}, fmt.Errorf("csc: %w: the callback is not of this login", ErrProtocol)
	}
	if iss := callback.Get("iss"); iss != "" && o.cfg.Issuer != "" && iss != o.cfg.Issuer {
		return Token{}, fmt.Errorf("csc: %w: the callback is of another server", ErrProtocol)
	}
	if code := callback.Get("error"); code != "" {
		return Token{}, fmt.Errorf("oauth2/authorize: %w", &Error{Status: http.StatusForbidden, Code: short(code), Description: short(callback.Get("error_description"))})
	}
	if callback.Get("code") == "" {
		return Token{}, fmt.Errorf("csc: %w: the callback has no code", ErrProtocol)
	}
	return o.token(ctx, url.Values{"grant_type": {"authorization_code"}, "code": {callback.Get("code")},
		"redirect_uri": {o.cfg.RedirectURI}, "code_verifier": {string(l.verifier)}})
}

// Refresh exchanges a refresh token of the service scope for a new token.
func (o *OAuth) Refresh(ctx context.Context, refresh Secret) (Token, error) {
	t, err := o.token(ctx, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {string(refresh)}})
	if err == nil && t.Refresh == "" {
		t.Refresh = refresh // RFC 6749 §6: the old one stays
	}
	return t, err
}

// Revoke gives a token back (RFC 7009).
func (o *OAuth) Revoke(ctx context.Context, token Secret) error {
	if o.cfg.RevokeURL == "" {
		return errors.New("csc: the authorisation server has no address to revoke at")
	}
	return o.post(ctx, "oauth2/revoke", o.cfg.RevokeURL, url.Values{"token": {string(token)}}, &json.RawMessage{})
}

func (o *OAuth) token(ctx context.Context, form url.Values) (Token, error) {
	var out struct {
		Access       Secret `json:"access_token"`
		Refresh      Secret `json:"refresh_token"`
		Type         string `json:"token_type"`
		ExpiresIn    int64  `json:"expires_in"`
		CredentialID string `json:"credentialID"`
	}
	if err := o.post(ctx, "oauth2/token", o.cfg.TokenURL, form, &out); err != nil {
		return Token{}, err
	}
	// version 2.0 called the token of a credential "SAD"
	if out.Access == "" || (!strings.EqualFold(out.Type, "Bearer") && !strings.EqualFold(out.Type, "SAD")) {
		return Token{}, fmt.Errorf("csc: oauth2/token: %w: token type %q", ErrProtocol, short(out.Type))
	}
	if out.ExpiresIn <= 0 || out.ExpiresIn > maxLifetime {
		out.ExpiresIn = defaultLifetime
	}
	return Token{Access: out.Access, Refresh: out.Refresh, CredentialID: out.CredentialID,
		Expires: o.cfg.Clock().Add(time.Duration(out.ExpiresIn) * time.Second)}, nil
}

// Lifetimes of tokens in seconds: what the specification assumes where a server says nothing
// (§8.4.4), and what is believed at most.
const (
	defaultLifetime = 3600
	maxLifetime     = 30 * 24 * 3600
)

func (o *OAuth) post(ctx context.Context, method, address string, form url.Values, out any) error {
	ctx, cancel := context.WithTimeout(ctx, o.cfg.Timeout)
	defer cancel()
	form.Set("client_id", o.cfg.ClientID)
	if o.cfg.ClientSecret != "" {
		form.Set("client_secret", string(o.cfg.ClientSecret))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = send(o.cfg.HTTPClient, method, req, out)
	return err
}

// Digests are what is to be signed, all made with one hash.
type Digests struct {
	Hash   crypto.Hash
	Values [][]byte
}

// Consent returns Config.Consent: it has the official allow the digests on the server's page.
func (o *OAuth) Consent(page Page) func(ctx context.Context, c Credential, d Digests) (Secret, error) {
	return func(ctx context.Context, c Credential, d Digests) (Secret, error) {
		l, err := o.Credential(c, d)
		if err != nil {
			return "", err
		}
		t, err := o.ask(ctx, l, page)
		if err != nil {
			return "", err
		}
		if t.CredentialID != "" && t.CredentialID != c.ID {
			return "", fmt.Errorf("csc: oauth2/token: %w: another credential was authorised", ErrProtocol)
		}
		return t.Access, nil
	}
}

func (o *OAuth) ask(ctx context.Context, l Login, page Page) (Token, error) {
	callback, err := page(ctx, l.URL)
	if err != nil {
		return Token{}, fmt.Errorf("csc: %w", err)
	}
	return o.Redeem(ctx, l, callback)
}
