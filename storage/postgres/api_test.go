package postgres_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// clientOf makes a client with one token, the hash of its name.
func clientOf(t *testing.T, store *postgres.Store, o storagetest.Office, id string) certcopy.Digest {
	t.Helper()
	if err := store.CreateClient(t.Context(), storage.Client{ID: id, Agency: o.Agency, Name: "Một cửa", Account: o.Clerk}); err != nil {
		t.Fatal(err)
	}
	token := certcopy.DigestOf([]byte(id))
	if err := store.CreateToken(t.Context(), id, token, []string{"requests"}, time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	return token
}

func TestClientTokens(t *testing.T) {
	store, o := storagetest.NewOffice(t, true)
	ctx, now := t.Context(), time.Now()
	token := clientOf(t, store, o, "mot-cua")
	c, err := store.ClientByToken(ctx, token, now)
	if err != nil || c.ID != "mot-cua" || c.Agency != o.Agency || c.Account != o.Clerk || len(c.Scopes) != 1 {
		t.Errorf("%v %+v", err, c)
	}
	for name, err := range map[string]error{
		"unknown": second(store.ClientByToken(ctx, certcopy.DigestOf([]byte("x")), now)),
		"expired": second(store.ClientByToken(ctx, token, now.Add(2*time.Hour))),
	} {
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := store.CreateClient(ctx, storage.Client{ID: "mot-cua", Agency: o.Agency, Name: "x", Account: o.Clerk}); !errors.Is(err, storage.ErrExists) {
		t.Errorf("the same client again: %v", err)
	}
	if err := store.CreateToken(ctx, "mot-cua", certcopy.DigestOf([]byte("y")), []string{"everything"}, now.Add(time.Hour)); err == nil {
		t.Error("a scope that does not exist was stored")
	}
	if n, err := store.RevokeTokens(ctx, "mot-cua", now); err != nil || n != 1 {
		t.Errorf("revoke: %d %v", n, err)
	}
	if _, err := store.ClientByToken(ctx, token, now); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("revoked: %v", err)
	}
}

func TestClientIsBoundToOneOfficial(t *testing.T) {
	store, o := storagetest.NewOffice(t, true)
	ctx := t.Context()
	clientOf(t, store, o, "mot-cua")
	if _, err := store.ActsFor(ctx, "mot-cua", "certify"); certcopy.CodeOf(err) != certcopy.Forbidden {
		t.Errorf("off by default: %v", err)
	}
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := store.BindClient(ctx, o.Agency, "mot-cua", o.Certifier, "certify", day, "09/QĐ-UBND"); err != nil {
		t.Fatal(err)
	}
	if who, err := store.ActsFor(ctx, "mot-cua", "certify"); err != nil || who != o.Certifier {
		t.Errorf("%v %v", who, err)
	}
	if _, err := store.ActsFor(ctx, "mot-cua", "seal"); certcopy.CodeOf(err) != certcopy.Forbidden {
		t.Errorf("seal: %v", err)
	}
	if err := store.BindClient(ctx, o.Agency, "mot-cua", o.SealKeeper, "certify", day, "10/QĐ-UBND"); err != nil {
		t.Fatal(err)
	}
	if _, err := store.ActsFor(ctx, "mot-cua", "certify"); certcopy.CodeOf(err) != certcopy.Forbidden {
		t.Errorf("two officials: %v", err)
	}
}

func TestClaims(t *testing.T) {
	store, o := storagetest.NewOffice(t, true)
	ctx := t.Context()
	clientOf(t, store, o, "a")
	clientOf(t, store, o, "b")
	one, two := certcopy.DigestOf([]byte("1")), certcopy.DigestOf([]byte("2"))
	c, err := store.Claim(ctx, "a", "key-00001", one)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := c.Reply(); ok {
		t.Error("a new key has a reply")
	}
	if _, err := store.Claim(ctx, "a", "key-00001", one); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a second holder: %v", err)
	}
	other, err := store.Claim(ctx, "b", "key-00001", two)
	if err != nil {
		t.Fatalf("another client's key: %v", err)
	}
	other.Release()
	c.Release() // as after a crash: nothing was kept
	if c, err = store.Claim(ctx, "a", "key-00001", one); err != nil {
		t.Fatal(err)
	}
	if err := c.Keep(ctx, storage.Reply{Status: 201, ContentType: "application/json", Body: []byte("{}")}); err != nil {
		t.Fatal(err)
	}
	if err := c.Keep(ctx, storage.Reply{Status: 500}); err != nil {
		t.Fatal(err)
	}
	c.Release()
	c.Release()
	if c, err = store.Claim(ctx, "a", "key-00001", one); err != nil {
		t.Fatal(err)
	}
	if r, ok := c.Reply(); !ok || r.Status != 201 || string(r.Body) != "{}" {
		t.Errorf("%+v", r)
	}
	c.Release()
	if _, err := store.Claim(ctx, "a", "key-00001", two); !errors.Is(err, storage.ErrExists) {
		t.Errorf("another request: %v", err)
	}
}

// TestClaimsExcludeEachOther: however many ask at once, one works at a time.
func TestClaimsExcludeEachOther(t *testing.T) {
	store, o := storagetest.NewOffice(t, true)
	clientOf(t, store, o, "a")
	var inside, worst atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				c, err := store.Claim(context.Background(), "a", "key-00001", certcopy.Digest{1})
				if errors.Is(err, storage.ErrConflict) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				if n := inside.Add(1); n > 1 {
					worst.Store(n)
				}
				inside.Add(-1)
				c.Release()
			}
		})
	}
	wg.Wait()
	if worst.Load() > 1 {
		t.Errorf("%d holders at once", worst.Load())
	}
}

func second[T any](_ T, err error) error { return err }

// TestClaimOfADeadProcess: the server frees the key of a holder that is gone, and the next
// attempt goes on with the request that was never answered.
func TestClaimOfADeadProcess(t *testing.T) {
	dsn := storagetest.Postgres(t)
	ctx := t.Context()
	raw, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close(ctx)
	store, o := storagetest.NewOffice(t, true)
	clientOf(t, store, o, "a")
	c, err := store.Claim(ctx, "a", "key-00001", certcopy.Digest{1})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	// As kill -9 does it: the connection ends, nothing is given back.
	if _, err := raw.Exec(ctx, `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted AND pid <> pg_backend_pid()
		AND (classid::bigint << 32 | objid::bigint) = hashtextextended('saoy idempotency key a key-00001', 0)`); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		next, err := store.Claim(ctx, "a", "key-00001", certcopy.Digest{1})
		if err == nil {
			if _, answered := next.Reply(); answered {
				t.Error("a request that was never answered has an answer")
			}
			next.Release()
			return
		}
		if !errors.Is(err, storage.ErrConflict) {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the key of a dead holder is never freed")
}
