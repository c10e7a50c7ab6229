package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
)

const accountColumns = `a.id, a.agency, a.login, a.name, a.title, a.password_hash, a.roles, a.disabled_at`

// accountRow receives accountColumns.
type accountRow struct {
	account.Account
	roles    []string
	disabled *time.Time
}

func (r *accountRow) targets() []any {
	return []any{&r.ID, &r.Agency, &r.Login, &r.Name, &r.Title, &r.PasswordHash, &r.roles, &r.disabled}
}

func (r *accountRow) value() account.Account {
	for _, role := range r.roles {
		r.Roles = append(r.Roles, certcopy.Role(role))
	}
	r.Disabled = timeOrZero(r.disabled)
	return r.Account
}

func timeOrZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// nullable returns nil for the zero time.
func nullable(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func scanAccount(row pgx.CollectableRow) (account.Account, error) {
	var r accountRow
	err := row.Scan(r.targets()...)
	return r.value(), err
}

// AccountByLogin returns the account of a folded login name, disabled or not;
// storage.ErrNotFound if there is none.
func (s *Store) AccountByLogin(ctx context.Context, login string) (account.Account, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+accountColumns+` FROM account a WHERE a.login = $1`, login)
	if err != nil {
		return account.Account{}, ours(err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	return a, ours(err)
}

// Accounts returns the agency's accounts by name.
func (s *Store) Accounts(ctx context.Context, agency certcopy.AgencyID) ([]account.Account, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+accountColumns+` FROM account a WHERE a.agency = $1 ORDER BY a.disabled_at IS NOT NULL, a.name, a.id`, agency)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, scanAccount)
	return list, ours(err)
}

// CreateAccount stores a new account and returns its identifier; storage.ErrExists if the login
// name is taken. The ID of a is ignored.
func (s *Store) CreateAccount(ctx context.Context, a account.Account) (certcopy.AccountID, error) {
	var id certcopy.AccountID
	err := s.tx(ctx, "create account", func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `INSERT INTO account (id, agency, login, name, title, password_hash, roles)
			VALUES (gen_random_uuid(), $1, $2, $3, $4, $5, $6) RETURNING id`,
			a.Agency, a.Login, a.Name, a.Title, a.PasswordHash, a.Roles).Scan(&id)
	})
	return id, err
}

// ChangeAccount replaces name, title, roles and whether the account is disabled. A disabled
// account's sessions end in the same transaction.
func (s *Store) ChangeAccount(ctx context.Context, a account.Account) error {
	return s.tx(ctx, "change account "+string(a.ID), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE account SET name = $3, title = $4, roles = $5, disabled_at = $6 WHERE id = $1 AND agency = $2`,
			a.ID, a.Agency, a.Name, a.Title, a.Roles, nullable(a.Disabled))
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		if a.Disabled.IsZero() {
			return nil
		}
		_, err = tx.Exec(ctx, `DELETE FROM session WHERE account = $1`, a.ID)
		return err
	})
}

// SetPassword stores a new password hash and ends the account's sessions but the one kept (the
// zero digest keeps none): whoever knew the old password is signed out.
func (s *Store) SetPassword(ctx context.Context, id certcopy.AccountID, hash string, keep certcopy.Digest) error {
	return s.tx(ctx, "password of "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE account SET password_hash = $2 WHERE id = $1`, id, hash)
		if err != nil {
			return err
		}
		if tag.RowsAffected() == 0 {
			return pgx.ErrNoRows
		}
		_, err = tx.Exec(ctx, `DELETE FROM session WHERE account = $1 AND token_hash <> $2`, id, keep[:])
		return err
	})
}

// Authorisations returns the decisions by which people of the agency may certify or seal, the
// newest first. Those of API clients are not among them.
func (s *Store) Authorisations(ctx context.Context, agency certcopy.AgencyID) ([]account.Authorisation, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, account, scope, from_date, to_date, decision_number, revoked_at
		FROM authorisation WHERE agency = $1 AND client = '' ORDER BY from_date DESC, id DESC`, agency)
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (account.Authorisation, error) {
		var a account.Authorisation
		var to, revoked *time.Time
		err := row.Scan(&a.ID, &a.Account, &a.Scope, &a.From, &to, &a.Decision, &revoked)
		a.To, a.Revoked = timeOrZero(to), timeOrZero(revoked)
		return a, err
	})
	return list, ours(err)
}

// Authorise records a decision; storage.ErrNotFound if the account is not of the agency.
func (s *Store) Authorise(ctx context.Context, agency certcopy.AgencyID, a account.Authorisation) error {
	return s.writeOne(ctx, "authorise "+string(a.Account), `INSERT INTO authorisation (agency, account, scope, from_date, to_date, decision_number)
		SELECT $1, id, $3, $4::date, $5::date, $6 FROM account WHERE id = $2 AND agency = $1`,
		agency, a.Account, string(a.Scope), a.From, nullable(a.To), a.Decision)
}

// RevokeAuthorisation ends a decision now; it stays in the record. Revoking again changes nothing.
func (s *Store) RevokeAuthorisation(ctx context.Context, agency certcopy.AgencyID, id int64) error {
	return s.writeOne(ctx, "revoke authorisation", `UPDATE authorisation SET revoked_at = coalesce(revoked_at, clock_timestamp()) WHERE id = $1 AND agency = $2`, id, agency)
}
