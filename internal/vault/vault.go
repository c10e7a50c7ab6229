// Package vault keeps the final files: each encrypted at rest with a random key of its own,
// so that destroying the key erases the file wherever its bytes lie.
//
// The cipher is age (age-encryption.org/v1): a file is encrypted to an X25519 identity made
// for it, and that identity is encrypted to the installation's master recipient and kept in
// the ledger. With the master identity, the wrapped key and the object an operator can
// recover a file with the age command alone.
package vault

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Keys is where wrapped file keys are kept; a storage.Ledger is one.
type Keys interface {
	// PutFileKey stores a wrapped key create-once and returns the stored one.
	PutFileKey(ctx context.Context, id certcopy.CopyID, wrapped []byte) ([]byte, error)
	// FileKey returns the stored key; storage.ErrNotFound once erased.
	FileKey(ctx context.Context, id certcopy.CopyID) ([]byte, error)
}

// Vault encrypts and keeps final files.
type Vault struct {
	Blobs  storage.Blobs
	Keys   Keys
	Master *age.X25519Identity
	// Retention is how long an object is locked from the day it is stored; zero: not locked.
	Retention time.Duration
}

// Key returns the object key of a copy's file: "copies/<copy>/<digest of the plain file>".
func Key(id certcopy.CopyID, digest certcopy.Digest) string {
	return "copies/" + string(id) + "/" + digest.String()
}

// Put stores file for the copy, durably and create-once: a second call with the same bytes
// finds the first one's object and succeeds. It never replaces an object. now is the time
// from which retention counts.
func (v *Vault) Put(ctx context.Context, id certcopy.CopyID, file []byte, now time.Time) error {
	digest := certcopy.DigestOf(file)
	identity, err := v.fileKey(ctx, id)
	if err != nil {
		return fmt.Errorf("vault: key of %s: %w", id, err)
	}
	var sealed bytes.Buffer
	sealed.Grow(len(file) + len(file)/1000 + 1024)
	if err := encrypt(&sealed, file, identity.Recipient()); err != nil {
		return fmt.Errorf("vault: encrypt %s: %w", id, err)
	}
	var lockedTill time.Time
	if v.Retention > 0 {
		lockedTill = now.Add(v.Retention)
	}
	err = v.Blobs.Create(ctx, Key(id, digest), bytes.NewReader(sealed.Bytes()), int64(sealed.Len()),
		certcopy.DigestOf(sealed.Bytes()), lockedTill)
	if err == nil || !errors.Is(err, storage.ErrExists) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		return err
	}
	// An earlier attempt stored it, or this one did without an answer. The cipher is
	// randomised, so what lies there is compared as plain bytes.
	_, readErr := v.Open(ctx, id, digest)
	if readErr != nil {
		return fmt.Errorf("vault: %w; reading it back: %w", err, readErr)
	}
	return nil
}

// Open returns the plain bytes of a copy's file; storage.ErrNotFound if there is none or its
// key was destroyed, storage.ErrDamaged if the object is not what was stored.
func (v *Vault) Open(ctx context.Context, id certcopy.CopyID, digest certcopy.Digest) ([]byte, error) {
	identity, err := v.storedKey(ctx, id)
	if err != nil {
		return nil, err
	}
	return open(ctx, v.Blobs, identity, id, digest)
}

// FileKey returns the key of a copy's file, to be encrypted for somebody who may read that one
// file; the errors are those of Open.
func (v *Vault) FileKey(ctx context.Context, id certcopy.CopyID) (certcopy.Secret, error) {
	identity, err := v.storedKey(ctx, id)
	if err != nil {
		return certcopy.Secret{}, err
	}
	return certcopy.NewSecret([]byte(identity.String())), nil
}

// Shared reads files for whoever brings their keys. It has no master key.
type Shared struct{ Blobs storage.Blobs }

// Open is Vault.Open with the key that FileKey returned.
func (s Shared) Open(ctx context.Context, key certcopy.Secret, id certcopy.CopyID, digest certcopy.Digest) ([]byte, error) {
	identity, err := age.ParseX25519Identity(string(key.Reveal()))
	if err != nil {
		// Its cause could repeat the key.
		return nil, fmt.Errorf("vault: key of %s: %w", id, storage.ErrDamaged)
	}
	return open(ctx, s.Blobs, identity, id, digest)
}

func (v *Vault) storedKey(ctx context.Context, id certcopy.CopyID) (*age.X25519Identity, error) {
	wrapped, err := v.Keys.FileKey(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("vault: key of %s: %w", id, err)
	}
	identity, err := v.unwrap(wrapped)
	if err != nil {
		return nil, fmt.Errorf("vault: key of %s: %w: %w", id, storage.ErrDamaged, err)
	}
	return identity, nil
}

// open reads, decrypts and compares with the digest.
func open(ctx context.Context, blobs storage.Blobs, identity age.Identity, id certcopy.CopyID, digest certcopy.Digest) ([]byte, error) {
	body, _, err := blobs.Open(ctx, Key(id, digest))
	if err != nil {
		return nil, fmt.Errorf("vault: %s: %w", id, err)
	}
	defer body.Close()
	plain, err := age.Decrypt(body, identity)
	if err != nil {
		return nil, fmt.Errorf("vault: decrypt %s: %w: %w", id, storage.ErrDamaged, err)
	}
	file, err := io.ReadAll(plain)
	if err != nil {
		return nil, fmt.Errorf("vault: decrypt %s: %w: %w", id, storage.ErrDamaged, err)
	}
	if certcopy.DigestOf(file) != digest {
		return nil, fmt.Errorf("vault: %s: %w: the digest differs", id, storage.ErrDamaged)
	}
	return file, nil
}

// fileKey returns the copy's identity, making it on first use. Whoever loses the race uses
// the winner's.
func (v *Vault) fileKey(ctx context.Context, id certcopy.CopyID) (*age.X25519Identity, error) {
	wrapped, err := v.Keys.FileKey(ctx, id)
	if err == nil {
		return v.unwrap(wrapped)
	}
	if !errors.Is(err, storage.ErrNotFound) {
		return nil, err
	}
	fresh, err := age.GenerateX25519Identity()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if err := encrypt(&b, []byte(fresh.String()), v.Master.Recipient()); err != nil {
		return nil, err
	}
	stored, err := v.Keys.PutFileKey(ctx, id, b.Bytes())
	if err != nil {
		return nil, err
	}
	return v.unwrap(stored)
}

func (v *Vault) unwrap(wrapped []byte) (*age.X25519Identity, error) {
	r, err := age.Decrypt(bytes.NewReader(wrapped), v.Master)
	if err != nil {
		return nil, err
	}
	text, err := io.ReadAll(io.LimitReader(r, 256))
	if err != nil {
		return nil, err
	}
	return age.ParseX25519Identity(string(text))
}

func encrypt(w io.Writer, plain []byte, to age.Recipient) error {
	e, err := age.Encrypt(w, to)
	if err != nil {
		return err
	}
	if _, err := e.Write(plain); err != nil {
		return err
	}
	return e.Close()
}
