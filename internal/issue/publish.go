package issue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// checkpointPrefix is where signed checkpoints lie; sizes are padded so that the order of
// names is the order of sizes.
const checkpointPrefix = "checkpoint/"

func checkpointKey(size int64) string { return fmt.Sprintf("%s%019d", checkpointPrefix, size) }

// Publish signs the head of the log, if it has grown, stores the checkpoint create-once among
// the public objects, and then releases every copy whose leaf it covers. Callers space calls
// at least a second apart. Several processes may call it at once.
//
// An error wrapping register.ErrInconsistent means that the ledger is not the one that was
// signed before: nothing more may be appended until an operator has found out why.
func (f *Flow) Publish(ctx context.Context) (released []certcopy.CopyID, err error) {
	// In this order: the log never shrinks, so the head read last is not older than the checkpoint.
	recorded, last, err := f.Ledger.Checkpoint(ctx)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	size, root, err := f.Ledger.Head(ctx)
	if err != nil {
		return nil, err
	}
	if recorded == size {
		return nil, f.unchanged(last, root)
	}
	signed, err := f.Log.Checkpoint(last, size, root, f.hashes(ctx))
	if err != nil {
		return nil, fmt.Errorf("checkpoint at %d: %w", size, err)
	}
	crash("publish.signed")
	if err := f.storeCheckpoint(ctx, size, signed); err != nil {
		return nil, fmt.Errorf("checkpoint at %d: %w", size, err)
	}
	crash("publish.stored")
	released, err = f.Ledger.Publish(ctx, size, signed)
	crash("publish.recorded")
	if errors.Is(err, storage.ErrConflict) {
		return nil, nil // another process published this head or a later one
	}
	return released, err
}

// unchanged compares the root of a log that has not grown with its last checkpoint.
func (f *Flow) unchanged(last []byte, root certcopy.Digest) error {
	if last == nil {
		return nil
	}
	c, err := f.Log.Log().OpenCheckpoint(last)
	if err == nil && c.Root != root {
		err = fmt.Errorf("%w: another root at size %d", register.ErrInconsistent, c.Size)
	}
	return err
}

// storeCheckpoint writes a checkpoint create-once. Signing is deterministic, so one that is
// there already must be the same bytes.
func (f *Flow) storeCheckpoint(ctx context.Context, size int64, signed []byte) error {
	err := f.Public.Create(ctx, checkpointKey(size), bytes.NewReader(signed), int64(len(signed)), certcopy.DigestOf(signed), time.Time{})
	if !errors.Is(err, storage.ErrExists) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		return err
	}
	stored, err := f.storedCheckpoint(ctx, checkpointKey(size))
	if err == nil && !bytes.Equal(stored, signed) {
		return fmt.Errorf("%w: another tree of size %d was signed before", register.ErrInconsistent, size)
	}
	return err
}

func (f *Flow) storedCheckpoint(ctx context.Context, key string) ([]byte, error) {
	body, _, err := f.Public.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	var b bytes.Buffer
	_, err = b.ReadFrom(body)
	return b.Bytes(), err
}

func (f *Flow) hashes(ctx context.Context) tlog.HashReader {
	return register.HashReader(func(indexes []int64) ([]certcopy.Digest, error) { return f.Ledger.ReadHashes(ctx, indexes) })
}

// CheckLog compares the ledger's tree with the newest checkpoint among the public objects. It
// is asked at start-up and after a restore, before anything is appended: the error wraps
// register.ErrInconsistent if the ledger holds a shorter or a different tree than was signed.
func (f *Flow) CheckLog(ctx context.Context) error {
	newest := ""
	for info, err := range f.Public.List(ctx, checkpointPrefix) {
		if err != nil {
			return fmt.Errorf("checkpoints: %w", err)
		}
		newest = info.Key
	}
	if newest == "" {
		return nil
	}
	signed, err := f.storedCheckpoint(ctx, newest)
	if err != nil {
		return fmt.Errorf("%s: %w", newest, err)
	}
	size, root, err := f.Ledger.Head(ctx)
	if err != nil {
		return err
	}
	return f.Log.Log().CheckGrowth(signed, register.Checkpoint{Origin: f.Log.Log().Origin(), Size: size, Root: root}, f.hashes(ctx))
}
