package postgres

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

var _ storage.Retention = (*Store)(nil)

// Erase implements storage.Retention. It needs the retention role.
func (s *Store) Erase(ctx context.Context, e storage.Erasure, objects []storage.DoomedObject, leaf storage.LeafMaker) (done storage.Erasure, err error) {
	err = s.tx(ctx, "erase copy "+string(e.Copy), func(tx pgx.Tx) error {
		if err := erasable(ctx, tx, e.Copy); err != nil {
			return err
		}
		if err := destroy(ctx, tx, e.Copy, objects); err != nil {
			return err
		}
		if leaf == nil {
			err = tx.QueryRow(ctx, `SELECT book_clock()`).Scan(&e.At)
		} else {
			_, e.At, err = appendLeaf(ctx, tx, e.Copy, storage.LeafErase, leaf)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO erasure (copy, reason, decision_number, by_account, at) VALUES ($1, $2, $3, nullif($4, '')::uuid, $5)`,
			e.Copy, e.Reason, e.Decision, string(e.By), e.At)
		done = e
		return err
	})
	return done, err
}

// erasable locks the copy and refuses one that was erased or is on its way.
func erasable(ctx context.Context, tx pgx.Tx, id certcopy.CopyID) error {
	var state *certcopy.State
	if err := tx.QueryRow(ctx, `SELECT lock_copy($1)`, id).Scan(&state); err != nil {
		return err
	}
	if state == nil {
		return storage.ErrNotFound
	}
	var erased bool
	if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM erasure WHERE copy = $1)`, id).Scan(&erased); err != nil {
		return err
	}
	if erased {
		return storage.ErrExists
	}
	if !state.Final() && *state != certcopy.Released {
		return fmt.Errorf("%w: it is %s", storage.ErrConflict, *state)
	}
	return nil
}

// destroy deletes what may be deleted of a copy: the file's key first of all.
func destroy(ctx context.Context, tx pgx.Tx, id certcopy.CopyID, objects []storage.DoomedObject) error {
	batch := &pgx.Batch{}
	for _, sql := range []string{
		`DELETE FROM file_key WHERE copy = $1`,
		`DELETE FROM copy_private WHERE copy = $1`,
		`DELETE FROM artifact WHERE copy = $1`,
		`DELETE FROM state_file WHERE copy = $1`,
		`DELETE FROM scan WHERE copy = $1`,
		`DELETE FROM refused_file WHERE copy = $1`,
		`DELETE FROM link_opening WHERE link IN (SELECT id FROM sharing_link WHERE copy = $1)`,
		`DELETE FROM sharing_link WHERE copy = $1`,
		// The contact stays as long as another copy of the request may need it.
		`DELETE FROM request_private p USING copy c WHERE c.id = $1 AND p.request = c.request AND NOT EXISTS (
			SELECT FROM copy o WHERE o.request = c.request AND o.id <> c.id AND o.state NOT IN ('refused', 'withdrawn', 'void')
				AND NOT EXISTS (SELECT FROM erasure e WHERE e.copy = o.id))`,
	} {
		batch.Queue(sql, id)
	}
	for _, o := range objects {
		batch.Queue(doom, o.Store, o.Key, id)
	}
	return tx.SendBatch(ctx, batch).Close()
}

const doom = `INSERT INTO doomed_object (store, key, copy, due) VALUES ($1, $2, $3, book_clock())
	ON CONFLICT (store, key) DO UPDATE SET due = excluded.due`

const erasureFrom = `SELECT copy, reason, decision_number, coalesce(by_account::text, ''), at FROM erasure `

func scanErasure(row pgx.Row) (e storage.Erasure, err error) {
	err = row.Scan(&e.Copy, &e.Reason, &e.Decision, &e.By, &e.At)
	return e, err
}

// Erasure implements storage.Retention.
func (s *Store) Erasure(ctx context.Context, id certcopy.CopyID) (storage.Erasure, error) {
	e, err := scanErasure(s.pool.QueryRow(ctx, erasureFrom+`WHERE copy = $1`, id))
	if err != nil {
		return storage.Erasure{}, fmt.Errorf("erasure of %s: %w", id, ours(err))
	}
	return e, nil
}

// Erasures implements storage.Retention.
func (s *Store) Erasures(ctx context.Context) iter.Seq2[storage.Erasure, error] {
	return rows(ctx, s, "erasures", erasureFrom+`ORDER BY at, copy`, scanErasure)
}

// Doomed implements storage.Retention.
func (s *Store) Doomed(ctx context.Context, id certcopy.CopyID, limit int) ([]storage.DoomedObject, error) {
	found, err := s.pool.Query(ctx, `SELECT store, key, copy, made_at FROM doomed_object
		WHERE due <= book_clock() AND ($1 = '' OR copy::text = $1) ORDER BY due, store, key LIMIT $2`, string(id), limit)
	if err != nil {
		return nil, fmt.Errorf("doomed objects: %w", ours(err))
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (o storage.DoomedObject, err error) {
		err = row.Scan(&o.Store, &o.Key, &o.Copy, &o.MadeAt)
		return o, err
	})
	if err != nil {
		return nil, fmt.Errorf("doomed objects: %w", ours(err))
	}
	return list, nil
}

// Postpone implements storage.Retention.
func (s *Store) Postpone(ctx context.Context, o storage.DoomedObject, till time.Time) error {
	return s.tx(ctx, "postpone "+o.Key, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE doomed_object SET due = $3 WHERE store = $1 AND key = $2`, o.Store, o.Key, till)
		return err
	})
}

// Forget implements storage.Retention.
func (s *Store) Forget(ctx context.Context, o storage.DoomedObject) error {
	return s.tx(ctx, "forget "+o.Key, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM doomed_object WHERE store = $1 AND key = $2`, o.Store, o.Key)
		return err
	})
}
