package csc_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/csc"
	"github.com/saoy/saoy/signer/signertest"
)

// onPage makes a client that gets everything on the server's page.
func (s *service) onPage(t testing.TB, page csc.Page) *csc.Client {
	t.Helper()
	o := s.login(t, nil)
	return s.client(t, func(c *csc.Config) {
		c.Token, c.Consent, c.Authorize = o.ServiceToken(page), o.Consent(page), nil
	})
}

func newPageService(t *testing.T) *service {
	t.Helper()
	s := newService(t, signertest.P256)
	s.mode, s.scal, s.needLogin = "oauth2code", "2", true
	return s
}

// TestKeyOnPage: a key whose every use the official allows on the server's page is a key like
// any other.
func TestKeyOnPage(t *testing.T) {
	s := newPageService(t)
	signertest.KeySuite(t, func(t *testing.T) signer.Identity {
		id, err := s.onPage(t, browser).Open(t.Context(), credentialID)
		if err != nil {
			t.Fatal(err)
		}
		return id
	})
}

// TestConsentIsForTheseDigests: a token for one document is worth nothing for another.
func TestConsentIsForTheseDigests(t *testing.T) {
	s := newPageService(t)
	honest := s.login(t, nil).Consent(browser)
	other := sha256.Sum256([]byte("another document"))
	c := s.client(t, func(c *csc.Config) {
		c.Token = s.login(t, nil).ServiceToken(browser)
		c.Consent = func(ctx context.Context, cred csc.Credential, d csc.Digests) (csc.Secret, error) {
			return honest(ctx, cred, csc.Digests{Hash: d.Hash, Values: [][]byte{other[:]}})
		}
	})
	var refused *csc.Error
	if err := signOne(t, c); !errors.As(err, &refused) || refused.Status != 400 {
		t.Errorf("%v", err)
	}
	cred, err := s.onPage(t, browser).Credential(t.Context(), credentialID)
	if err != nil || cred.SCAL != 2 {
		t.Errorf("SCAL%d, %v", cred.SCAL, err)
	}
}

func TestPageFaults(t *testing.T) {
	tests := []struct {
		fault string
		want  error
	}{
		{"denied", csc.ErrAuthorization},
		{"wrong state", csc.ErrProtocol},
		{"no code", csc.ErrProtocol},
		{"token 503", signer.ErrUnavailable},
		{"token type", csc.ErrProtocol},
		{"another credential", csc.ErrProtocol},
	}
	for _, tt := range tests {
		s := newPageService(t)
		c := s.onPage(t, browser)
		s.set(tt.fault)
		if err := signOne(t, c); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.fault, err)
		}
	}
	closed := errors.New("the official closed the page")
	s := newPageService(t)
	err := signOne(t, s.onPage(t, func(context.Context, string) (url.Values, error) { return nil, closed }))
	if !errors.Is(err, closed) {
		t.Errorf("page closed: %v", err)
	}
}

// TestCodeIsForOneUse: a callback that is played again, or to another login, gives nothing.
func TestCodeIsForOneUse(t *testing.T) {
	s := newPageService(t)
	o := s.login(t, nil)
	first, err := o.Service()
	if err != nil {
		t.Fatal(err)
	}
	second, err := o.Service()
	if err != nil {
		t.Fatal(err)
	}
	callback, err := browser(t.Context(), first.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Redeem(t.Context(), second, callback); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("another login's callback: %v", err)
	}
	stolen := url.Values{"state": {callbackOf(t, second)}, "code": callback["code"]}
	if _, err := o.Redeem(t.Context(), second, stolen); !errors.Is(err, csc.ErrAuthorization) {
		t.Errorf("stolen code without its verifier: %v", err)
	}
	if _, err := o.Redeem(t.Context(), csc.Login{}, url.Values{"code": {"x"}}); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("no login at all: %v", err)
	}
}

func callbackOf(t *testing.T, l csc.Login) string {
	t.Helper()
	u, err := url.Parse(l.URL)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query().Get("state")
}

// TestServiceToken is fetched once, renewed before its end, and asked for anew where it cannot be.
func TestServiceToken(t *testing.T) {
	s := newPageService(t)
	now := time.Now()
	o := s.login(t, func(c *csc.OAuthConfig) { c.Clock = func() time.Time { return now } })
	pages := 0
	get := o.ServiceToken(func(ctx context.Context, address string) (url.Values, error) {
		pages++
		return browser(ctx, address)
	})
	var wait sync.WaitGroup
	for range 5 {
		wait.Go(func() {
			if _, err := get(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if pages != 1 || s.logins["service"] != 1 {
		t.Errorf("%d pages, %d logins for five uses", pages, s.logins["service"])
	}
	now = now.Add(280 * time.Second)
	if _, err := get(t.Context()); err != nil || pages != 1 || s.logins["service"] != 2 {
		t.Errorf("%v: %d pages, %d tokens shortly before its end", err, pages, s.logins["service"])
	}
	now = now.Add(time.Hour)
	s.set("token 503")
	if _, err := get(t.Context()); !errors.Is(err, signer.ErrUnavailable) || pages != 1 {
		t.Errorf("the server is down: %v, %d pages", err, pages)
	}
	s.set("no refresh")
	if _, err := get(t.Context()); err != nil || pages != 2 {
		t.Errorf("not renewed: %v, %d pages", err, pages)
	}
}

func TestDiscovery(t *testing.T) {
	s := newPageService(t)
	s.issuer = strings.TrimSuffix(s.url, "/csc/v2") + "/tenant"
	o := s.login(t, nil)
	s.set("wrong issuer")
	l, err := o.Service()
	if err != nil {
		t.Fatal(err)
	}
	callback, err := browser(t.Context(), l.URL)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.Redeem(t.Context(), l, callback); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("callback of another issuer: %v", err)
	}
	s.set("metadata of another")
	if _, err := s.client(t, nil).Endpoints(t.Context()); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("metadata of another issuer: %v", err)
	}
	s.issuer = "http://plain.example"
	if _, err := s.client(t, nil).Endpoints(t.Context()); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("plain http: %v", err)
	}
}

func TestRevoke(t *testing.T) {
	s := newPageService(t)
	o := s.login(t, nil)
	token, err := o.ServiceToken(browser)(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Revoke(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	c := s.client(t, func(c *csc.Config) { c.Token = func(context.Context) (csc.Secret, error) { return token, nil } })
	if _, err := c.Credentials(t.Context()); !errors.Is(err, csc.ErrAuthorization) {
		t.Errorf("revoked token: %v", err)
	}
}

// TestLoopback: the callback reaches a program on the official's machine, other requests do not.
func TestLoopback(t *testing.T) {
	s := newPageService(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	redirect := "http://" + free.Addr().String() + "/csc"
	if err := free.Close(); err != nil {
		t.Fatal(err)
	}
	o := s.login(t, func(c *csc.OAuthConfig) { c.RedirectURI = redirect })
	body := ""
	page := csc.Loopback(redirect, func(address string) error {
		if resp, err := http.Get(redirect + "?code=forged&state=guessed"); err != nil {
			return err
		} else if _ = resp.Body.Close(); resp.StatusCode != http.StatusNotFound {
			t.Errorf("a forged callback: %s", resp.Status)
		}
		resp, err := http.Get(address) // follows the redirect
		if err != nil {
			return err
		}
		defer func() { _ = resp.Body.Close() }()
		data, err := io.ReadAll(resp.Body)
		body = string(data)
		return err
	})
	if _, err := o.ServiceToken(page)(t.Context()); err != nil || !strings.Contains(body, "Hãy đóng trang này") {
		t.Errorf("%v: %q", err, body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	waiting := csc.Loopback(redirect, func(string) error { cancel(); return nil })
	if _, err := waiting(ctx, "https://x/?state=y"); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	for _, bad := range []string{"http://saoy.example:80/x", "https://127.0.0.1:1/x", "http://127.0.0.1/x"} {
		if _, err := csc.Loopback(bad, func(string) error { return nil })(t.Context(), "https://x"); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestNewOAuthWantsHTTPS(t *testing.T) {
	good := csc.OAuthConfig{AuthorizeURL: "https://a/x", TokenURL: "https://a/y", ClientID: "c", RedirectURI: redirectURI, Clock: time.Now}
	if _, err := csc.NewOAuth(good); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*csc.OAuthConfig){
		"plain token address": func(c *csc.OAuthConfig) { c.TokenURL = "http://a.example/y" },
		"plain page":          func(c *csc.OAuthConfig) { c.AuthorizeURL = "http://a.example/x" },
		"plain revocation":    func(c *csc.OAuthConfig) { c.RevokeURL = "http://a.example/z" },
		"no client":           func(c *csc.OAuthConfig) { c.ClientID = "" },
		"no clock":            func(c *csc.OAuthConfig) { c.Clock = nil },
	} {
		cfg := good
		change(&cfg)
		if _, err := csc.NewOAuth(cfg); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

// TestSecretsAreNotWritten, whatever they are in.
func TestSecretsAreNotWritten(t *testing.T) {
	token := csc.Token{Access: "hush", Refresh: "hush"}
	for _, text := range []string{fmt.Sprint(token), fmt.Sprintf("%+v %#v %s %q", token, token, token.Access, token.Access)} {
		if strings.Contains(text, "hush") {
			t.Error(text)
		}
	}
	if _, err := json.Marshal(token); err == nil {
		t.Error("a token was marshalled")
	}
}

// TestDecidedElsewhere: the official decides on another device, the service signs in its own time.
func TestDecidedElsewhere(t *testing.T) {
	s := newService(t, signertest.P256)
	soon := func(c *csc.Config) { c.Async, c.PollInterval, c.Patience = true, time.Millisecond, 10*time.Second }
	s.pending = 3
	if err := signOne(t, s.client(t, soon)); err != nil || s.calls["credentials/authorizeCheck"] != 3 || s.calls["signatures/signPolling"] != 4 {
		t.Errorf("%v after %v", err, s.calls)
	}
	s.pending = 1 << 30
	impatient := func(c *csc.Config) { soon(c); c.Patience = 20 * time.Millisecond }
	if err := signOne(t, s.client(t, impatient)); !errors.Is(err, signer.ErrUnavailable) {
		t.Errorf("nothing decided: %v", err)
	}
	for fault, want := range map[string]error{"credentials/authorizeCheck 503": signer.ErrUnavailable, "declined": csc.ErrAuthorization, "no handle": csc.ErrProtocol,
		"signatures/signPolling garbage": csc.ErrProtocol} {
		s := newService(t, signertest.P256)
		s.pending = 2
		s.set(fault)
		if err := signOne(t, s.client(t, soon)); !errors.Is(err, want) {
			t.Errorf("%s: %v", fault, err)
		}
	}
}

func TestSignAll(t *testing.T) {
	s := newService(t, signertest.P256)
	s.multi = 4
	c := s.client(t, nil)
	cred, err := c.Credential(t.Context(), credentialID)
	if err != nil {
		t.Fatal(err)
	}
	var digests [][]byte
	for i := range 10 {
		d := sha256.Sum256(fmt.Append(nil, i))
		digests = append(digests, d[:])
	}
	signatures, err := c.SignAll(t.Context(), cred, digests, crypto.SHA256)
	if err != nil || len(signatures) != 10 || s.calls["credentials/authorize"] != 3 {
		t.Errorf("%v, %d signatures, %d authorisations", err, len(signatures), s.calls["credentials/authorize"])
	}
}

func TestChallengeAndInfo(t *testing.T) {
	s := newService(t, signertest.P256)
	c := s.client(t, nil)
	if said, err := c.Challenge(t.Context(), credentialID, "OTP"); err != nil || said != "" {
		t.Errorf("one-time password: %q, %v", said, err)
	}
	if said, err := c.Challenge(t.Context(), credentialID, "question"); err != nil || said != "Quê ở đâu?" {
		t.Errorf("question: %q, %v", said, err)
	}
	s.set("wrong serial")
	if _, err := c.Credential(t.Context(), credentialID); !errors.Is(err, csc.ErrProtocol) {
		t.Errorf("certInfo of another certificate: %v", err)
	}
}
