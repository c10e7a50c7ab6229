package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Unaccepted returns the restoration that nobody has accepted yet; storage.ErrNotFound if
// there is none. While there is one, nothing may be issued.
func (s *Store) Unaccepted(ctx context.Context) (r storage.Restoration, err error) {
	err = s.pool.QueryRow(ctx, `SELECT backup, size, known, known_size FROM restoration WHERE accepted_at IS NULL ORDER BY id DESC LIMIT 1`).
		Scan(&r.Backup, &r.Size, &r.Known, &r.KnownSize)
	if err != nil {
		return r, fmt.Errorf("restoration: %w", ours(err))
	}
	return r, nil
}

// Gaps returns the numbers left out of the books, in the order of agency, book, year and number.
func (s *Store) Gaps(ctx context.Context) ([]storage.Gap, error) {
	rows, err := s.pool.Query(ctx, `SELECT agency, book, year, first_seq, last_seq FROM book_gap ORDER BY agency, book, year, first_seq`)
	if err != nil {
		return nil, fmt.Errorf("gaps: %w", ours(err))
	}
	gaps, err := pgx.CollectRows(rows, pgx.RowToStructByPos[storage.Gap])
	if err != nil {
		return nil, fmt.Errorf("gaps: %w", ours(err))
	}
	return gaps, nil
}

// AcceptRestoration records that a person has decided to go on with a restored database, and
// leaves out the numbers that may have been given after its backup was made: the counters go
// on behind them. url is the owner's.
//
// storage.ErrNotFound: there is nothing to accept. certcopy.Invalid: a number is before the
// restored one, or of a book that does not exist.
func AcceptRestoration(ctx context.Context, url string, a storage.Acceptance) error {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return fmt.Errorf("accept: %w", ours(err))
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return accept(ctx, tx, a) })
	var said *certcopy.Error
	if errors.As(err, &said) {
		return err
	}
	if err != nil {
		return fmt.Errorf("accept: %w", ours(err))
	}
	return nil
}

func accept(ctx context.Context, tx pgx.Tx, a storage.Acceptance) error {
	var id int64
	if err := tx.QueryRow(ctx, `SELECT id FROM restoration WHERE accepted_at IS NULL ORDER BY id DESC LIMIT 1 FOR UPDATE`).Scan(&id); err != nil {
		return err
	}
	for _, last := range a.Last {
		if err := leaveOut(ctx, tx, id, last); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `UPDATE restoration SET accepted_at = book_clock(), accepted_by = $1, decision = $2 WHERE accepted_at IS NULL`, a.By, a.Decision)
	return err
}

// leaveOut puts the counter of a book behind the last number that is known to have been given.
func leaveOut(ctx context.Context, tx pgx.Tx, restoration int64, last storage.LastNumber) error {
	var year int
	var seq int64
	err := tx.QueryRow(ctx, `SELECT year, last_seq FROM counter WHERE agency = $1 AND book = $2 FOR UPDATE`, last.Agency, last.Book).Scan(&year, &seq)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return badLast(last, "there is no such book")
	case err != nil:
		return err
	case last.Year < year || last.Year == year && last.Seq < seq:
		return badLast(last, fmt.Sprintf("the restored book is at %d/%d already", seq, year))
	case last.Year > year:
		seq = 0
	}
	if last.Seq == seq {
		return nil
	}
	if _, err := tx.Exec(ctx, `INSERT INTO book_gap (agency, book, year, first_seq, last_seq, restoration) VALUES ($1, $2, $3, $4, $5, $6)`,
		last.Agency, last.Book, last.Year, seq+1, last.Seq, restoration); err != nil {
		return err
	}
	// The dates of those numbers are not known; the counter's stays unless the year has turned.
	_, err = tx.Exec(ctx, `UPDATE counter SET year = $3, last_seq = $4, last_date = greatest(last_date, make_date($3, 1, 1)) WHERE agency = $1 AND book = $2`,
		last.Agency, last.Book, last.Year, last.Seq)
	return err
}

func badLast(last storage.LastNumber, why string) error {
	return certcopy.Errorf(certcopy.Invalid, fmt.Sprintf("%s/%s %d/%d", last.Agency, last.Book, last.Seq, last.Year), errors.New(why), certcopy.Msg(
		"Số cuối không dùng được: phải là số của một sổ đang có và không nhỏ hơn số đã khôi phục.",
		"The last number cannot be used: it must be of a book that exists, and not before the restored one."))
}
