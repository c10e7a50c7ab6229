package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// BlobsSuite holds an implementation of storage.Blobs to its contract. Open returns an empty
// store each time it is called.
func BlobsSuite(t *testing.T, open func(t testing.TB) storage.Blobs) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, b storage.Blobs)
	}{
		{"round trip", blobRoundTrip},
		{"create once", blobCreateOnce},
		{"wrong size or digest", blobMismatch},
		{"reader fails", blobReaderFails},
		{"context ended", blobContextEnded},
		{"keys", blobKeys},
		{"race", blobRace},
		{"absent", blobAbsent},
		{"list", blobList},
		{"lock", blobLock},
	} {
		t.Run(c.name, func(t *testing.T) { c.test(t, open(t)) })
	}
}

func put(ctx context.Context, b storage.Blobs, key string, body []byte, lockedTill time.Time) error {
	return b.Create(ctx, key, bytes.NewReader(body), int64(len(body)), certcopy.DigestOf(body), lockedTill)
}

func get(t *testing.T, b storage.Blobs, key string) []byte {
	t.Helper()
	r, info, err := b.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r)
	if err := errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	if info.Key != key || info.Size != int64(len(body)) || info.Digest != certcopy.DigestOf(body) {
		t.Errorf("info %+v does not describe the bytes", info)
	}
	return body
}

func wantAbsent(t *testing.T, b storage.Blobs, key string) {
	t.Helper()
	if _, err := b.Stat(t.Context(), key); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat %s: %v, want not found", key, err)
	}
	for info, err := range b.List(t.Context(), "") {
		if err != nil || info.Key == key {
			t.Errorf("listed %+v, %v", info, err)
		}
	}
}

func blobRoundTrip(t *testing.T, b storage.Blobs) {
	for name, body := range map[string][]byte{"empty": {}, "one": {7}, "large": bytes.Repeat([]byte("Ân Tường Đông\n"), 600_000)} {
		key := "copies/" + name
		before := time.Now().Add(-time.Minute)
		if err := put(t.Context(), b, key, body, time.Time{}); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := get(t, b, key); !bytes.Equal(got, body) {
			t.Errorf("%s: other bytes came back", name)
		}
		info, err := b.Stat(t.Context(), key)
		if err != nil || info.Key != key || info.Size != int64(len(body)) || info.Digest != certcopy.DigestOf(body) || !info.LockedTill.IsZero() {
			t.Errorf("%s: stat %+v, %v", name, info, err)
		}
		if info.CreatedAt.Before(before) || info.CreatedAt.After(time.Now().Add(time.Minute)) {
			t.Errorf("%s: created at %s", name, info.CreatedAt)
		}
		if err := b.Delete(t.Context(), key); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		wantAbsent(t, b, key)
	}
}

func blobCreateOnce(t *testing.T, b storage.Blobs) {
	first := []byte("first")
	if err := put(t.Context(), b, "k", first, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, second := range []string{"first", "second", ""} {
		if err := put(t.Context(), b, "k", []byte(second), time.Time{}); !errors.Is(err, storage.ErrExists) {
			t.Errorf("created again with %q: %v", second, err)
		}
	}
	if got := get(t, b, "k"); !bytes.Equal(got, first) {
		t.Errorf("now it holds %q", got)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), b, "k", []byte("after"), time.Time{}); err != nil {
		t.Errorf("create after delete: %v", err)
	}
}

func blobMismatch(t *testing.T, b storage.Blobs) {
	body := []byte("twelve bytes")
	right := certcopy.DigestOf(body)
	for name, c := range map[string]struct {
		body   []byte
		size   int64
		digest certcopy.Digest
	}{
		"shorter":      {body[:5], 12, right},
		"longer":       {append(slices.Clone(body), 'x'), 12, right},
		"other digest": {body, 12, certcopy.DigestOf([]byte("other"))},
		"other bytes":  {[]byte("twelve Bytes"), 12, right},
		"none":         {nil, 12, right},
		"some of zero": {body, 0, certcopy.DigestOf(nil)},
	} {
		if err := b.Create(t.Context(), "k/"+strings.ReplaceAll(name, " ", "-"), bytes.NewReader(c.body), c.size, c.digest, time.Time{}); err == nil {
			t.Errorf("%s: stored", name)
		}
		wantAbsent(t, b, "k/"+strings.ReplaceAll(name, " ", "-"))
	}
}

func blobReaderFails(t *testing.T, b storage.Blobs) {
	body := bytes.Repeat([]byte("x"), 100_000)
	r := io.MultiReader(bytes.NewReader(body[:60_000]), iotest.ErrReader(errors.New("the line went dead")))
	if err := b.Create(t.Context(), "k", r, int64(len(body)), certcopy.DigestOf(body), time.Time{}); err == nil || errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Errorf("created: %v", err)
	}
	wantAbsent(t, b, "k")
	if err := put(t.Context(), b, "k", body, time.Time{}); err != nil {
		t.Errorf("second try: %v", err)
	}
}

func blobContextEnded(t *testing.T, b storage.Blobs) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := put(ctx, b, "k", []byte("x"), time.Time{}); err == nil {
		t.Error("created under an ended context")
	}
	wantAbsent(t, b, "k")
}

func blobKeys(t *testing.T, b storage.Blobs) {
	for _, key := range []string{
		"", "/", "a/", "/a", "a//b", ".", "..", "../a", "a/../b", "a/..", "A", "a b", "a@", "a~", "á", "a\x00", "a\\b", "a\n",
		strings.Repeat("a", storage.MaxSegmentBytes+1), strings.Repeat("a/", 256) + "a",
	} {
		if err := put(t.Context(), b, key, []byte("x"), time.Time{}); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("create %q: %v", key, err)
		}
		if _, err := b.Stat(t.Context(), key); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("stat %q: %v", key, err)
		}
		if _, _, err := b.Open(t.Context(), key); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("open %q: %v", key, err)
		}
		if err := b.Delete(t.Context(), key); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("delete %q: %v", key, err)
		}
	}
	for _, key := range []string{"a", "a/b", "a/b/c", "a.b", ".a", "a..b", "...", "-", "_", strings.Repeat("a", 200), strings.Repeat("b/", 200) + "c"} {
		if err := put(t.Context(), b, key, []byte(key), time.Time{}); err != nil {
			t.Errorf("create %q: %v", key, err)
			continue
		}
		if got := get(t, b, key); string(got) != key {
			t.Errorf("%q holds %q", key, got)
		}
	}
}

func blobRace(t *testing.T, b storage.Blobs) {
	const writers = 20
	results := make([]error, writers)
	body := func(i int) []byte { return bytes.Repeat(fmt.Appendf(nil, "writer %02d\n", i), 2000) }
	begin := make(chan struct{})
	var wg sync.WaitGroup
	for i := range writers {
		wg.Go(func() {
			<-begin
			results[i] = put(t.Context(), b, "deep/er/k", body(i), time.Time{})
		})
	}
	close(begin)
	wg.Wait()
	winner := -1
	for i, err := range results {
		switch {
		case err == nil && winner >= 0:
			t.Errorf("writers %d and %d both created it", winner, i)
		case err == nil:
			winner = i
		case !errors.Is(err, storage.ErrExists):
			t.Errorf("writer %d: %v", i, err)
		}
	}
	if winner < 0 {
		t.Fatal("nobody created it")
	}
	if !bytes.Equal(get(t, b, "deep/er/k"), body(winner)) {
		t.Error("the bytes are not the winner's")
	}
}

func blobAbsent(t *testing.T, b storage.Blobs) {
	if _, _, err := b.Open(t.Context(), "none"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("open: %v", err)
	}
	if _, err := b.Stat(t.Context(), "none/at/all"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("stat: %v", err)
	}
	if err := b.Delete(t.Context(), "none"); err != nil {
		t.Errorf("delete: %v", err)
	}
}

func blobList(t *testing.T, b storage.Blobs) {
	keys := []string{"a", "a-b", "a.b", "a/b", "a/b-c", "a/b/c", "a/b0", "a0", "b/1", "b/10", "b/2"}
	for _, i := range []int{5, 3, 8, 0, 10, 2, 7, 1, 9, 4, 6} {
		if err := put(t.Context(), b, keys[i], []byte(keys[i]), time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	for _, prefix := range []string{"", "a", "a/", "a/b", "b/1", "b", "c", "a/b/c/d"} {
		var want, got []string
		for _, k := range keys {
			if strings.HasPrefix(k, prefix) {
				want = append(want, k)
			}
		}
		for info, err := range b.List(t.Context(), prefix) {
			if err != nil {
				t.Fatal(err)
			}
			if info.Digest != certcopy.DigestOf([]byte(info.Key)) || info.Size != int64(len(info.Key)) {
				t.Errorf("listed %+v", info)
			}
			got = append(got, info.Key)
		}
		if !slices.Equal(got, want) {
			t.Errorf("prefix %q: %q, want %q", prefix, got, want)
		}
	}
	n := 0
	for _, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n == 3 {
			break
		}
	}
}

func blobLock(t *testing.T, b storage.Blobs) {
	till := time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	if err := put(t.Context(), b, "locked", []byte("x"), till); err != nil {
		t.Fatal(err)
	}
	info, err := b.Stat(t.Context(), "locked")
	if err != nil || info.LockedTill.Sub(till).Abs() > time.Second {
		t.Errorf("locked till %s, %v; want %s", info.LockedTill, err, till)
	}
	if err := b.Delete(t.Context(), "locked"); !errors.Is(err, storage.ErrLocked) {
		t.Errorf("delete: %v, want locked", err)
	}
	if err := put(t.Context(), b, "locked", []byte("y"), time.Time{}); !errors.Is(err, storage.ErrExists) {
		t.Errorf("create over it: %v", err)
	}
	if got := get(t, b, "locked"); string(got) != "x" {
		t.Errorf("holds %q", got)
	}
}
