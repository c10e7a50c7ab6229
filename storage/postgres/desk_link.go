package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
)

const linkFrom = `SELECT l.id, l.copy, l.created_by, l.created_at, l.expires_at, l.revoked_at,
		(SELECT count(*) FROM link_opening o WHERE o.link = l.id), (SELECT max(o.at) FROM link_opening o WHERE o.link = l.id), l.file_key
	FROM sharing_link l `

func scanLink(row pgx.CollectableRow) (desk.Link, error) {
	var l desk.Link
	var revoked, last *time.Time
	err := row.Scan(&l.ID, &l.Copy, &l.CreatedBy, &l.CreatedAt, &l.Expires, &revoked, &l.Openings, &last, &l.FileKey)
	l.CreatedAt, l.Expires = l.CreatedAt.UTC(), l.Expires.UTC()
	l.Revoked, l.LastOpen = timeOrZero(revoked), timeOrZero(last)
	return l, err
}

// CreateLink stores a sharing link under the hash of its token; storage.ErrNotFound if it
// carries the key of a file that was erased.
func (s *Store) CreateLink(ctx context.Context, token certcopy.Digest, l desk.Link) error {
	var key any // NULL for none
	if len(l.FileKey) > 0 {
		key = l.FileKey
	}
	_, err := s.write(ctx, "link to "+string(l.Copy), `INSERT INTO sharing_link (token_hash, copy, created_by, created_at, expires_at, file_key) VALUES ($1, $2, $3, $4, $5, $6)`,
		token[:], l.Copy, l.CreatedBy, l.CreatedAt, l.Expires, key)
	return err
}

// Links returns the sharing links of a copy, newest first.
func (s *Store) Links(ctx context.Context, id certcopy.CopyID) ([]desk.Link, error) {
	rows, err := s.pool.Query(ctx, linkFrom+`WHERE l.copy = $1 ORDER BY l.id DESC`, id)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, scanLink)
	return list, ours(err)
}

// RevokeLink ends a sharing link of a copy; revoking again changes nothing. storage.ErrNotFound
// if the copy has no such link.
func (s *Store) RevokeLink(ctx context.Context, copyID certcopy.CopyID, link int64, by certcopy.AccountID, now time.Time) error {
	return s.writeOne(ctx, "revoke link", `UPDATE sharing_link SET revoked_at = coalesce(revoked_at, $4), revoked_by = coalesce(revoked_by, $3), file_key = NULL
		WHERE id = $2 AND copy = $1`, copyID, link, by, now)
}

// OpenLink returns the sharing link of a token, by its hash, whether it opens or not: ask
// desk.Link.Opens. If count and it opens, the opening is recorded with the truncated network
// address it came from, and is in the Openings returned. storage.ErrNotFound for an unknown
// token, which takes as long as a known one.
func (s *Store) OpenLink(ctx context.Context, token certcopy.Digest, network string, now time.Time, count bool) (l desk.Link, err error) {
	err = s.tx(ctx, "open link", func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
		WITH counted AS (
			INSERT INTO link_opening (link, at, network)
			SELECT id, $2, $3 FROM sharing_link
			WHERE token_hash = $1 AND $4 AND revoked_at IS NULL AND expires_at > $2
			RETURNING at
		)
		SELECT l.id, l.copy, l.created_by, l.created_at, l.expires_at, l.revoked_at,
			(SELECT count(*) FROM link_opening o WHERE o.link = l.id) + (SELECT count(*) FROM counted),
			coalesce((SELECT at FROM counted), (SELECT max(o.at) FROM link_opening o WHERE o.link = l.id)), l.file_key
		FROM sharing_link l WHERE l.token_hash = $1`, token[:], now, network, count)
		if err != nil {
			return err
		}
		l, err = pgx.CollectExactlyOneRow(rows, scanLink)
		return err
	})
	return l, err
}

// SetRefusedFiles replaces the list of a copy's uploads that were not taken; an empty list
// clears it.
func (s *Store) SetRefusedFiles(ctx context.Context, id certcopy.CopyID, refused []desk.RefusedFile) error {
	return s.tx(ctx, "refused files of "+string(id), func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM refused_file WHERE copy = $1`, id); err != nil {
			return err
		}
		for i, f := range refused {
			if _, err := tx.Exec(ctx, `INSERT INTO refused_file (copy, position, file_name, vi, en) VALUES ($1, $2, $3, $4, $5)
				ON CONFLICT (copy, position) DO UPDATE SET file_name = excluded.file_name, vi = excluded.vi, en = excluded.en`,
				id, i, f.Name, f.Message.VI, f.Message.EN); err != nil {
				return err
			}
		}
		return nil
	})
}

// RefusedFiles returns the list that SetRefusedFiles stored.
func (s *Store) RefusedFiles(ctx context.Context, id certcopy.CopyID) ([]desk.RefusedFile, error) {
	rows, err := s.pool.Query(ctx, `SELECT file_name, vi, en FROM refused_file WHERE copy = $1 ORDER BY position`, id)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.RefusedFile, error) {
		var f desk.RefusedFile
		err := row.Scan(&f.Name, &f.Message.VI, &f.Message.EN)
		return f, err
	})
	return list, ours(err)
}
