package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// TakeNumber gives the next number of the agency's book, see storage.Intake. The counter's
// row is the book's queue: whoever holds it reads the clock, so that dates follow numbers.
func (s *Store) TakeNumber(ctx context.Context, id certcopy.CopyID) (number certcopy.Number, err error) {
	err = s.tx(ctx, "number for copy "+string(id), func(tx pgx.Tx) error {
		e, err := candidate(ctx, tx, id)
		if err != nil {
			return err
		}
		if number, err = next(ctx, tx, e); err != nil {
			return err
		}
		if err := s.enter(ctx, tx, id, number, e); err != nil {
			return err
		}
		return s.enqueue(ctx, tx, id)
	})
	if err != nil {
		return certcopy.Number{}, err
	}
	return number, nil
}

// entry is what the book needs to know of a copy.
type entry struct {
	agency        certcopy.AgencyID
	book          certcopy.BookCode
	pages, copies int
}

// candidate locks a copy that may take a number.
func candidate(ctx context.Context, tx pgx.Tx, id certcopy.CopyID) (e entry, err error) {
	var state certcopy.State
	var confirmed, suspended bool
	err = tx.QueryRow(ctx, `SELECT c.state, c.certified_at IS NOT NULL, a.suspended, c.agency, a.book, c.pages, c.copies
		FROM copy c JOIN agency a ON a.id = c.agency WHERE c.id = $1 FOR UPDATE OF c`, id).
		Scan(&state, &confirmed, &suspended, &e.agency, &e.book, &e.pages, &e.copies)
	switch {
	case err != nil:
		return e, err
	case state != certcopy.Submitted || !confirmed:
		return e, fmt.Errorf("%w: it is %s, confirmed: %t", storage.ErrConflict, state, confirmed)
	case suspended:
		return e, certcopy.Errorf(certcopy.Unavailable, string(e.agency), fmt.Errorf("%w: the agency is suspended", storage.ErrUnavailable), certcopy.Msg(
			"Cơ quan đang tạm dừng chứng thực nên chưa lấy số. Khi cơ quan hoạt động lại, bản sao sẽ tự tiếp tục.",
			"The agency's certification is suspended, so no number is taken. The copy goes on by itself when the agency works again."))
	}
	return e, nil
}

// next counts on. The clock is read by a second statement: within the one that takes the
// lock it could be read before the wait for it.
func next(ctx context.Context, tx pgx.Tx, e entry) (certcopy.Number, error) {
	n := certcopy.Number{Agency: e.agency, Book: e.book}
	var last, today time.Time
	batch := &pgx.Batch{}
	batch.Queue(`SELECT year, last_seq, volume, last_date FROM counter WHERE agency = $1 AND book = $2 FOR UPDATE`, e.agency, e.book).
		QueryRow(func(row pgx.Row) error { return row.Scan(&n.Year, &n.Seq, &n.Volume, &last) })
	batch.Queue(`SELECT (book_clock() AT TIME ZONE 'Asia/Ho_Chi_Minh')::date`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&today) })
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return n, err
	}
	if today.Before(last) {
		err := fmt.Errorf("%w: the database's clock shows %s, before the last number's date %s",
			storage.ErrUnavailable, today.Format(time.DateOnly), last.Format(time.DateOnly))
		return n, certcopy.Errorf(certcopy.Unavailable, "", err, certcopy.Msg(
			"Đồng hồ của máy chủ cơ sở dữ liệu sớm hơn ngày của số đã cấp gần nhất nên chưa lấy số. Hãy báo quản trị viên chỉnh đồng hồ; bản sao sẽ tự tiếp tục.",
			"The clock of the database server is before the date of the last number, so no number is taken. Ask the administrator to set the clock; the copy goes on by itself."))
	}
	if today.Year() != n.Year {
		n.Year, n.Seq, n.Volume = today.Year(), 0, 1
	}
	n.Seq++
	n.Date = today
	return n, nil
}

// enter writes the row of the book and moves the copy.
func (s *Store) enter(ctx context.Context, tx pgx.Tx, id certcopy.CopyID, n certcopy.Number, e entry) error {
	var fee *int64
	if s.fee != nil {
		dong := s.fee(e.pages, e.copies, n.Date)
		fee = &dong
	}
	batch := &pgx.Batch{}
	batch.Queue(`UPDATE counter SET year = $3, last_seq = $4, last_date = $5, volume = $6 WHERE agency = $1 AND book = $2`,
		n.Agency, n.Book, n.Year, n.Seq, n.Date, n.Volume)
	batch.Queue(`INSERT INTO book_row (agency, book, year, seq, volume, date, copy, requester, title, signer_account, signer_name, signer_title,
			copies, original_pages, fee, entered_at)
		SELECT $2, $3, $4, $5, $6, $7, c.id, r.requester, c.title, c.certified_by, c.certified_name, c.certified_title, c.copies, c.pages, $8, book_clock()
		FROM copy c JOIN request r ON r.id = c.request WHERE c.id = $1`,
		id, n.Agency, n.Book, n.Year, n.Seq, n.Volume, n.Date, fee)
	batch.Queue(`UPDATE copy SET state = 'numbered', trouble_vi = '', trouble_en = '', revision = revision + 1 WHERE id = $1`, id)
	return tx.SendBatch(ctx, batch).Close()
}
