package storagetest

import (
	"context"
	"io"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// FaultyBlobs passes calls on, but for those the switch makes fail.
type FaultyBlobs struct {
	storage.Blobs
	Switch *Switch
}

var _ storage.Blobs = FaultyBlobs{}

// Create is the operation "Create".
func (b FaultyBlobs) Create(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error {
	return do(b.Switch, "Create", func() error { return b.Blobs.Create(ctx, key, r, size, digest, lockedTill) })
}

type opened struct {
	body io.ReadCloser
	info storage.BlobInfo
}

// Open is the operation "Open".
func (b FaultyBlobs) Open(ctx context.Context, key string) (io.ReadCloser, storage.BlobInfo, error) {
	o, err := read(b.Switch, "Open", func() (o opened, err error) {
		o.body, o.info, err = b.Blobs.Open(ctx, key)
		return o, err
	})
	return o.body, o.info, err
}

// Stat is the operation "Stat".
func (b FaultyBlobs) Stat(ctx context.Context, key string) (storage.BlobInfo, error) {
	return read(b.Switch, "Stat", func() (storage.BlobInfo, error) { return b.Blobs.Stat(ctx, key) })
}

// Delete is the operation "Delete".
func (b FaultyBlobs) Delete(ctx context.Context, key string) error {
	return do(b.Switch, "Delete", func() error { return b.Blobs.Delete(ctx, key) })
}

// List is the operation "List"; a fault comes before the first object.
func (b FaultyBlobs) List(ctx context.Context, prefix string) iter.Seq2[storage.BlobInfo, error] {
	return func(yield func(storage.BlobInfo, error) bool) {
		if _, err := read(b.Switch, "List", func() (struct{}, error) { return struct{}{}, nil }); err != nil {
			yield(storage.BlobInfo{}, err)
			return
		}
		b.Blobs.List(ctx, prefix)(yield)
	}
}
