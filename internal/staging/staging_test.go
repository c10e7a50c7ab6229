package staging_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/storagetest"
)

// place is an area over real stores, and a copy to upload to.
type place struct {
	*staging.Area
	storagetest.Office
	copy certcopy.CopyID
	now  time.Time
}

func open(t *testing.T) *place {
	t.Helper()
	p := &place{now: time.Now()}
	store, office := storagetest.NewOffice(t, true)
	blobs, err := disk.Open(t.TempDir(), time.Now)
	must(t, err)
	p.Office = office
	p.copy, err = office.Walk(t.Context(), certcopy.Received)
	must(t, err)
	p.Area = &staging.Area{Blobs: blobs, Ledger: store, Now: func() time.Time { return p.now }, Rand: rand.Reader}
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (p *place) start(t *testing.T, size int64) staging.Upload {
	t.Helper()
	u, err := p.Start(t.Context(), staging.Upload{Copy: p.copy, Account: p.Clerk, FileName: "trang 1.jpg", Size: size})
	must(t, err)
	return u
}

func (p *place) objects(t *testing.T) (keys []string) {
	t.Helper()
	for info, err := range p.Blobs.List(t.Context(), "staging/") {
		must(t, err)
		keys = append(keys, info.Key)
	}
	return keys
}

func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}

func (p *place) read(t *testing.T, u staging.Upload) []byte {
	t.Helper()
	f, err := p.Area.Open(t.Context(), u)
	must(t, err)
	defer f.Close()
	b, err := io.ReadAll(f)
	must(t, err)
	return b
}

// A line that breaks at any place loses nothing that came before it.
func TestBrokenLineKeepsWhatCame(t *testing.T) {
	p := open(t)
	file := random(3*staging.PieceBytes + 4567)
	u := p.start(t, int64(len(file)))
	for _, cut := range []int{0, 1, 70_000, staging.PieceBytes, 2*staging.PieceBytes + 1} {
		rest := file[u.Received:]
		body := io.MultiReader(bytes.NewReader(rest[:min(cut, len(rest))]), iotest.ErrReader(io.ErrUnexpectedEOF))
		was := u.Received
		var err error
		if u, err = p.Append(t.Context(), u, was, body); err != nil || u.Received != was+int64(min(cut, len(rest))) {
			t.Fatalf("cut after %d: at %d, %v", cut, u.Received, err)
		}
		// What the next request, perhaps of another process, finds.
		if u, err = p.Find(t.Context(), u.ID, p.copy, p.Clerk); err != nil || u.Received != was+int64(min(cut, len(rest))) {
			t.Fatalf("cut after %d: found at %d, %v", cut, u.Received, err)
		}
		if _, err := p.Area.Open(t.Context(), u); !u.Complete() && !errors.Is(err, storage.ErrConflict) {
			t.Fatalf("an incomplete file opens: %v", err)
		}
	}
	u, err := p.Append(t.Context(), u, u.Received, iotest.OneByteReader(bytes.NewReader(append(file[u.Received:], "more than was said"...))))
	must(t, err)
	if !u.Complete() || sha256.Sum256(p.read(t, u)) != sha256.Sum256(file) {
		t.Fatalf("arrived: %d of %d", u.Received, len(file))
	}
	must(t, p.Drop(t.Context(), u.ID))
	if keys := p.objects(t); len(keys) > 0 {
		t.Errorf("left behind: %v", keys)
	}
	if _, err := p.Find(t.Context(), u.ID, p.copy, p.Clerk); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("dropped: %v", err)
	}
}

// Of two that add at one place one wins, and the file is that of the winner.
func TestTwinsAtOnePlace(t *testing.T) {
	p := open(t)
	for range 5 {
		u := p.start(t, 50_000)
		files := [][]byte{random(50_000), random(50_000)}
		var errs [2]error
		var wait sync.WaitGroup
		for i := range files {
			wait.Go(func() { _, errs[i] = p.Append(t.Context(), u, 0, bytes.NewReader(files[i])) })
		}
		wait.Wait()
		winner := 0
		if errs[0] != nil {
			winner = 1
		}
		if errs[winner] != nil || !errors.Is(errs[1-winner], storage.ErrConflict) {
			t.Fatalf("%v, %v", errs[0], errs[1])
		}
		if !bytes.Equal(p.read(t, u), files[winner]) {
			t.Fatal("the file is not the winner's")
		}
	}
	u := p.start(t, 10)
	if _, err := p.Append(t.Context(), u, 3, strings.NewReader("abc")); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("beyond what arrived: %v", err)
	}
}

// A crash between the piece and its record is as if the piece had not come.
func TestPieceWithoutRecord(t *testing.T) {
	p := open(t)
	u := p.start(t, 6)
	ledger := p.Area.Ledger
	p.Area.Ledger = failing{ledger}
	if _, err := p.Append(t.Context(), u, 0, strings.NewReader("abcdef")); !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("got %v", err)
	}
	p.Area.Ledger = ledger
	u, err := p.Append(t.Context(), u, 0, strings.NewReader("abcdef")) // the same piece once more
	if err != nil || string(p.read(t, u)) != "abcdef" {
		t.Errorf("again: %v", err)
	}
}

type failing struct{ staging.Ledger }

func (failing) AddPiece(context.Context, string, staging.Piece, time.Time) error {
	return storage.ErrUnavailable
}

func TestLimitsAndOwners(t *testing.T) {
	p := open(t)
	invalid := func(what string, err error) {
		t.Helper()
		if certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, size := range []int64{-1, certcopy.MaxUploadBytes + 1} {
		_, err := p.Start(t.Context(), staging.Upload{Copy: p.copy, Account: p.Clerk, Size: size})
		invalid("size", err)
	}
	var last staging.Upload
	for range staging.MaxBytes / certcopy.MaxUploadBytes {
		last = p.start(t, certcopy.MaxUploadBytes)
	}
	_, err := p.Start(t.Context(), staging.Upload{Copy: p.copy, Account: p.Clerk, Size: 1})
	invalid("bytes", err)
	must(t, p.Drop(t.Context(), last.ID))
	p.start(t, 1)
	for what, id := range map[string]string{"nothing": storagetest.UUID(), "garbage": "../../etc"} {
		if _, err := p.Find(t.Context(), id, p.copy, p.Clerk); !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	u := p.start(t, 1)
	if _, err := p.Find(t.Context(), u.ID, p.copy, p.Certifier); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another's: %v", err)
	}
	if list, err := p.List(t.Context(), p.copy, p.Certifier); err != nil || len(list) != 0 {
		t.Errorf("another's list: %v, %v", list, err)
	}
}

// What nobody goes on with is gone after a day, with pieces that belong to nothing; what is
// alive stays.
func TestSweep(t *testing.T) {
	p := open(t)
	stale := p.start(t, 6)
	_, err := p.Append(t.Context(), stale, 0, strings.NewReader("abc"))
	must(t, err)
	orphan := []byte("orphan")
	must(t, p.Blobs.Create(t.Context(), "staging/"+storagetest.UUID()+"/000000000000-x", bytes.NewReader(orphan), 6, certcopy.DigestOf(orphan), time.Time{}))
	if n, err := p.Sweep(t.Context()); n != 0 || err != nil {
		t.Fatalf("nothing is old: %d, %v", n, err)
	}
	p.now = p.now.Add(staging.Lifetime + time.Minute)
	if _, err := p.Find(t.Context(), stale.ID, p.copy, p.Clerk); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("an expired upload: %v", err)
	}
	if list, err := p.List(t.Context(), p.copy, p.Clerk); err != nil || len(list) != 0 {
		t.Errorf("expired: %v, %v", list, err)
	}
	living := p.start(t, 6)
	_, err = p.Append(t.Context(), living, 0, strings.NewReader("abc"))
	must(t, err)
	if n, err := p.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	if keys := p.objects(t); len(keys) != 1 || !strings.Contains(keys[0], living.ID) {
		t.Errorf("left: %v", keys)
	}
}

// A piece that is not what was written is an error, not a file.
func TestDamage(t *testing.T) {
	p := open(t)
	u := p.start(t, 6)
	_, err := p.Append(t.Context(), u, 0, strings.NewReader("abc"))
	must(t, err)
	u, err = p.Find(t.Context(), u.ID, p.copy, p.Clerk)
	must(t, err)
	u, err = p.Append(t.Context(), u, 3, strings.NewReader("def"))
	must(t, err)
	keys := p.objects(t)
	must(t, p.Blobs.Delete(t.Context(), keys[1]))
	f, err := p.Area.Open(t.Context(), u)
	must(t, err)
	defer f.Close()
	if b, err := io.ReadAll(f); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("%q, %v", b, err)
	}
}
