package postgres

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// rows yields what scan makes of each row of a query, without holding them all. It may read a
// whole table at the pace of its reader, so no statement timeout holds for it.
func rows[T any](ctx context.Context, s *Store, what, query string, scan func(pgx.Row) (T, error), args ...any) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		tx, err := s.pool.BeginTx(ctx, pgx.TxOptions{AccessMode: pgx.ReadOnly})
		if err != nil {
			yield(*new(T), fmt.Errorf("%s: %w", what, ours(err)))
			return
		}
		defer tx.Rollback(context.WithoutCancel(ctx)) // it only read
		if _, err := tx.Exec(ctx, patient); err != nil {
			yield(*new(T), fmt.Errorf("%s: %w", what, ours(err)))
			return
		}
		found, err := tx.Query(ctx, query, args...)
		if err != nil {
			yield(*new(T), fmt.Errorf("%s: %w", what, ours(err)))
			return
		}
		defer found.Close()
		for found.Next() {
			v, err := scan(found)
			if err != nil {
				yield(v, fmt.Errorf("%s: %w", what, ours(err)))
				return
			}
			if !yield(v, nil) {
				return
			}
		}
		if err := found.Err(); err != nil {
			yield(*new(T), fmt.Errorf("%s: %w", what, ours(err)))
		}
	}
}

// patient lifts the limits of a transaction that reads whole tables.
const patient = `SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0`

// Copies yields every copy, whatever its state, oldest first.
func (s *Store) Copies(ctx context.Context) iter.Seq2[certcopy.Copy, error] {
	return rows(ctx, s, "copies", copyColumns+` ORDER BY c.id`, scanCopy)
}

// BookRows yields the rows of all books, in the order of agency, book, year and number.
func (s *Store) BookRows(ctx context.Context) iter.Seq2[storage.BookRow, error] {
	return rows(ctx, s, "book", `SELECT agency, book, year, seq, volume, date, copy, requester, title, signer_account, signer_name, copies
		FROM book_row ORDER BY agency, book, year, seq`, func(row pgx.Row) (r storage.BookRow, err error) {
		n := &r.Number
		err = row.Scan(&n.Agency, &n.Book, &n.Year, &n.Seq, &n.Volume, &n.Date, &r.Copy, &r.Requester, &r.Title, &r.SignerAccount, &r.SignerName, &r.Copies)
		return r, err
	})
}

// Counters returns the last number given in each book; Seq is 0 where none was.
func (s *Store) Counters(ctx context.Context) (counters []certcopy.Number, err error) {
	for n, err := range rows(ctx, s, "counters", `SELECT agency, book, year, last_seq, volume, last_date FROM counter ORDER BY agency, book`,
		func(row pgx.Row) (n certcopy.Number, err error) {
			err = row.Scan(&n.Agency, &n.Book, &n.Year, &n.Seq, &n.Volume, &n.Date)
			return n, err
		}) {
		if err != nil {
			return nil, err
		}
		counters = append(counters, n)
	}
	return counters, nil
}

// Checkpoints yields all recorded checkpoints, smallest first.
func (s *Store) Checkpoints(ctx context.Context) iter.Seq2[storage.SignedCheckpoint, error] {
	return rows(ctx, s, "checkpoints", `SELECT size, note FROM checkpoint ORDER BY size`, func(row pgx.Row) (c storage.SignedCheckpoint, err error) {
		err = row.Scan(&c.Size, &c.Note)
		return c, err
	})
}

// LogCounts returns how many leaves and how many hashes are stored.
func (s *Store) LogCounts(ctx context.Context) (leaves, hashes int64, err error) {
	for n, err := range rows(ctx, s, "log", `SELECT (SELECT count(*) FROM leaf), (SELECT count(*) FROM tree_hash)`, func(row pgx.Row) (n [2]int64, err error) {
		err = row.Scan(&n[0], &n[1])
		return n, err
	}) {
		return n[0], n[1], err
	}
	return 0, 0, storage.ErrNotFound
}

// StateFiles returns every reference of a copy to a file in the scratch store.
func (s *Store) StateFiles(ctx context.Context, id certcopy.CopyID) (files []storage.FileRef, err error) {
	for f, err := range rows(ctx, s, "files of copy "+string(id), `SELECT key, digest, size FROM state_file WHERE copy = $1`,
		func(row pgx.Row) (f storage.FileRef, err error) {
			var d []byte
			err = row.Scan(&f.Key, &d, &f.Size)
			f.Digest = digest(d)
			return f, err
		}, id) {
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}
