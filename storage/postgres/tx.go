package postgres

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Bounds of a transaction.
const (
	attempts      = 8                // of one that lost a deadlock or a serialization
	commitTimeout = 10 * time.Second // for the answer to COMMIT
)

// tx runs f in one transaction and commits it. It is run again if the server chose it as the
// victim of a deadlock, so f must have no effect outside. The error is one of package
// storage, prefixed with what was done.
func (s *Store) tx(ctx context.Context, what string, f func(tx pgx.Tx) error) error {
	for attempt := 1; ; attempt++ {
		err := s.once(ctx, f)
		if err == nil {
			return nil
		}
		state := sqlState(err)
		if attempt == attempts || state != serializationFailure && state != deadlockDetected || !pause(ctx, attempt) {
			return fmt.Errorf("%s: %w", what, ours(err))
		}
	}
}

// write runs one statement that changes something in a transaction of its own, and returns how
// many rows it changed. Outside of one, a connection that is lost on the way would leave
// nobody knowing whether it happened.
func (s *Store) write(ctx context.Context, what, sql string, args ...any) (rows int64, err error) {
	err = s.tx(ctx, what, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, sql, args...)
		rows = tag.RowsAffected()
		return err
	})
	return rows, err
}

// writeOne is write of a statement that must find its row: storage.ErrNotFound if it does not.
func (s *Store) writeOne(ctx context.Context, what, sql string, args ...any) error {
	n, err := s.write(ctx, what, sql, args...)
	if err == nil && n == 0 {
		err = fmt.Errorf("%s: %w", what, storage.ErrNotFound)
	}
	return err
}

// pause waits a little longer each time; false if ctx ended.
func pause(ctx context.Context, attempt int) bool {
	wait := time.Duration(attempt)*2*time.Millisecond + rand.N(5*time.Millisecond) //nolint:gosec // jitter is no secret
	select {
	case <-ctx.Done():
		return false
	case <-time.After(wait):
		return true
	}
}

func (s *Store) once(ctx context.Context, f func(tx pgx.Tx) error) error {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return err
	}
	// The answer to COMMIT is worth waiting for even if the caller is not: without it nobody
	// knows what happened.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if err := f(tx); err != nil {
		_ = tx.Rollback(ending) // a lost connection rolls back by itself
		return err
	}
	if tx.Conn().IsClosed() {
		return fmt.Errorf("%w: the connection was lost before COMMIT", storage.ErrUnavailable)
	}
	return committed(tx.Commit(ending))
}

// committed tells apart the three ends of a COMMIT: done, refused, and unknown. It does not ask
// pgconn.SafeToRetry: for a connection that is lost after COMMIT was sent, pgx 5.12 returns
// "conn closed", which claims to be safe (MultiResultReader.NextResult hides the cause).
func committed(err error) error {
	if err == nil {
		return nil
	}
	if state := sqlState(err); len(state) == 5 && state[:2] != "08" && state[:2] != "57" {
		return err // the server says that it rolled back
	}
	return fmt.Errorf("%w: commit: %v", storage.ErrOutcomeUnknown, err)
}

// changed says whether a compare-and-set found what it named.
func changed(tag pgconn.CommandTag, err error) error {
	if err == nil && tag.RowsAffected() == 0 {
		return storage.ErrConflict
	}
	return err
}

// found tells a missing copy from one in another state, after a compare-and-set of it that
// changed nothing.
func found(ctx context.Context, tx pgx.Tx, id certcopy.CopyID, tag pgconn.CommandTag, err error) error {
	if err != nil || tag.RowsAffected() > 0 {
		return err
	}
	var state certcopy.State
	var revision int
	if err := tx.QueryRow(ctx, `SELECT state, revision FROM copy WHERE id = $1`, id).Scan(&state, &revision); err != nil {
		return err
	}
	return fmt.Errorf("%w: it is %s at revision %d", storage.ErrConflict, state, revision)
}

// digestOrNull makes the zero digest NULL.
func digestOrNull(d certcopy.Digest) []byte {
	if d.IsZero() {
		return nil
	}
	return d[:]
}

// digest reads a bytea column of 32 bytes; NULL is the zero digest.
func digest(b []byte) (d certcopy.Digest) {
	copy(d[:], b)
	return d
}
