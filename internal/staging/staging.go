// Package staging takes files that arrive in pieces over a line that breaks, and keeps each
// piece from the moment it is durable: an upload goes on where it stopped, after a cut, a
// reload, or a restart of the server.
//
// A piece is one object of any size in the scratch store, "staging/UPLOAD/OFFSET-DIGEST"; how far
// an upload has come is one number in the ledger, which moves by compare-and-set. A piece whose
// number did not move belongs to nobody and is swept.
package staging

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/google/uuid"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Limits of uploads.
const (
	// PieceBytes is how much is received before it is made durable.
	PieceBytes = 1 << 20
	// Lifetime is how long an upload to which nothing is added is kept.
	Lifetime = 24 * time.Hour
	// MaxFiles and MaxBytes bound what one person may have on the way for one copy.
	MaxFiles = certcopy.MaxPages
	MaxBytes = 8 * certcopy.MaxUploadBytes
)

// Upload is a file on its way.
type Upload struct {
	ID       string // a UUID
	Copy     certcopy.CopyID
	Account  certcopy.AccountID // who sends it; nobody else may add to it
	FileName string             // as people see it
	Modified int64              // of the file at its sender, in ms since 1970; 0 if unknown
	Size     int64
	Received int64
	Changed  time.Time // when something arrived last
}

// Complete reports whether all of the file is there.
func (u Upload) Complete() bool { return u.Received == u.Size }

// Expires is when the upload will be given up unless more arrives.
func (u Upload) Expires() time.Time { return u.Changed.Add(Lifetime) }

// Piece is a part of an upload that is durable.
type Piece struct {
	At     int64
	Size   int64
	Digest certcopy.Digest
}

func (p Piece) key(upload string) string {
	return fmt.Sprintf("%s%s/%012d-%s", prefix, upload, p.At, p.Digest)
}

const prefix = "staging/"

// Ledger records how far uploads have come.
type Ledger interface {
	// StartUpload records an upload of which nothing has arrived. certcopy.Invalid if with it the
	// account would have more than files or bytes on the way for the copy.
	StartUpload(ctx context.Context, u Upload, files int, bytes int64) error
	// StagedUpload returns an upload; storage.ErrNotFound.
	StagedUpload(ctx context.Context, id string) (Upload, error)
	// StagedUploads lists what an account has on the way for a copy, the oldest first.
	StagedUploads(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID) ([]Upload, error)
	// AddPiece records a piece that is durable, if the upload has come to where it begins;
	// storage.ErrConflict.
	AddPiece(ctx context.Context, id string, p Piece, now time.Time) error
	// Pieces lists the pieces of an upload in order.
	Pieces(ctx context.Context, id string) ([]Piece, error)
	// EndUpload forgets an upload and its pieces; no error if there is none.
	EndUpload(ctx context.Context, id string) error
	// StaleUploads lists uploads to which nothing was added since a time.
	StaleUploads(ctx context.Context, since time.Time) ([]string, error)
}

// Area is where uploads wait. It is safe for concurrent use, in many processes at once.
type Area struct {
	Blobs  storage.Blobs // the scratch store
	Ledger Ledger
	Now    func() time.Time
	Rand   io.Reader // the source of identifiers
}

// Start makes room for a file of u.Size bytes and returns the upload with its identifier.
// Errors: *certcopy.Error with code Invalid for a file or files beyond the limits.
func (a *Area) Start(ctx context.Context, u Upload) (Upload, error) {
	if u.Size < 0 || u.Size > certcopy.MaxUploadBytes {
		return u, errTooLarge(u.FileName, u.Size)
	}
	id, err := uuid.NewRandomFromReader(a.Rand)
	if err != nil {
		return u, fmt.Errorf("identifier: %w", err)
	}
	u.ID = id.String()
	u.Received, u.Changed = 0, a.Now()
	return u, a.Ledger.StartUpload(ctx, u, MaxFiles, MaxBytes)
}

// Find returns the upload if it belongs to the account and the copy; else storage.ErrNotFound, as
// for one that was given up.
func (a *Area) Find(ctx context.Context, id string, copy certcopy.CopyID, by certcopy.AccountID) (Upload, error) {
	u, err := a.Ledger.StagedUpload(ctx, id)
	if err == nil && (u.Copy != copy || u.Account != by || !a.Now().Before(u.Expires())) {
		return Upload{}, fmt.Errorf("upload %s: %w", id, storage.ErrNotFound)
	}
	return u, err
}

// List returns what an account has on the way for a copy.
func (a *Area) List(ctx context.Context, copy certcopy.CopyID, by certcopy.AccountID) ([]Upload, error) {
	list, err := a.Ledger.StagedUploads(ctx, copy, by)
	living := list[:0]
	for _, u := range list {
		if a.Now().Before(u.Expires()) {
			living = append(living, u)
		}
	}
	return living, err
}

// storing bounds how long a piece may take to become durable after its line has broken.
const storing = 30 * time.Second

// Append adds what body yields to an upload that has come to at, and returns how far it has come
// then. When the line breaks, what came before is kept: the error is nil then too, for the
// upload goes on from where it is. storage.ErrConflict if the upload has come to another place
// meanwhile; the bytes that were already added stay.
func (a *Area) Append(ctx context.Context, u Upload, at int64, body io.Reader) (Upload, error) {
	if at != u.Received {
		return u, fmt.Errorf("upload %s has come to %d, not to %d: %w", u.ID, u.Received, at, storage.ErrConflict)
	}
	buffer := make([]byte, min(PieceBytes, u.Size-at))
	for !u.Complete() {
		n, end := io.ReadFull(body, buffer[:min(PieceBytes, u.Size-u.Received)])
		if n > 0 {
			if err := a.add(ctx, &u, buffer[:n]); err != nil {
				return u, err
			}
		}
		if end != nil {
			return u, nil //nolint:nilerr // a broken line and a short body both mean: not all yet
		}
	}
	return u, nil
}

// add makes a piece durable, then counts it. It goes on without the one who sent it.
func (a *Area) add(ctx context.Context, u *Upload, b []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storing)
	defer cancel()
	p := Piece{At: u.Received, Size: int64(len(b)), Digest: certcopy.DigestOf(b)}
	err := a.Blobs.Create(ctx, p.key(u.ID), bytes.NewReader(b), p.Size, p.Digest, time.Time{})
	// The key names the digest: a piece that is there already is this one.
	if err != nil && !errors.Is(err, storage.ErrExists) {
		return fmt.Errorf("upload %s: %w", u.ID, err)
	}
	now := a.Now()
	if err := a.Ledger.AddPiece(ctx, u.ID, p, now); err != nil {
		return fmt.Errorf("upload %s at %d: %w", u.ID, p.At, err)
	}
	u.Received, u.Changed = u.Received+p.Size, now
	return nil
}

// Drop gives an upload up. What is left of it after a crash is swept.
func (a *Area) Drop(ctx context.Context, id string) error {
	if err := a.Ledger.EndUpload(ctx, id); err != nil {
		return err
	}
	return a.remove(ctx, prefix+id+"/")
}

func (a *Area) remove(ctx context.Context, prefix string) error {
	for info, err := range a.Blobs.List(ctx, prefix) {
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			return err
		}
		if err := a.Blobs.Delete(ctx, info.Key); err != nil {
			return err
		}
	}
	return nil
}

func errTooLarge(name string, size int64) error {
	return certcopy.Errorf(certcopy.Invalid, name, nil, certcopy.Msg(
		fmt.Sprintf("Tệp lớn %d MiB, giới hạn là %d MiB. Hãy quét lại ở 200–300 dpi hoặc tách thành nhiều tệp.", size>>20, certcopy.MaxUploadBytes>>20),
		fmt.Sprintf("The file has %d MiB; the limit is %d MiB. Scan again at 200–300 dpi or split it into several files.", size>>20, certcopy.MaxUploadBytes>>20)))
}

// ErrTooMany is what Ledger.StartUpload answers beyond its limits.
func ErrTooMany() error {
	return certcopy.Errorf(certcopy.Invalid, "files", nil, certcopy.Msg(
		"Đang có quá nhiều tệp tải lên dở cho giấy tờ này. Hãy đưa các tệp đã đến vào bản sao, hoặc bỏ bớt, rồi tải tiếp.",
		"Too many files are on the way for this document. Add those that have arrived to the copy, or drop some, then go on."))
}
