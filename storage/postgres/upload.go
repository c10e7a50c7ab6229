package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/staging"
)

var _ staging.Ledger = (*Store)(nil)

const uploadColumns = `id, copy, account, file_name, modified, size, received, changed_at`

func scanUpload(row pgx.CollectableRow) (u staging.Upload, err error) {
	err = row.Scan(&u.ID, &u.Copy, &u.Account, &u.FileName, &u.Modified, &u.Size, &u.Received, &u.Changed)
	return u, err
}

// StartUpload records an upload of which nothing has arrived. Invalid if with it the account
// would have more than files or bytes on the way for the copy.
func (s *Store) StartUpload(ctx context.Context, u staging.Upload, files int, bytes int64) error {
	return s.tx(ctx, "start an upload", func(tx pgx.Tx) error {
		// Uploads that start at once must count one another.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('upload ' || $1::text || ' ' || $2::text, 0))`, u.Account, u.Copy); err != nil {
			return err
		}
		var n int
		var waiting int64
		if err := tx.QueryRow(ctx, `SELECT count(*), coalesce(sum(size), 0) FROM upload WHERE account = $1 AND copy = $2`,
			u.Account, u.Copy).Scan(&n, &waiting); err != nil {
			return err
		}
		if n >= files || waiting+u.Size > bytes {
			return staging.ErrTooMany()
		}
		_, err := tx.Exec(ctx, `INSERT INTO upload (id, copy, account, file_name, modified, size, created_at, changed_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $7)`, u.ID, u.Copy, u.Account, u.FileName, u.Modified, u.Size, u.Changed)
		return err
	})
}

// StagedUpload returns an upload; storage.ErrNotFound.
func (s *Store) StagedUpload(ctx context.Context, id string) (staging.Upload, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+uploadColumns+` FROM upload WHERE id = $1`, id)
	if err != nil {
		return staging.Upload{}, ours(err)
	}
	u, err := pgx.CollectExactlyOneRow(rows, scanUpload)
	return u, ours(err)
}

// StagedUploads lists what an account has on the way for a copy, the oldest first.
func (s *Store) StagedUploads(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID) ([]staging.Upload, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+uploadColumns+` FROM upload WHERE account = $1 AND copy = $2 ORDER BY created_at, id`, by, id)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, scanUpload)
	return list, ours(err)
}

// AddPiece records a piece that is durable, if the upload has come to where it begins;
// storage.ErrConflict.
func (s *Store) AddPiece(ctx context.Context, id string, p staging.Piece, now time.Time) error {
	return s.tx(ctx, fmt.Sprintf("piece at %d of upload %s", p.At, id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE upload SET received = received + $3, changed_at = $4 WHERE id = $1 AND received = $2`, id, p.At, p.Size, now)
		if err := changed(tag, err); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO upload_piece (upload, at, size, digest) VALUES ($1, $2, $3, $4)`, id, p.At, p.Size, p.Digest[:])
		return err
	})
}

// Pieces lists the pieces of an upload in order.
func (s *Store) Pieces(ctx context.Context, id string) ([]staging.Piece, error) {
	rows, err := s.pool.Query(ctx, `SELECT at, size, digest FROM upload_piece WHERE upload = $1 ORDER BY at`, id)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p staging.Piece, err error) {
		var sum []byte
		err = row.Scan(&p.At, &p.Size, &sum)
		p.Digest = digest(sum)
		return p, err
	})
	return list, ours(err)
}

// EndUpload forgets an upload and its pieces; no error if there is none.
func (s *Store) EndUpload(ctx context.Context, id string) error {
	_, err := s.write(ctx, "end upload", `DELETE FROM upload WHERE id = $1`, id)
	return err
}

// StaleUploads lists uploads to which nothing was added since a time, at most a thousand.
func (s *Store) StaleUploads(ctx context.Context, since time.Time) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT id::text FROM upload WHERE changed_at <= $1 ORDER BY changed_at LIMIT 1000`, since)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return list, ours(err)
}
