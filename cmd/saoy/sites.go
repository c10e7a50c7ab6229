package main

import (
	"crypto/rand"
	"net/http"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/internal/web/api"
	"github.com/saoy/saoy/internal/web/office"
	"github.com/saoy/saoy/internal/web/public"
)

// Bounds of what strangers and client systems may have done at once.
const (
	uploadsAtOnce = 2 // files of strangers under examination
	writersAtOnce = 8 // changing requests of the API; each holds a connection of the ledger's pool
)

// sites puts the parts of this process on one address: the office, the API, the public site
// and, in a demonstration, the authority. Each process says whether it is well.
func (a *app) sites() (http.Handler, error) {
	shared := web.Config{
		Demonstration: a.installation.Demonstration, Secure: strings.HasPrefix(a.base.String(), "https:"),
		Log: a.log, Now: time.Now, Rand: rand.Reader,
	}
	root := http.NewServeMux()
	for _, part := range []struct {
		role  string
		mount func(*http.ServeMux, web.Config) error
	}{{roleOffice, a.mountOffice}, {rolePublic, a.mountPublic}, {roleAPI, a.mountAPI}} {
		if !a.config.runs(part.role) {
			continue
		}
		if err := part.mount(root, shared); err != nil {
			return nil, err
		}
	}
	if a.authority != nil {
		root.Handle(demo.Path+"/", http.StripPrefix(demo.Path, a.authority.Handler()))
	}
	if a.results.authority != nil {
		root.Handle(demo.ResultPath+"/", http.StripPrefix(demo.ResultPath, a.results.authority.Handler()))
	}
	root.HandleFunc("GET /healthz", a.healthy)
	root.HandleFunc("GET /readyz", a.ready)
	proxies, err := web.ParseProxies(a.config.TrustedProxies)
	if err != nil {
		return nil, badConfig("trusted_proxies", err)
	}
	return proxies.Behind(root), nil
}

func (a *app) mountOffice(root *http.ServeMux, shared web.Config) error {
	officials, err := office.New(office.Config{Web: shared, Flow: a.flow, Ledger: a.store, Desk: a.store, Base: a.base, Draw: a.previews, Fee: feeOf, Staging: a.staging()})
	if err != nil {
		return err
	}
	root.Handle(office.Prefix, officials)
	root.Handle(office.Prefix+"/", officials)
	return nil
}

func (a *app) mountPublic(root *http.ServeMux, shared web.Config) error {
	everyone, err := public.New(public.Config{
		Web: shared, Verifier: a.verifier, Register: a.store, Log: a.store, LogKey: a.logKey.Log(), Links: a.store,
		Files: vault.Shared{Blobs: a.files}, Renderer: a.previews, Uploads: uploadsAtOnce, Pictures: a.results.pictures, Document: a.documentAddress(),
	})
	if err != nil {
		return err
	}
	root.Handle("/", everyone)
	return nil
}

func (a *app) mountAPI(root *http.ServeMux, shared web.Config) error {
	machines, err := api.New(api.Config{Web: shared, Flow: a.flow, Ledger: a.store, Clients: a.store, Verifier: a.verifier,
		Pictures: a.results.pictures, Results: a.resultSigner(), Anchors: a.results.anchors, Base: a.base, Writers: writersAtOnce})
	if err != nil {
		return err
	}
	root.Handle(api.Prefix+"/", machines)
	return nil
}
