package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// VaultRecipient returns to whom the installation's file keys are encrypted;
// storage.ErrNotFound before that was recorded.
func (s *Store) VaultRecipient(ctx context.Context) (recipient string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT recipient FROM vault_recipient`).Scan(&recipient)
	return recipient, ours(err)
}

// SetVaultRecipient records it, once, and returns what is recorded: its own or the winner's.
func (s *Store) SetVaultRecipient(ctx context.Context, recipient string) (string, error) {
	err := s.tx(ctx, "record the vault's recipient", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO vault_recipient (recipient) VALUES ($1) ON CONFLICT (one) DO NOTHING`, recipient)
		return err
	})
	if err != nil {
		return "", err
	}
	return s.VaultRecipient(ctx)
}

// EnrolKey records the key with which an official signs, or an agency seals where the account is
// empty, and retires the one before it. fresh is false, and nothing changed, if that very key
// with that certificate is the living one. storage.ErrNotFound if there is no such agency, or
// the account is not of it.
func (s *Store) EnrolKey(ctx context.Context, k storage.SigningKey) (fresh bool, err error) {
	err = s.tx(ctx, "enrol key", func(tx pgx.Tx) error {
		if err := ofAgency(ctx, tx, k.Agency, k.Account); err != nil {
			return err
		}
		var same bool
		err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM signing_key WHERE retired_at IS NULL AND agency = $1
			AND account IS NOT DISTINCT FROM nullif($2, '')::uuid AND uri = $3 AND certificate = $4 AND chain = coalesce($5::bytea[], '{}'))`,
			k.Agency, string(k.Account), k.URI, k.Certificate, k.Chain).Scan(&same)
		if fresh = !same; err != nil || same {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE signing_key SET retired_at = book_clock() WHERE retired_at IS NULL AND agency = $1
			AND account IS NOT DISTINCT FROM nullif($2, '')::uuid`, k.Agency, string(k.Account)); err != nil {
			return err
		}
		return insertKey(ctx, tx, k)
	})
	return fresh, err
}

// AddLook records the image of an official's signature, or of the agency's seal where the
// account is empty. fresh is false, and nothing changed, if the newest is that very image.
func (s *Store) AddLook(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID, png []byte) (fresh bool, err error) {
	err = s.tx(ctx, "add image", func(tx pgx.Tx) error {
		if err := ofAgency(ctx, tx, agency, account); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `SELECT coalesce((SELECT png FROM look WHERE agency = $1 AND account IS NOT DISTINCT FROM nullif($2, '')::uuid
			ORDER BY id DESC LIMIT 1) <> $3, true)`, agency, string(account), png).Scan(&fresh)
		if err != nil || !fresh {
			return err
		}
		return insertLook(ctx, tx, agency, account, png)
	})
	return fresh, err
}

// ofAgency is storage.ErrNotFound unless the account, if it is given, is of the agency.
func ofAgency(ctx context.Context, tx pgx.Tx, agency certcopy.AgencyID, account certcopy.AccountID) error {
	var found bool
	err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM agency WHERE id = $1) AND ($2 = '' OR EXISTS (SELECT FROM account WHERE id::text = $2 AND agency = $1))`,
		agency, string(account)).Scan(&found)
	if err == nil && !found {
		err = fmt.Errorf("%w: agency %s, account %s", storage.ErrNotFound, agency, account)
	}
	return err
}

// RenameAgency records the name an agency bears from a day on; copies keep the name of their
// date. The same name for the same day again changes nothing; another one is storage.ErrExists.
func (s *Store) RenameAgency(ctx context.Context, a certcopy.Agency, from time.Time) error {
	return s.tx(ctx, "name agency "+string(a.ID), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `INSERT INTO agency_name (agency, from_date, name, place, province) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (agency, from_date) DO NOTHING`, a.ID, from, a.Name, a.Place, a.Province)
		if err != nil || tag.RowsAffected() > 0 {
			return err
		}
		var same bool
		err = tx.QueryRow(ctx, `SELECT (name, place, province) = ($3, $4, $5) FROM agency_name WHERE agency = $1 AND from_date = $2`,
			a.ID, from, a.Name, a.Place, a.Province).Scan(&same)
		if err == nil && !same {
			err = storage.ErrExists
		}
		return err
	})
}
