package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
)

// seenEvery is how coarsely the last use of a session is kept: one write a minute instead of
// one for every image of a page.
const seenEvery = time.Minute

// StartSession stores a session under the hash of its token, and drops those that are over.
func (s *Store) StartSession(ctx context.Context, token certcopy.Digest, id certcopy.AccountID, now time.Time) error {
	_, err := s.write(ctx, "start session", `
		WITH over AS (DELETE FROM session WHERE created_at < $4 OR seen_at < $5)
		INSERT INTO session (token_hash, account, created_at, seen_at) VALUES ($1, $2, $3, $3)`,
		token[:], id, now, now.Add(-account.SessionLifetime), now.Add(-account.SessionIdle))
	return err
}

// Session returns the account signed in with a token, as it is now, in one query;
// storage.ErrNotFound if the session ended, was idle for account.SessionIdle, is older than
// account.SessionLifetime, or its account is disabled.
func (s *Store) Session(ctx context.Context, token certcopy.Digest, now time.Time) (account.Account, error) {
	rows, err := s.pool.Query(ctx, `
		WITH living AS (
			SELECT token_hash, account, seen_at FROM session
			WHERE token_hash = $1 AND created_at > $2 AND seen_at > $3
		), touched AS (
			UPDATE session SET seen_at = $4 FROM living
			WHERE session.token_hash = living.token_hash AND living.seen_at < $5
		)
		SELECT `+accountColumns+` FROM living JOIN account a ON a.id = living.account WHERE a.disabled_at IS NULL`,
		token[:], now.Add(-account.SessionLifetime), now.Add(-account.SessionIdle), now, now.Add(-seenEvery))
	if err != nil {
		return account.Account{}, ours(err)
	}
	a, err := pgx.CollectExactlyOneRow(rows, scanAccount)
	return a, ours(err)
}

// EndSession signs out; no error if there is no such session.
func (s *Store) EndSession(ctx context.Context, token certcopy.Digest) error {
	_, err := s.write(ctx, "end session", `DELETE FROM session WHERE token_hash = $1`, token[:])
	return err
}

// LoginFailures returns the wrong sign-ins of the last account.FailureWindow for a login name,
// by its hash, and for a network.
func (s *Store) LoginFailures(ctx context.Context, login certcopy.Digest, network string, now time.Time) (account.Failures, error) {
	var f account.Failures
	var byLogin, byNetwork *time.Time
	err := s.pool.QueryRow(ctx, `
		SELECT l.n, l.last, w.n, w.last
		FROM (SELECT count(*) AS n, max(at) AS last FROM login_failure WHERE login_hash = $1 AND at > $3) l,
			(SELECT count(*) AS n, max(at) AS last FROM login_failure WHERE network = $2 AND at > $3) w`,
		login[:], network, now.Add(-account.FailureWindow)).Scan(&f.ByLogin, &byLogin, &f.ByNetwork, &byNetwork)
	f.LastByLogin, f.LastByNetwork = timeOrZero(byLogin), timeOrZero(byNetwork)
	return f, ours(err)
}

// AddLoginFailure records a wrong sign-in, and drops those that no rule looks at any more.
func (s *Store) AddLoginFailure(ctx context.Context, login certcopy.Digest, network string, now time.Time) error {
	_, err := s.write(ctx, "wrong sign-in", `
		WITH over AS (DELETE FROM login_failure WHERE at < $4)
		INSERT INTO login_failure (login_hash, network, at) VALUES ($1, $2, $3)`,
		login[:], network, now, now.Add(-account.FailureWindow))
	return err
}

// ClearLoginFailures forgets the failures of a login name after it signed in.
func (s *Store) ClearLoginFailures(ctx context.Context, login certcopy.Digest) error {
	_, err := s.write(ctx, "clear wrong sign-ins", `DELETE FROM login_failure WHERE login_hash = $1`, login[:])
	return err
}
