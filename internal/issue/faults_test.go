package issue_test

import (
	"context"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// TestEveryCallUnderEveryFault lets every external call of a copy's whole life, from the
// counter to the release, meet every fault in turn, one copy each, then goes on as people and
// workers would. Nothing may be lost, doubled, skipped or signed twice. The calls are found by
// running: a fault is moved one call on until a life is too short to meet it.
func TestEveryCallUnderEveryFault(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault.String(), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, false)
			var met []string
			for {
				l := &line{fault: fault, at: len(met)}
				if !w.survive(t, l) {
					break
				}
				met = append(met, l.metAt())
				w.check(t, int64(len(met)))
				if t.Failed() {
					t.Fatalf("after %q at call %d, %s", fault, l.at, l.metAt())
				}
			}
			w.check(t, int64(len(met)+1))
			w.fsck(t, len(met)+1)
			w.wantMet(t, fault, met)
		})
	}
}

// survive runs a visit in which one call meets the fault of l, and then to its end. It
// reports whether the fault was met.
func (w *world) survive(t *testing.T, l *line) (met bool) {
	t.Helper()
	v := w.visit()
	f := w.flow(t, l)
	for attempt := 0; ; attempt++ {
		err, crash := l.step(context.Background(), func(ctx context.Context) error { return v.goOn(ctx, f) })
		if err == nil && !crash {
			return l.metAt() != ""
		}
		if l.metAt() == "" || attempt > 3 {
			t.Fatalf("fault at call %d (%s), attempt %d: %v", l.at, l.metAt(), attempt, err)
		}
		w.checkTrouble(t, l)
		if crash {
			f = w.flow(t, l) // another process goes on
			if err := f.CheckLog(context.Background()); err != nil {
				t.Fatalf("start after a crash at %s: %v", l.metAt(), err)
			}
		}
	}
}

// checkTrouble: a copy that waits says why in words that fit.
func (w *world) checkTrouble(t *testing.T, l *line) {
	t.Helper()
	w.mu.Lock()
	id := w.current
	w.mu.Unlock()
	c, err := w.store.Copy(context.Background(), id)
	if err != nil {
		return // the request itself was not made yet
	}
	if general := certcopy.MessageOf(os.ErrInvalid); c.Trouble == general {
		t.Errorf("after %q at %s the copy waits because of %q", l.fault, l.metAt(), c.Trouble.EN)
	}
}

// wantMet: the table is not empty where it matters.
func (w *world) wantMet(t *testing.T, of fault, met []string) {
	t.Helper()
	changes := []string{"ledger.CreateRequest", "scratch.Create", "ledger.SetScans", "ledger.SetClean", "ledger.Submit", "ledger.Certify",
		"ledger.TakeNumber", "ledger.Generation", "ledger.PutArtifact", "sign.certifier", "http/tsa", "ledger.Advance", "ledger.ConfirmSeal",
		"sign.agency", "ledger.PutFileKey", "vault.Create", "ledger.Register", "public.Create", "ledger.Publish"}
	reads := []string{"ledger.Copy", "ledger.Agency", "ledger.Scans", "ledger.Artifact", "ledger.File", "ledger.FileKey", "ledger.Salt",
		"ledger.Head", "ledger.Checkpoint", "ledger.ReadHashes", "scratch.Open", "vault.Stat", "keys.certifier", "keys.agency",
		"looks.Signature", "looks.Seal", "http/ocsp", "examine", "intake", "render"}
	want := changes
	if !of.same(false) {
		want = append(want, reads...)
	}
	for _, op := range want {
		if !slices.Contains(met, op) {
			t.Errorf("%q was never met by %s", of, op)
		}
	}
	t.Logf("%d calls: %s", len(met), strings.Join(met, " "))
}

// TestManyFaults lets several random calls of one life fail in random ways.
func TestManyFaults(t *testing.T) {
	lives := 12
	if os.Getenv("SAOY_SOAK") != "" {
		lives = 600
	}
	w := newWorld(t, true)
	r := rand.New(rand.NewPCG(2026, 11))
	for n := range lives {
		v := w.visit()
		for faulty := 6; ; faulty-- {
			l := &line{fault: faults[r.IntN(len(faults))], at: r.IntN(40)}
			if faulty <= 0 {
				l.fault = honest
			}
			f := w.flow(t, l)
			err, crash := l.step(context.Background(), func(ctx context.Context) error { return v.goOn(ctx, f) })
			if err == nil && !crash {
				break
			}
			if l.fault == honest {
				t.Fatalf("life %d: %v", n, err)
			}
		}
		w.check(t, int64(n+1))
	}
	w.fsck(t, lives)
}
