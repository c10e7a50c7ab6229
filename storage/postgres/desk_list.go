package postgres

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
)

// listFrom is where the rows of every list come from, with the columns of scanListed.
const listFrom = `SELECT c.id, c.request, c.agency, c.state, c.revision, c.document_type, c.title, c.issuing_body, c.pages, c.copies,
		r.requester, r.channel, r.created_by, c.created_at, c.checked, c.submission, c.submitted_at,
		c.certified_by, c.certified_name, c.certified_title, c.certified_at, c.sealed_by, c.sealed_at,
		b.book, b.year, b.seq, b.volume, b.date, c.reason, c.reason_text, c.trouble_vi, c.trouble_en, c.changed_at
	FROM copy c JOIN request r ON r.id = c.request LEFT JOIN book_row b ON b.copy = c.id `

// listed is a row of a list.
type listed struct {
	certcopy.Copy
	changed time.Time
}

func scanListed(row pgx.CollectableRow) (listed, error) {
	var l listed
	c := &l.Copy
	var certifier, sealer, book, name, title *string
	var submission []byte
	var submitted, certified, sealed, date *time.Time
	var year, volume *int
	var seq *int64
	err := row.Scan(&c.ID, &c.Request, &c.Agency, &c.State, &c.Revision, &c.Original.Type, &c.Original.Title, &c.Original.IssuingBody,
		&c.Original.Pages, &c.Original.Copies, &c.Requester, &c.Channel, &c.CreatedBy, &c.CreatedAt, &c.Checked, &submission, &submitted,
		&certifier, &name, &title, &certified, &sealer, &sealed,
		&book, &year, &seq, &volume, &date, &c.Reason, &c.ReasonText, &c.Trouble.VI, &c.Trouble.EN, &l.changed)
	copy(c.Submission[:], submission)
	c.CreatedAt = c.CreatedAt.UTC()
	c.SubmittedAt, c.CertifiedAt, c.SealedAt = timeOrZero(submitted), timeOrZero(certified), timeOrZero(sealed)
	c.CertifiedBy = certcopy.Official{Account: certcopy.AccountID(orEmpty(certifier)), Name: orEmpty(name), Title: orEmpty(title)}
	c.SealedBy = certcopy.AccountID(orEmpty(sealer))
	if seq != nil {
		c.Number = certcopy.Number{Agency: c.Agency, Book: certcopy.BookCode(*book), Year: *year, Seq: *seq, Volume: *volume, Date: timeOrZero(date)}
	}
	return l, err
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// CopyList returns one page of at most limit copies from a place on.
func (s *Store) CopyList(ctx context.Context, f desk.Filter, from desk.Cursor, limit int) (desk.List, error) {
	sql := listFrom + `WHERE c.agency = @agency
		AND (@states::text[] IS NULL OR c.state = ANY(@states))
		AND (@created_by::uuid IS NULL OR r.created_by = @created_by)
		AND (@since::timestamptz IS NULL OR c.created_at >= @since)
		AND NOT (@unconfirmed AND (c.state = 'submitted' AND c.certified_at IS NOT NULL OR c.state = 'signed' AND c.sealed_at IS NOT NULL))
		AND (@after::uuid IS NULL OR (c.changed_at, c.id) > (@at, @after))
		ORDER BY c.changed_at, c.id LIMIT @limit`
	if f.Newest {
		sql = strings.Replace(sql, "(c.changed_at, c.id) > (", "(c.changed_at, c.id) < (", 1)
		sql = strings.Replace(sql, "ORDER BY c.changed_at, c.id", "ORDER BY c.changed_at DESC, c.id DESC", 1)
	}
	rows, err := s.pool.Query(ctx, sql, pgx.NamedArgs{
		"agency": f.Agency, "states": stateNames(f.States), "created_by": nullText(string(f.CreatedBy)), "since": nullable(f.Since),
		"unconfirmed": f.Unconfirmed, "after": nullText(string(from.Copy)), "at": from.At, "limit": limit + 1})
	if err != nil {
		return desk.List{}, ours(err)
	}
	found, err := pgx.CollectRows(rows, scanListed)
	if err != nil {
		return desk.List{}, ours(err)
	}
	return pageOf(found, limit), nil
}

// pageOf cuts the row that was asked for only to know whether there is a next page.
func pageOf(found []listed, limit int) desk.List {
	var l desk.List
	if len(found) > limit {
		found = found[:limit]
		last := found[limit-1]
		l.Next = desk.Cursor{At: last.changed.UTC(), Copy: last.ID}
	}
	l.Copies = copiesOf(found)
	return l
}

func copiesOf(found []listed) []certcopy.Copy {
	list := make([]certcopy.Copy, len(found))
	for i, f := range found {
		list[i] = f.Copy
	}
	return list
}

// stateNames keeps "any state" apart from "no state": nil stays nil.
func stateNames(states []certcopy.State) []string {
	if states == nil {
		return nil
	}
	names := make([]string, 0, len(states))
	for _, s := range states {
		names = append(names, string(s))
	}
	return names
}

func nullText(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// RequestCopies returns the copies of a request in the order of its originals.
func (s *Store) RequestCopies(ctx context.Context, id certcopy.RequestID) ([]certcopy.Copy, error) {
	return s.copies(ctx, listFrom+`WHERE c.request = $1 ORDER BY c.position`, id)
}

// CopiesByID returns those of the copies that belong to the agency, in the order of ids.
func (s *Store) CopiesByID(ctx context.Context, agency certcopy.AgencyID, ids []certcopy.CopyID) ([]certcopy.Copy, error) {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = string(id)
	}
	found, err := s.copies(ctx, listFrom+`WHERE c.agency = $1 AND c.id = ANY($2::uuid[])`, agency, text)
	slices.SortFunc(found, func(a, b certcopy.Copy) int { return slices.Index(ids, a.ID) - slices.Index(ids, b.ID) })
	return found, err
}

// LowResolutionReason returns what the clerk wrote, at the last submission, about pages below
// the statutory resolution; empty if nothing.
func (s *Store) LowResolutionReason(ctx context.Context, id certcopy.CopyID) (reason string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT low_resolution_reason FROM copy WHERE id = $1`, id).Scan(&reason)
	return reason, ours(err)
}

// maxFound bounds what a search shows; who sees so many must say more.
const maxFound = 50

// Search returns the agency's copies, newest first, whose certificate number is what was typed,
// or whose requester or title contains it, whatever the case and the marks: "duc" finds "Đức".
func (s *Store) Search(ctx context.Context, agency certcopy.AgencyID, typed string) ([]certcopy.Copy, error) {
	typed = strings.TrimSpace(typed)
	if typed == "" {
		return nil, nil
	}
	if seq, err := strconv.ParseInt(typed, 10, 64); err == nil {
		return s.copies(ctx, listFrom+`WHERE b.agency = $1 AND b.seq = $2 ORDER BY b.year DESC, b.book LIMIT $3`, agency, seq, maxFound)
	}
	return s.copies(ctx, listFrom+`WHERE c.agency = $1
		AND (position(folded($2) IN r.requester_folded) > 0 OR position(folded($2) IN c.title_folded) > 0)
		ORDER BY c.changed_at DESC, c.id LIMIT $3`, agency, typed, maxFound)
}

func (s *Store) copies(ctx context.Context, sql string, args ...any) ([]certcopy.Copy, error) {
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, ours(err)
	}
	found, err := pgx.CollectRows(rows, scanListed)
	return copiesOf(found), ours(err)
}

// Counts returns the agency's figures; day is the midnight at which today began.
func (s *Store) Counts(ctx context.Context, agency certcopy.AgencyID, day time.Time) (desk.Counts, error) {
	n := desk.Counts{ByState: make(map[certcopy.State]int)}
	// One question each, so that each is answered by an index whatever the office has issued.
	err := s.pool.QueryRow(ctx, `SELECT
			(SELECT count(*) FROM copy WHERE agency = $1 AND state = 'submitted' AND certified_at IS NULL),
			(SELECT count(*) FROM copy WHERE agency = $1 AND state = 'signed' AND sealed_at IS NULL),
			(SELECT count(*) FROM copy WHERE agency = $1 AND certified_at >= $2),
			(SELECT count(*) FROM copy WHERE agency = $1 AND state = 'released' AND changed_at >= $2),
			(SELECT count(*) FROM request WHERE agency = $1 AND created_at >= $2)`,
		agency, day).Scan(&n.ToCertify, &n.ToSeal, &n.Certified, &n.Released, &n.Today)
	if err != nil {
		return n, ours(err)
	}
	rows, err := s.pool.Query(ctx, `SELECT state, count(*) FROM copy
		WHERE agency = $1 AND state IN ('received', 'scanned', 'submitted', 'numbered', 'stamped', 'signed', 'sealed', 'registered', 'returned') GROUP BY state`, agency)
	if err != nil {
		return n, ours(err)
	}
	var state certcopy.State
	var count int
	_, err = pgx.ForEachRow(rows, []any{&state, &count}, func() error { n.ByState[state] = count; return nil })
	return n, ours(err)
}

// DocumentTypes returns the document types in force on a day, in their order.
func (s *Store) DocumentTypes(ctx context.Context, day time.Time) ([]desk.DocumentType, error) {
	rows, err := s.pool.Query(ctx, `SELECT code, vi, en, warn_vneid FROM document_type
		WHERE from_date <= $1::date AND (to_date IS NULL OR to_date >= $1::date) ORDER BY position`, day.In(certcopy.Vietnam).Format(time.DateOnly))
	if err != nil {
		return nil, ours(err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (desk.DocumentType, error) {
		var d desk.DocumentType
		err := row.Scan(&d.Code, &d.Name.VI, &d.Name.EN, &d.InVNeID)
		return d, err
	})
	return list, ours(err)
}
