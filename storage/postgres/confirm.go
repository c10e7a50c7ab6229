package postgres

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Certify records a certifier's confirmation of all the copies or of none, see
// storage.Intake.
func (s *Store) Certify(ctx context.Context, c storage.Confirmation) error {
	if err := s.notFull(ctx, c.Agency, len(c.Shown)); err != nil {
		return err
	}
	return s.tx(ctx, "certify", func(tx pgx.Tx) error {
		who, err := authorised(ctx, tx, c, certcopy.Certifier, "certify")
		if err != nil {
			return err
		}
		if err := unchanged(ctx, tx, c, `state = 'submitted' AND certified_at IS NULL`); err != nil {
			return err
		}
		ids := slices.Collect(maps.Keys(c.Shown))
		if _, err := tx.Exec(ctx, `UPDATE copy SET certified_by = $2, certified_name = $3, certified_title = $4, certified_client = $5,
				certified_at = book_clock(), trouble_vi = '', trouble_en = '', changed_at = book_clock(), revision = revision + 1
			WHERE id = ANY($1)`, ids, who.Account, who.Name, who.Title, c.Client); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, ids...)
	})
}

// ConfirmSeal records a seal keeper's confirmation of all the copies or of none. A copy may
// be confirmed from its number on; sealing begins when it is signed.
func (s *Store) ConfirmSeal(ctx context.Context, c storage.Confirmation) error {
	return s.tx(ctx, "confirm seal", func(tx pgx.Tx) error {
		who, err := authorised(ctx, tx, c, certcopy.SealKeeper, "seal")
		if err != nil {
			return err
		}
		if err := unchanged(ctx, tx, c, `state IN ('numbered', 'stamped', 'signed') AND sealed_at IS NULL`); err != nil {
			return err
		}
		rows, err := tx.Query(ctx, `UPDATE copy SET sealed_by = $2, sealed_client = $3, sealed_at = book_clock(), revision = revision + 1
			WHERE id = ANY($1) RETURNING id, state`, slices.Collect(maps.Keys(c.Shown)), who.Account, c.Client)
		if err != nil {
			return err
		}
		var signed []certcopy.CopyID
		var id certcopy.CopyID
		var state certcopy.State
		if _, err := pgx.ForEachRow(rows, []any{&id, &state}, func() error {
			if state == certcopy.Signed {
				signed = append(signed, id)
			}
			return nil
		}); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, signed...)
	})
}

// CancelCertify takes back a confirmation that could not be carried out.
func (s *Store) CancelCertify(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return s.tx(ctx, "cancel the certification of copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET certified_by = NULL, certified_name = NULL, certified_title = NULL, certified_client = '',
				certified_at = NULL, trouble_vi = $2, trouble_en = $3, changed_at = book_clock(), revision = revision + 1
			WHERE id = $1 AND state = 'submitted' AND certified_at IS NOT NULL`, id, m.VI, m.EN)
		return found(ctx, tx, id, tag, err)
	})
}

// authorised returns the official as named now, if his account is living, in the agency,
// holds the role, and is authorised today, himself or through the client.
func authorised(ctx context.Context, tx pgx.Tx, c storage.Confirmation, role certcopy.Role, scope string) (certcopy.Official, error) {
	who := certcopy.Official{Account: c.By}
	var allowed bool
	err := tx.QueryRow(ctx, `SELECT a.name, a.title, a.disabled_at IS NULL AND NOT g.suspended AND $3 = ANY(a.roles) AND EXISTS (
			SELECT FROM authorisation u, (SELECT (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date AS today) d
			WHERE u.account = a.id AND u.agency = a.agency AND u.client = $5 AND u.scope = $4 AND u.revoked_at IS NULL
				AND u.from_date <= d.today AND (u.to_date IS NULL OR u.to_date >= d.today))
		FROM account a JOIN agency g ON g.id = a.agency WHERE a.id = $1 AND a.agency = $2`,
		c.By, c.Agency, role, scope, c.Client).Scan(&who.Name, &who.Title, &allowed)
	if err != nil {
		return who, fmt.Errorf("account %s: %w", c.By, err)
	}
	if !allowed {
		return who, certcopy.Errorf(certcopy.Forbidden, "authorisation", nil, certcopy.Msg(
			"Tài khoản không có quyền, hoặc văn bản ủy quyền, phân công đã hết hiệu lực hay bị thu hồi. Hãy báo quản trị viên kiểm tra ủy quyền.",
			"The account may not do this, or its authorisation has expired or was revoked. Ask the administrator to check the authorisation."))
	}
	return who, nil
}

// unchanged locks the copies and holds each against what the person was shown.
func unchanged(ctx context.Context, tx pgx.Tx, c storage.Confirmation, condition string) error {
	rows, err := tx.Query(ctx, `SELECT id, submission, agency = $2 AND `+condition+` FROM copy WHERE id = ANY($1) ORDER BY id FOR UPDATE`,
		slices.Collect(maps.Keys(c.Shown)), c.Agency)
	if err != nil {
		return err
	}
	var (
		id         certcopy.CopyID
		submission []byte
		fits       bool
	)
	seen := 0
	if _, err := pgx.ForEachRow(rows, []any{&id, &submission, &fits}, func() error {
		seen++
		if !fits || digest(submission) != c.Shown[id] || len(submission) == 0 {
			return fmt.Errorf("%w: copy %s is not what was shown", storage.ErrConflict, id)
		}
		return nil
	}); err != nil {
		return err
	}
	if seen != len(c.Shown) {
		return fmt.Errorf("%w: %d of %d copies exist", storage.ErrNotFound, seen, len(c.Shown))
	}
	return nil
}
