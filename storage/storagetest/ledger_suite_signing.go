package storagetest

import (
	"bytes"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

func ledgerGenerations(t *testing.T, o Office) {
	c := o.at(t, certcopy.Stamped)
	generation := func(r certcopy.SignatureRole) certcopy.Generation {
		t.Helper()
		return must(o.Ledger.Generation(t.Context(), c.ID, r))(t)
	}
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			if g, err := o.Ledger.Generation(t.Context(), c.ID, certcopy.ByCertifier); err != nil || g != 1 {
				t.Errorf("first generation %d, %v", g, err)
			}
		})
	}
	wg.Wait()
	kill := func(g certcopy.Generation) error {
		return o.Ledger.KillGeneration(t.Context(), c.ID, certcopy.ByCertifier, g, "certificate renewed")
	}
	if err := kill(1); err != nil {
		t.Fatal(err)
	}
	if g := generation(certcopy.ByCertifier); g != 2 {
		t.Errorf("after the death of 1: %d", g)
	}
	if g := generation(certcopy.ByAgency); g != 1 {
		t.Errorf("of the other role: %d", g)
	}
	wantErr(t, "kill the dead", kill(1), storage.ErrConflict)
	wantErr(t, "kill the unborn", kill(3), storage.ErrConflict)
}

func ledgerArtifacts(t *testing.T, o Office) {
	c := o.at(t, certcopy.Stamped)
	g := must(o.Ledger.Generation(t.Context(), c.ID, certcopy.ByCertifier))(t)
	key := storage.ArtifactKey{Copy: c.ID, Role: certcopy.ByCertifier, Generation: g, Kind: storage.Signature}
	_, err := o.Ledger.Artifact(t.Context(), key)
	wantErr(t, "before", err, storage.ErrNotFound)

	results := make([][]byte, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			b, err := o.Ledger.PutArtifact(t.Context(), key, bytes.Repeat([]byte{byte(i)}, 5000))
			if err != nil {
				t.Error(err)
			}
			results[i] = b
		})
	}
	wg.Wait()
	stored := must(o.Ledger.Artifact(t.Context(), key))(t)
	for i, b := range results {
		if !bytes.Equal(b, stored) {
			t.Errorf("writer %d was told of other bytes than are stored", i)
		}
	}
	prepared := key
	prepared.Kind = storage.Prepared
	if b, err := o.Ledger.PutArtifact(t.Context(), prepared, []byte("p")); err != nil || string(b) != "p" {
		t.Errorf("another kind: %q, %v", b, err)
	}
	unborn := key
	unborn.Generation++
	_, err = o.Ledger.PutArtifact(t.Context(), unborn, []byte("x"))
	wantErr(t, "of a generation not opened", err, storage.ErrNotFound)
	if err := o.Ledger.KillGeneration(t.Context(), c.ID, certcopy.ByCertifier, g, "wrong title"); err != nil {
		t.Fatal(err)
	}
	_, err = o.Ledger.PutArtifact(t.Context(), key, stored)
	wantErr(t, "put into a dead generation", err, storage.ErrConflict)
	_, err = o.Ledger.Artifact(t.Context(), key)
	wantErr(t, "read of a dead generation", err, storage.ErrConflict)

	complete := key
	complete.Generation, complete.Kind = g+1, storage.CMS
	if _, err := o.Ledger.PutArtifact(t.Context(), complete, []byte("cms")); err != nil {
		t.Fatal(err)
	}
	err = o.Ledger.KillGeneration(t.Context(), c.ID, certcopy.ByCertifier, g+1, "too late")
	wantErr(t, "kill a generation that may be a file", err, storage.ErrConflict)
}

func ledgerSeal(t *testing.T, o Office) {
	a, b, submitted := o.at(t, certcopy.Signed), o.at(t, certcopy.Stamped), o.at(t, certcopy.Submitted)
	seal := func(c storage.Confirmation) error { return o.Ledger.ConfirmSeal(t.Context(), c) }
	wantCode(t, "by the certifier", seal(o.Confirmation(o.Certifier, a.ID)), certcopy.Forbidden)
	wantErr(t, "of one without number", seal(o.Confirmation(o.SealKeeper, a.ID, submitted.ID)), storage.ErrConflict)
	other := o.Confirmation(o.SealKeeper, a.ID)
	other.Shown[a.ID] = certcopy.Digest{9}
	wantErr(t, "another submission was shown", seal(other), storage.ErrConflict)
	if c := wantState(t, o, a.ID, certcopy.Signed); !c.SealedAt.IsZero() {
		t.Error("a refused confirmation left a trace")
	}
	if err := seal(o.Confirmation(o.SealKeeper, a.ID, b.ID)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []certcopy.CopyID{a.ID, b.ID} {
		if c := must(o.Ledger.Copy(t.Context(), id))(t); c.SealedBy != o.SealKeeper || c.SealedAt.IsZero() {
			t.Errorf("sealed %+v", c)
		}
	}
	wantErr(t, "twice", seal(o.Confirmation(o.SealKeeper, a.ID)), storage.ErrConflict)
}

func ledgerSealAtOnce(t *testing.T, o Office) {
	agency, err := o.Ledger.Agency(t.Context(), o.Agency)
	if err != nil || !agency.SealAtOnce || !agency.Demonstration || agency.Suspended || agency.Name == "" || agency.Book != certcopy.DefaultBook {
		t.Errorf("agency %+v, %v", agency, err)
	}
	if c := o.at(t, certcopy.Released); c.SealedBy != "" || !c.SealedAt.IsZero() {
		t.Errorf("nobody confirmed the seal, but %+v", c)
	}
}

func ledgerFileKeys(t *testing.T, o Office) {
	c := o.at(t, certcopy.Sealed)
	_, err := o.Ledger.FileKey(t.Context(), c.ID)
	wantErr(t, "before", err, storage.ErrNotFound)
	results := make([][]byte, 6)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			b, err := o.Ledger.PutFileKey(t.Context(), c.ID, []byte{byte(i), 1, 2})
			if err != nil {
				t.Error(err)
			}
			results[i] = b
		})
	}
	wg.Wait()
	stored := must(o.Ledger.FileKey(t.Context(), c.ID))(t)
	for i, b := range results {
		if !bytes.Equal(b, stored) {
			t.Errorf("writer %d was told of another key", i)
		}
	}
}

func ledgerPublish(t *testing.T, o Office) {
	_, _, err := o.Ledger.Checkpoint(t.Context())
	wantErr(t, "before the first", err, storage.ErrNotFound)
	if size, root, err := o.Ledger.Head(t.Context()); err != nil || size != 0 || root != certcopy.DigestOf(nil) {
		t.Errorf("empty log: %d %s %v", size, root, err)
	}
	a, b, c := o.at(t, certcopy.Registered), o.at(t, certcopy.Registered), o.at(t, certcopy.Registered)
	for i, copy := range []certcopy.Copy{a, b, c} {
		if copy.Leaf != certcopy.LeafIndex(i) || copy.Final != Final(copy.ID) || copy.LeafTime.IsZero() {
			t.Errorf("registered %+v", copy)
		}
		leaf, id, err := o.Ledger.Leaf(t.Context(), copy.Leaf)
		want := must(LeafOf(copy.ID, storage.LeafIssue)(copy.LeafTime))(t)
		if err != nil || id != copy.ID || !bytes.Equal(leaf, want) {
			t.Errorf("leaf %q of %s, %v; want %q", leaf, id, err, want)
		}
	}
	released := must(o.Ledger.Publish(t.Context(), 2, []byte("note 2")))(t)
	slices.Sort(released)
	want := []certcopy.CopyID{a.ID, b.ID}
	slices.Sort(want)
	if !slices.Equal(released, want) {
		t.Errorf("released %v, want %v", released, want)
	}
	wantState(t, o, c.ID, certcopy.Registered)
	for _, size := range []int64{2, 1, 4, 0, -1} {
		_, err := o.Ledger.Publish(t.Context(), size, []byte("other"))
		wantErr(t, "another checkpoint", err, storage.ErrConflict)
	}
	if size, note, err := o.Ledger.Checkpoint(t.Context()); err != nil || size != 2 || string(note) != "note 2" {
		t.Errorf("checkpoint %d %q, %v", size, note, err)
	}
	if released = must(o.Ledger.Publish(t.Context(), 3, []byte("note 3")))(t); !slices.Equal(released, []certcopy.CopyID{c.ID}) {
		t.Errorf("released %v", released)
	}
	n := 0
	for leaf, err := range o.Ledger.Leaves(t.Context(), 1) {
		if err != nil || !bytes.Equal(leaf, must(first(o.Ledger.Leaf(t.Context(), certcopy.LeafIndex(1+n))))(t)) {
			t.Errorf("leaf %d is %q, %v", 1+n, leaf, err)
		}
		n++
	}
	if n != 2 {
		t.Errorf("%d leaves from 1 on", n)
	}
}

func first(b []byte, _ certcopy.CopyID, err error) ([]byte, error) { return b, err }

func ledgerVoid(t *testing.T, o Office) {
	for _, s := range []certcopy.State{certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Sealed} {
		c := o.at(t, s)
		index, err := o.Ledger.Void(t.Context(), c.ID, o.Certifier, "wrong_scan", "chụp thiếu trang", LeafOf(c.ID, storage.LeafVoid))
		if err != nil {
			t.Errorf("void what is %s: %v", s, err)
			continue
		}
		now := wantState(t, o, c.ID, certcopy.Void)
		if now.Number != c.Number || now.Reason != "wrong_scan" || now.ReasonText != "chụp thiếu trang" {
			t.Errorf("void %+v", now)
		}
		if of := must(o.Ledger.LeavesOf(t.Context(), c.ID))(t); !slices.Equal(of, []certcopy.LeafIndex{index}) {
			t.Errorf("leaves %v, want %d", of, index)
		}
	}
}

func ledgerAnnul(t *testing.T, o Office) {
	for _, s := range []certcopy.State{certcopy.Registered, certcopy.Released} {
		c := o.at(t, s)
		var at time.Time
		leaf := func(when time.Time) ([]byte, error) { at = when; return []byte("annul " + c.ID), nil }
		index, err := o.Ledger.Annul(t.Context(), c.ID, o.Decision(), leaf)
		if err != nil {
			t.Fatal(err)
		}
		now := wantState(t, o, c.ID, certcopy.Annulled)
		want := o.Decision()
		want.At = at
		if now.Annulment != want || now.Leaf != c.Leaf || now.Final != c.Final {
			t.Errorf("annulled %+v, want %+v", now, want)
		}
		if of := must(o.Ledger.LeavesOf(t.Context(), c.ID))(t); !slices.Equal(of, []certcopy.LeafIndex{c.Leaf, index}) {
			t.Errorf("leaves %v, want %d and %d", of, c.Leaf, index)
		}
		_, err = o.Ledger.Annul(t.Context(), c.ID, o.Decision(), leaf)
		wantErr(t, "twice", err, storage.ErrConflict)
	}
}

// A leaf that cannot be made takes the state change with it.
func ledgerLeafFails(t *testing.T, o Office) {
	c := o.at(t, certcopy.Sealed)
	broken := errors.New("no leaf")
	_, err := o.Ledger.Register(t.Context(), c.ID, Final(c.ID), func(time.Time) ([]byte, error) { return nil, broken })
	wantErr(t, "register", err, broken)
	wantState(t, o, c.ID, certcopy.Sealed)
	if size, _, err := o.Ledger.Head(t.Context()); err != nil || size != 0 {
		t.Errorf("the log has %d leaves, %v", size, err)
	}
}

func ledgerTrouble(t *testing.T, o Office) {
	c, m := o.at(t, certcopy.Stamped), certcopy.Msg("Dịch vụ cấp dấu thời gian không trả lời.", "The time-stamp service does not answer.")
	if err := o.Ledger.SetTrouble(t.Context(), c.ID, m); err != nil {
		t.Fatal(err)
	}
	now := wantState(t, o, c.ID, certcopy.Stamped)
	if now.Trouble != m || now.Revision != c.Revision {
		t.Errorf("now %+v", now)
	}
	if err := o.Ledger.SetTrouble(t.Context(), c.ID, certcopy.Message{}); err != nil {
		t.Fatal(err)
	}
	if now = wantState(t, o, c.ID, certcopy.Stamped); now.Trouble != (certcopy.Message{}) {
		t.Errorf("not cleared: %+v", now.Trouble)
	}
	gone := o.at(t, certcopy.Released)
	if err := o.Ledger.SetTrouble(t.Context(), gone.ID, m); err != nil {
		t.Errorf("a copy that has moved on: %v", err)
	}
}

func ledgerPending(t *testing.T, o Office) {
	var want []certcopy.CopyID
	for _, s := range []certcopy.State{certcopy.Received, certcopy.Submitted, certcopy.Numbered, certcopy.Returned, certcopy.Void, certcopy.Signed,
		certcopy.Released, certcopy.Sealed, certcopy.Registered} {
		c := o.at(t, s)
		switch s {
		case certcopy.Numbered, certcopy.Signed, certcopy.Sealed, certcopy.Registered:
			want = append(want, c.ID)
		}
	}
	if got := must(o.Ledger.Pending(t.Context()))(t); !slices.Equal(got, want) {
		t.Errorf("pending %v, want %v", got, want)
	}
}

func ledgerAbsent(t *testing.T, o Office) {
	ctx, l := t.Context(), o.Ledger
	id := certcopy.CopyID(UUID())
	leaf := LeafOf(id, storage.LeafIssue)
	for name, err := range map[string]error{
		"copy":           second(l.Copy(ctx, id)),
		"not a uuid":     second(l.Copy(ctx, "Robert'); DROP TABLE copy")),
		"request":        second(l.Request(ctx, certcopy.RequestID(id))),
		"agency":         second(l.Agency(ctx, "none")),
		"edit":           l.EditCopy(ctx, id, 1, NewCopy().Original),
		"scans":          l.SetScans(ctx, id, 1, nil),
		"clean":          l.SetClean(ctx, id, 1, certcopy.CleanDocument{Digest: certcopy.Digest{1}, Size: 1}),
		"submit":         l.Submit(ctx, storage.Submission{Copy: id, Revision: 1, By: o.Clerk, Checked: true}),
		"leave":          l.Leave(ctx, storage.Leaving{Copy: id, From: certcopy.Submitted, To: certcopy.Refused, By: o.Clerk, Reason: "x"}),
		"cancel certify": l.CancelCertify(ctx, id, certcopy.Message{}),
		"number":         second(l.TakeNumber(ctx, id)),
		"generation":     second(l.Generation(ctx, id, certcopy.ByAgency)),
		"advance":        l.Advance(ctx, id, certcopy.Numbered, certcopy.Stamped, fileOf(id, certcopy.Stamped)),
		"file":           second(l.File(ctx, id, certcopy.Stamped)),
		"put file key":   second(l.PutFileKey(ctx, id, []byte("x"))),
		"register":       second(l.Register(ctx, id, Final(id), leaf)),
		"void":           second(l.Void(ctx, id, o.Clerk, "x", "", leaf)),
		"annul":          second(l.Annul(ctx, id, o.Decision(), leaf)),
		"salt":           second(l.Salt(ctx, id)),
		"leaf":           second(first(l.Leaf(ctx, 7))),
		"hashes":         second(l.ReadHashes(ctx, []int64{0})),
	} {
		wantErr(t, name, err, storage.ErrNotFound)
	}
	if leaves, err := l.LeavesOf(ctx, id); err != nil || len(leaves) != 0 {
		t.Errorf("leaves %v, %v", leaves, err)
	}
	if scans, err := l.Scans(ctx, id); err != nil || len(scans) != 0 {
		t.Errorf("scans %v, %v", scans, err)
	}
}

func second[T any](_ T, err error) error { return err }
