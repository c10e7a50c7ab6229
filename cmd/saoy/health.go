package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/saoy/saoy/storage"
)

// readyTimeout bounds the question to each store.
const readyTimeout = 5 * time.Second

// healthy answers who restarts processes: the process serves and its ledger answers.
func (a *app) healthy(w http.ResponseWriter, r *http.Request) {
	if err := a.store.Ping(r.Context()); err != nil {
		http.Error(w, "ledger unavailable", http.StatusServiceUnavailable)
		return
	}
	_, _ = w.Write([]byte("ok\n"))
}

// ready answers who distributes requests: the ledger answers, and this process was not told to
// end. A store that is away is named but takes no process out: all would be, and most pages do
// without it.
func (a *app) ready(w http.ResponseWriter, r *http.Request) {
	if a.draining.Load() {
		http.Error(w, "ending", http.StatusServiceUnavailable)
		return
	}
	if err := a.store.Ping(r.Context()); err != nil {
		http.Error(w, "ledger unavailable", http.StatusServiceUnavailable)
		return
	}
	text := "ready\n"
	for name, answers := range a.storesAnswer(r.Context()) {
		if !answers {
			text += fmt.Sprintf("warning: %s does not answer\n", name)
		}
	}
	_, _ = w.Write([]byte(text))
}

// storesAnswer asks each store of this process for an object that is not there.
func (a *app) storesAnswer(ctx context.Context) map[string]bool {
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	answers := map[string]bool{}
	for name, store := range map[string]storage.Blobs{"vault": a.files, "log": a.public, "scratch": a.flow.Scratch} {
		if store == nil {
			continue
		}
		_, err := store.Stat(ctx, "ready/probe")
		answers[name] = err == nil || errors.Is(err, storage.ErrNotFound)
	}
	return answers
}
