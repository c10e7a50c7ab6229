package main

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"

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

// master returns the identity to which file keys are encrypted, making it on first use.
func (p place) master() (*age.X25519Identity, error) {
	secret, err := p.secret(masterFile, func() ([]byte, error) {
		id, err := age.GenerateX25519Identity()
		if err != nil {
			return nil, err
		}
		return []byte(id.String()), nil
	})
	if err != nil {
		return nil, err
	}
	return age.ParseX25519Identity(string(secret.Reveal()))
}

// logKey returns the signer of checkpoints, making its key on first use. origin counts only then.
func (p place) logKey(origin string) (*register.Signer, error) {
	secret, err := p.secret(logKeyFile, func() ([]byte, error) {
		secret, _, err := register.GenerateKey(rand.Reader, origin)
		return secret.Reveal(), err
	})
	if err != nil {
		return nil, err
	}
	return register.NewSigner(secret)
}

// passphrase returns what the soft keys are encrypted with, making it on first use.
func (p place) passphrase() (certcopy.Secret, error) {
	return p.secret(passphraseFile, func() ([]byte, error) {
		b := make([]byte, 32)
		if _, err := rand.Read(b); err != nil {
			return nil, err
		}
		return []byte(base64.RawURLEncoding.EncodeToString(b)), nil
	})
}

// secret reads a secret's file, making it on first use. A file that others may read is
// refused: what it holds must be taken for known.
func (p place) secret(name string, fresh func() ([]byte, error)) (certcopy.Secret, error) {
	path := filepath.Join(p.secrets(), name)
	info, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return p.newSecret(path, fresh)
	}
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", name, err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return certcopy.Secret{}, certcopy.Errorf(certcopy.Invalid, path, nil, certcopy.Msg(
			"Người khác đọc được tệp bí mật này. Hãy chạy: chmod 600 "+path+", và cân nhắc thay khóa.",
			"Others can read this secret file. Run: chmod 600 "+path+", and consider replacing the key."))
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", name, err)
	}
	return certcopy.NewSecret(b), nil
}

// newSecret writes aside and renames, so that a kill in the middle leaves no half of a secret.
func (p place) newSecret(path string, fresh func() ([]byte, error)) (certcopy.Secret, error) {
	b, err := fresh()
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	if err := writeDurably(path, b); err != nil {
		return certcopy.Secret{}, fmt.Errorf("secret %s: %w", filepath.Base(path), err)
	}
	return certcopy.NewSecret(b), nil
}

// writeDurably replaces a file of mode 0600, all or nothing, and returns when it would
// survive a power cut.
func writeDurably(path string, b []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*") // mode 0600
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
