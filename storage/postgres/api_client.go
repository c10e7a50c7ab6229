package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

var _ storage.Clients = (*Store)(nil)

// CreateClient records a client system. storage.ErrExists if the identifier is taken.
func (s *Store) CreateClient(ctx context.Context, c storage.Client) error {
	n, err := s.write(ctx, "client "+c.ID, `INSERT INTO api_client (id, agency, name, account) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`,
		c.ID, c.Agency, c.Name, c.Account)
	if err == nil && n == 0 {
		return fmt.Errorf("client %s: %w", c.ID, storage.ErrExists)
	}
	return err
}

// CreateToken records a token of a client by its hash.
func (s *Store) CreateToken(ctx context.Context, client string, token certcopy.Digest, scopes []string, expires time.Time) error {
	_, err := s.write(ctx, "token of "+client, `INSERT INTO api_token (hash, client, scopes, expires_at) VALUES ($1, $2, $3, $4)`, token[:], client, scopes, expires)
	return err
}

// RevokeTokens ends all tokens of a client, and returns how many were living.
func (s *Store) RevokeTokens(ctx context.Context, client string, now time.Time) (int, error) {
	n, err := s.write(ctx, "revoke tokens of "+client, `UPDATE api_token SET revoked_at = $2 WHERE client = $1 AND revoked_at IS NULL`, client, now)
	return int(n), err
}

// BindClient lets a client certify or seal for one official, from a day on, by a decision. It is
// revoked as every authorisation is.
func (s *Store) BindClient(ctx context.Context, agency certcopy.AgencyID, client string, official certcopy.AccountID, scope string, from time.Time, decision string) error {
	_, err := s.write(ctx, "bind client "+client, `INSERT INTO authorisation (agency, account, client, scope, from_date, decision_number) VALUES ($1, $2, $3, $4, $5, $6)`,
		agency, official, client, scope, from, decision)
	return err
}

// ClientByToken implements storage.Clients.
func (s *Store) ClientByToken(ctx context.Context, token certcopy.Digest, now time.Time) (c storage.Client, err error) {
	err = s.pool.QueryRow(ctx, `SELECT c.id, c.agency, c.name, c.account, t.scopes FROM api_token t JOIN api_client c ON c.id = t.client
		WHERE t.hash = $1 AND t.revoked_at IS NULL AND t.expires_at > $2 AND c.disabled_at IS NULL`, token[:], now).
		Scan(&c.ID, &c.Agency, &c.Name, &c.Account, &c.Scopes)
	return c, ours(err)
}

// ActsFor implements storage.Clients.
func (s *Store) ActsFor(ctx context.Context, client, scope string) (certcopy.AccountID, error) {
	rows, err := s.pool.Query(ctx, `SELECT DISTINCT u.account FROM authorisation u JOIN api_client c ON c.id = u.client AND c.agency = u.agency,
			(SELECT (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today) d
		WHERE u.client = $1 AND u.scope = $2 AND u.revoked_at IS NULL AND u.from_date <= d.today AND (u.to_date IS NULL OR u.to_date >= d.today)`, client, scope)
	if err != nil {
		return "", ours(err)
	}
	officials, err := pgx.CollectRows(rows, pgx.RowTo[certcopy.AccountID])
	if err != nil {
		return "", ours(err)
	}
	if len(officials) != 1 {
		return "", certcopy.Errorf(certcopy.Forbidden, "authorisation", fmt.Errorf("client %s: %d officials", client, len(officials)), certcopy.Msg(
			"Hệ thống kết nối này chưa được ủy quyền (hoặc được ủy quyền cho nhiều người) để làm việc đó. Quản trị viên phải gắn nó với đúng một người bằng văn bản có thời hạn.",
			"This client system is not bound to exactly one official for this. The administrator must bind it by a dated decision."))
	}
	return officials[0], nil
}
