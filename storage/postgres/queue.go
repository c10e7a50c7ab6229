package postgres

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/migrations"
)

// advance is the one kind of job: go on with a copy, whatever it waits for. It carries no
// facts, so a late twin finds the copy as it is and does nothing.
type advance struct {
	Copy certcopy.CopyID `json:"copy_id"`
}

// Kind names the job in the queue; it is permanent.
func (advance) Kind() string { return "copy_advance" }

// InsertOpts keep one unfinished job per copy. A job that is being worked counts: its worker
// sees that the copy changed meanwhile and goes on (see advancer.finish).
func (advance) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		MaxAttempts: 32000, // of crashes; errors snooze and count as none
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
			rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}},
	}
}

// insertOnly returns a client that can enqueue in our transactions but works nothing.
func insertOnly(pool *pgxpool.Pool) (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: migrations.QueueSchema, Logger: slog.New(slog.DiscardHandler),
	})
}

// enqueue asks for the copies to be advanced, once the transaction commits. The caller has
// changed each copy's row in this transaction, and so holds its lock.
func (s *Store) enqueue(ctx context.Context, tx pgx.Tx, ids ...certcopy.CopyID) error {
	if len(ids) == 0 {
		return nil
	}
	jobs := make([]river.InsertManyParams, len(ids))
	for i, id := range ids {
		jobs[i] = river.InsertManyParams{Args: advance{Copy: id}, InsertOpts: &river.InsertOpts{Priority: priorityAt(i)}}
	}
	results, err := s.queue.InsertManyTx(ctx, tx, jobs)
	if err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	var waiting []int64
	for _, r := range results {
		if r.UniqueSkippedAsDuplicate && r.Job.State != rivertype.JobStateRunning {
			waiting = append(waiting, r.Job.ID)
		}
	}
	return hurry(ctx, tx, waiting)
}

// hurry lets jobs that wait for another attempt run now: what they waited for may be here.
func hurry(ctx context.Context, tx pgx.Tx, jobs []int64) error {
	if len(jobs) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `UPDATE river.river_job SET state = 'available', scheduled_at = now() WHERE id = ANY($1) AND state IN ('available', 'scheduled', 'retryable')`, jobs)
	return err
}

// Resume enqueues every pending copy that has no job, and hurries those that wait. It is
// asked at start-up and after a restore, and harmless at any time.
func (s *Store) Resume(ctx context.Context) (copies int, err error) {
	err = s.tx(ctx, "resume", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT c.id FROM copy c JOIN agency a ON a.id = c.agency WHERE c.certified_at IS NOT NULL
			AND (c.state IN ('submitted', 'numbered', 'stamped', 'sealed') OR c.state = 'signed' AND (a.seal_at_once OR c.sealed_at IS NOT NULL))
			ORDER BY c.certified_at, c.id FOR UPDATE OF c`)
		if err != nil {
			return err
		}
		ids, err := pgx.CollectRows(rows, pgx.RowTo[certcopy.CopyID])
		if err != nil {
			return err
		}
		copies = len(ids)
		return s.enqueue(ctx, tx, ids...)
	})
	return copies, err
}
