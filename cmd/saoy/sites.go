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

// sites puts the office, the API, the public site and, in a demonstration, the authority on
// one address.
func (a *app) sites() (http.Handler, error) {
	shared := web.Config{
		Demonstration: a.installation.Demonstration, Secure: strings.HasPrefix(a.base.String(), "https:"),
		Log: a.log, Now: time.Now, Rand: rand.Reader,
	}
	officials, err := office.New(office.Config{Web: shared, Flow: a.flow, Ledger: a.store, Desk: a.store, Base: a.base, Draw: a.previews, Fee: feeOf, Staging: a.staging()})
	if err != nil {
		return nil, err
	}
	everyone, err := public.New(public.Config{
		Web: shared, Verifier: a.verifier, Register: a.store, Log: a.store, LogKey: a.logKey.Log(), Links: a.store,
		Files: vault.Shared{Blobs: a.vault.Blobs}, Renderer: a.previews, Uploads: uploadsAtOnce,
	})
	if err != nil {
		return nil, err
	}
	machines, err := api.New(api.Config{Web: shared, Flow: a.flow, Ledger: a.store, Clients: a.store, Verifier: a.verifier,
		Pictures: a.results.pictures, Results: a.resultSigner(), Anchors: a.results.anchors, Base: a.base, Writers: writersAtOnce})
	if err != nil {
		return nil, err
	}
	root := http.NewServeMux()
	root.Handle(api.Prefix+"/", machines)
	root.Handle(office.Prefix, officials)
	root.Handle(office.Prefix+"/", officials)
	if a.authority != nil {
		root.Handle(demo.Path+"/", http.StripPrefix(demo.Path, a.authority.Handler()))
	}
	if a.results.authority != nil {
		root.Handle(demo.ResultPath+"/", http.StripPrefix(demo.ResultPath, a.results.authority.Handler()))
	}
	root.HandleFunc("GET /healthz", a.healthy)
	root.Handle("/", everyone)
	return root, nil
}

// healthy answers a load balancer: the process serves and its ledger answers.
func (a *app) healthy(w http.ResponseWriter, r *http.Request) {
	if err := a.store.Ping(r.Context()); err != nil {
		http.Error(w, "ledger unavailable", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}
