package retention

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// atOnce bounds what one round of a run takes up.
const atOnce = 500

// settled is how long after an erasure a job that slept through it could still write a file of
// the copy into the scratch store: longer than any step of a job may take.
const settled = time.Hour

// Outcome says what a run has done.
type Outcome struct {
	Erased   int `json:"erased"`   // copies whose files the policy no longer keeps
	Replayed int `json:"replayed"` // erasures of the list that the ledger did not know
	Objects  int `json:"objects"`  // objects that were deleted
	Locked   int `json:"locked"`   // objects whose lock has not ended yet
	storage.Tidied
}

// Run carries out the policies of all agencies: it erases the files that are due, deletes
// contacts and working files that are no longer kept, and deletes the objects of erased copies
// whose locks have ended. It may be broken off and repeated at any time.
func (e *Eraser) Run(ctx context.Context) (Outcome, error) {
	var o Outcome
	var err error
	if o.Replayed, err = e.Replay(ctx); err != nil {
		return o, err
	}
	if o.Erased, err = e.eraseDue(ctx); err != nil {
		return o, err
	}
	for {
		t, err := e.Ledger.Tidy(ctx, scratchPlaces[:], atOnce)
		if err != nil {
			return o, err
		}
		o.Contacts, o.Working, o.Expired = o.Contacts+t.Contacts, o.Working+t.Working, o.Expired+t.Expired
		if t.Contacts < atOnce && t.Working < atOnce && t.Expired < atOnce {
			break
		}
	}
	swept, err := e.sweep(ctx, "")
	o.Objects, o.Locked = swept.deleted, swept.locked
	return o, err
}

func (e *Eraser) eraseDue(ctx context.Context) (n int, err error) {
	for {
		due, err := e.Ledger.DueForErasure(ctx, atOnce)
		if err != nil || len(due) == 0 {
			return n, err
		}
		for _, want := range due {
			// Whoever else erases it at this moment does no harm.
			if _, err := e.Erase(ctx, want); err != nil && !errors.Is(err, storage.ErrExists) {
				return n, fmt.Errorf("erase %s: %w", want.Copy, err)
			}
			n++
		}
	}
}

// Replay carries out the erasures of the locked list that the ledger does not know: those of a
// crash between list and ledger, and after a restore those that came after the backup. It
// must be asked after a restore before anybody else may read, and returns how many it did.
//
// An entry of a copy that the ledger does not hold is passed over: the copy itself is lost,
// and comparing log and checkpoint says so. A damaged entry, and a copy that a restored ledger
// holds as being on its way (storage.ErrConflict), are errors after all others are done.
func (e *Eraser) Replay(ctx context.Context) (n int, err error) {
	var left []error
	for want, err := range List(ctx, e.Public) {
		if errors.Is(err, storage.ErrDamaged) {
			left = append(left, err)
			continue
		}
		if err != nil {
			return n, fmt.Errorf("list of erasures: %w", err)
		}
		did, err := e.replay(ctx, want)
		if errors.Is(err, storage.ErrConflict) {
			left = append(left, err)
			continue
		}
		if err != nil {
			return n, fmt.Errorf("erase %s again: %w", want.Copy, err)
		}
		if did {
			n++
		}
	}
	return n, errors.Join(left...)
}

func (e *Eraser) replay(ctx context.Context, want storage.Erasure) (did bool, err error) {
	_, err = e.Ledger.Erasure(ctx, want.Copy)
	if err == nil || !errors.Is(err, storage.ErrNotFound) {
		return false, err
	}
	c, err := e.Ledger.Copy(ctx, want.Copy)
	if errors.Is(err, storage.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = e.carryOut(ctx, c, want)
	return err == nil, err
}

// swept counts what a sweep did.
type swept struct{ deleted, locked int }

// sweep deletes the doomed objects that are due, those of one copy if id is not empty.
func (e *Eraser) sweep(ctx context.Context, id certcopy.CopyID) (s swept, err error) {
	for {
		due, err := e.Ledger.Doomed(ctx, id, atOnce)
		if err != nil || len(due) == 0 {
			return s, err
		}
		for _, o := range due {
			if err := e.delete(ctx, o, &s); err != nil {
				return s, err
			}
		}
	}
}

// delete removes the objects of a doomed key that no lock holds. One that may be written again
// is looked at once more when that is over.
func (e *Eraser) delete(ctx context.Context, o storage.DoomedObject, s *swept) error {
	store := e.Scratch
	if o.Store == "vault" {
		store = e.Vault
	}
	keys, err := below(ctx, store, o.Key)
	if err != nil {
		return fmt.Errorf("%s: %w", o.Key, err)
	}
	var till time.Time
	for _, key := range keys {
		locked, err := e.remove(ctx, store, key)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if locked.IsZero() {
			s.deleted++
			continue
		}
		s.locked++
		if locked.After(till) {
			till = locked
		}
	}
	if again := o.MadeAt.Add(settled); till.IsZero() && again.After(e.Now()) {
		till = again
	}
	if till.IsZero() {
		return e.Ledger.Forget(ctx, o)
	}
	return e.Ledger.Postpone(ctx, o, till)
}

// remove deletes one object; if a lock holds it, it returns when to try again.
func (e *Eraser) remove(ctx context.Context, store storage.Blobs, key string) (locked time.Time, err error) {
	err = store.Delete(ctx, key)
	if !errors.Is(err, storage.ErrLocked) {
		return time.Time{}, err
	}
	info, err := store.Stat(ctx, key)
	if err != nil {
		return time.Time{}, err
	}
	// A legal hold has no end: look again tomorrow.
	if next := e.Now().Add(24 * time.Hour); !info.LockedTill.After(e.Now()) {
		return next, nil
	}
	return info.LockedTill, nil
}

// below returns the keys of the objects a doomed key means, damaged ones too.
func below(ctx context.Context, store storage.Blobs, key string) (keys []string, err error) {
	if !strings.HasSuffix(key, "/") {
		return []string{key}, nil
	}
	for info, err := range store.List(ctx, key) {
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			return nil, err
		}
		keys = append(keys, info.Key)
	}
	return slices.Compact(keys), nil
}
