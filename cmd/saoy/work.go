package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage/postgres"
)

// publishEvery is the least time between two checkpoints.
const publishEvery = time.Second

// startWork runs the jobs and the publisher until stop is called, which waits for the jobs
// that are running.
func (a *app) startWork(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	grown := make(chan struct{}, 1)
	var owned sync.WaitGroup
	if a.config.runs(roleWorker) {
		owned.Go(func() { a.work(ctx, grown) })
		owned.Go(func() { a.publish(ctx, grown) })
		owned.Go(func() { a.retain(ctx) })
		owned.Go(func() { a.keepAudit(ctx) })
	}
	if a.config.runs(roleOffice) || a.config.runs(roleAPI) { // the roles that may
		owned.Go(func() { a.sweepUploads(ctx) })
	}
	return func() {
		cancel()
		owned.Wait()
	}
}

// work takes jobs until ctx ends.
func (a *app) work(ctx context.Context, grown chan<- struct{}) {
	advance := func(ctx context.Context, id certcopy.CopyID) error {
		err := a.flow.Advance(ctx, id)
		select {
		case grown <- struct{}{}: // perhaps a leaf was appended
		default:
		}
		return err
	}
	if a.local != nil {
		// Whoever had this directory before is gone, and with it every job it was running.
		if _, err := a.store.ReturnRunning(ctx); err != nil && ctx.Err() == nil {
			a.log.Error("jobs of an earlier process", "err", err)
		}
	}
	failed := func(id certcopy.CopyID, err error, again time.Duration) {
		a.log.Warn("a copy waits", "copy", id, "err", err, "again", again)
	}
	// The database may be away just when the queue begins; then it is begun again.
	for ctx.Err() == nil {
		if err := a.store.Work(ctx, postgres.WorkConfig{Workers: a.config.Workers, Advance: advance, Failed: failed, Logger: a.warnings()}); err != nil && ctx.Err() == nil {
			a.log.Error("job queue ended; it is begun again", "err", err)
		}
		pause(ctx, time.Second)
	}
}

// publish signs the head of the log soon after it grows, at most once a second.
func (a *app) publish(ctx context.Context, grown <-chan struct{}) {
	for {
		released, err := a.flow.Publish(ctx)
		switch {
		case errors.Is(err, register.ErrInconsistent):
			a.log.Error("the log is not the one that was signed before; nothing is released until it is put right", "err", err)
		case err != nil && ctx.Err() == nil:
			a.log.Warn("checkpoint", "err", err)
		case len(released) > 0:
			a.log.Info("released", slog.Int("copies", len(released)))
		}
		if !pause(ctx, publishEvery) {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-grown:
		case <-time.After(publishEvery): // another process may have appended
		}
	}
}

// pause waits; it reports false if ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// wait returns when the copy is no longer as it was seen.
func (a *app) wait(ctx context.Context, seen certcopy.Copy) error {
	for {
		now, err := a.store.Copy(ctx, seen.ID)
		if err != nil {
			return err
		}
		if now.State != seen.State || now.Revision != seen.Revision || now.CertifiedAt != seen.CertifiedAt ||
			now.SealedAt != seen.SealedAt {
			return nil
		}
		if !pause(ctx, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
}

// warnings is a log for libraries that tell too much.
func (a *app) warnings() *slog.Logger {
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
}
