package storagetest_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/storagetest"
)

func faulty(t *testing.T) storagetest.FaultyBlobs {
	t.Helper()
	s, err := disk.Open(t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	return storagetest.FaultyBlobs{Blobs: s, Switch: &storagetest.Switch{Crash: func(op string) { panic(op) }}}
}

// Without an armed fault a faulty store is the store.
func TestUnarmedStoreKeepsTheContract(t *testing.T) {
	storagetest.BlobsSuite(t, func(t testing.TB) storage.Blobs {
		s, err := disk.Open(t.TempDir(), time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return storagetest.FaultyBlobs{Blobs: s, Switch: new(storagetest.Switch)}
	})
}

func TestFaults(t *testing.T) {
	body := []byte("x")
	for _, c := range []struct {
		fault storagetest.Fault
		err   error
		done  bool
		crash bool
	}{
		{storagetest.Refused, storage.ErrUnavailable, false, false},
		{storagetest.Lost, storage.ErrOutcomeUnknown, false, false},
		{storagetest.DoneButLost, storage.ErrOutcomeUnknown, true, false},
		{storagetest.CrashBefore, nil, false, true},
		{storagetest.CrashAfter, nil, true, true},
	} {
		t.Run(c.fault.String(), func(t *testing.T) {
			b := faulty(t)
			create := func(key string) (crashed any, err error) {
				defer func() { crashed = recover() }()
				return nil, b.Create(t.Context(), key, bytes.NewReader(body), 1, certcopy.DigestOf(body), time.Time{})
			}
			b.Switch.Arm("Create", 1, c.fault)
			if crashed, err := create("first"); err != nil || crashed != nil {
				t.Fatalf("the call before the armed one: %v, %v", err, crashed)
			}
			if !b.Switch.Armed() {
				t.Error("no longer armed")
			}
			crashed, err := create("second")
			if !errors.Is(err, c.err) || (crashed == "Create") != c.crash {
				t.Errorf("%v, crashed %v", err, crashed)
			}
			if _, err := b.Stat(t.Context(), "second"); (err == nil) != c.done {
				t.Errorf("done: %v", err)
			}
			if crashed, err := create("third"); err != nil || crashed != nil || b.Switch.Armed() {
				t.Errorf("the call after: %v, %v", err, crashed)
			}
			if calls := b.Switch.Calls(); !slices.Equal(calls, []string{"Create", "Create", "Stat", "Create"}) {
				t.Errorf("calls %v", calls)
			}
		})
	}
}

// A write that was done although its answer was lost is found by reading back.
func TestFaultyLedgerReadsBack(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	s := &storagetest.Switch{}
	o.Ledger = storagetest.FaultyLedger{Ledger: o.Ledger, Switch: s}
	id, err := o.Walk(t.Context(), certcopy.Submitted)
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Ledger.Certify(t.Context(), o.Confirmation(o.Certifier, id)); err != nil {
		t.Fatal(err)
	}
	s.Arm("TakeNumber", 0, storagetest.DoneButLost)
	if _, err := o.Ledger.TakeNumber(t.Context(), id); !errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Fatal(err)
	}
	if c, err := o.Ledger.Copy(t.Context(), id); err != nil || c.State != certcopy.Numbered || c.Number.Seq != 1 {
		t.Errorf("%s %s, %v", c.State, c.Number, err)
	}
	s.Arm("Advance stamped", 0, storagetest.Refused)
	if err := o.Ledger.Advance(t.Context(), id, certcopy.Numbered, certcopy.Stamped, storage.FileRef{Key: "k", Size: 1}); !errors.Is(err, storage.ErrUnavailable) {
		t.Error(err)
	}
	if c, err := o.Ledger.Copy(t.Context(), id); err != nil || c.State != certcopy.Numbered {
		t.Errorf("%s, %v", c.State, err)
	}
}
