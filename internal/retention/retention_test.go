package retention_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/retention"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// place is an office with stores of its own and a clock that can be put forward.
type place struct {
	storagetest.Office
	*retention.Eraser
	store *postgres.Store // under the service's role
	ahead atomic.Int64
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := new(place)
	p.store, p.Office = storagetest.NewOffice(t, true)
	destroying, err := postgres.Open(t.Context(), postgres.Config{URL: p.DSN, Role: postgres.RetentionRole})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(destroying.Close)
	p.Eraser = &retention.Eraser{Ledger: destroying, Now: p.now}
	for _, b := range []*storage.Blobs{&p.Vault, &p.Scratch, &p.Public} {
		if *b, err = disk.Open(t.TempDir(), p.now); err != nil {
			t.Fatal(err)
		}
	}
	return p
}

func (p *place) now() time.Time { return time.Now().Add(time.Duration(p.ahead.Load())) }

// released walks a copy to a state with what a real one leaves: a file key, a vault object
// locked for a while, a scratch file.
func (p *place) released(t *testing.T, s certcopy.State, lock time.Duration) certcopy.CopyID {
	t.Helper()
	id, err := p.Walk(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.store.PutFileKey(t.Context(), id, []byte("wrapped")); err != nil {
		t.Fatal(err)
	}
	put := func(b storage.Blobs, key string, till time.Time) {
		if err := b.Create(t.Context(), key, strings.NewReader(key), int64(len(key)), certcopy.DigestOf([]byte(key)), till); err != nil {
			t.Fatal(err)
		}
	}
	var till time.Time
	if lock > 0 {
		till = p.now().Add(lock)
	}
	put(p.Vault, vault.Key(id, storagetest.Final(id).Digest), till)
	for _, dir := range []string{"scans", "clean", "stamped", "signed", "sealed"} {
		put(p.Scratch, dir+"/"+string(id)+"/x", time.Time{})
	}
	return id
}

func objects(t *testing.T, b storage.Blobs) (n int) {
	t.Helper()
	for _, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		n++
	}
	return n
}

func (p *place) sql(t *testing.T, sql string, args ...any) (n int64) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), p.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	if strings.HasPrefix(sql, "SELECT") {
		err = conn.QueryRow(t.Context(), sql, args...).Scan(&n)
	} else {
		_, err = conn.Exec(t.Context(), sql, args...)
	}
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// years puts the book's clock and the programs' forward.
func (p *place) years(t *testing.T, n int) {
	t.Helper()
	p.ahead.Add(int64(time.Duration(n) * 366 * 24 * time.Hour))
	p.sql(t, `CREATE OR REPLACE FUNCTION book_clock() RETURNS timestamptz LANGUAGE sql VOLATILE RETURN clock_timestamp() + interval '`+
		time.Duration(p.ahead.Load()).String()+`'`)
}

func byRequest(id certcopy.CopyID, p *place) storage.Erasure {
	return storage.Erasure{Copy: id, Reason: storage.ErasedByRequest, Decision: "12/ĐN", By: p.Certifier}
}

func TestEraseLeavesNumberDigestAndLeaf(t *testing.T) {
	p := newPlace(t)
	id := p.released(t, certcopy.Released, 48*time.Hour)
	done, err := p.Erase(t.Context(), byRequest(id, p))
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.store.Copy(t.Context(), id)
	if err != nil || c.Number.IsZero() || c.Final != storagetest.Final(id) || c.State != certcopy.Released {
		t.Errorf("after the erasure the copy is %+v, %v", c, err)
	}
	leaves, err := p.store.LeavesOf(t.Context(), id)
	if err != nil || len(leaves) != 2 {
		t.Fatalf("leaves %v, %v", leaves, err)
	}
	b, _, err := p.store.Leaf(t.Context(), leaves[1])
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := register.ParseLeaf(b)
	if err != nil || leaf.Kind != storage.LeafErase || leaf.Reason != "request" || leaf.Time.Sub(done.At).Abs() > time.Second {
		t.Errorf("leaf %+v, %v", leaf, err)
	}
	for _, table := range []string{"file_key", "copy_private", "artifact", "state_file", "scan"} {
		if n := p.sql(t, `SELECT count(*) FROM `+table+` WHERE copy = $1`, id); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
	}
	if n := p.sql(t, `SELECT count(*) FROM request_private`); n != 0 {
		t.Errorf("%d contacts are left", n)
	}
	if n := objects(t, p.Scratch); n != 0 {
		t.Errorf("%d scratch objects are left", n)
	}
	if n := objects(t, p.Vault); n != 1 {
		t.Errorf("%d vault objects; its lock has not ended", n)
	}
	if _, err := p.store.PutFileKey(t.Context(), id, []byte("again")); err == nil {
		t.Error("a late job made a new file key")
	}
	if _, err := p.Erase(t.Context(), byRequest(id, p)); certcopy.CodeOf(err) != certcopy.Conflict || !strings.Contains(certcopy.MessageOf(err).VI, "12/ĐN") {
		t.Errorf("erased again: %v", err)
	}
	if public, err := p.store.PublicByID(t.Context(), id); err != nil || !public.ErasedAt.Equal(done.At) || public.ErasureReason != storage.ErasedByRequest || public.ErasureDecision != "12/ĐN" {
		t.Errorf("the public sees %+v, %v", public, err)
	}
}

func TestObjectsGoWhenTheirLocksEnd(t *testing.T) {
	p := newPlace(t)
	id := p.released(t, certcopy.Annulled, 300*24*time.Hour)
	if _, err := p.Erase(t.Context(), byRequest(id, p)); err != nil {
		t.Fatal(err)
	}
	if o, err := p.Run(t.Context()); err != nil || o.Objects != 0 || objects(t, p.Vault) != 1 {
		t.Errorf("before the lock's end: %+v, %v", o, err)
	}
	p.years(t, 1)
	if o, err := p.Run(t.Context()); err != nil || o.Objects != 1 || objects(t, p.Vault) != 0 {
		t.Errorf("after the lock's end: %+v, %v", o, err)
	}
	if n := p.sql(t, `SELECT count(*) FROM doomed_object`); n != 0 {
		t.Errorf("%d objects are still doomed", n)
	}
}

// A job that slept through the erasure writes its file into the scratch store.
func TestLateScratchFileGoes(t *testing.T) {
	p := newPlace(t)
	id := p.released(t, certcopy.Released, 0)
	if _, err := p.Erase(t.Context(), byRequest(id, p)); err != nil {
		t.Fatal(err)
	}
	late := "sealed/" + string(id) + "/late"
	if err := p.Scratch.Create(t.Context(), late, strings.NewReader("x"), 1, certcopy.DigestOf([]byte("x")), time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.years(t, 1)
	if _, err := p.Run(t.Context()); err != nil || objects(t, p.Scratch) != 0 {
		t.Errorf("%d scratch objects, %v", objects(t, p.Scratch), err)
	}
}

func TestWhatMayNotBeErased(t *testing.T) {
	p := newPlace(t)
	for _, s := range []certcopy.State{certcopy.Received, certcopy.Submitted, certcopy.Numbered, certcopy.Signed, certcopy.Sealed, certcopy.Registered} {
		id, err := p.Walk(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Erase(t.Context(), byRequest(id, p)); certcopy.CodeOf(err) != certcopy.Conflict {
			t.Errorf("%s: %v", s, err)
		}
	}
	id := p.released(t, certcopy.Released, 0)
	for name, bad := range map[string]storage.Erasure{
		"no decision":         {Copy: id, Reason: storage.ErasedByRequest},
		"decision of 2 lines": {Copy: id, Reason: storage.ErasedByRequest, Decision: "1\n2"},
		"decision too long":   {Copy: id, Reason: storage.ErasedByOrder, Decision: strings.Repeat("ư", 101)},
		"unknown reason":      {Copy: id, Reason: "whim", Decision: "1"},
	} {
		if _, err := p.Erase(t.Context(), bad); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n := objects(t, p.Public); n != 0 {
		t.Errorf("%d entries on the list for what was refused", n)
	}
}

// A copy without a number is in no book and no log: it is erased without a leaf. A contact
// stays while another copy of the request needs it.
func TestContactStaysWhileItIsNeeded(t *testing.T) {
	p := newPlace(t)
	gone, stays := storagetest.NewCopy(), storagetest.NewCopy()
	if _, _, err := p.Office.Ledger.CreateRequest(t.Context(), p.NewRequest(), []storage.NewCopy{gone, stays}); err != nil {
		t.Fatal(err)
	}
	leave := func(id certcopy.CopyID) {
		err := p.Office.Ledger.Leave(t.Context(), storage.Leaving{Copy: id, From: certcopy.Received, To: certcopy.Withdrawn, By: p.Clerk, Reason: "asked"})
		if err != nil {
			t.Fatal(err)
		}
	}
	leave(gone.ID)
	if _, err := p.Erase(t.Context(), byRequest(gone.ID, p)); err != nil {
		t.Fatal(err)
	}
	if n := p.sql(t, `SELECT count(*) FROM leaf`); n != 0 {
		t.Errorf("%d leaves for a copy without a number", n)
	}
	if n := p.sql(t, `SELECT count(*) FROM request_private`); n != 1 {
		t.Error("the contact went though another copy needs it")
	}
	leave(stays.ID)
	if _, err := p.Erase(t.Context(), byRequest(stays.ID, p)); err != nil {
		t.Fatal(err)
	}
	if n := p.sql(t, `SELECT count(*) FROM request_private`); n != 0 {
		t.Error("the contact is left")
	}
}

func TestPolicyErasesWhatIsDue(t *testing.T) {
	p := newPlace(t)
	id := p.released(t, certcopy.Released, 0)
	if o, err := p.Run(t.Context()); err != nil || o.Erased+o.Contacts+o.Working != 0 {
		t.Errorf("without a policy: %+v, %v", o, err)
	}
	policy := storage.RetentionPolicy{Agency: p.Agency, From: certcopy.Day(time.Now()), FileYears: 3, ContactDays: 90, WorkingDays: 30, Decision: "05/QĐ-UBND", By: p.Certifier}
	if err := p.store.SetRetention(t.Context(), policy); err != nil {
		t.Fatal(err)
	}
	if err := p.store.SetRetention(t.Context(), policy); !errors.Is(err, storage.ErrExists) {
		t.Errorf("another policy of the same day: %v", err)
	}
	if got, err := p.store.RetentionPolicies(t.Context(), p.Agency); err != nil || len(got) != 1 || got[0] != policy {
		t.Errorf("policies %+v, %v", got, err)
	}
	if o, err := p.Run(t.Context()); err != nil || o.Erased+o.Contacts+o.Working != 0 {
		t.Errorf("at once: %+v, %v", o, err)
	}
	p.years(t, 1)
	if o, err := p.Run(t.Context()); err != nil || o.Erased != 0 || o.Contacts != 1 || o.Working != 1 || objects(t, p.Scratch) != 0 || objects(t, p.Vault) != 1 {
		t.Errorf("after a year: %+v, %v", o, err)
	}
	p.years(t, 2)
	if o, err := p.Run(t.Context()); err != nil || o.Erased != 1 || objects(t, p.Vault) != 0 {
		t.Errorf("after three years: %+v, %v", o, err)
	}
	done, err := p.Eraser.Ledger.Erasure(t.Context(), id)
	if err != nil || done.Reason != storage.ErasedByRetention || done.Decision != "05/QĐ-UBND" || done.By != "" {
		t.Errorf("%+v, %v", done, err)
	}
}

// A crash between the list and the ledger, and a ledger put back to before the erasure.
func TestReplay(t *testing.T) {
	p := newPlace(t)
	id, other := p.released(t, certcopy.Released, 0), p.released(t, certcopy.Released, 0)
	broken := *p.Eraser
	broken.Ledger = refusing{p.Eraser.Ledger}
	if _, err := broken.Erase(t.Context(), byRequest(id, p)); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		retention.ListPrefix + "not-an-entry.json":                         `{}`,
		retention.ListPrefix + storagetest.UUID() + ".json":                `{"version":1,"copy":"` + string(other) + `","reason":"request","decision":"9","at":"2026-01-01T00:00:00Z"}`,
		retention.ListPrefix + "00000000-0000-4000-8000-000000000000.json": `{"version":1,"copy":"00000000-0000-4000-8000-000000000000","reason":"order","decision":"1/TA","at":"2026-01-01T00:00:00Z"}`,
	} {
		if err := p.Public.Create(t.Context(), name, strings.NewReader(bad), int64(len(bad)), certcopy.DigestOf([]byte(bad)), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	for i, want := range []int{1, 0} {
		if n, err := p.Replay(t.Context()); n != want || !errors.Is(err, storage.ErrDamaged) {
			t.Errorf("replay %d: %d, %v", i, n, err)
		}
	}
	if done, err := p.Eraser.Ledger.Erasure(t.Context(), id); err != nil || done.Decision != "12/ĐN" {
		t.Errorf("%+v, %v", done, err)
	}
	if _, err := p.store.FileKey(t.Context(), id); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("its key: %v", err)
	}
	if _, err := p.store.FileKey(t.Context(), other); err != nil {
		t.Errorf("the key of another: %v", err)
	}
}

// refusing is a ledger that does not answer.
type refusing struct{ storage.Retention }

func (refusing) Erase(context.Context, storage.Erasure, []storage.DoomedObject, storage.LeafMaker) (storage.Erasure, error) {
	return storage.Erasure{}, storage.ErrUnavailable
}

// Twenty at once are one.
func TestErasedOnce(t *testing.T) {
	p := newPlace(t)
	id := p.released(t, certcopy.Released, 0)
	outcomes := make(chan error, 20)
	for range cap(outcomes) {
		go func() {
			_, err := p.Erase(t.Context(), byRequest(id, p))
			outcomes <- err
		}()
	}
	for range cap(outcomes) {
		if err := <-outcomes; err != nil && certcopy.CodeOf(err) != certcopy.Conflict {
			t.Error(err)
		}
	}
	if n := p.sql(t, `SELECT count(*) FROM leaf WHERE kind = 'erase'`); n != 1 {
		t.Errorf("%d leaves", n)
	}
}

func FuzzListEntry(f *testing.F) {
	f.Add([]byte(`{"version":1,"copy":"00000000-0000-4000-8000-000000000000","reason":"order","decision":"1/TA","at":"2026-01-01T00:00:00Z"}`))
	f.Add([]byte(`{"version":2}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		read, err := retention.ParseEntry(retention.ListPrefix+"00000000-0000-4000-8000-000000000000.json", b)
		if err == nil && (read.Copy != "00000000-0000-4000-8000-000000000000" || read.Decision == "" || bytes.ContainsAny([]byte(read.Decision), "\r\n")) {
			t.Errorf("%+v", read)
		}
	})
}
