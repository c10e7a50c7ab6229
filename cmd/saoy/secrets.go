package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
)

// Secrets of an installation, each a file of mode 0600 in DIR/secrets.
const (
	masterFile     = "master.age"      // decrypts the keys of all final files
	logKeyFile     = "log.key"         // signs checkpoints
	passphraseFile = "softkeys.phrase" // decrypts the soft keys in DIR/keys
)

// secrets is the directory in which they lie.
type secrets struct {
	dir string
	// mayMake says that one that is absent is made. Those of an installation that exists are not:
	// another key opens nothing.
	mayMake bool
}

// master returns the identity to which file keys are encrypted.
func (s secrets) master() (*age.X25519Identity, error) {
	secret, err := s.secret(masterFile, func() ([]byte, error) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		return []byte(id.String()), nil
	})
	if err != nil {
		return nil, err
	}
	return age.ParseX25519Identity(strings.TrimSpace(string(secret.Reveal())))
}

// logKey returns the signer of checkpoints. origin counts only when its key is made.
func (s secrets) logKey(origin string) (*register.Signer, error) {
	secret, err := s.secret(logKeyFile, func() ([]byte, error) {
		secret, _, err := register.GenerateKey(rand.Reader, origin)
		return secret.Reveal(), err
	})
	if err != nil {
		return nil, err
	}
	return register.NewSigner(secret)
}

// passphrase returns what the soft keys are encrypted with.
func (s secrets) passphrase() (certcopy.Secret, error) {
	return s.secret(passphraseFile, func() ([]byte, error) {
		b := make([]byte, 32)
		if _, err := rand.Read(b); err != nil {
			return nil, err
		}
		return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
	})
}

// secret reads a secret, making it if it is absent and may be made.
func (s secrets) secret(name string, fresh func() ([]byte, error)) (certcopy.Secret, error) {
	path := filepath.Join(s.dir, name)
	secret, err := secretFile(path)
	switch {
	case !errors.Is(err, fs.ErrNotExist):
		return secret, err
	case s.mayMake:
		return s.make(path, fresh)
	}
	return secret, certcopy.Errorf(certcopy.NotFound, path, nil, certcopy.Msg(
		"Thiếu tệp bí mật này của bản cài đặt đã có; tạo tệp mới sẽ không mở được gì. Hãy chép nó từ máy khác của bản cài đặt hoặc từ bản sao lưu.",
		"This secret of an existing installation is missing; a new one would open nothing. Copy it from another machine of the installation or from the backup."))
}

// make writes aside and renames, so that a kill in the middle leaves no half of a secret.
func (s secrets) make(path string, fresh func() ([]byte, error)) (certcopy.Secret, error) {
	b, err := fresh()
	if err == nil {
		err = writeDurably(path, b)
	}
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	return certcopy.NewSecret(b), nil
}

// maxSecretBytes bounds a file of a secret: a PIN, a key, a connection string.
const maxSecretBytes = 64 << 10

// secretFile reads a secret's file; fs.ErrNotExist if there is none. A file that others may
// read is refused: what it holds must be taken for known.
func secretFile(path string) (certcopy.Secret, error) {
	f, err := os.Open(path)
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return certcopy.Secret{}, certcopy.Errorf(certcopy.Invalid, path, nil, certcopy.Msg(
			"Người khác đọc được tệp bí mật này. Hãy chạy: chmod 600 "+path+", và cân nhắc thay bí mật.",
			"Others can read this secret file. Run: chmod 600 "+path+", and consider replacing the secret."))
	}
	b, err := io.ReadAll(io.LimitReader(f, maxSecretBytes))
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	return certcopy.NewSecret(b), nil
}

// unfinishedPrefix begins the name of what writeDurably had not finished when it was killed.
const unfinishedPrefix = ".new-"

// writeDurably replaces a file of mode 0600, all or nothing, and returns when it would
// survive a power cut.
func writeDurably(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), unfinishedPrefix+"*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
