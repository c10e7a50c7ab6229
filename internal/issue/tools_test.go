package issue_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
)

// honest starts a process to which nothing happens.
func (w *world) honest(t testing.TB) *issue.Flow {
	t.Helper()
	return w.flow(t, &line{})
}

// sql changes the database below the contract, triggers off, as only its owner could.
func (w *world) sql(t testing.TB, statements string) {
	t.Helper()
	conn := must(pgx.Connect(context.Background(), w.DSN))(t)
	defer conn.Close(context.Background())
	if _, err := conn.PgConn().Exec(context.Background(), "SET session_replication_role = replica;"+statements).ReadAll(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}

// waits wants the next step to fail with an error, the copy to stay where it is, and the
// reason to be told in words that hold a phrase, in both languages.
func (w *world) waits(t testing.TB, f *issue.Flow, target error, phrase string) {
	t.Helper()
	before := w.copy(t)
	err := f.Advance(context.Background(), before.ID)
	if err == nil || target != nil && !errors.Is(err, target) {
		t.Fatalf("%s: error %v, want %v", before.State, err, target)
	}
	after := w.copy(t)
	if after.State != before.State {
		t.Fatalf("%s → %s in spite of %v", before.State, after.State, err)
	}
	if !strings.Contains(after.Trouble.EN, phrase) || after.Trouble.VI == "" {
		t.Errorf("%s: %v\ntold as %q, want %q", before.State, err, after.Trouble.EN, phrase)
	}
}

// goes wants the next step to succeed.
func (w *world) goes(t testing.TB, f *issue.Flow, to certcopy.State) {
	t.Helper()
	if err := f.Advance(context.Background(), w.copy(t).ID); err != nil {
		t.Fatal(err)
	}
	if c := w.copy(t); c.State != to || c.Trouble != (certcopy.Message{}) {
		t.Fatalf("%s, trouble %q; want %s", c.State, c.Trouble.EN, to)
	}
}

// finish brings the copy that waited to its release and checks it and everything stored.
func (w *world) finish(t testing.TB, copies int) {
	t.Helper()
	f := w.honest(t)
	for c := w.copy(t); c.State != certcopy.Released; c = w.copy(t) {
		if err := (&visit{w: w, to: certcopy.Released}).next(context.Background(), f, c); err != nil {
			t.Fatalf("%s: %v", c.State, err)
		}
	}
	w.check(t, int64(copies))
	w.fsck(t, copies)
}
