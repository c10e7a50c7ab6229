package register

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// field is one line of a leaf.
type field struct {
	key   string
	write func(*Leaf) string
	read  func(*Leaf, string) error
}

// named are the fields of every kind: what happened, when, to which copy.
var named = []field{
	{"type", func(l *Leaf) string { return string(l.Kind) }, readKind},
	moment("time", func(l *Leaf) *time.Time { return &l.Time }),
	word("agency", func(l *Leaf) *certcopy.AgencyID { return &l.Agency }),
	line("book", 40, func(l *Leaf) *certcopy.BookCode { return &l.Book }),
	count("year", 2000, 9999, func(l *Leaf) *int { return &l.Year }),
	count("number", 1, 1<<53, func(l *Leaf) *int64 { return &l.Number }),
	digest("code-sha256", func(l *Leaf) *certcopy.Digest { return &l.CodeHash }),
}

// fields lists, per kind, the lines that follow the named ones.
var fields = map[storage.LeafKind][]field{
	storage.LeafIssue: {
		day("date", func(l *Leaf) *time.Time { return &l.Date }),
		digest("file-sha256", func(l *Leaf) *certcopy.Digest { return &l.File }),
		count("file-length", 1, 1<<53, func(l *Leaf) *int64 { return &l.Length }),
		count("pages", 1, 1_000_000, func(l *Leaf) *int { return &l.Pages }),
		word("document-type", func(l *Leaf) *certcopy.DocumentTypeCode { return &l.DocumentType }),
		digest("certifier-certificate-sha256", func(l *Leaf) *certcopy.Digest { return &l.CertifierCertificate }),
		digest("agency-certificate-sha256", func(l *Leaf) *certcopy.Digest { return &l.AgencyCertificate }),
		digest("private-facts-sha256", func(l *Leaf) *certcopy.Digest { return &l.Commitment }),
	},
	storage.LeafVoid: {
		day("date", func(l *Leaf) *time.Time { return &l.Date }),
		word("reason", func(l *Leaf) *string { return &l.Reason }),
	},
	storage.LeafAnnul: {
		line("decision-number", 200, func(l *Leaf) *string { return &l.DecisionNumber }),
		day("decision-date", func(l *Leaf) *time.Time { return &l.DecisionDate }),
	},
	storage.LeafExtend: {
		digest("file-sha256", func(l *Leaf) *certcopy.Digest { return &l.File }),
		count("file-length", 1, 1<<53, func(l *Leaf) *int64 { return &l.Length }),
		line("level", 20, func(l *Leaf) *string { return &l.Level }),
	},
	storage.LeafErase: {
		word("reason", func(l *Leaf) *string { return &l.Reason }),
	},
}

// fieldsOf returns all lines of a kind in order; none for an unknown kind.
func fieldsOf(k storage.LeafKind) []field {
	own, ok := fields[k]
	if !ok {
		return nil
	}
	return append(named[:len(named):len(named)], own...)
}

func readKind(l *Leaf, s string) error {
	l.Kind = storage.LeafKind(s)
	return nil
}

var wordForm = regexp.MustCompile(`^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?$`)

// word is a field that holds an identifier in plain small letters.
func word[T ~string](key string, at func(*Leaf) *T) field {
	return field{key, func(l *Leaf) string { return string(*at(l)) }, func(l *Leaf, s string) error {
		if !wordForm.MatchString(s) {
			return errors.New("not 1 to 64 of a-z 0-9 . _ - beginning and ending with a letter or digit")
		}
		*at(l) = T(s)
		return nil
	}}
}

// line is a field that holds text of at most limit characters.
func line[T ~string](key string, limit int, at func(*Leaf) *T) field {
	return field{key, func(l *Leaf) string { return string(*at(l)) }, func(l *Leaf, s string) error {
		if err := checkLine(s, limit); err != nil {
			return err
		}
		*at(l) = T(s)
		return nil
	}}
}

// checkLine refuses what could be read in two ways or break a line: control characters,
// line and paragraph separators, invisible formatting, spaces at an end.
func checkLine(s string, limit int) error {
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return errors.New("not UTF-8")
	case n == 0 || n > limit:
		return fmt.Errorf("%d characters, want 1 to %d", n, limit)
	case strings.TrimSpace(s) != s:
		return errors.New("space at an end")
	}
	for _, r := range s {
		if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs) {
			return fmt.Errorf("character %U", r)
		}
	}
	return nil
}

// count is a field that holds a decimal number from low to high.
func count[T ~int | ~int64](key string, low, high int64, at func(*Leaf) *T) field {
	return field{key, func(l *Leaf) string { return strconv.FormatInt(int64(*at(l)), 10) }, func(l *Leaf, s string) error {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < low || n > high {
			return fmt.Errorf("not a number from %d to %d", low, high)
		}
		*at(l) = T(n)
		return nil
	}}
}

// digest is a field that holds 64 lower-case hexadecimal digits, not all zero.
func digest(key string, at func(*Leaf) *certcopy.Digest) field {
	return field{key, func(l *Leaf) string { return at(l).String() }, func(l *Leaf, s string) error {
		d, err := certcopy.ParseDigest(s)
		if err == nil && d.IsZero() {
			err = errors.New("no digest")
		}
		*at(l) = d
		return err
	}}
}

// moment is a field that holds a time in whole seconds, UTC.
func moment(key string, at func(*Leaf) *time.Time) field {
	return instant(key, "2006-01-02T15:04:05Z", at)
}

// day is a field that holds a calendar day: midnight UTC of it.
func day(key string, at func(*Leaf) *time.Time) field { return instant(key, time.DateOnly, at) }

func instant(key, layout string, at func(*Leaf) *time.Time) field {
	return field{key, func(l *Leaf) string { return at(l).UTC().Format(layout) }, func(l *Leaf, s string) error {
		t, err := time.Parse(layout, s)
		if err != nil || t.Year() < 2000 {
			return fmt.Errorf("not of the form %s", layout)
		}
		*at(l) = t
		return nil
	}}
}
