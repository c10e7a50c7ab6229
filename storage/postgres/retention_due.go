package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// policyToday is the policy of each agency that holds today.
const policyToday = `(SELECT DISTINCT ON (agency) agency, from_date, coalesce(file_years, 0) AS file_years, coalesce(contact_days, 0) AS contact_days,
		coalesce(working_days, 0) AS working_days, decision_number, by_account
	FROM retention_policy WHERE from_date <= (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date ORDER BY agency, from_date DESC) p`

// ended are the states in which nobody works on a copy any more.
const ended = `('released', 'annulled', 'void', 'refused', 'withdrawn')`

// DueForErasure implements storage.Retention. A copy is due while it has a file key: those
// that were erased have none.
func (s *Store) DueForErasure(ctx context.Context, limit int) ([]storage.Erasure, error) {
	found, err := s.pool.Query(ctx, `SELECT k.copy, p.decision_number FROM file_key k
		JOIN copy c ON c.id = k.copy AND c.state IN ('released', 'annulled', 'void') JOIN `+policyToday+` ON p.agency = c.agency
		WHERE p.file_years > 0 AND k.created_at <= book_clock() - make_interval(years => p.file_years)
			AND NOT EXISTS (SELECT FROM leaf l WHERE l.copy = k.copy AND l.at > book_clock() - make_interval(years => p.file_years)
				AND l.kind IN ('issue', 'void'))
		ORDER BY k.created_at, k.copy LIMIT $1`, limit)
	if err != nil {
		return nil, fmt.Errorf("due for erasure: %w", ours(err))
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (storage.Erasure, error) {
		e := storage.Erasure{Reason: storage.ErasedByRetention}
		err := row.Scan(&e.Copy, &e.Decision)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("due for erasure: %w", ours(err))
	}
	return list, nil
}

// Tidy implements storage.Retention.
func (s *Store) Tidy(ctx context.Context, places []string, limit int) (t storage.Tidied, err error) {
	err = s.tx(ctx, "tidy", func(tx pgx.Tx) error {
		if t.Contacts, err = tidyContacts(ctx, tx, limit); err != nil {
			return err
		}
		if t.Working, err = tidyWorking(ctx, tx, places, limit); err != nil {
			return err
		}
		t.Expired, err = tidyExpired(ctx, tx, limit)
		return err
	})
	return t, err
}

func tidyContacts(ctx context.Context, tx pgx.Tx, limit int) (int, error) {
	tag, err := tx.Exec(ctx, `DELETE FROM request_private WHERE request IN (
		SELECT q.request FROM request_private q JOIN request r ON r.id = q.request JOIN `+policyToday+` ON p.agency = r.agency
		WHERE p.contact_days > 0 AND r.created_at < book_clock() - make_interval(days => p.contact_days) AND NOT EXISTS (
			SELECT FROM copy c WHERE c.request = r.id
				AND (c.state NOT IN `+ended+` OR c.changed_at > book_clock() - make_interval(days => p.contact_days)))
		ORDER BY r.created_at LIMIT $1)`, limit)
	return int(tag.RowsAffected()), err
}

// tidyWorking deletes what a copy left on its way: the finished file does not need it.
func tidyWorking(ctx context.Context, tx pgx.Tx, places []string, limit int) (int, error) {
	found, err := tx.Query(ctx, `SELECT c.id FROM copy c JOIN `+policyToday+` ON p.agency = c.agency
		WHERE p.working_days > 0 AND c.state IN `+ended+` AND c.changed_at <= book_clock() - make_interval(days => p.working_days)
			AND (EXISTS (SELECT FROM scan x WHERE x.copy = c.id) OR EXISTS (SELECT FROM state_file x WHERE x.copy = c.id)
				OR EXISTS (SELECT FROM artifact x WHERE x.copy = c.id) OR EXISTS (SELECT FROM refused_file x WHERE x.copy = c.id))
		ORDER BY c.changed_at LIMIT $1`, limit)
	if err != nil {
		return 0, err
	}
	ids, err := pgx.CollectRows(found, pgx.RowTo[certcopy.CopyID])
	if err != nil || len(ids) == 0 {
		return 0, err
	}
	batch := &pgx.Batch{}
	for _, table := range []string{"scan", "state_file", "artifact", "refused_file"} {
		batch.Queue(`DELETE FROM `+table+` WHERE copy = ANY($1)`, ids)
	}
	for _, id := range ids {
		for _, place := range places {
			batch.Queue(doom, "scratch", place+"/"+string(id)+"/", id)
		}
	}
	return len(ids), tx.SendBatch(ctx, batch).Close()
}

// How long what serves only the moment is kept.
const (
	sessionsKept = "1 day" // a session lasts ten hours
	failuresKept = "1 day" // they count for fifteen minutes
	repliesKept  = "30 days"
)

func tidyExpired(ctx context.Context, tx pgx.Tx, limit int) (n int, err error) {
	for _, sql := range []string{
		`DELETE FROM session WHERE token_hash IN (SELECT token_hash FROM session WHERE seen_at < book_clock() - interval '` + sessionsKept + `' LIMIT $1)`,
		`DELETE FROM login_failure WHERE ctid IN (SELECT ctid FROM login_failure WHERE at < book_clock() - interval '` + failuresKept + `' LIMIT $1)`,
		`DELETE FROM api_reply WHERE ctid IN (SELECT ctid FROM api_reply WHERE created_at < book_clock() - interval '` + repliesKept + `' LIMIT $1)`,
	} {
		tag, err := tx.Exec(ctx, sql, limit)
		if err != nil {
			return n, err
		}
		n += int(tag.RowsAffected())
	}
	return n, nil
}

// SetRetention records a policy of an agency from a day on; storage.ErrExists if there is one
// of that day. Policies are permanent: another one takes its place from another day on.
func (s *Store) SetRetention(ctx context.Context, p storage.RetentionPolicy) error {
	return s.tx(ctx, "retention of "+string(p.Agency), func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO retention_policy (agency, from_date, file_years, contact_days, working_days, decision_number, by_account)
			VALUES ($1, $2, nullif($3, 0), nullif($4, 0), nullif($5, 0), $6, $7)`,
			p.Agency, p.From, p.FileYears, p.ContactDays, p.WorkingDays, p.Decision, p.By)
		return err
	})
}

// RetentionPolicies returns the policies of an agency, or of all where agency is empty, by
// agency and day.
func (s *Store) RetentionPolicies(ctx context.Context, agency certcopy.AgencyID) ([]storage.RetentionPolicy, error) {
	found, err := s.pool.Query(ctx, `SELECT agency, from_date, coalesce(file_years, 0), coalesce(contact_days, 0), coalesce(working_days, 0),
			decision_number, by_account
		FROM retention_policy WHERE $1 = '' OR agency = $1 ORDER BY agency, from_date`, string(agency))
	if err != nil {
		return nil, fmt.Errorf("retention policies: %w", ours(err))
	}
	list, err := pgx.CollectRows(found, func(row pgx.CollectableRow) (p storage.RetentionPolicy, err error) {
		err = row.Scan(&p.Agency, &p.From, &p.FileYears, &p.ContactDays, &p.WorkingDays, &p.Decision, &p.By)
		return p, err
	})
	if err != nil {
		return nil, fmt.Errorf("retention policies: %w", ours(err))
	}
	return list, nil
}
