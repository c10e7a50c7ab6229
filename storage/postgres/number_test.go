package postgres_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// setClock makes the database's clock of the book an expression of SQL.
func setClock(t testing.TB, o storagetest.Office, expression string) {
	t.Helper()
	execute(t, o, `CREATE OR REPLACE FUNCTION book_clock() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ SELECT `+expression+` $$`)
}

func many(t testing.TB, o storagetest.Office, n int) []certcopy.CopyID {
	t.Helper()
	ids := make([]certcopy.CopyID, n)
	for i := range ids {
		id, err := o.Walk(t.Context(), certcopy.Submitted)
		if err != nil {
			t.Fatal(err)
		}
		ids[i] = id
	}
	if err := o.Ledger.Certify(t.Context(), o.Confirmation(o.Certifier, ids...)); err != nil {
		t.Fatal(err)
	}
	return ids
}

// Fifty officials at New Year's midnight in Viet Nam, while UTC is still in the old year's
// afternoon: numbers run on without a gap, dates never decrease, the new year begins at 1.
func TestNumbersAcrossTheTurnOfTheYear(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	// Time runs at each look: 40 ms a look, from one second before midnight.
	execute(t, o, `CREATE SEQUENCE looks; GRANT USAGE ON looks TO PUBLIC`)
	execute(t, o, `UPDATE counter SET year = 2026, last_seq = 0, last_date = '2026-12-31'`)
	setClock(t, o, `timestamptz '2026-12-31 16:59:59+00'`)
	ids := many(t, o, 50)
	setClock(t, o, `timestamptz '2026-12-31 16:59:59+00' + nextval('looks') * interval '20 milliseconds'`)

	numbers := make([]certcopy.Number, len(ids))
	var wg sync.WaitGroup
	for i, id := range ids {
		wg.Go(func() {
			n, err := s.TakeNumber(t.Context(), id)
			if err != nil {
				t.Error(err)
			}
			numbers[i] = n
		})
	}
	wg.Wait()
	slices.SortFunc(numbers, func(a, b certcopy.Number) int { return (a.Year-b.Year)*1000 + int(a.Seq-b.Seq) })
	years := map[int]int64{}
	var last time.Time
	for _, n := range numbers {
		if years[n.Year]++; n.Seq != years[n.Year] {
			t.Errorf("number %d of %d follows %d", n.Seq, n.Year, years[n.Year]-1)
		}
		if n.Date.Before(last) || n.Date.Year() != n.Year {
			t.Errorf("number %s has date %s after %s", n, n.Date, last)
		}
		last = n.Date
	}
	if years[2026] == 0 || years[2027] == 0 {
		t.Errorf("numbers per year %v: the turn of the year was missed", years)
	}
}

func TestClockSetBackIsRefused(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	ids := many(t, o, 2)
	if _, err := s.TakeNumber(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	setClock(t, o, `clock_timestamp() - interval '1 day'`)
	if n, err := s.TakeNumber(t.Context(), ids[1]); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("took %s, %v; want unavailable", n, err)
	}
	setClock(t, o, `clock_timestamp()`)
	n, err := s.TakeNumber(t.Context(), ids[1])
	if err != nil || n.Seq != 2 {
		t.Fatalf("took %s, %v; want 2", n, err)
	}
}

func TestNumberIsTakenOnce(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	id := many(t, o, 1)[0]
	var wg sync.WaitGroup
	results := make([]error, 8)
	for i := range results {
		wg.Go(func() { _, results[i] = s.TakeNumber(t.Context(), id) })
	}
	wg.Wait()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, storage.ErrConflict):
			t.Error(err)
		}
	}
	if won != 1 || count(t, o, `SELECT count(*) FROM book_row`) != 1 {
		t.Errorf("%d took the number", won)
	}
}

func TestFeeEntersTheBook(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Fee: func(pages, copies int, _ time.Time) int64 { return int64(2000 * pages * copies) }})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.TakeNumber(t.Context(), many(t, o, 1)[0]); err != nil {
		t.Fatal(err)
	}
	if fee := count(t, o, `SELECT fee FROM book_row`); fee != 2000*2*3 {
		t.Errorf("fee %d", fee)
	}
}

// The schema holds numbers together even against a program that does not.
func TestBookRefusesGaps(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	ids := many(t, o, 3)
	if _, err := s.TakeNumber(t.Context(), ids[0]); err != nil {
		t.Fatal(err)
	}
	insert := `INSERT INTO book_row (agency, book, year, seq, volume, date, copy, requester, title, signer_account, signer_name, signer_title, copies, original_pages, entered_at)
		SELECT agency, book, year + $2, seq + $3, volume, date + make_interval(years => $2, days => $4), $1, requester, title, signer_account, signer_name, signer_title, 1, 1, now()
		FROM book_row WHERE seq = 1`
	conn := owner(t, o)
	for name, c := range map[string]struct{ years, seq, days int }{
		"gap": {0, 2, 0}, "earlier date": {0, 1, -1}, "new year not from 1": {1, 1, 0},
	} {
		if _, err := conn.Exec(t.Context(), insert, ids[1], c.years, c.seq, c.days); err == nil || !strings.Contains(err.Error(), "does not follow") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := conn.Exec(t.Context(), insert, ids[1], 0, 1, 0); err != nil {
		t.Errorf("the next one: %v", err)
	}
	if _, err := conn.Exec(t.Context(), insert, ids[2], 1, 0, 0); err != nil {
		t.Errorf("the first of the next year: %v", err)
	}
}

func BenchmarkTakeNumber(b *testing.B) {
	s, o := storagetest.NewOffice(b, true)
	var ids []certcopy.CopyID
	for range (b.N + 99) / 100 {
		ids = append(ids, many(b, o, 100)...)
	}
	b.ResetTimer()
	for _, id := range ids[:b.N] {
		if _, err := s.TakeNumber(b.Context(), id); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "numbers/s")
}

func BenchmarkRegister(b *testing.B) {
	s, o := storagetest.NewOffice(b, true)
	ids := make([]certcopy.CopyID, b.N)
	for i := range ids {
		id, err := o.Walk(b.Context(), certcopy.Sealed)
		if err != nil {
			b.Fatal(err)
		}
		ids[i] = id
	}
	b.ResetTimer()
	for _, id := range ids {
		if _, err := s.Register(b.Context(), id, storagetest.Final(id), storagetest.LeafOf(id, storage.LeafIssue)); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "leaves/s")
}
