package link

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestWrappedKeyOpensWithItsTokenOnly(t *testing.T) {
	mine, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	other, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	secret := certcopy.NewSecret([]byte("AGE-SECRET-KEY-1EXAMPLE"))
	wrapped, err := mine.Wrap("a copy", secret)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(wrapped, secret.Reveal()) {
		t.Fatal("the key is stored in clear")
	}
	if got, err := mine.Unwrap("a copy", wrapped); err != nil || string(got.Reveal()) != string(secret.Reveal()) {
		t.Errorf("its own token: %v", err)
	}
	changed := bytes.Clone(wrapped)
	changed[0] ^= 1
	for name, try := range map[string]func() (certcopy.Secret, error){
		"another token":   func() (certcopy.Secret, error) { return other.Unwrap("a copy", wrapped) },
		"another copy":    func() (certcopy.Secret, error) { return mine.Unwrap("b copy", wrapped) },
		"a changed byte":  func() (certcopy.Secret, error) { return mine.Unwrap("a copy", changed) },
		"a cut":           func() (certcopy.Secret, error) { return mine.Unwrap("a copy", wrapped[:len(wrapped)-1]) },
		"nothing":         func() (certcopy.Secret, error) { return mine.Unwrap("a copy", nil) },
		"no token at all": func() (certcopy.Secret, error) { return Token{}.Unwrap("a copy", wrapped) },
	} {
		if got, err := try(); !errors.Is(err, ErrWrapped) && !errors.Is(err, ErrToken) || !got.Empty() {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWrapIsForEver: what was stored under an earlier program must open under this one.
func TestWrapIsForEver(t *testing.T) {
	token, err := ParseToken("AAECAwQFBgcICQoLDA0ODxAREhMUFRYX")
	if err != nil {
		t.Fatal(err)
	}
	const want = "b92869d908c78dea6b9f5f36331a0f7d9f266c"
	wrapped, err := token.Wrap("0193e4a0-0000-7000-8000-000000000001", certcopy.NewSecret([]byte("key")))
	if err != nil || hex.EncodeToString(wrapped) != want {
		t.Errorf("%x %v, want %s", wrapped, err, want)
	}
}
