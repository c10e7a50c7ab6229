package main

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/saoy/saoy/internal/staging"
)

// sweepEvery is how often uploads that nobody goes on with are looked for.
const sweepEvery = time.Hour

// staging is where files wait that arrive in pieces.
func (a *app) staging() *staging.Area {
	return &staging.Area{Blobs: a.flow.Scratch, Ledger: a.store, Now: time.Now, Rand: rand.Reader}
}

// sweepUploads gives up stale uploads, at the start and then every hour until ctx ends.
func (a *app) sweepUploads(ctx context.Context) {
	for {
		switch removed, err := a.staging().Sweep(ctx); {
		case err != nil && ctx.Err() == nil:
			a.log.Warn("stale uploads", "err", err)
		case removed > 0:
			a.log.Info("stale uploads removed", "count", removed)
		}
		if !pause(ctx, sweepEvery) {
			return
		}
	}
}
