package issue_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

func (w *world) decision() certcopy.Decision {
	y, m, d := w.now().In(certcopy.Vietnam).Date()
	return certcopy.Decision{Number: "07/QĐ-UBND", Date: time.Date(y, m, d, 0, 0, 0, 0, time.UTC), Reason: "Bản chính giả", By: w.Certifier}
}

// Each way out is open in its states only, and what it refuses it leaves as it was.
func TestWaysOut(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	ctx := context.Background()
	for i, state := range []certcopy.State{certcopy.Received, certcopy.Scanned, certcopy.Submitted, certcopy.Numbered, certcopy.Stamped,
		certcopy.Signed, certcopy.Sealed, certcopy.Registered, certcopy.Released} {
		numbered := i >= 3
		c := w.bring(t, f, state)
		if err := f.Annul(ctx, c.ID, w.decision()); (err == nil) != state.MayBecome(certcopy.Annulled) || err != nil && certcopy.CodeOf(err) != certcopy.Conflict {
			t.Errorf("annul when %s: %v", state, err)
		}
		c = w.copy(t)
		if err := f.Void(ctx, c.ID, w.Certifier, "mistake", ""); (err == nil) != c.State.MayBecome(certcopy.Void) || err != nil && certcopy.CodeOf(err) != certcopy.Conflict {
			t.Errorf("void when %s: %v", c.State, err)
		}
		c = w.copy(t)
		leave := storage.Leaving{Copy: c.ID, From: c.State, To: certcopy.Withdrawn, By: w.Clerk, Reason: "requester", Text: "người yêu cầu rút"}
		if err := f.Leave(ctx, leave); (err == nil) != !numbered {
			t.Errorf("withdraw when %s: %v", c.State, err)
		}
		if got := w.copy(t).State; !got.Final() {
			t.Errorf("from %s the copy ended as %s", state, got)
		}
	}
	if _, err := f.Publish(ctx); err != nil {
		t.Fatal(err)
	}
	if n := count(t, w.public, "checkpoint/"); n == 0 {
		t.Error("no checkpoint")
	}
}

func TestWaysOutAreRefusedWithoutReason(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	c := w.bring(t, f, certcopy.Released)
	ctx := context.Background()
	late, early, nameless, endless := w.decision(), w.decision(), w.decision(), w.decision()
	late.Date, early.Date = late.Date.AddDate(0, 0, 1), early.Date.AddDate(0, 0, -1)
	nameless.Number, endless.Reason = " ", ""
	for name, d := range map[string]certcopy.Decision{"of tomorrow": late, "before the copy": early, "without number": nameless, "without reason": endless} {
		if err := f.Annul(ctx, c.ID, d); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("a decision %s: %v", name, err)
		}
	}
	if err := f.Void(ctx, c.ID, w.Certifier, "", ""); certcopy.CodeOf(err) != certcopy.Invalid {
		t.Errorf("void without reason: %v", err)
	}
	for name, l := range map[string]storage.Leaving{"no reason": {To: certcopy.Returned}, "refusal without words": {To: certcopy.Refused, Reason: "forged"}} {
		if err := f.Leave(ctx, l); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := w.copy(t); got.State != certcopy.Released || got.Revision != c.Revision {
		t.Errorf("the copy is %s", got.State)
	}
}

// The file leaves when it is released, not before.
func TestFinal(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	c := w.bring(t, f, certcopy.Registered)
	if _, _, err := f.Final(t.Context(), c.ID); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("of a copy that no checkpoint covers: %v", err)
	}
	if _, err := f.Publish(t.Context()); err != nil {
		t.Fatal(err)
	}
	body, file, err := f.Final(t.Context(), c.ID)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if file != c.Final {
		t.Errorf("%+v, want %+v", file, c.Final)
	}
	if err := f.Annul(t.Context(), c.ID, w.decision()); err != nil {
		t.Fatal(err)
	}
	if _, _, err := f.Final(t.Context(), c.ID); err != nil {
		t.Errorf("of an annulled copy: %v", err)
	}
}

// One confirmation is for 1 to 100 copies.
func TestConfirmationIsBounded(t *testing.T) {
	var f issue.Flow
	many := map[certcopy.CopyID]certcopy.Digest{}
	for range certcopy.MaxCopiesPerCall + 1 {
		many[certcopy.CopyID(rune(len(many)))] = certcopy.Digest{}
	}
	for _, shown := range []map[certcopy.CopyID]certcopy.Digest{nil, many} {
		for _, confirm := range []func(context.Context, storage.Confirmation) error{f.Certify, f.Seal} {
			if err := confirm(t.Context(), storage.Confirmation{Shown: shown}); certcopy.CodeOf(err) != certcopy.Invalid {
				t.Errorf("%d copies: %v", len(shown), err)
			}
		}
	}
}
