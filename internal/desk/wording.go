package desk

import (
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Wording is an agency's wording of the statement from a day on, as it was recorded.
type Wording struct {
	ID   int64
	From time.Time // midnight UTC of the first day
	// Body is the JSON of a stamp.Template; empty takes back what was recorded for the day.
	Body     []byte
	Decision string // by which it was decided
	By       certcopy.AccountID
	At       time.Time
}

// Picture is an image that is drawn on copies: an official's signature, or the agency's seal
// where Account is empty.
type Picture struct {
	Account certcopy.AccountID
	PNG     []byte
	By      certcopy.AccountID // empty: it came when the office was opened
	At      time.Time
}
