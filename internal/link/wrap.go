package link

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
)

// ErrWrapped: the bytes are not a file key that was wrapped under this token for this copy.
var ErrWrapped = errors.New("not a wrapped file key")

// wrapInfo names what the derived key is for (RFC 5869 §3.2).
const wrapInfo = "saoy sharing link v1: file key"

// Wrap encrypts the key of a copy's file so that only who has the token reads it: AES-256-GCM
// under HKDF-SHA256 of the token's text, bound to the copy. Who serves the link so needs no
// other key. A token must wrap one key only: the nonce is fixed.
func (t Token) Wrap(id certcopy.CopyID, fileKey certcopy.Secret) ([]byte, error) {
	aead, err := t.aead()
	if err != nil {
		return nil, err
	}
	return aead.Seal(nil, make([]byte, aead.NonceSize()), fileKey.Reveal(), []byte(id)), nil //nolint:gosec // the key is used once
}

// Unwrap returns what Wrap encrypted; the error is ErrWrapped.
func (t Token) Unwrap(id certcopy.CopyID, wrapped []byte) (certcopy.Secret, error) {
	aead, err := t.aead()
	if err != nil {
		return certcopy.Secret{}, err
	}
	b, err := aead.Open(nil, make([]byte, aead.NonceSize()), wrapped, []byte(id))
	if err != nil {
		return certcopy.Secret{}, fmt.Errorf("copy %s: %w", id, ErrWrapped)
	}
	return certcopy.NewSecret(b), nil
}

func (t Token) aead() (cipher.AEAD, error) {
	if t.IsZero() {
		return nil, ErrToken
	}
	// The token is 192 random bits: no salt is needed, and a slow derivation would buy nothing.
	key, err := hkdf.Key(sha256.New, []byte(t.text), nil, wrapInfo, 32)
	if err != nil {
		return nil, fmt.Errorf("sharing link: %w", err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("sharing link: %w", err)
	}
	return cipher.NewGCM(block)
}
