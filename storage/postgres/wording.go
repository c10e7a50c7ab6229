package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
)

// AddWording records an agency's wording from a day on, or takes one back that is not in force
// yet. The day must not have begun in Viet Nam: storage.ErrConflict.
func (s *Store) AddWording(ctx context.Context, agency certcopy.AgencyID, w desk.Wording) error {
	var body any // NULL takes back
	if len(w.Body) > 0 {
		body = string(w.Body)
	}
	return s.tx(ctx, "record wording", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO wording (agency, from_date, body, decision, account) VALUES ($1, $2, $3::jsonb, $4, $5)`,
			agency, w.From, body, w.Decision, w.By)
		return err
	})
}

// Wordings returns all that was ever recorded for an agency, the last first.
func (s *Store) Wordings(ctx context.Context, agency certcopy.AgencyID) ([]desk.Wording, error) {
	return s.wordings(ctx, `SELECT id, from_date, coalesce(body::text, ''), decision, account, created_at FROM wording
		WHERE agency = $1 ORDER BY id DESC`, agency)
}

// WordingsInForce returns, for each day on which one begins, what holds of an agency's wordings,
// by day.
func (s *Store) WordingsInForce(ctx context.Context, agency certcopy.AgencyID) ([]desk.Wording, error) {
	return s.wordings(ctx, `SELECT * FROM (
			SELECT DISTINCT ON (from_date) id, from_date, coalesce(body::text, '') AS body, decision, account, created_at FROM wording
			WHERE agency = $1 ORDER BY from_date, id DESC) newest
		WHERE body <> '' ORDER BY from_date`, agency)
}

func (s *Store) wordings(ctx context.Context, query string, agency certcopy.AgencyID) ([]desk.Wording, error) {
	rows, err := s.pool.Query(ctx, query, agency)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (w desk.Wording, err error) {
		var body string
		err = row.Scan(&w.ID, &w.From, &body, &w.Decision, &w.By, &w.At)
		w.Body, w.From, w.At = []byte(body), w.From.UTC(), w.At.UTC()
		return w, err
	})
	return list, ours(err)
}

// AddPicture records an image; copies stamped from now on bear it.
func (s *Store) AddPicture(ctx context.Context, agency certcopy.AgencyID, p desk.Picture) error {
	return s.tx(ctx, "record picture", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO look (agency, account, png, by_account) VALUES ($1, nullif($2, '')::uuid, $3, $4)`,
			agency, string(p.Account), p.PNG, p.By)
		return err
	})
}

// Pictures returns the images that an agency's copies bear today: the seal, and of each account
// the newest signature.
func (s *Store) Pictures(ctx context.Context, agency certcopy.AgencyID) ([]desk.Picture, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT ON (account) coalesce(account::text, ''), png, coalesce(by_account::text, ''), created_at
		FROM look WHERE agency = $1 ORDER BY account NULLS FIRST, id DESC`, agency)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p desk.Picture, err error) {
		err = row.Scan(&p.Account, &p.PNG, &p.By, &p.At)
		p.At = p.At.UTC()
		return p, err
	})
	return list, ours(err)
}
