package fsck

import (
	"context"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
)

// checkCopies reads every copy and checks what can be seen of it alone.
func (k *Checker) checkCopies(ctx context.Context) error {
	for c, err := range k.Ledger.Copies(ctx) {
		if err != nil {
			return fmt.Errorf("copies: %w", err)
		}
		k.copies[c.ID] = c
		k.report.Copies++
		if _, err := link.ParseCode(c.Code); err != nil {
			k.found(CopyCode, name(c), "Mã tra cứu hỏng.", "The verification code is malformed.")
		}
		if !c.SubmittedAt.IsZero() && c.State.HasNumber() && c.Submission != issue.SubmissionDigest(c) {
			k.found(CopySubmission, name(c), "Dữ kiện của bản sao không phải dữ kiện đã được xác nhận.",
				"The facts of the copy are not those that were confirmed.")
		}
		if !c.State.Final() && c.State != certcopy.Released {
			k.report.InProgress = append(k.report.InProgress, name(c)+" "+string(c.State))
		}
	}
	return nil
}

type bookKey struct {
	agency certcopy.AgencyID
	book   certcopy.BookCode
}

// checkBook checks that numbers are consecutive from 1 within agency, book and year, that
// dates never decrease, and that rows, copies and counters tell the same.
func (k *Checker) checkBook(ctx context.Context) error {
	last := map[bookKey]certcopy.Number{}
	rowOf := map[certcopy.CopyID]bool{}
	for row, err := range k.Ledger.BookRows(ctx) {
		if err != nil {
			return fmt.Errorf("book: %w", err)
		}
		k.report.Numbers++
		key := bookKey{row.Number.Agency, row.Number.Book}
		k.checkFollows(k.overGaps(key, last[key]), row.Number)
		last[key] = row.Number
		if rowOf[row.Copy] {
			k.found(BookCopy, row.Number.String(), "Hai số trong sổ cùng một bản sao.", "Two numbers of the book are of one copy.")
		}
		rowOf[row.Copy] = true
		k.checkRow(row)
	}
	for _, c := range k.copies {
		if c.State.HasNumber() && !rowOf[c.ID] {
			k.found(BookCopy, name(c), "Bản sao đã có số nhưng sổ không có dòng của nó.", "The copy has a number, but the book has no row of it.")
		}
	}
	return k.checkCounters(ctx, last)
}

func (k *Checker) checkFollows(before, n certcopy.Number) {
	want := before.Seq + 1
	if before.Year != n.Year {
		want = 1
	}
	if n.Seq != want {
		k.found(BookGap, fmt.Sprintf("%s %s", n.Agency, n), fmt.Sprintf("Số phải là %d: sổ thiếu số hoặc trùng số.", want),
			fmt.Sprintf("The number should be %d: one is missing or stands twice.", want))
	}
	if n.Date.Before(before.Date) {
		k.found(BookDate, fmt.Sprintf("%s %s", n.Agency, n), "Ngày sớm hơn ngày của số trước.", "The date is before that of the number before.")
	}
	if n.Date.Year() != n.Year {
		k.found(BookDate, fmt.Sprintf("%s %s", n.Agency, n), "Ngày không thuộc năm của sổ.", "The date is not in the book's year.")
	}
}

// checkRow compares a row with its copy.
func (k *Checker) checkRow(row storage.BookRow) {
	c, ok := k.copies[row.Copy]
	switch {
	case !ok:
		k.found(BookCopy, row.Number.String(), "Sổ có số này nhưng không có bản sao của nó.", "The book has this number, but there is no copy of it.")
	case !c.State.HasNumber():
		k.found(BookCopy, name(c), "Sổ có số của bản sao nhưng bản sao chưa lấy số.", "The book has a number of the copy, but the copy has taken none.")
	case c.Agency != row.Number.Agency || c.Requester != row.Requester || c.Original.Title != row.Title ||
		c.Original.Copies != row.Copies || c.CertifiedBy.Account != row.SignerAccount || c.CertifiedBy.Name != row.SignerName:
		k.found(BookCopy, name(c), "Dòng của sổ và bản sao ghi khác nhau.", "The row of the book and the copy do not tell the same.")
	}
}

func (k *Checker) checkCounters(ctx context.Context, last map[bookKey]certcopy.Number) error {
	counters, err := k.Ledger.Counters(ctx)
	if err != nil {
		return fmt.Errorf("counters: %w", err)
	}
	seen := map[bookKey]bool{}
	for _, n := range counters {
		key := bookKey{n.Agency, n.Book}
		seen[key] = true
		if l := k.overGaps(key, last[key]); l.Seq != n.Seq || n.Seq > 0 && l.Year != n.Year {
			k.found(BookCounter, fmt.Sprintf("%s %s", n.Agency, n.Book),
				fmt.Sprintf("Bộ đếm là %d/%d nhưng số cuối của sổ là %d/%d.", n.Seq, n.Year, l.Seq, l.Year),
				fmt.Sprintf("The counter is %d/%d, but the last number of the book is %d/%d.", n.Seq, n.Year, l.Seq, l.Year))
		}
	}
	for key, n := range last {
		if !seen[key] {
			k.found(BookCounter, fmt.Sprintf("%s %s", n.Agency, n.Book), "Sổ có số nhưng không có bộ đếm.", "The book has numbers but no counter.")
		}
	}
	return nil
}
