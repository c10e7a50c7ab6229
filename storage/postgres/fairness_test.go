package postgres_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// A commune with many copies that came first does not starve one with a few: in the order of
// the queue the few would come after all the others.
func TestAgenciesTakeTurns(t *testing.T) {
	const many, few = 200, 5
	s, a, b, _, _ := two(t)
	submit := func(o storagetest.Office, n int) (ids []certcopy.CopyID) {
		for range n {
			id, err := o.Walk(t.Context(), certcopy.Submitted)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, id)
		}
		return ids
	}
	flood, trickle := submit(a, many), submit(b, few)
	for i := 0; i < many; i += 50 {
		if err := s.Certify(t.Context(), a.Confirmation(a.Certifier, flood[i:i+50]...)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Certify(t.Context(), b.Confirmation(b.Certifier, trickle...)); err != nil {
		t.Fatal(err)
	}
	small := map[certcopy.CopyID]bool{}
	for _, id := range trickle {
		small[id] = true
	}
	var mu sync.Mutex
	var order []bool // whether it was one of the few
	seen := map[certcopy.CopyID]bool{}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	err := s.Work(ctx, postgres.WorkConfig{Workers: 4, Advance: func(_ context.Context, id certcopy.CopyID) error {
		time.Sleep(5 * time.Millisecond) // what the queue hands out while others are at work is what is measured
		mu.Lock()
		defer mu.Unlock()
		if !seen[id] {
			seen[id] = true
			order = append(order, small[id])
		}
		if len(order) == many+few {
			stop()
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	last := 0
	for i, few := range order {
		if few {
			last = i
		}
	}
	t.Logf("the last of %d came as number %d of %d", few, last+1, len(order))
	if last+1 > 100 {
		t.Errorf("the last of %d came as number %d of %d", few, last+1, len(order))
	}
}

// The wait is told, and beyond the ceiling a confirmation is refused with words.
func TestWaitIsToldAndBounded(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Ceiling: 3})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	o.Ledger = s
	if w, err := s.Waiting(t.Context(), o.Agency); err != nil || w.Mine != 0 || w.Says() != (certcopy.Message{}) {
		t.Errorf("%+v, %v", w, err)
	}
	if _, err := o.Walk(t.Context(), certcopy.Registered); err != nil {
		t.Fatal(err)
	}
	var last certcopy.CopyID
	for range 4 {
		if last, err = o.Walk(t.Context(), certcopy.Submitted); err != nil {
			t.Fatal(err)
		}
		err = s.Certify(t.Context(), o.Confirmation(o.Certifier, last))
	}
	if certcopy.CodeOf(err) != certcopy.Unavailable || !strings.Contains(certcopy.MessageOf(err).VI, "phút") {
		t.Errorf("beyond the ceiling: %v", err)
	}
	office, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Role: postgres.OfficeRole})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(office.Close)
	w, err := office.Waiting(storage.WithActor(t.Context(), storage.Actor{Agency: o.Agency}), o.Agency)
	if err != nil || w.Mine != 3 || w.Ahead != 3 || w.Total != 3 || w.PerMinute <= 0 || w.Estimate() <= 0 || !strings.Contains(w.Says().VI, "3 bản sao") {
		t.Errorf("%+v, %v: %s", w, err, w.Says().VI)
	}
	if says := (desk.Waiting{Mine: 10, Ahead: 25, PerMinute: 2}).Says(); !strings.Contains(says.VI, "khoảng 13 phút") {
		t.Error(says.VI)
	}
}
