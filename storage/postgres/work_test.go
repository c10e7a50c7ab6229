package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// start runs Work until the test ends or stop is called.
func start(t *testing.T, s *postgres.Store, c postgres.WorkConfig) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := s.Work(ctx, c); err != nil && t.Context().Err() == nil {
			t.Errorf("work: %v", err)
		}
	})
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

// step returns an Advance that takes the copy one state on, up to registered.
func step(s *postgres.Store, o storagetest.Office) func(context.Context, certcopy.CopyID) error {
	return func(ctx context.Context, id certcopy.CopyID) error {
		c, err := s.Copy(ctx, id)
		if err != nil {
			return err
		}
		agency, err := s.Agency(ctx, o.Agency)
		if err != nil {
			return err
		}
		waits := c.State == certcopy.Signed && c.SealedAt.IsZero() && !agency.SealAtOnce
		if waits || c.State == certcopy.Registered || c.State == certcopy.Released || c.CertifiedAt.IsZero() {
			return nil
		}
		return o.Step(ctx, c, certcopy.Registered)
	}
}

func reached(state certcopy.State) func(certcopy.Copy) bool {
	return func(c certcopy.Copy) bool { return c.State == state }
}

func waitFor(t *testing.T, s *postgres.Store, id certcopy.CopyID, state certcopy.State) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if c, err := s.WaitCopy(ctx, id, reached(state)); err != nil {
		t.Fatalf("copy is %s, waiting for %s: %v", c.State, state, err)
	}
}

func certified(t *testing.T, o storagetest.Office) certcopy.CopyID {
	t.Helper()
	id, err := o.Walk(t.Context(), certcopy.Submitted)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Ledger.Certify(t.Context(), o.Confirmation(o.Certifier, id)); err != nil {
		t.Fatal(err)
	}
	return id
}

func TestWorkAdvancesCopies(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	start(t, s, postgres.WorkConfig{Advance: step(s, o), Failed: func(id certcopy.CopyID, err error, _ time.Duration) { t.Errorf("%s: %v", id, err) }})
	for range 10 {
		waitFor(t, s, certified(t, o), certcopy.Registered)
	}
}

func TestWorkWaitsForTheSealKeeper(t *testing.T) {
	s, o := storagetest.NewOffice(t, false)
	start(t, s, postgres.WorkConfig{Advance: step(s, o)})
	id := certified(t, o)
	waitFor(t, s, id, certcopy.Signed)
	if err := s.ConfirmSeal(t.Context(), o.Confirmation(o.SealKeeper, id)); err != nil {
		t.Fatal(err)
	}
	waitFor(t, s, id, certcopy.Registered)
}

// A change that comes while the job is running finds it there and adds none: the running job
// must see it.
func TestNoWakeUpIsLost(t *testing.T) {
	s, o := storagetest.NewOffice(t, false)
	looked, seal := make(chan struct{}), make(chan struct{})
	var once sync.Once
	do := step(s, o)
	start(t, s, postgres.WorkConfig{Advance: func(ctx context.Context, id certcopy.CopyID) error {
		c, err := s.Copy(ctx, id)
		if err != nil {
			return err
		}
		if c.State == certcopy.Signed && c.SealedAt.IsZero() {
			once.Do(func() { close(looked); <-seal })
			return nil // decided on what was read before the confirmation
		}
		return do(ctx, id)
	}})
	id := certified(t, o)
	<-looked
	if err := s.ConfirmSeal(t.Context(), o.Confirmation(o.SealKeeper, id)); err != nil {
		t.Fatal(err)
	}
	close(seal)
	waitFor(t, s, id, certcopy.Registered)
}

func TestWorkTriesAgain(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	var calls, told atomic.Int32
	do := step(s, o)
	start(t, s, postgres.WorkConfig{
		Advance: func(ctx context.Context, id certcopy.CopyID) error {
			switch calls.Add(1) {
			case 1:
				return storage.ErrUnavailable
			case 2:
				panic("damaged")
			}
			return do(ctx, id)
		},
		Failed: func(_ certcopy.CopyID, _ error, again time.Duration) {
			if want := time.Second << (told.Add(1) - 1); again != want {
				t.Errorf("tries again after %s, want %s", again, want)
			}
		},
	})
	id := certified(t, o)
	waitFor(t, s, id, certcopy.Registered)
	if told.Load() != 2 {
		t.Errorf("told of %d errors, want 2", told.Load())
	}
}

// What a copy waits for may come at any time; then it need not sit out its pause.
func TestEnqueueHurriesAWaitingJob(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	var broken atomic.Bool
	broken.Store(true)
	failed := make(chan struct{}, 100)
	do := step(s, o)
	start(t, s, postgres.WorkConfig{
		Advance: func(ctx context.Context, id certcopy.CopyID) error {
			if broken.Load() {
				return errors.New("broken")
			}
			return do(ctx, id)
		},
		Failed: func(certcopy.CopyID, error, time.Duration) { failed <- struct{}{} },
	})
	id := certified(t, o)
	for range 3 { // the next pause is 4 s
		<-failed
	}
	time.Sleep(300 * time.Millisecond) // until the queue has written down the pause
	broken.Store(false)
	begin := time.Now()
	if n, err := s.Resume(t.Context()); err != nil || n != 1 {
		t.Fatalf("resumed %d copies, %v", n, err)
	}
	waitFor(t, s, id, certcopy.Registered)
	if took := time.Since(begin); took > 2500*time.Millisecond {
		t.Errorf("waited %s", took)
	}
}

// A worker that dies in the middle of a step leaves a running job behind, which the next one
// takes over.
func TestOrphansAreTakenOver(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	id := certified(t, o)
	execute(t, o, `UPDATE river.river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['saoy-dead'] WHERE args->>'copy_id' = $1`, string(id))
	start(t, s, postgres.WorkConfig{Advance: step(s, o)})
	waitFor(t, s, id, certcopy.Registered)
}

func TestReturnRunning(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	id := certified(t, o)
	execute(t, o, `UPDATE river.river_job SET state = 'running', attempt = 1, attempted_at = now(), attempted_by = ARRAY['saoy-dead'] WHERE args->>'copy_id' = $1`, string(id))
	if n, err := s.ReturnRunning(t.Context()); err != nil || n != 1 {
		t.Fatalf("returned %d jobs, %v", n, err)
	}
}

func TestWorkDrains(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	inside, leave := make(chan struct{}), make(chan struct{})
	do := step(s, o)
	var once sync.Once
	stop := start(t, s, postgres.WorkConfig{Advance: func(ctx context.Context, id certcopy.CopyID) error {
		once.Do(func() { close(inside); <-leave })
		return do(ctx, id)
	}})
	id := certified(t, o)
	<-inside
	time.AfterFunc(200*time.Millisecond, func() { close(leave) })
	stop()
	c, err := s.Copy(t.Context(), id)
	if err != nil || c.State != certcopy.Numbered {
		t.Fatalf("copy is %s, %v; want the one step that was running", c.State, err)
	}
	start(t, s, postgres.WorkConfig{Advance: do})
	waitFor(t, s, id, certcopy.Registered)
}

func TestRolledBackChangeEnqueuesNothing(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	a, err := o.Walk(t.Context(), certcopy.Submitted)
	if err != nil {
		t.Fatal(err)
	}
	wrong := o.Confirmation(o.Certifier, a)
	wrong.Shown[certcopy.CopyID(storagetest.UUID())] = certcopy.Digest{1}
	if err := s.Certify(t.Context(), wrong); !errors.Is(err, storage.ErrNotFound) {
		t.Fatalf("%v, want not found", err)
	}
	if n := count(t, o, `SELECT count(*) FROM river.river_job`); n != 0 {
		t.Errorf("%d jobs", n)
	}
}
