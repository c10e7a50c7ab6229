package certcopy

import (
	"fmt"
	"time"
)

// BookCode names a certification book: "SCT/BS" for copies, or the separate electronic book
// an agency may keep (NĐ 23/2015 Điều 13; the forms of NĐ 280/2025).
type BookCode string

// DefaultBook is the statutory book of certified copies.
const DefaultBook BookCode = "SCT/BS"

// Vietnam is the legal time of Viet Nam, UTC+7 without daylight saving. Dates and years of
// the book are reckoned in it.
var Vietnam = time.FixedZone("+07", 7*60*60)

// Day returns the calendar day of t in Viet Nam, as midnight UTC, the form in which dates of
// the book are kept.
func Day(t time.Time) time.Time {
	y, m, d := t.In(Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// Number is a certificate number as the book holds it: consecutive from 1 within agency,
// book and year. The volume is an attribute of the row; numbering runs on across volumes
// (NĐ 23/2015 Điều 14).
type Number struct {
	Agency AgencyID
	Book   BookCode
	Year   int
	Seq    int64
	Volume int
	// Date is the day of certification in Viet Nam: midnight UTC of that calendar day.
	Date time.Time
}

// BookReference returns the book part of the statement, "quyển số 01/2026 - SCT/BS" without
// its first two words.
func (n Number) BookReference() string { return fmt.Sprintf("%02d/%d - %s", n.Volume, n.Year, n.Book) }

// String returns the number and book as the statement prints them: "123, 01/2026 - SCT/BS".
func (n Number) String() string { return fmt.Sprintf("%d, %s", n.Seq, n.BookReference()) }

// IsZero reports whether no number was taken.
func (n Number) IsZero() bool { return n.Seq == 0 }
