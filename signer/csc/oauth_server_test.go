package csc_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/csc"
)

// grant is what an authorisation code, or a token, is for.
type grant struct {
	scope, challenge string
	hashes           []string // Base64
}

const (
	clientID, clientSecret = "saoy", "client-secret"
	redirectURI            = "https://saoy.example/callback"
)

// oauth serves the authorisation server's endpoints (CSC API v2 §8.4). It reports whether the
// request was one of its own.
func (s *service) oauth(w http.ResponseWriter, r *http.Request) bool {
	switch r.URL.Path {
	case "/oauth2/authorize":
		s.authorizePage(w, r)
	case "/oauth2/token":
		s.token(w, r)
	case "/oauth2/revoke":
		_ = r.ParseForm()
		delete(s.tokens, r.PostForm.Get("token"))
		w.WriteHeader(http.StatusNoContent)
	case "/.well-known/oauth-authorization-server/tenant":
		base := strings.TrimSuffix(s.url, "/csc/v2")
		issuer := base + "/tenant"
		if s.fault == "metadata of another" {
			issuer = "https://other.example"
		}
		reply(w, map[string]string{"issuer": issuer, "authorization_endpoint": base + "/oauth2/authorize", "token_endpoint": base + "/oauth2/token"})
	default:
		return false
	}
	return true
}

// authorizePage is what the official sees; he agrees at once.
func (s *service) authorizePage(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	if q.Get("client_id") != clientID || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || len(q.Get("state")) < 20 {
		http.Error(w, "invalid request", http.StatusBadRequest)
		return
	}
	back := url.Values{"state": {q.Get("state")}}
	g := grant{scope: q.Get("scope"), challenge: q.Get("code_challenge")}
	if g.scope == "credential" {
		for h := range strings.SplitSeq(q.Get("hashes"), ",") {
			raw, err := base64.RawURLEncoding.DecodeString(h)
			if err != nil {
				http.Error(w, "hashes", http.StatusBadRequest)
				return
			}
			g.hashes = append(g.hashes, base64.StdEncoding.EncodeToString(raw))
		}
		if q.Get("credentialID") != credentialID || q.Get("numSignatures") != strconv.Itoa(len(g.hashes)) || q.Get("hashAlgorithmOID") == "" {
			http.Error(w, "credential", http.StatusBadRequest)
			return
		}
	}
	s.serial++
	code := "code-" + strconv.Itoa(s.serial)
	s.codes[code] = g
	back.Set("code", code)
	switch s.fault {
	case "denied":
		back = url.Values{"state": back["state"], "error": {"access_denied"}, "error_description": {"no"}}
	case "wrong state":
		back.Set("state", "another")
	case "wrong issuer":
		back.Set("iss", "https://evil.example")
	case "no code":
		back.Del("code")
	}
	http.Redirect(w, r, q.Get("redirect_uri")+"?"+back.Encode(), http.StatusFound)
}

func (s *service) token(w http.ResponseWriter, r *http.Request) {
	if err := r.ParseForm(); err != nil || r.Method != http.MethodPost || r.PostForm.Get("client_id") != clientID || r.PostForm.Get("client_secret") != clientSecret {
		refuse(w, 400, "invalid_client")
		return
	}
	if s.fault == "token 503" {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	var g grant
	if r.PostForm.Get("grant_type") == "refresh_token" {
		if s.fault == "no refresh" || r.PostForm.Get("refresh_token") != "refresh" {
			refuse(w, 400, "invalid_grant")
			return
		}
		g.scope = "service"
	} else {
		var ok bool
		g, ok = s.codes[r.PostForm.Get("code")]
		delete(s.codes, r.PostForm.Get("code"))
		sum := sha256.Sum256([]byte(r.PostForm.Get("code_verifier")))
		if !ok || base64.RawURLEncoding.EncodeToString(sum[:]) != g.challenge || r.PostForm.Get("redirect_uri") == "" {
			refuse(w, 400, "invalid_grant")
			return
		}
	}
	s.serial++
	s.logins[g.scope]++
	value := g.scope + "-token-" + strconv.Itoa(s.serial)
	s.tokens[value] = g
	answer := map[string]any{"access_token": value, "token_type": "Bearer", "expires_in": 300}
	if g.scope == "service" {
		answer["refresh_token"] = "refresh"
	} else {
		s.sads[value] = g.hashes
	}
	switch s.fault {
	case "token type":
		answer["token_type"] = "mac"
	case "another credential":
		answer["credentialID"] = "official-2"
	}
	reply(w, answer)
}

// browser follows the address as the official's browser would, up to the redirect.
func browser(ctx context.Context, address string) (url.Values, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	location, err := resp.Location()
	if err != nil {
		return nil, err
	}
	return location.Query(), nil
}

// login makes the OAuth client of a service's server, as found by the service's own word.
func (s *service) login(t testing.TB, change func(*csc.OAuthConfig)) *csc.OAuth {
	t.Helper()
	cfg, err := s.client(t, nil).Endpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.ClientID, cfg.ClientSecret, cfg.RedirectURI, cfg.Clock = clientID, clientSecret, redirectURI, time.Now
	if change != nil {
		change(&cfg)
	}
	o, err := csc.NewOAuth(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return o
}
