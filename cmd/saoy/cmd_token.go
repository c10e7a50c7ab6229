package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/web/api"
	"github.com/saoy/saoy/storage"
)

// tokenCommand makes an access token for a client system, recording the client at first use.
type tokenCommand struct {
	dataFlag
	Client   string   `arg:"" help:"Short name of the client system; also the channel of its requests."`
	Scopes   []string `help:"What the token is for: requests, verify, certify, seal." default:"requests,verify"`
	Agency   string   `help:"Agency of the client; default: the only one."`
	By       string   `help:"Sign-in name of the clerk in whose name it submits; default: the demonstration's."`
	Official string   `help:"Sign-in name of the official for whom it may certify; with scope certify."`
	Keeper   string   `help:"Sign-in name of the official for whom it may seal; with scope seal."`
	Decision string   `help:"Number of the decision that binds the client to the official."`
	Days     int      `help:"Days the token is valid." default:"365"`
}

// Run prints the token, once: only its hash is stored.
func (c tokenCommand) Run(ctx context.Context) error {
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen, Workers: 1}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	if err := c.defaults(ctx, a); err != nil {
		return err
	}
	clerk, err := a.official(ctx, c.By, certcopy.Clerk)
	if err != nil {
		return err
	}
	client := storage.Client{ID: c.Client, Name: c.Client, Agency: certcopy.AgencyID(c.Agency), Account: clerk}
	if err := a.store.CreateClient(ctx, client); err != nil && !errors.Is(err, storage.ErrExists) {
		return err
	}
	if err := c.bind(ctx, a, api.ScopeCertify, c.Official, certcopy.Certifier); err != nil {
		return err
	}
	if err := c.bind(ctx, a, api.ScopeSeal, c.Keeper, certcopy.SealKeeper); err != nil {
		return err
	}
	token, err := api.NewToken(rand.Reader)
	if err != nil {
		return err
	}
	expires := time.Now().AddDate(0, 0, c.Days)
	if err := a.store.CreateToken(ctx, c.Client, api.TokenHash(token), c.Scopes, expires); err != nil {
		return err
	}
	fmt.Println(string(token.Reveal()))
	return nil
}

// defaults fills in the people of a demonstration. A real agency names its own.
func (c *tokenCommand) defaults(ctx context.Context, a *app) error {
	for _, s := range c.Scopes {
		if !slices.Contains([]string{api.ScopeRequests, api.ScopeVerify, api.ScopeCertify, api.ScopeSeal}, s) {
			return certcopy.Errorf(certcopy.Invalid, "scopes", nil, certcopy.Msg(
				"Phạm vi không có: "+s+". Hãy dùng requests, verify, certify, seal.", "There is no scope "+s+". Use requests, verify, certify, seal."))
		}
	}
	agencies, err := a.store.Agencies(ctx)
	if err != nil {
		return err
	}
	if c.Agency == "" && len(agencies) == 1 {
		c.Agency = string(agencies[0])
	}
	agency, err := a.store.Agency(ctx, certcopy.AgencyID(c.Agency))
	if err != nil {
		return certcopy.Errorf(certcopy.NotFound, "agency", err, certcopy.Msg("Không có cơ quan này. Hãy dùng --agency.", "There is no such agency. Use --agency."))
	}
	if !agency.Demonstration {
		return nil
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&c.By, demo.ClerkLogin}, {&c.Official, demo.CertifierLogin}, {&c.Keeper, demo.SealKeeperLogin}, {&c.Decision, demo.Decision}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	return nil
}

// bind lets the client act for an official, if its token has the scope and no binding stands.
func (c tokenCommand) bind(ctx context.Context, a *app, scope, login string, role certcopy.Role) error {
	if !slices.Contains(c.Scopes, scope) {
		return nil
	}
	if c.Decision == "" {
		return certcopy.Errorf(certcopy.Invalid, "decision", nil, certcopy.Msg(
			"Ứng dụng chỉ được ký thay khi có quyết định nêu rõ. Hãy dùng --decision.",
			"A client may act for an official only by a decision. Use --decision."))
	}
	if _, err := a.store.ActsFor(ctx, c.Client, scope); err == nil {
		return nil
	}
	official, err := a.official(ctx, login, role)
	if err != nil {
		return err
	}
	return a.store.BindClient(ctx, certcopy.AgencyID(c.Agency), c.Client, official, scope, certcopy.Day(time.Now()), c.Decision)
}

// official returns the account of a sign-in name that holds a role.
func (a *app) official(ctx context.Context, login string, role certcopy.Role) (certcopy.AccountID, error) {
	person, err := a.store.AccountByLogin(ctx, login)
	if err != nil || !person.Has(role) {
		return "", certcopy.Errorf(certcopy.NotFound, login, err, certcopy.Msg(
			"Không có tài khoản này, hoặc tài khoản không có vai trò "+string(role)+".",
			"There is no such account, or it does not hold the role "+string(role)+"."))
	}
	return person.ID, nil
}
