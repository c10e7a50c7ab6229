package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// CreateRequest stores a request with its copies, or returns the one that the same channel
// created before under the same ExternalID. A suspended agency takes none: Forbidden.
func (s *Store) CreateRequest(ctx context.Context, r certcopy.Request, originals []storage.NewCopy) (stored certcopy.Request, created bool, err error) {
	err = s.tx(ctx, "create request", func(tx pgx.Tx) error {
		created = false
		if err := open(ctx, tx, r.Agency); err != nil {
			return err
		}
		err := tx.QueryRow(ctx, `INSERT INTO request (id, agency, requester, channel, dossier_code, external_id, created_by)
			VALUES ($1, $2, $3, $4, $5, $6, $7)
			ON CONFLICT (agency, channel, external_id) WHERE external_id <> '' DO NOTHING RETURNING id`,
			r.ID, r.Agency, r.Requester.Name, r.Channel, r.DossierCode, r.ExternalID, r.CreatedBy).Scan(&r.ID)
		if errors.Is(err, pgx.ErrNoRows) {
			stored, err = scanRequest(tx.QueryRow(ctx, requestColumns+` WHERE r.agency = $1 AND r.channel = $2 AND r.external_id = $3`,
				r.Agency, r.Channel, r.ExternalID))
			return err
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO request_private (request, id_number, phone, email) VALUES ($1, $2, $3, $4)`,
			r.ID, r.Requester.IDNumber, r.Requester.Phone, r.Requester.Email); err != nil {
			return err
		}
		for i, c := range originals {
			if err := insertCopy(ctx, tx, r.ID, i, c); err != nil {
				return err
			}
		}
		created = true
		stored, err = scanRequest(tx.QueryRow(ctx, requestColumns+` WHERE r.id = $1`, r.ID))
		return err
	})
	if err != nil {
		return certcopy.Request{}, false, err
	}
	return stored, created, nil
}

// open refuses work for an agency that is suspended.
func open(ctx context.Context, tx pgx.Tx, id certcopy.AgencyID) error {
	var suspended bool
	if err := tx.QueryRow(ctx, `SELECT suspended FROM agency WHERE id = $1`, id).Scan(&suspended); err != nil {
		return err
	}
	if suspended {
		return certcopy.Errorf(certcopy.Forbidden, string(id), nil, certcopy.Msg(
			"Cơ quan đang tạm dừng chứng thực bản sao điện tử nên không nhận yêu cầu mới. Việc kiểm tra bản sao đã cấp vẫn hoạt động.",
			"The agency's certification is suspended, so no new request is taken. Copies already issued can still be verified."))
	}
	return nil
}

func insertCopy(ctx context.Context, tx pgx.Tx, r certcopy.RequestID, position int, c storage.NewCopy) error {
	o := c.Original
	if _, err := tx.Exec(ctx, `INSERT INTO copy (id, request, agency, position, code, code_hash, document_type, title, issuing_body, pages, copies)
		SELECT $1, r.id, r.agency, $3, $4, $5, $6, $7, $8, $9, $10 FROM request r WHERE r.id = $2`,
		c.ID, r, position, c.Code, c.CodeHash[:], o.Type, o.Title, o.IssuingBody, o.Pages, o.Copies); err != nil {
		return facts(err)
	}
	_, err := tx.Exec(ctx, `INSERT INTO copy_private (copy, salt) VALUES ($1, $2)`, c.ID, c.Salt)
	return err
}

// facts turns the refusal of a copy's facts by the schema into words for people.
func facts(err error) error {
	if state := sqlState(err); state != checkViolation && state != foreignKeyViolation {
		return err
	}
	return certcopy.Errorf(certcopy.Invalid, "original", ours(err), certcopy.Msg(
		"Thông tin bản chính không hợp lệ: loại giấy tờ phải có trong danh mục, số trang từ 1 đến 200, số bản từ 1 đến 1000. Hãy sửa lại.",
		"The facts of the original are not valid: a document type of the list, 1 to 200 pages, 1 to 1000 copies. Correct them."))
}

// AddCopy adds a copy to a request none of whose copies has been submitted; else ErrConflict.
func (s *Store) AddCopy(ctx context.Context, r certcopy.RequestID, c storage.NewCopy) error {
	return s.tx(ctx, "add a copy to request "+string(r), func(tx pgx.Tx) error {
		if err := lockRequest(ctx, tx, `id = $1`, r); err != nil {
			return err
		}
		var next int
		var submitted bool
		if err := tx.QueryRow(ctx, `SELECT coalesce(max(position) + 1, 0),
				coalesce(bool_or(state NOT IN ('received', 'scanned', 'withdrawn', 'refused') OR submitted_at IS NOT NULL), false)
			FROM copy WHERE request = $1`, r).Scan(&next, &submitted); err != nil {
			return err
		}
		if submitted {
			return fmt.Errorf("%w: a copy of the request has been submitted", storage.ErrConflict)
		}
		return insertCopy(ctx, tx, r, next, c)
	})
}

// lockRequest serialises what adds to a request and what submits a part of it.
func lockRequest(ctx context.Context, tx pgx.Tx, where string, arg any) error {
	var id certcopy.RequestID
	return tx.QueryRow(ctx, `SELECT id FROM request WHERE `+where+` FOR UPDATE`, arg).Scan(&id)
}

// EditCopy replaces the facts of a copy that is received, scanned or returned.
func (s *Store) EditCopy(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error {
	return s.tx(ctx, "edit copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET document_type = $3, title = $4, issuing_body = $5, pages = $6, copies = $7,
				checked = false, revision = revision + 1, changed_at = book_clock()
			WHERE id = $1 AND revision = $2 AND state IN ('received', 'scanned', 'returned')`,
			id, revision, o.Type, o.Title, o.IssuingBody, o.Pages, o.Copies)
		return found(ctx, tx, id, tag, facts(err))
	})
}

// SetScans replaces the uploaded files, which puts the copy back to received.
func (s *Store) SetScans(ctx context.Context, id certcopy.CopyID, revision int, scans []certcopy.Scan) error {
	return s.tx(ctx, "scans of copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'received', clean_digest = NULL, clean_size = NULL, clean_pages = NULL,
				checked = false, submission = NULL, submitted_at = NULL, submitted_by = NULL, revision = revision + 1, changed_at = book_clock()
			WHERE id = $1 AND revision = $2 AND state IN ('received', 'scanned', 'returned')`, id, revision)
		if err := found(ctx, tx, id, tag, err); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM scan WHERE copy = $1`, id); err != nil {
			return err
		}
		for i, sc := range scans {
			if _, err := tx.Exec(ctx, `INSERT INTO scan (id, copy, position, file_name, size, digest, pages) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
				sc.ID, id, i, sc.FileName, sc.Size, sc.Digest[:], sc.Pages); err != nil {
				return err
			}
		}
		return nil
	})
}

// SetClean records the clean document: received or returned → scanned.
func (s *Store) SetClean(ctx context.Context, id certcopy.CopyID, revision int, d certcopy.CleanDocument) error {
	return s.tx(ctx, "clean document of copy "+string(id), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'scanned', clean_digest = $3, clean_size = $4, clean_pages = $5, revision = revision + 1
			WHERE id = $1 AND revision = $2 AND state IN ('received', 'returned')`, id, revision, digestOrNull(d.Digest), d.Size, d.Pages)
		return found(ctx, tx, id, tag, err)
	})
}

// Submit freezes the copy: scanned or returned → submitted. A copy whose paper original was
// not compared is refused as Invalid.
func (s *Store) Submit(ctx context.Context, u storage.Submission) error {
	if !u.Checked {
		return certcopy.Errorf(certcopy.Invalid, string(u.Copy), nil, certcopy.Msg(
			"Chưa xác nhận đã đối chiếu với bản chính. Hãy đối chiếu từng trang rồi đánh dấu vào ô xác nhận.",
			"The comparison with the paper original is not confirmed. Compare each page, then tick the box."))
	}
	return s.tx(ctx, "submit copy "+string(u.Copy), func(tx pgx.Tx) error {
		if err := lockRequest(ctx, tx, `id = (SELECT request FROM copy WHERE id = $1)`, u.Copy); err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = 'submitted', checked = true, submission = $3, submitted_by = $4, submitted_at = book_clock(),
				low_resolution_reason = $5, reason = '', reason_text = '', trouble_vi = '', trouble_en = '', revision = revision + 1
			WHERE id = $1 AND revision = $2 AND state IN ('scanned', 'returned')`,
			u.Copy, u.Revision, digestOrNull(u.Digest), u.By, u.LowResolutionReason)
		return found(ctx, tx, u.Copy, tag, err)
	})
}

// Leave takes a copy out before it has a number. A confirmed copy cannot leave: ErrConflict.
func (s *Store) Leave(ctx context.Context, l storage.Leaving) error {
	return s.tx(ctx, fmt.Sprintf("copy %s: %s to %s", l.Copy, l.From, l.To), func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, `UPDATE copy SET state = $3, left_by = $4, reason = $5, reason_text = $6, checked = false,
				submission = NULL, submitted_at = NULL, submitted_by = NULL, trouble_vi = '', trouble_en = '', revision = revision + 1
			WHERE id = $1 AND state = $2 AND certified_at IS NULL AND $3 IN ('returned', 'refused', 'withdrawn')`,
			l.Copy, l.From, l.To, l.By, l.Reason, l.Text)
		return found(ctx, tx, l.Copy, tag, err)
	})
}
