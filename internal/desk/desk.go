// Package desk holds what people at the office's desk look at besides the flow: lists of
// copies, sharing links and their openings, refused uploads, document types, the day's
// figures. Plain values; the store reads them, the office's pages show them.
package desk

import (
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Filter says which copies a list shows; zero fields do not narrow.
type Filter struct {
	Agency    certcopy.AgencyID // required
	States    []certcopy.State
	CreatedBy certcopy.AccountID
	// Unconfirmed leaves out the copies that a certifier (in submitted) or a seal keeper (in
	// signed) has confirmed already.
	Unconfirmed bool
	Since       time.Time // created at or after
	Newest      bool      // the newest change first; else the oldest
}

// List is one page of a list of copies. Of each copy it holds what a list shows: the facts,
// state, people, times, number, submission digest, reason and trouble; neither the clean
// document's pages nor the final file.
type List struct {
	Copies []certcopy.Copy
	Next   Cursor // where the next page begins; zero: there is none
}

// Cursor is a place in a list: after this copy, which was last changed at this time. Lists go
// on from a cursor without skipping or repeating when others work meanwhile.
type Cursor struct {
	At   time.Time
	Copy certcopy.CopyID
}

// ErrCursor is returned by ParseCursor.
var ErrCursor = errors.New("not a place in a list")

// IsZero reports whether the cursor is the beginning.
func (c Cursor) IsZero() bool { return c.Copy == "" }

// String returns the cursor for an address; empty for the beginning.
func (c Cursor) String() string {
	if c.IsZero() {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(c.At.UnixMicro(), 10) + " " + string(c.Copy)))
}

// ParseCursor reads what String wrote.
func ParseCursor(s string) (Cursor, error) {
	if s == "" {
		return Cursor{}, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return Cursor{}, ErrCursor
	}
	at, id, ok := strings.Cut(string(b), " ")
	micros, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || !IsID(id) {
		return Cursor{}, ErrCursor
	}
	return Cursor{At: time.UnixMicro(micros).UTC(), Copy: certcopy.CopyID(id)}, nil
}

// IsID reports whether s is a UUID in its canonical text form, as every identifier in an
// address must be.
func IsID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
		default:
			return false
		}
	}
	return true
}

// LinkDays is how long a sharing link opens, unless said otherwise.
const LinkDays = 30

// Link is a sharing link; its token is known only to those it was given to.
type Link struct {
	ID        int64
	Copy      certcopy.CopyID
	CreatedBy certcopy.AccountID
	CreatedAt time.Time
	Expires   time.Time
	Revoked   time.Time // zero: not revoked
	Openings  int
	LastOpen  time.Time // zero: never opened
	// FileKey is the key of the copy's file, encrypted under the token (link.Token.Wrap). Empty
	// for links from before there was one, and once the link was revoked or the file erased.
	FileKey []byte
}

// Opens reports whether the link opens the file at the time.
func (l Link) Opens(now time.Time) bool { return l.Revoked.IsZero() && now.Before(l.Expires) }

// RefusedFile is an uploaded file that was not taken, and why.
type RefusedFile struct {
	Name    string
	Message certcopy.Message
}

// DocumentType is an entry of the coded, dated list.
type DocumentType struct {
	Code certcopy.DocumentTypeCode
	Name certcopy.Message
	// InVNeID: such papers are normally in VNeID, where the official must look first
	// (NĐ 23/2015 Điều 9 khoản 8, 9 as amended).
	InVNeID bool
}

// Counts are an agency's figures: copies by state, and what the day brought.
type Counts struct {
	ByState   map[certcopy.State]int
	Today     int // requests received today
	Certified int // numbers taken today
	Released  int // copies released today
	// ToSeal are signed copies that wait for a seal keeper.
	ToSeal int
	// ToCertify are submitted copies that wait for a certifier.
	ToCertify int
}
