package validation

import (
	"strings"
	"time"
)

// dateForms are the forms a PDF date may have, from the longest (ISO 32000-2 §7.9.4). The
// zone is written 07'00', 07'00 or Z.
var dateForms = []string{"20060102150405-0700", "20060102150405-07", "20060102150405Z0000", "20060102150405Z", "20060102150405", "200601021504", "2006010215", "20060102", "200601", "2006"}

// parseDate reads a PDF date in UTC.
func parseDate(s string) (time.Time, bool) {
	s = strings.ReplaceAll(strings.TrimPrefix(strings.TrimSpace(s), "D:"), "'", "")
	for _, form := range dateForms {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), true
		}
	}
	return time.Time{}, false
}
