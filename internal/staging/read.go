package staging

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/saoy/saoy/storage"
)

// Open returns the file that a complete upload is: its pieces one after the other, each
// checked against its digest. storage.ErrConflict if it is not complete.
func (a *Area) Open(ctx context.Context, u Upload) (io.ReadCloser, error) {
	pieces, err := a.Ledger.Pieces(ctx, u.ID)
	if err != nil {
		return nil, err
	}
	var at int64
	for _, p := range pieces {
		if p.At != at {
			return nil, fmt.Errorf("upload %s: piece at %d, want %d: %w", u.ID, p.At, at, storage.ErrDamaged)
		}
		at += p.Size
	}
	if at != u.Size {
		return nil, fmt.Errorf("upload %s: %d of %d bytes: %w", u.ID, at, u.Size, storage.ErrConflict)
	}
	return &file{ctx: ctx, blobs: a.Blobs, upload: u.ID, pieces: pieces}, nil
}

// file reads pieces in order, one open at a time.
type file struct {
	ctx    context.Context //nolint:containedctx // io.Reader has no room for it
	blobs  storage.Blobs
	upload string
	pieces []Piece
	now    io.ReadCloser
	left   int64 // of the open piece
}

func (f *file) Read(b []byte) (int, error) {
	for {
		if f.now == nil {
			if len(f.pieces) == 0 {
				return 0, io.EOF
			}
			if err := f.next(); err != nil {
				return 0, err
			}
		}
		n, err := f.now.Read(b)
		f.left -= int64(n)
		switch {
		case err == nil:
			return n, nil
		case !errors.Is(err, io.EOF):
			return n, fmt.Errorf("upload %s: %w", f.upload, err)
		case f.left != 0:
			return n, fmt.Errorf("upload %s: %d bytes are missing: %w", f.upload, f.left, storage.ErrDamaged)
		}
		if err := f.Close(); err != nil || n > 0 {
			return n, err
		}
	}
}

func (f *file) next() (err error) {
	p := f.pieces[0]
	f.pieces, f.left = f.pieces[1:], p.Size
	f.now, _, err = f.blobs.Open(f.ctx, p.key(f.upload))
	return err
}

// Close closes the piece that is open.
func (f *file) Close() (err error) {
	if f.now != nil {
		err = f.now.Close()
		f.now = nil
	}
	return err
}

// Sweep gives up uploads to which nothing was added for Lifetime, and removes pieces that
// belong to none. It may run anywhere at any time; call it now and then. It returns how many
// uploads and pieces it removed.
func (a *Area) Sweep(ctx context.Context) (removed int, err error) {
	before := a.Now().Add(-Lifetime)
	stale, err := a.Ledger.StaleUploads(ctx, before)
	if err != nil {
		return 0, err
	}
	for _, id := range stale {
		if err := a.Drop(ctx, id); err != nil {
			return removed, err
		}
		removed++
	}
	orphans := map[string]bool{}
	for info, err := range a.Blobs.List(ctx, prefix) {
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			return removed, err
		}
		if info.CreatedAt.After(before) {
			continue // its upload may be younger than the answer about it
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(info.Key, prefix), "/")
		orphan, asked := orphans[id]
		if !asked {
			_, err := a.Ledger.StagedUpload(ctx, id)
			if orphan = errors.Is(err, storage.ErrNotFound); err != nil && !orphan {
				return removed, err
			}
			orphans[id] = orphan
		}
		if orphan {
			if err := a.Blobs.Delete(ctx, info.Key); err != nil {
				return removed, err
			}
			removed++
		}
	}
	return removed, nil
}
