package issue

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/storage"
)

type wordings struct {
	list []desk.Wording
	err  error
}

func (w wordings) WordingsInForce(context.Context, certcopy.AgencyID) ([]desk.Wording, error) {
	return w.list, w.err
}

// TestWordingOfTheDay: a copy bears the wording that was in force on the day of its number.
func TestWordingOfTheDay(t *testing.T) {
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	body := func(heading string) []byte {
		template := stamp.Statutory()[0]
		template.Heading = heading
		b, err := json.Marshal(template)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	law := stamp.Statutory()[0].Heading
	f := &Flow{Wordings: wordings{list: []desk.Wording{
		{From: day("2025-01-01"), Body: body("before the law's form")},
		{From: day("2026-03-01"), Body: body("first")},
		{From: day("2026-05-01"), Body: body("second")},
		{From: day("2027-01-01"), Body: []byte(`{"of a newer program":true}`)},
	}}}
	for on, want := range map[string]string{"2025-11-01": law, "2026-02-28": law, "2026-03-01": "first", "2026-04-30": "first", "2026-12-31": "second"} {
		if got, err := f.wording(t.Context(), "a", day(on)); err != nil || got.Heading != want {
			t.Errorf("%s: %q, %v, want %q", on, got.Heading, err, want)
		}
	}
	if _, err := f.wording(t.Context(), "a", day("2027-01-01")); !errors.Is(err, stamp.ErrTemplate) {
		t.Errorf("half a wording: %v", err)
	}
	f.Wordings = wordings{err: storage.ErrUnavailable}
	if _, err := f.wording(t.Context(), "a", day("2026-03-01")); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("without a ledger: %v", err)
	}
}
