package softkey

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/signer"
)

// Errors of key files.
var (
	// ErrPassphrase: the passphrase is wrong, or missing.
	ErrPassphrase = errors.New("wrong passphrase")
	// ErrPermissions: others than the owner may read the file.
	ErrPermissions = errors.New("key file is open to others")
	// ErrFormat: the file holds no key that can be used.
	ErrFormat = errors.New("not a usable key file")
)

// maxFile bounds a key file, in bytes.
const maxFile = 1 << 20

// New makes a key of a private key in memory: RSA or ECDSA.
func New(private crypto.Signer) signer.Key { return signer.NewLocal(private) }

// Load reads an identity from a file that only its owner may read (mode 0600 or stricter):
// PKCS #12, or PEM with an unencrypted PKCS #8, PKCS #1 or SEC 1 key and its certificates. The
// key checks before each use that the certificate is valid by the clock; see signer.Guard.
//
// Errors: ErrPermissions, ErrPassphrase, ErrFormat, *signer.RefusedError.
func Load(path string, passphrase []byte, clock func() time.Time) (signer.Identity, error) {
	id, err := Open(path, passphrase)
	if err != nil {
		return signer.Identity{}, err
	}
	return signer.Guard(id, clock)
}

// Open is Load without any check of the certificate, for work on the key file itself: making
// a certification request, importing a certificate, looking at one that has expired.
func Open(path string, passphrase []byte) (signer.Identity, error) {
	data, err := readPrivate(path)
	if err != nil {
		return signer.Identity{}, err
	}
	defer clear(data)
	id, err := Decode(data, passphrase)
	if err != nil {
		return signer.Identity{}, fmt.Errorf("%s: %w", path, err)
	}
	return id, nil
}

// readPrivate reads a regular file. Mode and bytes are taken from the same open file, so
// that it cannot be exchanged in between.
func readPrivate(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxFile {
		return nil, fmt.Errorf("%s: %w: no regular file of at most %d bytes", path, ErrFormat, maxFile)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o; run: chmod 600 %s", ErrPermissions, path, info.Mode().Perm(), path)
	}
	return io.ReadAll(io.LimitReader(f, maxFile))
}

// Save writes an identity as PKCS #12 under a new name, mode 0600; see Encode. It returns
// after the bytes are durable; an existing file is not touched (fs.ErrExist).
func Save(path string, id signer.Identity, passphrase []byte) error {
	data, err := Encode(id, passphrase)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path)
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes a new name durable.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
