package postgres

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype/zeronull"

	"github.com/saoy/saoy/internal/certcopy"
)

const copyColumns = `SELECT c.id, c.request, c.agency, c.state, c.revision,
		c.document_type, c.title, c.issuing_body, c.pages, c.copies,
		r.requester, r.channel, r.created_by, c.created_at,
		c.code, c.clean_digest, coalesce(c.clean_size, 0), coalesce(c.clean_pages, '[]'), c.checked, c.submission, c.submitted_at,
		coalesce(c.certified_by::text, ''), coalesce(c.certified_name, ''), coalesce(c.certified_title, ''), c.certified_at,
		coalesce(c.sealed_by::text, ''), c.sealed_at,
		coalesce(b.agency, ''), coalesce(b.book, ''), coalesce(b.year, 0), coalesce(b.seq, 0), coalesce(b.volume, 0), b.date,
		coalesce(l.index, 0), l.at, c.final_digest, coalesce(c.final_size, 0), coalesce(c.final_pages, 0), coalesce(c.final_level, ''),
		c.reason, c.reason_text,
		coalesce(x.decision_number, ''), x.decision_date, coalesce(x.reason, ''), coalesce(x.by_account::text, ''), x.at,
		c.trouble_vi, c.trouble_en
	FROM copy c
	JOIN request r ON r.id = c.request
	LEFT JOIN book_row b ON b.copy = c.id
	LEFT JOIN leaf l ON l.copy = c.id AND l.kind = 'issue'
	LEFT JOIN annulment x ON x.copy = c.id`

// Copy returns a copy with its number, leaf and annulment.
func (s *Store) Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error) {
	c, err := scanCopy(s.pool.QueryRow(ctx, copyColumns+` WHERE c.id = $1`, id))
	if err != nil {
		return certcopy.Copy{}, fmt.Errorf("copy %s: %w", id, ours(err))
	}
	return c, nil
}

func scanCopy(row pgx.Row) (c certcopy.Copy, err error) {
	var clean, submission, final []byte
	o, n, x := &c.Original, &c.Number, &c.Annulment
	err = row.Scan(&c.ID, &c.Request, &c.Agency, &c.State, &c.Revision,
		&o.Type, &o.Title, &o.IssuingBody, &o.Pages, &o.Copies,
		&c.Requester, &c.Channel, &c.CreatedBy, &c.CreatedAt,
		&c.Code, &clean, &c.Clean.Size, &c.Clean.Pages, &c.Checked, &submission, (*zeronull.Timestamptz)(&c.SubmittedAt),
		&c.CertifiedBy.Account, &c.CertifiedBy.Name, &c.CertifiedBy.Title, (*zeronull.Timestamptz)(&c.CertifiedAt),
		&c.SealedBy, (*zeronull.Timestamptz)(&c.SealedAt),
		&n.Agency, &n.Book, &n.Year, &n.Seq, &n.Volume, (*zeronull.Timestamptz)(&n.Date),
		&c.Leaf, (*zeronull.Timestamptz)(&c.LeafTime), &final, &c.Final.Size, &c.Final.Pages, &c.Final.Level,
		&c.Reason, &c.ReasonText,
		&x.Number, (*zeronull.Timestamptz)(&x.Date), &x.Reason, &x.By, (*zeronull.Timestamptz)(&x.At),
		&c.Trouble.VI, &c.Trouble.EN)
	c.Clean.Digest, c.Submission, c.Final.Digest = digest(clean), digest(submission), digest(final)
	return c, err
}

// Request returns a request with the identifiers of its copies in the clerk's order. What
// retention has deleted of it is empty.
func (s *Store) Request(ctx context.Context, id certcopy.RequestID) (certcopy.Request, error) {
	r, err := scanRequest(s.pool.QueryRow(ctx, requestColumns+` WHERE r.id = $1`, id))
	if err != nil {
		return certcopy.Request{}, fmt.Errorf("request %s: %w", id, ours(err))
	}
	return r, nil
}

const requestColumns = `SELECT r.id, r.agency, r.requester, coalesce(p.id_number, ''), coalesce(p.phone, ''), coalesce(p.email, ''),
		r.channel, r.dossier_code, r.external_id, r.created_by, r.created_at,
		ARRAY(SELECT c.id::text FROM copy c WHERE c.request = r.id ORDER BY c.position)
	FROM request r LEFT JOIN request_private p ON p.request = r.id`

func scanRequest(row pgx.Row) (r certcopy.Request, err error) {
	err = row.Scan(&r.ID, &r.Agency, &r.Requester.Name, &r.Requester.IDNumber, &r.Requester.Phone, &r.Requester.Email,
		&r.Channel, &r.DossierCode, &r.ExternalID, &r.CreatedBy, &r.CreatedAt, &r.Copies)
	return r, err
}

// Agency returns an agency under the name it bears today.
func (s *Store) Agency(ctx context.Context, id certcopy.AgencyID) (a certcopy.Agency, err error) {
	err = s.pool.QueryRow(ctx, `SELECT a.id, a.code, n.name, n.place, n.province, a.book, a.seal_at_once, a.demonstration, a.suspended
		FROM agency a JOIN agency_name n ON n.agency = a.id
		WHERE a.id = $1
		ORDER BY n.from_date <= (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date DESC, n.from_date DESC LIMIT 1`, id).
		Scan(&a.ID, &a.Code, &a.Name, &a.Place, &a.Province, &a.Book, &a.SealAtOnce, &a.Demonstration, &a.Suspended)
	if err != nil {
		return certcopy.Agency{}, fmt.Errorf("agency %s: %w", id, ours(err))
	}
	return a, nil
}

// Scans returns the copy's uploaded files in the clerk's order.
func (s *Store) Scans(ctx context.Context, id certcopy.CopyID) ([]certcopy.Scan, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, copy, position, file_name, size, digest, pages FROM scan WHERE copy = $1 ORDER BY position`, id)
	if err != nil {
		return nil, fmt.Errorf("scans of %s: %w", id, ours(err))
	}
	scans, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (sc certcopy.Scan, err error) {
		var d []byte
		err = row.Scan(&sc.ID, &sc.Copy, &sc.Position, &sc.FileName, &sc.Size, &d, &sc.Pages)
		sc.Digest = digest(d)
		return sc, err
	})
	if err != nil {
		return nil, fmt.Errorf("scans of %s: %w", id, ours(err))
	}
	return scans, nil
}

// Pending returns the copies that are certified and neither released nor void, oldest first.
func (s *Store) Pending(ctx context.Context) ([]certcopy.CopyID, error) {
	rows, err := s.pool.Query(ctx, `SELECT id FROM copy WHERE certified_at IS NOT NULL
		AND state IN ('submitted', 'numbered', 'stamped', 'signed', 'sealed', 'registered') ORDER BY certified_at, id`)
	if err != nil {
		return nil, fmt.Errorf("pending copies: %w", ours(err))
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[certcopy.CopyID])
	if err != nil {
		return nil, fmt.Errorf("pending copies: %w", ours(err))
	}
	return ids, nil
}

// SetTrouble records why a copy waits; an empty message clears it.
func (s *Store) SetTrouble(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error {
	return s.tx(ctx, "trouble of "+string(id), func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE copy SET trouble_vi = $2, trouble_en = $3
			WHERE id = $1 AND state NOT IN ('registered', 'released', 'annulled', 'void', 'refused', 'withdrawn')`, id, m.VI, m.EN)
		return err
	})
}
