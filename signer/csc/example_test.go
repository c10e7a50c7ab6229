package csc_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"time"

	"github.com/saoy/saoy/signer/csc"
)

// What a service offers, and an access token that it does not accept.
func ExampleClient() {
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/csc/v2/info":
			reply(w, map[string]any{"specs": "2.0.0.2", "name": "Dịch vụ ký số", "methods": []string{"credentials/list", "signatures/signHash"}})
		default:
			refuse(w, http.StatusUnauthorized, "invalid_token")
		}
	}))
	defer service.Close()

	client, err := csc.New(csc.Config{
		BaseURL: service.URL + "/csc/v2",
		Token:   func(context.Context) (csc.Secret, error) { return "expired", nil },
		Authorize: func(context.Context, csc.Credential, int) ([]csc.Factor, error) {
			return []csc.Factor{{ID: "PIN", Value: "4711"}}, nil
		},
		Clock: time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	info, err := client.Info(context.Background())
	fmt.Println(info.Name, info.Specs, err)
	_, err = client.Open(context.Background(), "official-1")
	fmt.Println(errors.Is(err, csc.ErrAuthorization))
	// Output:
	// Dịch vụ ký số 2.0.0.2 <nil>
	// true
}

// An official is asked on the service's page, and says no.
func ExampleOAuth() {
	o, err := csc.NewOAuth(csc.OAuthConfig{
		AuthorizeURL: "https://rssp.example/oauth2/authorize", TokenURL: "https://rssp.example/oauth2/token",
		ClientID: "saoy", RedirectURI: "https://office.example/callback", Clock: time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	login, err := o.Service()
	if err != nil {
		log.Fatal(err)
	}
	page, err := url.Parse(login.URL)
	if err != nil {
		log.Fatal(err)
	}
	asked := page.Query()
	fmt.Println(page.Host, asked.Get("scope"), asked.Get("code_challenge_method"))

	callback := url.Values{"state": {asked.Get("state")}, "error": {"access_denied"}}
	_, err = o.Redeem(context.Background(), login, callback)
	fmt.Println(errors.Is(err, csc.ErrAuthorization), err)
	// Output:
	// rssp.example service S256
	// true oauth2/authorize: csc: HTTP status 403: access_denied
}
