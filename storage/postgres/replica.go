package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/saoy/saoy/storage"
)

// replica is a standby that answers the public's look-ups.
type replica struct {
	pool *pgxpool.Pool
	// asking bounds how many look-ups that the replica could not answer ask the primary at once,
	// so that trying out codes does not load it.
	asking chan struct{}
}

// Bounds of a replica.
const (
	maxLag        = 10 * time.Second // an older answer could miss an annulment; the primary is asked
	primaryAtOnce = 4
	primaryWait   = 2 * time.Second // for one's turn at the primary
)

func openReplica(ctx context.Context, c Config) (*replica, error) {
	c.URL = c.ReadURL
	config, err := poolConfig(c)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open replica: %w", ours(err))
	}
	return &replica{pool: pool, asking: make(chan struct{}, primaryAtOnce)}, nil
}

// lagQuery is how far a standby is behind, in seconds: nothing if it has replayed all that it
// received and still receives, else the age of the last transaction it replayed.
const lagQuery = `SELECT CASE WHEN NOT pg_is_in_recovery() THEN 0
	WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
	ELSE coalesce(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 86400) END`

// fresh looks a copy up on the replica; ok is false if the primary must be asked: the replica does
// not answer, is too far behind, or does not know the copy, which may have been released a
// moment ago.
func (r *replica) fresh(ctx context.Context, query string, arg any) (c storage.PublicCopy, ok bool) {
	ctx, cancel := context.WithTimeout(ctx, primaryWait)
	defer cancel()
	var lag float64
	if err := r.pool.QueryRow(ctx, lagQuery).Scan(&lag); err != nil || lag > maxLag.Seconds() {
		return c, false
	}
	rows, err := r.pool.Query(ctx, query, arg)
	if err != nil {
		return c, false
	}
	c, err = pgx.CollectExactlyOneRow(rows, scanPublic)
	return c, err == nil
}

// turn waits for one of the few places at the primary; storage.ErrUnavailable if none is free
// in time.
func (r *replica) turn(ctx context.Context) (done func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, primaryWait)
	defer cancel()
	select {
	case r.asking <- struct{}{}:
		return func() { <-r.asking }, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: too many look-ups at once", storage.ErrUnavailable)
	}
}

// publicFact looks a copy up, on the replica first where there is one.
func (s *Store) publicFact(ctx context.Context, query string, arg any) (storage.PublicCopy, error) {
	if s.replica != nil {
		if c, ok := s.replica.fresh(ctx, query, arg); ok {
			return c, nil
		}
		done, err := s.replica.turn(ctx)
		if err != nil {
			return storage.PublicCopy{}, err
		}
		defer done()
	}
	rows, err := s.pool.Query(ctx, query, arg)
	if err != nil {
		return storage.PublicCopy{}, ours(err)
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanPublic)
	if errors.Is(err, pgx.ErrTooManyRows) {
		err = fmt.Errorf("%w: two copies of one", storage.ErrDamaged)
	}
	return c, ours(err)
}
