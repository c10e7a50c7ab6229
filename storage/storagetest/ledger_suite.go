package storagetest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// LedgerSuite holds an implementation of storage.Ledger to its contract. Open returns a new
// ledger with one agency each time it is called; Office.DSN is not used.
func LedgerSuite(t *testing.T, open func(t testing.TB, sealAtOnce bool) Office) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, o Office)
	}{
		{"request", ledgerRequest},
		{"request once per external id", ledgerExternalID},
		{"request is all or nothing", ledgerRequestAtomic},
		{"facts are checked", ledgerFacts},
		{"add copy", ledgerAddCopy},
		{"edit and scan", ledgerEdit},
		{"submit", ledgerSubmit},
		{"leave and come back", ledgerLeave},
		{"certify all or none", ledgerCertify},
		{"cancel certify", ledgerCancel},
		{"numbers", ledgerNumbers},
		{"stale writers", ledgerStale},
		{"generations", ledgerGenerations},
		{"artifacts", ledgerArtifacts},
		{"seal keeper", ledgerSeal},
		{"file keys", ledgerFileKeys},
		{"register and publish", ledgerPublish},
		{"void", ledgerVoid},
		{"annul", ledgerAnnul},
		{"leaf maker fails", ledgerLeafFails},
		{"trouble", ledgerTrouble},
		{"pending", ledgerPending},
		{"absent", ledgerAbsent},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t, false)) })
	}
	t.Run("seal at once", func(t *testing.T) { ledgerSealAtOnce(t, open(t, true)) })
}

// must stops the test at an error of its setting.
func must[T any](v T, err error) func(t *testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func (o Office) at(t *testing.T, s certcopy.State) certcopy.Copy {
	t.Helper()
	id := must(o.Walk(t.Context(), s))(t)
	return must(o.Ledger.Copy(t.Context(), id))(t)
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func wantCode(t *testing.T, what string, err error, want certcopy.Code) {
	t.Helper()
	if certcopy.CodeOf(err) != want {
		t.Errorf("%s: %v, want %s", what, err, want)
	}
}

func wantState(t *testing.T, o Office, id certcopy.CopyID, want certcopy.State) certcopy.Copy {
	t.Helper()
	c := must(o.Ledger.Copy(t.Context(), id))(t)
	if c.State != want {
		t.Errorf("copy is %s, want %s", c.State, want)
	}
	return c
}

func ledgerRequest(t *testing.T, o Office) {
	r, a, b := o.NewRequest(), NewCopy(), NewCopy()
	r.DossierCode = "H08.35.21-261122-0001"
	stored, created, err := o.Ledger.CreateRequest(t.Context(), r, []storage.NewCopy{a, b})
	if err != nil || !created {
		t.Fatalf("created %t, %v", created, err)
	}
	r.CreatedAt, r.Copies = stored.CreatedAt, []certcopy.CopyID{a.ID, b.ID}
	if !reflect.DeepEqual(stored, r) || stored.CreatedAt.IsZero() || stored.CreatedAt.Location() != time.UTC {
		t.Errorf("stored %+v\nwant   %+v", stored, r)
	}
	if read := must(o.Ledger.Request(t.Context(), r.ID))(t); !reflect.DeepEqual(read, stored) {
		t.Errorf("read %+v", read)
	}
	c := must(o.Ledger.Copy(t.Context(), a.ID))(t)
	want := certcopy.Copy{
		ID: a.ID, Request: r.ID, Agency: o.Agency, State: certcopy.Received, Revision: c.Revision, Original: a.Original,
		Requester: r.Requester.Name, Channel: r.Channel, CreatedBy: o.Clerk, CreatedAt: c.CreatedAt, Code: a.Code,
		Clean: certcopy.CleanDocument{Pages: []certcopy.Page{}},
	}
	if !reflect.DeepEqual(c, want) {
		t.Errorf("copy %+v\nwant %+v", c, want)
	}
	if salt := must(o.Ledger.Salt(t.Context(), a.ID))(t); !slices.Equal(salt, a.Salt) {
		t.Error("another salt came back")
	}
}

func ledgerExternalID(t *testing.T, o Office) {
	first := o.NewRequest()
	first.ExternalID = "order-1"
	type result struct {
		id      certcopy.RequestID
		created bool
		err     error
	}
	results := make([]result, 8)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() {
			r := first
			r.ID = certcopy.RequestID(UUID())
			stored, created, err := o.Ledger.CreateRequest(t.Context(), r, []storage.NewCopy{NewCopy()})
			results[i] = result{stored.ID, created, err}
		})
	}
	wg.Wait()
	created := 0
	for _, r := range results {
		if r.err != nil || r.id != results[0].id {
			t.Errorf("%+v beside %+v", r, results[0])
		}
		if r.created {
			created++
		}
	}
	if created != 1 {
		t.Errorf("%d created it", created)
	}
	if r := must(o.Ledger.Request(t.Context(), results[0].id))(t); len(r.Copies) != 1 {
		t.Errorf("%d copies", len(r.Copies))
	}
	other := first
	other.ID, other.Channel = certcopy.RequestID(UUID()), "another"
	if _, created, err := o.Ledger.CreateRequest(t.Context(), other, nil); err != nil || !created {
		t.Errorf("same id of another channel: created %t, %v", created, err)
	}
}

func ledgerRequestAtomic(t *testing.T, o Office) {
	r, a, b := o.NewRequest(), NewCopy(), NewCopy()
	b.Code, b.CodeHash = a.Code, a.CodeHash
	_, _, err := o.Ledger.CreateRequest(t.Context(), r, []storage.NewCopy{a, b})
	wantErr(t, "two copies with one code", err, storage.ErrExists)
	_, err = o.Ledger.Request(t.Context(), r.ID)
	wantErr(t, "the request", err, storage.ErrNotFound)
	_, err = o.Ledger.Copy(t.Context(), a.ID)
	wantErr(t, "its first copy", err, storage.ErrNotFound)
}

func ledgerFacts(t *testing.T, o Office) {
	for name, change := range map[string]func(*certcopy.Original){
		"unknown type": func(o *certcopy.Original) { o.Type = "no-such-type" },
		"no page":      func(o *certcopy.Original) { o.Pages = 0 },
		"many pages":   func(o *certcopy.Original) { o.Pages = certcopy.MaxPages + 1 },
		"no copy":      func(o *certcopy.Original) { o.Copies = 0 },
		"many copies":  func(o *certcopy.Original) { o.Copies = certcopy.MaxCopiesOfBook + 1 },
	} {
		n := NewCopy()
		change(&n.Original)
		_, _, err := o.Ledger.CreateRequest(t.Context(), o.NewRequest(), []storage.NewCopy{n})
		wantCode(t, name, err, certcopy.Invalid)
		c := o.at(t, certcopy.Received)
		wantCode(t, name, o.Ledger.EditCopy(t.Context(), c.ID, c.Revision, n.Original), certcopy.Invalid)
	}
}

func ledgerAddCopy(t *testing.T, o Office) {
	c := o.at(t, certcopy.Scanned)
	n := NewCopy()
	if err := o.Ledger.AddCopy(t.Context(), c.Request, n); err != nil {
		t.Fatal(err)
	}
	if r := must(o.Ledger.Request(t.Context(), c.Request))(t); !slices.Equal(r.Copies, []certcopy.CopyID{c.ID, n.ID}) {
		t.Errorf("copies %v", r.Copies)
	}
	if err := o.Step(t.Context(), c, certcopy.Submitted); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "after a submission", o.Ledger.AddCopy(t.Context(), c.Request, NewCopy()), storage.ErrConflict)
	wantErr(t, "to no request", o.Ledger.AddCopy(t.Context(), certcopy.RequestID(UUID()), NewCopy()), storage.ErrNotFound)
}

func scansOf(id certcopy.CopyID, names ...string) []certcopy.Scan {
	scans := make([]certcopy.Scan, len(names))
	for i, n := range names {
		scans[i] = certcopy.Scan{ID: certcopy.ScanID(UUID()), Copy: id, Position: i, FileName: n, Size: 100, Digest: certcopy.DigestOf([]byte(n)), Pages: 1 + i}
	}
	return scans
}

func ledgerEdit(t *testing.T, o Office) {
	c := o.at(t, certcopy.Scanned)
	edited := certcopy.Original{Type: "khac", Title: "Giấy xác nhận", IssuingBody: "Công an xã", Pages: 9, Copies: 1}
	if err := o.Ledger.EditCopy(t.Context(), c.ID, c.Revision, edited); err != nil {
		t.Fatal(err)
	}
	now := wantState(t, o, c.ID, certcopy.Scanned)
	if now.Original != edited || now.Revision <= c.Revision {
		t.Errorf("now %+v", now)
	}
	wantErr(t, "edit of an old revision", o.Ledger.EditCopy(t.Context(), c.ID, c.Revision, edited), storage.ErrConflict)
	for _, names := range [][]string{{"trang 1.jpg", "trang 2.jpg"}, {"trang 2.jpg"}, nil} {
		scans := scansOf(c.ID, names...)
		if err := o.Ledger.SetScans(t.Context(), c.ID, now.Revision, scans); err != nil {
			t.Fatal(err)
		}
		if read := must(o.Ledger.Scans(t.Context(), c.ID))(t); !slices.Equal(read, scans) {
			t.Errorf("scans %+v, want %+v", read, scans)
		}
		wantErr(t, "scans of an old revision", o.Ledger.SetScans(t.Context(), c.ID, now.Revision, scans), storage.ErrConflict)
		wantErr(t, "clean document of old scans", o.Ledger.SetClean(t.Context(), c.ID, now.Revision, certcopy.CleanDocument{Digest: certcopy.Digest{1}, Size: 1}), storage.ErrConflict)
		now = wantState(t, o, c.ID, certcopy.Received)
		if !now.Clean.Digest.IsZero() {
			t.Error("the clean document of other scans was kept")
		}
	}
	wantErr(t, "submit without a document", o.Ledger.Submit(t.Context(), storage.Submission{
		Copy: c.ID, Revision: now.Revision, By: o.Clerk, Checked: true, Digest: Submission(c.ID)}), storage.ErrConflict)
}

func ledgerSubmit(t *testing.T, o Office) {
	c := o.at(t, certcopy.Scanned)
	u := storage.Submission{Copy: c.ID, Revision: c.Revision, By: o.Clerk, Digest: Submission(c.ID), LowResolutionReason: "bản chính in mờ"}
	wantCode(t, "unchecked", o.Ledger.Submit(t.Context(), u), certcopy.Invalid)
	u.Checked = true
	if err := o.Ledger.Submit(t.Context(), u); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "twice", o.Ledger.Submit(t.Context(), u), storage.ErrConflict)
	now := wantState(t, o, c.ID, certcopy.Submitted)
	if !now.Checked || now.Submission != u.Digest || now.SubmittedAt.IsZero() {
		t.Errorf("now %+v", now)
	}
	wantErr(t, "edit", o.Ledger.EditCopy(t.Context(), c.ID, now.Revision, now.Original), storage.ErrConflict)
	wantErr(t, "scans", o.Ledger.SetScans(t.Context(), c.ID, now.Revision, nil), storage.ErrConflict)
	wantErr(t, "clean", o.Ledger.SetClean(t.Context(), c.ID, now.Revision, now.Clean), storage.ErrConflict)
}

func ledgerLeave(t *testing.T, o Office) {
	c := o.at(t, certcopy.Returned)
	if c.Reason != "unclear" || c.ReasonText != "mờ" || !c.Submission.IsZero() || c.Clean.Digest.IsZero() {
		t.Errorf("returned %+v", c)
	}
	if err := o.Ledger.Submit(t.Context(), storage.Submission{Copy: c.ID, Revision: c.Revision, By: o.Clerk, Checked: true, Digest: Submission(c.ID)}); err != nil {
		t.Fatal(err)
	}
	if c = wantState(t, o, c.ID, certcopy.Submitted); c.Reason != "" || c.ReasonText != "" {
		t.Errorf("the reason of the return was kept: %+v", c)
	}
	leave := func(id certcopy.CopyID, from, to certcopy.State) error {
		return o.Ledger.Leave(t.Context(), storage.Leaving{Copy: id, From: from, To: to, By: o.Certifier, Reason: "damaged", Text: "rách"})
	}
	wantErr(t, "from a state it is not in", leave(c.ID, certcopy.Scanned, certcopy.Refused), storage.ErrConflict)
	wantErr(t, "to where there is no way", leave(c.ID, certcopy.Submitted, certcopy.Released), storage.ErrConflict)
	if err := leave(c.ID, certcopy.Submitted, certcopy.Refused); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "twice", leave(c.ID, certcopy.Submitted, certcopy.Refused), storage.ErrConflict)
	wantErr(t, "out of the end", leave(c.ID, certcopy.Refused, certcopy.Withdrawn), storage.ErrConflict)
	confirmed := o.at(t, certcopy.Submitted)
	if err := o.Ledger.Certify(t.Context(), o.Confirmation(o.Certifier, confirmed.ID)); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a confirmed copy", leave(confirmed.ID, certcopy.Submitted, certcopy.Withdrawn), storage.ErrConflict)
}

func ledgerCertify(t *testing.T, o Office) {
	a, b, received := o.at(t, certcopy.Submitted), o.at(t, certcopy.Submitted), o.at(t, certcopy.Scanned)
	certify := func(c storage.Confirmation) error { return o.Ledger.Certify(t.Context(), c) }
	other := o.Confirmation(o.Certifier, a.ID, b.ID)
	other.Shown[b.ID] = certcopy.DigestOf([]byte("what another page showed"))
	wantErr(t, "another submission was shown", certify(other), storage.ErrConflict)
	wantErr(t, "one is not submitted", certify(o.Confirmation(o.Certifier, a.ID, received.ID)), storage.ErrConflict)
	wantErr(t, "one does not exist", certify(o.Confirmation(o.Certifier, a.ID, certcopy.CopyID(UUID()))), storage.ErrNotFound)
	wantCode(t, "by a clerk", certify(o.Confirmation(o.Clerk, a.ID)), certcopy.Forbidden)
	wantCode(t, "by a seal keeper", certify(o.Confirmation(o.SealKeeper, a.ID)), certcopy.Forbidden)
	client := o.Confirmation(o.Certifier, a.ID)
	client.Client = "portal"
	wantCode(t, "by a client without authorisation", certify(client), certcopy.Forbidden)
	if c := wantState(t, o, a.ID, certcopy.Submitted); !c.CertifiedAt.IsZero() {
		t.Error("a refused confirmation left a trace")
	}
	if err := certify(o.Confirmation(o.Certifier, a.ID, b.ID)); err != nil {
		t.Fatal(err)
	}
	for _, id := range []certcopy.CopyID{a.ID, b.ID} {
		c := wantState(t, o, id, certcopy.Submitted)
		if c.CertifiedAt.IsZero() || c.CertifiedBy != (certcopy.Official{Account: o.Certifier, Name: "Nguyễn Văn An", Title: "CHỦ TỊCH"}) {
			t.Errorf("certified %+v", c)
		}
	}
	wantErr(t, "twice", certify(o.Confirmation(o.Certifier, a.ID)), storage.ErrConflict)
}

func ledgerCancel(t *testing.T, o Office) {
	c := o.at(t, certcopy.Submitted)
	m := certcopy.Msg("Không đủ chỗ cho lời chứng.", "There is no room for the statement.")
	wantErr(t, "of what was not confirmed", o.Ledger.CancelCertify(t.Context(), c.ID, m), storage.ErrConflict)
	if err := o.Ledger.Certify(t.Context(), o.Confirmation(o.Certifier, c.ID)); err != nil {
		t.Fatal(err)
	}
	if err := o.Ledger.CancelCertify(t.Context(), c.ID, m); err != nil {
		t.Fatal(err)
	}
	now := wantState(t, o, c.ID, certcopy.Submitted)
	if !now.CertifiedAt.IsZero() || now.CertifiedBy != (certcopy.Official{}) || now.Trouble != m {
		t.Errorf("now %+v", now)
	}
	_, err := o.Ledger.TakeNumber(t.Context(), c.ID)
	wantErr(t, "a number for it", err, storage.ErrConflict)
}

func ledgerNumbers(t *testing.T, o Office) {
	const n = 12
	var mu sync.Mutex
	taken := map[int64]certcopy.Number{}
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			id, err := o.Walk(t.Context(), certcopy.Numbered)
			if err != nil {
				t.Error(err)
				return
			}
			c, err := o.Ledger.Copy(t.Context(), id)
			if err != nil {
				t.Error(err)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			taken[c.Number.Seq] = c.Number
		})
	}
	wg.Wait()
	for seq := int64(1); seq <= n; seq++ {
		number, ok := taken[seq]
		y, m, d := number.Date.Date()
		if !ok || number.Agency != o.Agency || number.Book != certcopy.DefaultBook || number.Volume != 1 || number.Year != y ||
			number.Date != time.Date(y, m, d, 0, 0, 0, 0, time.UTC) {
			t.Errorf("number %d is %+v", seq, number)
		}
	}
	c := o.at(t, certcopy.Numbered)
	_, err := o.Ledger.TakeNumber(t.Context(), c.ID)
	wantErr(t, "a second number", err, storage.ErrConflict)
	_, err = o.Ledger.TakeNumber(t.Context(), o.at(t, certcopy.Submitted).ID)
	wantErr(t, "without confirmation", err, storage.ErrConflict)
}

// A late twin of a job names a state that is past: it finds a conflict and harms nothing.
func ledgerStale(t *testing.T, o Office) {
	c := o.at(t, certcopy.Released)
	for _, to := range []certcopy.State{certcopy.Stamped, certcopy.Signed, certcopy.Sealed} {
		for _, from := range []certcopy.State{certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Released} {
			wantErr(t, fmt.Sprintf("%s to %s", from, to), o.Ledger.Advance(t.Context(), c.ID, from, to, fileOf(c.ID, to)), storage.ErrConflict)
		}
	}
	_, err := o.Ledger.Register(t.Context(), c.ID, Final(c.ID), LeafOf(c.ID, storage.LeafIssue))
	wantErr(t, "register", err, storage.ErrConflict)
	_, err = o.Ledger.Void(t.Context(), c.ID, o.Certifier, "mistake", "", LeafOf(c.ID, storage.LeafVoid))
	wantErr(t, "void", err, storage.ErrConflict)
	n := o.at(t, certcopy.Numbered)
	wantErr(t, "a step left out", o.Ledger.Advance(t.Context(), n.ID, certcopy.Numbered, certcopy.Signed, fileOf(n.ID, certcopy.Signed)), storage.ErrConflict)
	_, err = o.Ledger.Annul(t.Context(), n.ID, o.Decision(), LeafOf(n.ID, storage.LeafAnnul))
	wantErr(t, "annul what was not issued", err, storage.ErrConflict)
	if size, _, err := o.Ledger.Head(t.Context()); err != nil || size != 1 {
		t.Errorf("the log has %d leaves, %v", size, err)
	}
	if now := wantState(t, o, c.ID, certcopy.Released); !reflect.DeepEqual(now, c) {
		t.Errorf("changed to %+v", now)
	}
	for _, s := range []certcopy.State{certcopy.Stamped, certcopy.Signed, certcopy.Sealed} {
		if f := must(o.Ledger.File(t.Context(), c.ID, s))(t); f != fileOf(c.ID, s) {
			t.Errorf("file of %s: %+v", s, f)
		}
	}
}
