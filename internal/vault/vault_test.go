package vault

import (
	"bytes"
	"context"
	"errors"
	"io"
	"iter"
	"sync"
	"testing"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

func TestFileReturnsAsItWas(t *testing.T) {
	v, blobs, _ := newVault(t)
	file := bytes.Repeat([]byte("một bản sao "), 100_000)
	if err := v.Put(t.Context(), "c1", file, time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	if err := v.Put(t.Context(), "c1", file, time.Unix(0, 0)); err != nil {
		t.Fatalf("the same file again: %v", err)
	}
	got, err := v.Open(t.Context(), "c1", certcopy.DigestOf(file))
	if err != nil || !bytes.Equal(got, file) {
		t.Fatalf("open: %d bytes, %v", len(got), err)
	}
	for key, b := range blobs.objects {
		if bytes.Contains(b, []byte("một bản sao")) {
			t.Errorf("%s holds the file in the clear", key)
		}
	}
}

func TestEveryFileHasAKeyOfItsOwn(t *testing.T) {
	v, blobs, keys := newVault(t)
	file := []byte("same bytes")
	for _, id := range []certcopy.CopyID{"c1", "c2"} {
		if err := v.Put(t.Context(), id, file, time.Time{}); err != nil {
			t.Fatal(err)
		}
	}
	digest := certcopy.DigestOf(file)
	// The object of one copy does not open with the key of another.
	blobs.objects[Key("c1", digest)] = blobs.objects[Key("c2", digest)]
	if _, err := v.Open(t.Context(), "c1", digest); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("an object of another copy: %v", err)
	}
	delete(keys.m, "c2")
	if _, err := v.Open(t.Context(), "c2", digest); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("after the key is destroyed: %v", err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	v, blobs, _ := newVault(t)
	file := bytes.Repeat([]byte{7}, 200_000)
	digest := certcopy.DigestOf(file)
	if err := v.Put(t.Context(), "c1", file, time.Time{}); err != nil {
		t.Fatal(err)
	}
	good := blobs.objects[Key("c1", digest)]
	for at := 0; at < len(good); at += len(good)/97 + 1 {
		bad := bytes.Clone(good)
		bad[at] ^= 1
		blobs.objects[Key("c1", digest)] = bad
		if _, err := v.Open(t.Context(), "c1", digest); !errors.Is(err, storage.ErrDamaged) {
			t.Fatalf("byte %d flipped: %v", at, err)
		}
	}
	blobs.objects[Key("c1", digest)] = good[:len(good)-1]
	if _, err := v.Open(t.Context(), "c1", digest); !errors.Is(err, storage.ErrDamaged) {
		t.Fatalf("cut: %v", err)
	}
}

func TestUnknownOutcomeIsReadBack(t *testing.T) {
	v, blobs, _ := newVault(t)
	blobs.afterCreate = storage.ErrOutcomeUnknown
	if err := v.Put(t.Context(), "c1", []byte("x"), time.Time{}); err != nil {
		t.Fatalf("stored, but the answer was lost: %v", err)
	}
	blobs.drop = true
	if err := v.Put(t.Context(), "c2", []byte("x"), time.Time{}); !errors.Is(err, storage.ErrOutcomeUnknown) {
		t.Fatalf("not stored, answer lost: %v", err)
	}
}

func newVault(t *testing.T) (*Vault, *memoryBlobs, *memoryKeys) {
	t.Helper()
	master, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	blobs := &memoryBlobs{objects: map[string][]byte{}}
	keys := &memoryKeys{m: map[certcopy.CopyID][]byte{}}
	return &Vault{Blobs: blobs, Keys: keys, Master: master}, blobs, keys
}

type memoryKeys struct {
	mu sync.Mutex
	m  map[certcopy.CopyID][]byte
}

func (k *memoryKeys) PutFileKey(_ context.Context, id certcopy.CopyID, w []byte) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if old, ok := k.m[id]; ok {
		return old, nil
	}
	k.m[id] = w
	return w, nil
}

func (k *memoryKeys) FileKey(_ context.Context, id certcopy.CopyID) ([]byte, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if w, ok := k.m[id]; ok {
		return w, nil
	}
	return nil, storage.ErrNotFound
}

// memoryBlobs holds objects that a test can damage.
type memoryBlobs struct {
	objects     map[string][]byte
	afterCreate error // reported although the object was stored
	drop        bool  // do not store
}

func (m *memoryBlobs) Create(_ context.Context, key string, r io.Reader, _ int64, _ certcopy.Digest, _ time.Time) error {
	if _, ok := m.objects[key]; ok {
		return storage.ErrExists
	}
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if !m.drop {
		m.objects[key] = b
	}
	return m.afterCreate
}

func (m *memoryBlobs) Open(_ context.Context, key string) (io.ReadCloser, storage.BlobInfo, error) {
	b, ok := m.objects[key]
	if !ok {
		return nil, storage.BlobInfo{}, storage.ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(b)), storage.BlobInfo{Key: key, Size: int64(len(b))}, nil
}

func (m *memoryBlobs) Stat(context.Context, string) (storage.BlobInfo, error) {
	return storage.BlobInfo{}, storage.ErrNotFound
}
func (m *memoryBlobs) Delete(context.Context, string) error { return nil }
func (m *memoryBlobs) List(context.Context, string) iter.Seq2[storage.BlobInfo, error] {
	return func(func(storage.BlobInfo, error) bool) {}
}
