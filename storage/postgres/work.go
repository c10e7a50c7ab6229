package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/migrations"
	"github.com/saoy/saoy/storage"
)

// Times of the queue. A step may take as long as a slow time-stamp authority, and one job may
// do all the steps of a copy; only when all could have passed may the queue call it stuck.
const (
	stepTimeout   = 240 * time.Second
	jobTimeout    = 7 * stepTimeout
	stuckAfter    = jobTimeout + 2*time.Minute
	longestPause  = 5 * time.Minute
	fetchCooldown = 5 * time.Millisecond
	fetchPoll     = 500 * time.Millisecond
	keepCompleted = 24 * time.Hour
	orphanCheck   = 5 * time.Second
)

// WorkConfig says who works the jobs.
type WorkConfig struct {
	// Workers is the number of copies advanced at once; 0 means 4.
	Workers int
	// Advance does what is due for a copy and returns; it is called again if the copy changed
	// meanwhile. Each call has 240 s.
	Advance func(ctx context.Context, id certcopy.CopyID) error
	// Failed is told of each error and when it will be tried again, for the log; may be nil.
	Failed func(id certcopy.CopyID, err error, again time.Duration)
	// Drain is how long steps may go on when Work is asked to end; 0 means 20 s.
	Drain time.Duration
	// Logger receives the queue's own warnings; nil discards them.
	Logger *slog.Logger
}

// Work advances copies until ctx ends, then lets the running steps finish. A failed step is
// tried again after 1 s, 2 s, … 5 min, for ever. Jobs of workers that died are taken over
// within seconds: each worker holds an advisory lock for as long as it lives.
func (s *Store) Work(ctx context.Context, c WorkConfig) error {
	c = c.withDefaults()
	id := fmt.Sprintf("saoy-%d-%s", os.Getpid(), rand.Text()[:10])
	life, err := s.declareAlive(ctx, id)
	if err != nil {
		return fmt.Errorf("work: %w", ours(err))
	}
	defer life.end()
	if _, err := s.returnOrphans(ctx); err != nil {
		return fmt.Errorf("work: %w", err)
	}
	workers := river.NewWorkers()
	river.AddWorker(workers, &advancer{store: s, config: c, ending: ctx})
	client, err := river.NewClient(riverpgxv5.New(s.pool), &river.Config{
		ID: id, Schema: migrations.QueueSchema, Logger: c.Logger, Workers: workers,
		Queues:        map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: c.Workers}},
		FetchCooldown: fetchCooldown, FetchPollInterval: fetchPoll,
		JobTimeout: jobTimeout, RescueStuckJobsAfter: stuckAfter,
		CompletedJobRetentionPeriod: keepCompleted,
		// Rebuilding indexes is the owner's right, and PostgreSQL no longer needs it.
		ReindexerSchedule: river.NeverSchedule(),
	})
	if err != nil {
		return fmt.Errorf("work: %w", err)
	}
	if err := client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("work: %w", ours(err))
	}
	turns := make(chan struct{})
	go func() {
		defer close(turns)
		s.keepLevel(ctx)
	}()
	s.untilEnd(ctx, life)
	<-turns
	return drain(ctx, client, c.Drain)
}

func (c WorkConfig) withDefaults() WorkConfig {
	if c.Workers == 0 {
		c.Workers = 4
	}
	if c.Drain == 0 {
		c.Drain = 20 * time.Second
	}
	if c.Failed == nil {
		c.Failed = func(certcopy.CopyID, error, time.Duration) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}

// untilEnd looks after this worker's sign of life and after orphans, until ctx ends.
func (s *Store) untilEnd(ctx context.Context, life *life) {
	tick := time.NewTicker(orphanCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			// Without an answer now there will be another tick; late twins harm nothing.
			life.renew(ctx)
			_, _ = s.returnOrphans(ctx)
		}
	}
}

// drain lets running steps finish, then cancels those that do not.
func drain(ctx context.Context, client *river.Client[pgx.Tx], patience time.Duration) error {
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := client.Stop(ending); err == nil {
		return nil
	}
	ending, cancel = context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := client.StopAndCancel(ending); err != nil {
		return fmt.Errorf("work: end: %w", err)
	}
	return nil
}

// advancer works the jobs.
type advancer struct {
	river.WorkerDefaults[advance]
	store  *Store
	config WorkConfig
	ending context.Context //nolint:containedctx // ended when Work is asked to end
}

// Work advances the copy until nothing is due. The job is completed in a transaction that
// holds the copy's row and sees it unchanged since the last look, so that a change enqueued
// while this job was running, and therefore skipped, is never missed.
func (a *advancer) Work(ctx context.Context, job *river.Job[advance]) error {
	id := job.Args.Copy
	for {
		seen, err := a.store.revision(ctx, id)
		if errors.Is(err, storage.ErrNotFound) {
			return river.JobCancel(err)
		}
		if err == nil {
			err = safely(ctx, id, a.config.Advance)
		}
		if err == nil {
			var finished bool
			if finished, err = a.finish(ctx, job, seen); finished {
				return nil
			}
		}
		switch {
		case a.ending.Err() != nil, ctx.Err() != nil:
			return river.JobSnooze(0) // the next worker goes on
		case err != nil:
			again := backoff(job.Metadata)
			a.config.Failed(id, err, again)
			return river.JobSnooze(again)
		}
	}
}

// finish completes the job if the copy is as it was seen.
func (a *advancer) finish(ctx context.Context, job *river.Job[advance], seen int) (finished bool, err error) {
	err = a.store.tx(ctx, "finish job", func(tx pgx.Tx) error {
		var now int
		if err := tx.QueryRow(ctx, `SELECT revision FROM copy WHERE id = $1 FOR UPDATE`, job.Args.Copy).Scan(&now); err != nil {
			return err
		}
		if finished = now == seen; !finished {
			return nil
		}
		_, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job)
		return err
	})
	return finished && err == nil, err
}

func (s *Store) revision(ctx context.Context, id certcopy.CopyID) (revision int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT revision FROM copy WHERE id = $1`, id).Scan(&revision)
	return revision, ours(err)
}

// safely bounds a step in time and turns a panic into an error: one damaged copy must not
// stop the others.
func safely(ctx context.Context, id certcopy.CopyID, f func(context.Context, certcopy.CopyID) error) (err error) {
	ctx, cancel := context.WithTimeout(ctx, stepTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("advance %s: panic: %v", id, p)
		}
	}()
	return f(ctx, id)
}

// backoff doubles from one second to the longest pause. The queue counts the snoozes.
func backoff(metadata []byte) time.Duration {
	var m struct {
		Snoozes int `json:"snoozes"`
	}
	_ = json.Unmarshal(metadata, &m) // the queue wrote it; without a count the pause is short
	if m.Snoozes >= 9 {
		return longestPause
	}
	return min(time.Second<<max(m.Snoozes, 0), longestPause)
}
