package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Found records the installation, once: a second call returns what the first recorded, which
// the caller compares with what it wants.
func (s *Store) Found(ctx context.Context, i storage.Installation) (storage.Installation, error) {
	err := s.tx(ctx, "found installation", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO installation (public_url, log_key, demonstration) VALUES ($1, $2, $3)
			ON CONFLICT (one) DO NOTHING`, i.PublicURL, i.LogKey, i.Demonstration)
		return err
	})
	if err != nil {
		return storage.Installation{}, err
	}
	return s.Installation(ctx)
}

// Installation returns what was recorded; storage.ErrNotFound before it is founded.
func (s *Store) Installation(ctx context.Context) (i storage.Installation, err error) {
	err = s.pool.QueryRow(ctx, `SELECT public_url, log_key, demonstration, founded_at FROM installation`).
		Scan(&i.PublicURL, &i.LogKey, &i.Demonstration, &i.FoundedAt)
	return i, ours(err)
}

// OpenOffice creates an agency with its people, keys and authorisations, all or nothing;
// storage.ErrExists if there is an agency of that name.
func (s *Store) OpenOffice(ctx context.Context, o storage.Office) error {
	return s.tx(ctx, "open office "+string(o.Agency.ID), func(tx pgx.Tx) error {
		if err := insertAgency(ctx, tx, o); err != nil {
			return err
		}
		for _, p := range o.People {
			if err := insertPerson(ctx, tx, o, p); err != nil {
				return err
			}
		}
		for _, k := range o.Keys {
			if err := insertKey(ctx, tx, k); err != nil {
				return err
			}
		}
		return insertLook(ctx, tx, o.Agency.ID, "", o.Seal)
	})
}

func insertAgency(ctx context.Context, tx pgx.Tx, o storage.Office) error {
	a := o.Agency
	if _, err := tx.Exec(ctx, `INSERT INTO agency (id, code, book, seal_at_once, demonstration) VALUES ($1, $2, $3, $4, $5)`,
		a.ID, a.Code, a.Book, a.SealAtOnce, a.Demonstration); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO agency_name (agency, from_date, name, place, province) VALUES ($1, $2, $3, $4, $5)`,
		a.ID, o.From, a.Name, a.Place, a.Province); err != nil {
		return err
	}
	if _, err := tx.Exec(ctx, `INSERT INTO book (agency, code) VALUES ($1, $2)`, a.ID, a.Book); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `INSERT INTO counter (agency, book, year, last_seq, last_date, volume)
		SELECT $1, $2, extract(year FROM d.today), 0, d.today, 1 FROM (SELECT (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today) d`, a.ID, a.Book)
	return err
}

func insertPerson(ctx context.Context, tx pgx.Tx, o storage.Office, p storage.Person) error {
	roles := make([]string, len(p.Roles))
	for i, r := range p.Roles {
		roles[i] = string(r)
	}
	if _, err := tx.Exec(ctx, `INSERT INTO account (id, agency, login, name, title, password_hash, roles) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		p.ID, o.Agency.ID, p.Login, p.Name, p.Title, p.PasswordHash, roles); err != nil {
		return err
	}
	for _, scope := range p.Scopes {
		if _, err := tx.Exec(ctx, `INSERT INTO authorisation (agency, account, scope, from_date, decision_number) VALUES ($1, $2, $3, $4, $5)`,
			o.Agency.ID, p.ID, scope, o.From, p.Decision); err != nil {
			return err
		}
	}
	return insertLook(ctx, tx, o.Agency.ID, p.ID, p.Signature)
}

func insertKey(ctx context.Context, tx pgx.Tx, k storage.SigningKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO signing_key (agency, account, kind, uri, certificate, not_before, not_after, demonstration, chain)
		VALUES ($1, nullif($2, '')::uuid, $3, $4, $5, $6, $7, $8, coalesce($9::bytea[], '{}'))`,
		k.Agency, string(k.Account), k.Kind, k.URI, k.Certificate, k.NotBefore, k.NotAfter, k.Demonstration, k.Chain)
	return err
}

func insertLook(ctx context.Context, tx pgx.Tx, agency certcopy.AgencyID, account certcopy.AccountID, png []byte) error {
	if len(png) == 0 {
		return nil
	}
	_, err := tx.Exec(ctx, `INSERT INTO look (agency, account, png) VALUES ($1, nullif($2, '')::uuid, $3)`, agency, string(account), png)
	return err
}

// SigningKeyOf returns the living key of an account, or of the agency where account is empty;
// storage.ErrNotFound if there is none.
func (s *Store) SigningKeyOf(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (storage.SigningKey, error) {
	rows, err := s.pool.Query(ctx, signingKeys+` AND ($1 = '' OR agency = $1) AND account IS NOT DISTINCT FROM nullif($2, '')::uuid`, agency, string(account))
	if err != nil {
		return storage.SigningKey{}, ours(err)
	}
	k, err := pgx.CollectExactlyOneRow(rows, scanKey)
	return k, ours(err)
}

// SigningKeys returns all living keys.
func (s *Store) SigningKeys(ctx context.Context) ([]storage.SigningKey, error) {
	rows, err := s.pool.Query(ctx, signingKeys)
	if err != nil {
		return nil, ours(err)
	}
	keys, err := pgx.CollectRows(rows, scanKey)
	return keys, ours(err)
}

const signingKeys = `SELECT agency, coalesce(account::text, ''), kind, uri, certificate, not_before, not_after, demonstration, chain
	FROM signing_key WHERE retired_at IS NULL`

func scanKey(row pgx.CollectableRow) (k storage.SigningKey, err error) {
	err = row.Scan(&k.Agency, &k.Account, &k.Kind, &k.URI, &k.Certificate, &k.NotBefore, &k.NotAfter, &k.Demonstration, &k.Chain)
	return k, err
}

// Look returns the newest image of an account's signature, or of the agency's seal where
// account is empty; storage.ErrNotFound if there is none.
func (s *Store) Look(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (png []byte, err error) {
	err = s.pool.QueryRow(ctx, `SELECT png FROM look WHERE ($1 = '' OR agency = $1) AND account IS NOT DISTINCT FROM nullif($2, '')::uuid
		ORDER BY id DESC LIMIT 1`, agency, string(account)).Scan(&png)
	return png, ours(err)
}

// Agencies returns the identifiers of all agencies, in order.
func (s *Store) Agencies(ctx context.Context) ([]certcopy.AgencyID, error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM agency ORDER BY id`)
	if err != nil {
		return nil, ours(err)
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[certcopy.AgencyID])
	return ids, ours(err)
}
