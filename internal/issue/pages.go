package issue

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Widths of page pictures that are drawn, in pixels; a request is answered with the next
// larger one, so that few are kept.
var pageWidths = []int{200, 480, 960, 1600, 2480}

// PageImage returns a page, from 1, as a JPEG about widthPx wide: of the stamped, signed or
// final file where there is one, else of the clean document. Pictures are kept by the
// document's digest.
func (f *Flow) PageImage(ctx context.Context, id certcopy.CopyID, page, widthPx int) ([]byte, error) {
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return nil, err
	}
	width := pageWidths[len(pageWidths)-1]
	for _, w := range pageWidths {
		if w >= widthPx {
			width = w
			break
		}
	}
	digest, load, err := f.shown(ctx, c)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprintf("previews/%s/%s/%d-%d.jpg", c.ID, digest, page, width)
	if picture, err := f.picture(ctx, key); err == nil {
		return picture, nil
	}
	file, err := load()
	if err != nil {
		return nil, err
	}
	picture, err := f.Render.Page(ctx, file, page, width)
	if err != nil {
		return nil, err
	}
	// A picture that cannot be kept is drawn again next time.
	_ = f.Scratch.Create(ctx, key, bytes.NewReader(picture), int64(len(picture)), certcopy.DigestOf(picture), time.Time{})
	return picture, nil
}

// picture returns a kept picture, whole or not at all.
func (f *Flow) picture(ctx context.Context, key string) ([]byte, error) {
	body, _, err := f.Scratch.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// shown returns the digest of the file that stands for a copy now, and a way to read it.
func (f *Flow) shown(ctx context.Context, c certcopy.Copy) (certcopy.Digest, func() ([]byte, error), error) {
	switch c.State {
	case certcopy.Registered, certcopy.Released, certcopy.Annulled:
		return c.Final.Digest, func() ([]byte, error) { return f.Vault.Open(ctx, c.ID, c.Final.Digest) }, nil
	case certcopy.Stamped, certcopy.Signed, certcopy.Sealed:
		ref, err := f.Ledger.File(ctx, c.ID, c.State)
		return ref.Digest, func() ([]byte, error) { return f.read(ctx, ref) }, err
	}
	if c.Clean.Digest.IsZero() {
		return certcopy.Digest{}, nil, fmt.Errorf("copy %s has no pages: %w", c.ID, storage.ErrNotFound)
	}
	return c.Clean.Digest, func() ([]byte, error) { return f.cleanDocument(ctx, c) }, nil
}

// Final returns the released file of a copy and what is recorded of it.
func (f *Flow) Final(ctx context.Context, id certcopy.CopyID) (io.ReadCloser, certcopy.FinalFile, error) {
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return nil, certcopy.FinalFile{}, err
	}
	if c.State != certcopy.Released && c.State != certcopy.Annulled {
		return nil, certcopy.FinalFile{}, fmt.Errorf("copy %s is %s: %w", id, c.State, storage.ErrConflict)
	}
	file, err := f.Vault.Open(ctx, id, c.Final.Digest)
	if err != nil {
		return nil, certcopy.FinalFile{}, err
	}
	return io.NopCloser(bytes.NewReader(file)), c.Final, nil
}
