// Package account holds the rules about the people of the office: their passwords, how often
// a wrong one may be tried, how long a session lasts, and what counts as a fresh proof of who
// confirms. It is pure: no HTTP, no SQL, no clock of its own.
package account

import (
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/saoy/saoy/internal/certcopy"
)

// Account is a person of one agency.
type Account struct {
	ID     certcopy.AccountID
	Agency certcopy.AgencyID
	Login  string
	Name   string
	// Title is printed on the copies the person certifies ("CHỦ TỊCH"); empty for others.
	Title        string
	PasswordHash string // PHC string, see Hash; never shown
	Roles        []certcopy.Role
	Disabled     time.Time // zero: enabled
}

// Has reports whether the account is enabled and holds one of the roles.
func (a Account) Has(roles ...certcopy.Role) bool {
	if a.ID == "" || !a.Disabled.IsZero() {
		return false
	}
	return slices.ContainsFunc(roles, func(r certcopy.Role) bool { return slices.Contains(a.Roles, r) })
}

// Roles are the roles an administrator may give, in the order of the office's work.
var Roles = []certcopy.Role{certcopy.Clerk, certcopy.Certifier, certcopy.SealKeeper, certcopy.Admin, certcopy.Auditor}

// Scope is what an authorisation allows.
type Scope string

// The scopes of an authorisation.
const (
	MayCertify Scope = "certify"
	MaySeal    Scope = "seal"
)

// Authorisation is the dated decision by which a person may certify or seal for the agency
// (NĐ 23/2015 Điều 5 khoản 2 as amended).
type Authorisation struct {
	ID       int64
	Account  certcopy.AccountID
	Scope    Scope
	From, To time.Time // days, both included; To may be zero: until revoked
	Decision string
	Revoked  time.Time
}

// MaxLoginRunes bounds a login name.
const MaxLoginRunes = 64

// FoldLogin returns the form in which a login name is stored and looked up: without spaces
// around, composed (NFC), lower case.
func FoldLogin(typed string) string {
	return strings.ToLower(norm.NFC.String(strings.TrimSpace(typed)))
}

// CheckLogin refuses names that could not be typed again or would be taken for something else.
func CheckLogin(login string) error {
	ok := utf8.ValidString(login) && login == FoldLogin(login) && utf8.RuneCountInString(login) <= MaxLoginRunes && login != "" &&
		!strings.ContainsFunc(login, func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-@", r)
		})
	if !ok {
		return certcopy.Errorf(certcopy.Invalid, "login", nil, certcopy.Msg(
			"Tên đăng nhập chỉ gồm chữ thường, số và các dấu . _ - @, tối đa 64 ký tự. Hãy sửa lại.",
			"A login name has lower-case letters, digits and . _ - @ only, at most 64. Correct it."))
	}
	return nil
}
