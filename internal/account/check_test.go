package account

import (
	"bytes"
	"crypto/rand"
	"regexp"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestNewPassword(t *testing.T) {
	seen := map[string]bool{}
	for range 200 {
		p, err := NewPassword(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		text := string(p.Reveal())
		if !regexp.MustCompile(`^([a-km-np-z2-9]{4}-){3}[a-km-np-z2-9]{4}$`).MatchString(text) || seen[text] {
			t.Fatalf("%q, seen before: %v", text, seen[text])
		}
		if err := CheckPassword("quantri", p); err != nil {
			t.Fatalf("%q would be refused: %v", text, err)
		}
		seen[text] = true
	}
	if _, err := NewPassword(bytes.NewReader([]byte{1, 2, 3})); err == nil {
		t.Error("a password of too little randomness")
	}
}

func TestCheck(t *testing.T) {
	good := Account{Name: "Nguyễn Văn An", Title: "CHỦ TỊCH", Roles: []certcopy.Role{certcopy.Certifier}}
	for name, c := range map[string]struct {
		change func(*Account)
		field  string
	}{
		"good":                {func(*Account) {}, ""},
		"no name":             {func(a *Account) { a.Name = "" }, "name"},
		"no role":             {func(a *Account) { a.Roles = nil }, "role"},
		"certifier, no title": {func(a *Account) { a.Title = "" }, "title"},
		"clerk, no title":     {func(a *Account) { a.Title, a.Roles = "", []certcopy.Role{certcopy.Clerk} }, ""},
	} {
		a := good
		c.change(&a)
		err := Check(a)
		if e, _ := err.(*certcopy.Error); (e == nil) != (c.field == "") || e != nil && e.Subject != c.field { //nolint:errorlint // straight from Check
			t.Errorf("%s: %v", name, err)
		}
	}
}
