package postgres_test

import (
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
)

// TestWordings: a wording begins tomorrow at the earliest, the last one for a day counts, one
// that has begun is there for ever, and agencies do not see one another's.
func TestWordings(t *testing.T) {
	s, owner := desktop(t)
	ctx := t.Context()
	clock := func(at string) {
		_, err := owner.Exec(ctx, `CREATE OR REPLACE FUNCTION book_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT `+at+` $$`)
		must(t, err)
	}
	clock(`timestamptz '2026-07-01 16:59:00+00'`) // 23:59 in Viet Nam
	day := func(n int) time.Time { return time.Date(2026, 7, 1+n, 0, 0, 0, 0, time.UTC) }
	add := func(n int, body string) error {
		return s.AddWording(ctx, here, desk.Wording{From: day(n), Body: []byte(body), Decision: "QĐ 1", By: clerk})
	}
	for _, n := range []int{-1, 0} {
		if err := add(n, `{}`); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("day %d: %v", n, err)
		}
	}
	must(t, add(1, `{"name":"a"}`))
	must(t, add(1, `{"name":"b"}`))
	must(t, add(9, `{"name":"c"}`))
	must(t, add(9, ``))
	must(t, s.AddWording(ctx, there, desk.Wording{From: day(3), Body: []byte(`{}`), Decision: "QĐ 2", By: alien}))
	got, err := s.WordingsInForce(ctx, here)
	if err != nil || len(got) != 1 || string(got[0].Body) != `{"name": "b"}` || !got[0].From.Equal(day(1)) || got[0].Decision != "QĐ 1" || got[0].By != clerk {
		t.Errorf("%+v, %v", got, err)
	}
	if all, err := s.Wordings(ctx, here); err != nil || len(all) != 4 || len(all[0].Body) != 0 {
		t.Errorf("%+v, %v", all, err)
	}
	clock(`timestamptz '2026-07-01 17:00:00+00'`)
	if err := add(1, ``); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("it has begun: %v", err)
	}
	for _, q := range []string{`UPDATE wording SET decision = 'x'`, `DELETE FROM wording`} {
		if _, err := owner.Exec(ctx, q); err == nil {
			t.Errorf("%s was allowed", q)
		}
	}
}

// TestPictures: the newest image of each, and whose doing it was.
func TestPictures(t *testing.T) {
	s, _ := desktop(t)
	ctx := t.Context()
	for _, p := range []desk.Picture{{PNG: []byte("seal 1"), By: clerk}, {Account: clerk, PNG: []byte("sig"), By: clerk}, {PNG: []byte("seal 2"), By: clerk}} {
		must(t, s.AddPicture(ctx, here, p))
	}
	must(t, s.AddPicture(ctx, there, desk.Picture{PNG: []byte("other"), By: alien}))
	got, err := s.Pictures(ctx, here)
	if err != nil || len(got) != 2 || string(got[0].PNG) != "seal 2" || got[0].Account != "" || got[1].Account != clerk || got[1].By != clerk {
		t.Errorf("%+v, %v", got, err)
	}
	if png, err := s.Look(ctx, here, certcopy.AccountID("")); err != nil || string(png) != "seal 2" {
		t.Errorf("%q, %v", png, err)
	}
}
