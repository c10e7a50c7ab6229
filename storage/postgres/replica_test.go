package postgres_test

import (
	"errors"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// Another database in the replica's place tells who answered: it does not know the copies of
// the first.
func TestPublicAsksTheReplicaFirst(t *testing.T) {
	_, primary := storagetest.NewOffice(t, true)
	_, standby := storagetest.NewOffice(t, true)
	open := func(readURL string) *postgres.Store {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: primary.DSN, ReadURL: readURL, Role: postgres.PublicRole})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}
	walk := func(o storagetest.Office) certcopy.CopyID {
		id, err := o.Walk(t.Context(), certcopy.Released)
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	here, there := walk(primary), walk(standby)
	s := open(standby.DSN)
	if _, err := s.PublicByID(t.Context(), there); err != nil {
		t.Errorf("what only the replica knows: %v", err)
	}
	if _, err := s.PublicByID(t.Context(), here); err != nil {
		t.Errorf("a copy just released, which the replica does not know yet: %v", err)
	}
	if _, err := s.PublicByID(t.Context(), certcopy.CopyID(storagetest.UUID())); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a copy nobody knows: %v", err)
	}
	if _, err := open("host=/nowhere dbname=x").PublicByID(t.Context(), here); err != nil {
		t.Errorf("the replica does not answer: %v", err)
	}
}
