package s3

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Names of response headers.
const (
	lockDateHeader = "X-Amz-Object-Lock-Retain-Until-Date"
	lockModeHeader = "X-Amz-Object-Lock-Mode"
	holdHeader     = "X-Amz-Object-Lock-Legal-Hold"
)

// Stat describes the object; ErrDamaged if its size or checksum are not those it was given.
func (s *Store) Stat(ctx context.Context, key string) (storage.BlobInfo, error) {
	if err := storage.CheckKey(key); err != nil {
		return storage.BlobInfo{}, err
	}
	o, err := s.client.StatObject(ctx, s.bucket, s.name(key), minio.StatObjectOptions{Checksum: true})
	if err != nil {
		return storage.BlobInfo{}, fmt.Errorf("stat %s: %w", key, s.absent(ctx, err))
	}
	info, err := describe(key, o)
	if err != nil {
		return info, fmt.Errorf("stat %s: %w", key, err)
	}
	return info, nil
}

// absent is readFailed for a request whose 404 does not say what is absent.
func (s *Store) absent(ctx context.Context, err error) error {
	err = s.readFailed(ctx, err)
	if errors.Is(err, storage.ErrNotFound) {
		if gone := s.bucketExists(ctx); gone != nil {
			return gone
		}
	}
	return err
}

// Open returns the object's bytes; whoever reads them to the end learns whether they are
// those that were written. A connection lost on the way is ErrUnavailable.
func (s *Store) Open(ctx context.Context, key string) (io.ReadCloser, storage.BlobInfo, error) {
	if err := storage.CheckKey(key); err != nil {
		return nil, storage.BlobInfo{}, err
	}
	body, o, _, err := s.client.GetObject(ctx, s.bucket, s.name(key), minio.GetObjectOptions{})
	if err != nil {
		return nil, storage.BlobInfo{}, fmt.Errorf("open %s: %w", key, s.absentFromGet(ctx, err))
	}
	info, err := describe(key, o)
	if err != nil {
		return nil, info, errors.Join(fmt.Errorf("open %s: %w", key, err), body.Close())
	}
	return &reader{ctx: ctx, body: body, left: info.Size, sum: sha256.New(), want: info.Digest}, info, nil
}

// absentFromGet trusts a 404 with the code of S3 and asks again about one without.
func (s *Store) absentFromGet(ctx context.Context, err error) error {
	if r, _ := response(err); r.Code == noSuchKey && r.inFull() {
		return storage.ErrNotFound
	}
	return s.absent(ctx, err)
}

// describe reads what Create wrote beside the object and holds it against the store's own
// account of it.
func describe(key string, o minio.ObjectInfo) (storage.BlobInfo, error) {
	info := storage.BlobInfo{Key: key, Size: o.Size, CreatedAt: o.LastModified.UTC()}
	var err error
	if info.LockedTill, err = lockOf(o.Headers); err != nil {
		return info, err
	}
	if info.Digest, err = certcopy.ParseDigest(o.Headers.Get(metaDigest)); err != nil {
		return info, fmt.Errorf("%w: its description cannot be read: %v", storage.ErrDamaged, err)
	}
	if was := o.Headers.Get(metaKey); was != key {
		return info, fmt.Errorf("%w: it is the object %.80q", storage.ErrDamaged, was)
	}
	size, err := strconv.ParseInt(o.Headers.Get(metaSize), 10, 64)
	if err != nil || size < 0 || o.Size >= 0 && o.Size != size { // -1: a machine in between has cut off the length
		return info, fmt.Errorf("%w: %d bytes of %.20q", storage.ErrDamaged, o.Size, o.Headers.Get(metaSize))
	}
	info.Size = size
	if sum := o.Headers.Get(checksumHeader); sum != "" && sum != checksum(info.Digest) {
		return info, fmt.Errorf("%w: the store's checksum is %.60q", storage.ErrDamaged, sum)
	}
	return info, nil
}

// lockOf reads the end of retention from an object's headers. (Asking for it by a request of its
// own does not work on every store.)
func lockOf(h http.Header) (time.Time, error) {
	date := h.Get(lockDateHeader)
	if date == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return t, fmt.Errorf("%w: retained until %.40q", storage.ErrDamaged, date)
	}
	return t.UTC(), nil
}

// reader checks the digest as it goes.
type reader struct {
	ctx  context.Context //nolint:containedctx // of the request whose answer it is
	body io.ReadCloser
	left int64
	sum  hash.Hash
	want certcopy.Digest
}

// Read returns ErrDamaged in place of the end if the bytes are not those that were written.
func (r *reader) Read(p []byte) (int, error) {
	if r.left == 0 {
		if certcopy.Digest(r.sum.Sum(nil)) != r.want {
			return 0, fmt.Errorf("%w: the digest is not %s", storage.ErrDamaged, r.want)
		}
		return 0, io.EOF
	}
	n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	r.sum.Write(p[:n])
	switch {
	case err == nil || errors.Is(err, io.EOF) && r.left == 0:
		return n, nil
	case errors.Is(err, io.EOF):
		err = io.ErrUnexpectedEOF
	}
	return n, unavailable(r.ctx, err)
}

// Close ends the request.
func (r *reader) Close() error { return r.body.Close() }
