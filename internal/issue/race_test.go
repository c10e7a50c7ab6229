package issue_test

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// Twenty workers on one copy, from the number to the leaf, give the result of one.
func TestWorkersRaceOnOneCopy(t *testing.T) {
	w := newWorld(t, true)
	w.certified(t)
	id := w.copy(t).ID
	flows := make([]*issue.Flow, 20)
	for i := range flows {
		flows[i] = w.honest(t)
	}
	for w.copy(t).State != certcopy.Registered {
		from := w.copy(t).State
		errs := together(len(flows), func(i int) error { return flows[i].Advance(context.Background(), id) })
		for _, err := range errs {
			if err != nil && !errors.Is(err, storage.ErrConflict) {
				t.Fatalf("%s: %v", from, err)
			}
		}
		if w.copy(t).State == from {
			t.Fatalf("twenty workers did not get the copy on from %s: %v", from, errors.Join(errs...))
		}
	}
	if c := w.copy(t); c.Trouble != (certcopy.Message{}) {
		t.Errorf("trouble %q", c.Trouble.EN)
	}
	w.finish(t, 1)
}

// together runs f n times at once and returns the errors.
func together(n int, f func(i int) error) []error {
	errs := make([]error, n)
	start := make(chan struct{})
	var wait sync.WaitGroup
	for i := range n {
		wait.Go(func() {
			<-start
			errs[i] = f(i)
		})
	}
	close(start)
	wait.Wait()
	return errs
}

// Eight publishers of one head sign it once, release each copy once, and none fails.
func TestPublishersRace(t *testing.T) {
	w := newWorld(t, true)
	const copies = 3
	for range copies {
		w.bring(t, w.honest(t), certcopy.Registered)
	}
	var mu sync.Mutex
	released := map[certcopy.CopyID]int{}
	flows := make([]*issue.Flow, 8)
	for i := range flows {
		flows[i] = w.honest(t)
	}
	for _, err := range together(len(flows), func(i int) error {
		ids, err := flows[i].Publish(context.Background())
		mu.Lock()
		defer mu.Unlock()
		for _, id := range ids {
			released[id]++
		}
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if len(released) != copies {
		t.Errorf("released %v", released)
	}
	for id, n := range released {
		if n != 1 {
			t.Errorf("%s was released %d times", id, n)
		}
	}
	if n := count(t, w.public, "checkpoint/"); n != 1 {
		t.Errorf("%d checkpoints", n)
	}
	w.check(t, copies)
	w.fsck(t, copies)
}

// A person gives a number up while a worker goes on with the copy: one of them wins, whole.
func TestVoidRacesWithAdvance(t *testing.T) {
	states := []certcopy.State{certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Sealed}
	w := newWorld(t, true)
	copies, voided := 0, 0
	for _, state := range states {
		for range 3 {
			copies++
			w.bring(t, w.honest(t), state)
			id := w.copy(t).ID
			f, g := w.honest(t), w.honest(t)
			errs := together(2, func(i int) error {
				if i == 0 {
					return f.Void(context.Background(), id, w.Certifier, "mistake", "nhầm bản chính")
				}
				return g.Advance(context.Background(), id)
			})
			c := w.copy(t)
			switch {
			case c.State == certcopy.Void:
				voided++
				if errs[0] != nil || errs[1] != nil {
					t.Errorf("%s: void won, but: %v", state, errs)
				}
			case errs[0] == nil:
				t.Errorf("%s: void succeeded, but the copy is %s", state, c.State)
			case certcopy.CodeOf(errs[0]) != certcopy.Conflict && !errors.Is(errs[0], storage.ErrConflict):
				t.Errorf("%s: void: %v", state, errs[0])
			case errs[1] != nil:
				t.Errorf("%s: advance: %v", state, errs[1])
			}
			w.end(t)
		}
	}
	t.Logf("%d of %d voided", voided, copies)
	w.fsck(t, copies)
}

// end publishes what the copy has become, bringing it to its release if it is not void.
func (w *world) end(t testing.TB) {
	t.Helper()
	f := w.honest(t)
	for c := w.copy(t); c.State != certcopy.Released && c.State != certcopy.Void; c = w.copy(t) {
		if err := (&visit{w: w}).next(context.Background(), f, c); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.Publish(context.Background()); err != nil {
		t.Fatal(err)
	}
}
