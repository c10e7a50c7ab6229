package storage

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Errors of both contracts. An implementation wraps them; drivers' errors do not pass.
var (
	// ErrNotFound: there is no such thing.
	ErrNotFound = errors.New("not found")
	// ErrExists: the key is taken; nothing was changed. Whoever loses reads the winner.
	ErrExists = errors.New("exists already")
	// ErrConflict: the thing is not in the state or revision the writer named; nothing was
	// changed.
	ErrConflict = errors.New("changed meanwhile")
	// ErrUnavailable: the store does not answer; nothing was changed; try again later.
	ErrUnavailable = errors.New("store unavailable")
	// ErrOutcomeUnknown: the write may or may not have happened; read back, never retry blindly.
	ErrOutcomeUnknown = errors.New("outcome unknown")
	// ErrDamaged: what is stored is not what was written; it was left where it is.
	ErrDamaged = errors.New("stored bytes are damaged")
	// ErrLocked: retention forbids it until a later date.
	ErrLocked = errors.New("locked by retention")
)

// BlobInfo describes one stored object.
type BlobInfo struct {
	Key        string
	Size       int64
	Digest     certcopy.Digest // of the stored bytes
	CreatedAt  time.Time
	LockedTill time.Time // zero: not locked
}

// Blobs keeps objects under keys. A key is 1 to 512 bytes of [a-z0-9._-] segments joined by
// "/"; no segment is empty, longer than 200 bytes, "." or ".." (CheckKey). Anything else is
// refused as certcopy.Invalid.
//
// There are two stores of this contract in an installation: the vault, whose objects are
// locked until a date, and the scratch store, whose objects may be deleted.
type Blobs interface {
	// Create stores size bytes of r under key, if the key is free. It returns only after the
	// bytes are durable and only if their digest is digest; a wrong size or digest is an
	// error and leaves nothing behind. ErrExists if the key is taken, whatever its bytes.
	Create(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error
	// Open returns the object's bytes. Reading to the end fails with ErrDamaged if they are not
	// those that were written.
	Open(ctx context.Context, key string) (io.ReadCloser, BlobInfo, error)
	// Stat describes the object without reading its bytes.
	Stat(ctx context.Context, key string) (BlobInfo, error)
	// Delete removes the object; ErrLocked before its date; no error if there is none.
	Delete(ctx context.Context, key string) error
	// List yields the objects whose key begins with prefix, in the order of their keys. One that
	// is damaged is yielded with its key and ErrDamaged, and the listing goes on.
	List(ctx context.Context, prefix string) iter.Seq2[BlobInfo, error]
}
