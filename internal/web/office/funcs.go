package office

import (
	"html/template"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
)

// funcs are the template functions of the office, beside those of package web:
//
//	tone STATE      the colour of a state's badge
//	wrong ERR NAME  whether an error is about a field, which is then marked
//	add N M         N + M
//	waits COPY      whether something is going on that the page should wait for
//	accept, formats   the files that intake reads, for a file picker and for people
//	percent N OF    N as whole hundredths of OF, rounded down
//	refuseReasons, returnReasons   the coded reasons
func funcs() template.FuncMap {
	return template.FuncMap{
		"tone":          tone,
		"wrong":         func(e *certcopy.Error, subject string) bool { return e != nil && e.Subject == subject },
		"add":           func(a, b int) int { return a + b },
		"waits":         waits,
		"accept":        intake.Accept,
		"formats":       intake.Names,
		"percent":       percent,
		"refuseReasons": func() []string { return refuseReasons },
		"returnReasons": func() []string { return returnReasons },
	}
}

func tone(s certcopy.State) string {
	switch s {
	case certcopy.Released:
		return "ok"
	case certcopy.Returned:
		return "warn"
	case certcopy.Refused, certcopy.Annulled, certcopy.Void:
		return "bad"
	case certcopy.Withdrawn:
		return "idle"
	default:
		return ""
	}
}

// waits reports whether the copy moves on without this person: the page then looks again.
func waits(c certcopy.Copy) bool {
	switch c.State {
	case certcopy.Submitted, certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Sealed, certcopy.Registered:
		return true
	default:
		return false
	}
}

func percent(n, of int64) int64 {
	if of == 0 {
		return 100
	}
	return 100 * n / of
}
