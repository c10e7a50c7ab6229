package issue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// cleanDocument returns the clean document of a copy.
func (f *Flow) cleanDocument(ctx context.Context, c certcopy.Copy) ([]byte, error) {
	return f.read(ctx, storage.FileRef{Key: cleanKey(c.ID, c.Clean.Digest), Digest: c.Clean.Digest, Size: c.Clean.Size})
}

func cleanKey(id certcopy.CopyID, d certcopy.Digest) string {
	return "clean/" + string(id) + "/" + d.String() + ".pdf"
}

// stateFile returns the file that a state left in the scratch store.
func (f *Flow) stateFile(ctx context.Context, id certcopy.CopyID, s certcopy.State) ([]byte, error) {
	ref, err := f.Ledger.File(ctx, id, s)
	if err != nil {
		return nil, err
	}
	return f.read(ctx, ref)
}

// read returns the bytes of a file in the scratch store, if they are those that were written.
func (f *Flow) read(ctx context.Context, ref storage.FileRef) ([]byte, error) {
	body, info, err := f.Scratch.Open(ctx, ref.Key)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", ref.Key, err)
	}
	defer body.Close()
	if info.Size != ref.Size {
		return nil, fmt.Errorf("read %s: %w: %d bytes, want %d", ref.Key, storage.ErrDamaged, info.Size, ref.Size)
	}
	b := make([]byte, ref.Size)
	if _, err := io.ReadFull(body, b); err != nil {
		return nil, fmt.Errorf("read %s: %w", ref.Key, err)
	}
	if certcopy.DigestOf(b) != ref.Digest {
		return nil, fmt.Errorf("read %s: %w", ref.Key, storage.ErrDamaged)
	}
	return b, nil
}

// SharedKey returns the key of a copy's final file, for a sharing link to carry; see
// vault.Vault.FileKey.
func (f *Flow) SharedKey(ctx context.Context, id certcopy.CopyID) (certcopy.Secret, error) {
	return f.Vault.FileKey(ctx, id)
}

// keep stores a file in the scratch store create-once under a name that holds its digest, so
// that a file which is there already is the same file.
func (f *Flow) keep(ctx context.Context, prefix string, b []byte) (storage.FileRef, error) {
	d := certcopy.DigestOf(b)
	ref := storage.FileRef{Key: prefix + "/" + d.String() + ".pdf", Digest: d, Size: int64(len(b))}
	err := f.Scratch.Create(ctx, ref.Key, bytes.NewReader(b), ref.Size, d, time.Time{})
	if err == nil || !errors.Is(err, storage.ErrExists) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		return ref, err
	}
	if _, there := f.read(ctx, ref); there != nil {
		return ref, fmt.Errorf("%w; reading it back: %w", err, there)
	}
	return ref, nil
}
