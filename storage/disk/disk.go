// Package disk is Blobs in a directory of a local file system.
//
// An object is one file: a line of JSON that describes it, then its bytes, so that
//
//	tail -n +2 FILE | sha256sum
//
// is the digest in the line. It is written aside, synced, and linked into its place, which
// fails if there is one: an object exists whole or not at all, whoever is killed when, and
// of several processes that create one key exactly one wins. The file of key "a/b" is
// objects/a/b@; "@" never occurs in keys, so "a" and "a/b" can both exist.
//
// The file system must have hard links, flock and a working fsync. Locks hold against this
// program only; a store whose objects not even its administrator can delete is package s3.
package disk

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Store is the objects below one directory. It is safe for concurrent use, by several
// processes too.
type Store struct {
	root string
	now  func() time.Time
}

var _ storage.Blobs = (*Store)(nil)

// Open opens the store in dir, making the directory if absent, and removes what writers that
// were killed left unfinished. The clock decides whether a lock has run out; it is also the
// time of creation.
func Open(dir string, now func() time.Time) (*Store, error) {
	s := &Store{root: dir, now: now}
	for _, d := range []string{dir, s.objects(), s.unfinished(), filepath.Join(dir, "quarantine")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, fmt.Errorf("open %s: %w", dir, ours(err))
		}
	}
	if err := s.sweep(); err != nil {
		return nil, fmt.Errorf("open %s: %w", dir, ours(err))
	}
	return s, errors.Join(syncDir(dir), syncDir(filepath.Dir(dir)))
}

func (s *Store) objects() string    { return filepath.Join(s.root, "objects") }
func (s *Store) unfinished() string { return filepath.Join(s.root, "unfinished") }

const suffix = "@"

func (s *Store) path(key string) string {
	return filepath.Join(s.objects(), filepath.FromSlash(key)+suffix)
}

// Create stores an object, see storage.Blobs. If the power goes off before it returns, the
// object is there whole or it is not.
func (s *Store) Create(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	if _, err := os.Lstat(s.path(key)); err == nil { // spares the writing; the link decides
		return fmt.Errorf("create %s: %w", key, storage.ErrExists)
	}
	h := header{Key: key, Size: size, Digest: digest, Created: s.now().UTC(), Locked: lockedTill.UTC()}
	aside, err := s.write(ctx, h, r)
	if err != nil {
		return fmt.Errorf("create %s: %w", key, ours(err))
	}
	defer aside.discard()
	if err := s.place(aside.Name(), key); err != nil {
		return fmt.Errorf("create %s: %w", key, ours(err))
	}
	return nil
}

// place links a finished file to its key. The shared lock keeps Delete from removing the
// directories in between.
func (s *Store) place(file, key string) error {
	unlock, err := s.lock(syscall.LOCK_SH)
	if err != nil {
		return err
	}
	defer unlock()
	dir := filepath.Dir(s.path(key))
	if err := s.makeDirs(dir); err != nil {
		return err
	}
	if err := os.Link(file, s.path(key)); err != nil {
		return err
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%w: sync of its directory: %v", storage.ErrOutcomeUnknown, err)
	}
	return nil
}

// makeDirs makes the directories down to dir, each durable before something is put into it.
func (s *Store) makeDirs(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	parent := filepath.Dir(dir)
	if dir != s.objects() {
		if err := s.makeDirs(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// Stat describes the object; ErrDamaged if its file is not of the length it should be.
func (s *Store) Stat(_ context.Context, key string) (storage.BlobInfo, error) {
	f, info, _, err := s.open(key)
	if err != nil {
		return storage.BlobInfo{}, fmt.Errorf("stat %s: %w", key, ours(err))
	}
	return info, f.Close()
}

// Open returns the object's bytes; whoever reads them to the end learns whether they are
// those that were written.
func (s *Store) Open(_ context.Context, key string) (io.ReadCloser, storage.BlobInfo, error) {
	f, info, skip, err := s.open(key)
	if err != nil {
		return nil, storage.BlobInfo{}, fmt.Errorf("open %s: %w", key, ours(err))
	}
	if _, err := f.Seek(skip, io.SeekStart); err != nil {
		return nil, storage.BlobInfo{}, errors.Join(ours(err), f.Close())
	}
	return newReader(f, info), info, nil
}

// open reads the line in front of the object and leaves the file to the caller.
func (s *Store) open(key string) (f *os.File, info storage.BlobInfo, skip int64, err error) {
	if err := storage.CheckKey(key); err != nil {
		return nil, info, 0, err
	}
	if f, err = os.Open(s.path(key)); err != nil {
		return nil, info, 0, err
	}
	h, skip, err := readHeader(f)
	if err == nil {
		err = h.fits(f, key, skip)
	}
	if err != nil {
		return nil, info, 0, errors.Join(err, f.Close())
	}
	return f, h.info(), skip, nil
}

// Delete removes the object. One whose description is damaged stays: its lock is unknown.
func (s *Store) Delete(_ context.Context, key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	unlock, err := s.lock(syscall.LOCK_EX)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, ours(err))
	}
	defer unlock()
	f, info, _, err := s.open(key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, ours(err))
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("delete %s: %w", key, ours(err))
	}
	if s.now().Before(info.LockedTill) {
		return fmt.Errorf("delete %s: %w until %s", key, storage.ErrLocked, info.LockedTill.Format(time.RFC3339))
	}
	return s.remove(key)
}

// remove unlinks the object and the directories it leaves empty.
func (s *Store) remove(key string) error {
	path := s.path(key)
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("delete %s: %w", key, ours(err))
	}
	dir := filepath.Dir(path)
	for ; dir != s.objects(); dir = filepath.Dir(dir) {
		if os.Remove(dir) != nil { // not empty
			break
		}
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("delete %s: %w: %v", key, storage.ErrOutcomeUnknown, err)
	}
	return nil
}

// Quarantine moves a damaged object out of the way, so that its key can be created again from
// a backup, and returns where it lies. An object that is as it was written stays: ErrConflict.
func (s *Store) Quarantine(ctx context.Context, key string) (path string, err error) {
	if err := storage.CheckKey(key); err != nil {
		return "", err
	}
	body, _, err := s.Open(ctx, key)
	if err == nil {
		_, err = io.Copy(io.Discard, body)
		err = errors.Join(err, body.Close())
	}
	if err == nil {
		return "", fmt.Errorf("quarantine %s: %w: it is not damaged", key, storage.ErrConflict)
	}
	if !errors.Is(err, storage.ErrDamaged) {
		return "", fmt.Errorf("quarantine %s: %w", key, err)
	}
	path = filepath.Join(s.root, "quarantine", strings.ReplaceAll(key, "/", "~")+"~"+rand.Text()[:8])
	if len(filepath.Base(path)) > 255 {
		path = filepath.Join(s.root, "quarantine", rand.Text())
	}
	if err := os.Rename(s.path(key), path); err != nil {
		return "", fmt.Errorf("quarantine %s: %w", key, ours(err))
	}
	return path, errors.Join(syncDir(filepath.Dir(path)), syncDir(filepath.Dir(s.path(key))))
}

// lock takes the store's lock: shared to create, exclusive to delete.
func (s *Store) lock(how int) (unlock func(), err error) {
	f, err := os.OpenFile(filepath.Join(s.root, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = syscall.Flock(int(f.Fd()), how)
		if !errors.Is(err, syscall.EINTR) {
			break
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return func() { _ = f.Close() }, nil
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// ours turns errors of the system into those of package storage.
func ours(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return storage.ErrNotFound
	case errors.Is(err, fs.ErrExist):
		return storage.ErrExists
	}
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM,
		syscall.ESTALE, syscall.EAGAIN, fs.ErrPermission} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %v", storage.ErrUnavailable, err)
		}
	}
	return err
}
