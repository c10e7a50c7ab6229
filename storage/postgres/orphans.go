package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// lifeClass is the first half of the advisory locks by which workers show that they live.
const lifeClass = 0x5a0e

// life is a worker's sign of life: a session that holds its lock.
type life struct {
	pool *pgxpool.Pool
	id   string
	conn *pgxpool.Conn
}

// declareAlive takes the worker's lock on a connection of its own. The server frees it when
// the process is gone, however it went.
func (s *Store) declareAlive(ctx context.Context, id string) (*life, error) {
	l := &life{pool: s.pool, id: id}
	return l, l.take(ctx)
}

func (l *life) take(ctx context.Context) error {
	conn, err := l.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `SELECT pg_advisory_lock($1::int, hashtext($2))`, lifeClass, l.id); err != nil {
		conn.Release()
		return err
	}
	l.conn = conn
	return nil
}

// renew takes the lock again if its session was lost, as after a restart of the server.
func (l *life) renew(ctx context.Context) {
	if l.conn != nil && l.conn.Ping(ctx) == nil {
		return
	}
	l.end()
	_ = l.take(ctx) // if it does not answer now, the next tick asks again
}

// end closes the session, and so frees the lock.
func (l *life) end() {
	if l.conn == nil {
		return
	}
	raw := l.conn.Hijack()
	l.conn = nil
	closing, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = raw.Close(closing)
}

// returnOrphans makes the running jobs of workers that are gone available again.
func (s *Store) returnOrphans(ctx context.Context) (jobs int, err error) {
	err = s.tx(ctx, "return orphaned jobs", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `SELECT DISTINCT attempted_by[array_upper(attempted_by, 1)] FROM river.river_job WHERE state = 'running'`)
		if err != nil {
			return err
		}
		workers, err := pgx.CollectRows(rows, pgx.RowTo[*string])
		if err != nil {
			return err
		}
		jobs = 0
		for _, w := range workers {
			n, err := returnJobsOf(ctx, tx, w)
			if err != nil {
				return err
			}
			jobs += n
		}
		return nil
	})
	return jobs, err
}

// returnJobsOf returns a worker's running jobs, if nobody holds its lock.
func returnJobsOf(ctx context.Context, tx pgx.Tx, worker *string) (int, error) {
	if worker == nil {
		return 0, nil
	}
	var gone bool
	if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1::int, hashtext($2))`, lifeClass, *worker).Scan(&gone); err != nil || !gone {
		return 0, err
	}
	tag, err := tx.Exec(ctx, makeAvailable+` AND attempted_by[array_upper(attempted_by, 1)] = $1`, *worker)
	return int(tag.RowsAffected()), err
}

// makeAvailable does not count the broken-off attempt.
const makeAvailable = `UPDATE river.river_job SET state = 'available', scheduled_at = now(), attempt = greatest(attempt - 1, 0) WHERE state = 'running'`

// ReturnRunning makes all running jobs available again. Only for the start of an installation
// in which no other process works; elsewhere Work itself finds the jobs whose worker is gone.
func (s *Store) ReturnRunning(ctx context.Context) (jobs int, err error) {
	err = s.tx(ctx, "return running jobs", func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, makeAvailable)
		jobs = int(tag.RowsAffected())
		return err
	})
	return jobs, err
}
