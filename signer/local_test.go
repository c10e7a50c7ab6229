package signer_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// lying is a crypto.Signer whose signatures are wrong.
type lying struct{ crypto.Signer }

func (l lying) Sign(_ io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	wrong := bytes.Repeat([]byte{1}, len(digest))
	return l.Signer.Sign(rand.Reader, wrong, opts)
}

// remote is a signer.Key that is no Local.
type remote struct{ signer.Key }

func testIdentity(t *testing.T, kind signertest.KeyType) signertest.Leaf {
	t.Helper()
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	profile := signertest.Official("A", "", "", "")
	profile.KeyType = kind
	leaf, err := p.Issue(profile)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

// TestTrustworthy: only keys of Go's own types in this process go without verification.
func TestTrustworthy(t *testing.T) {
	for _, kind := range []signertest.KeyType{signertest.P256, signertest.RSA2048} {
		leaf := testIdentity(t, kind)
		guarded, err := signer.Guard(leaf.Identity, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := signer.Guard(signer.Identity{Key: remote{leaf.Key}, Certificate: leaf.Certificate}, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			name string
			key  signer.Key
			want bool
		}{
			{"in memory", leaf.Key, true},
			{"guarded", guarded.Key, true},
			{"of a type from elsewhere", signer.NewLocal(lying{leaf.Private}), false},
			{"another implementation", remote{leaf.Key}, false},
			{"another implementation, guarded", wrapped.Key, false},
		} {
			if got := signer.Trustworthy(c.key); got != c.want {
				t.Errorf("%s, %s: %v", kind, c.name, got)
			}
		}
	}
}

// TestWrongValueIsNotReturned: whatever gives a wrong signature, cms.Sign returns none.
func TestWrongValueIsNotReturned(t *testing.T) {
	leaf, other := testIdentity(t, signertest.P256), testIdentity(t, signertest.P256)
	halves := *leaf.Private.(*ecdsa.PrivateKey)
	halves.PublicKey = other.Private.(*ecdsa.PrivateKey).PublicKey
	for _, c := range []struct {
		name string
		id   signer.Identity
	}{
		{"lying signer", signer.Identity{Key: signer.NewLocal(lying{leaf.Private}), Certificate: leaf.Certificate}},
		{"certificate of another key", signer.Identity{Key: leaf.Key, Certificate: other.Certificate}},
		{"halves of two keys", signer.Identity{Key: signer.NewLocal(&halves), Certificate: other.Certificate}},
	} {
		for range 2 {
			digest := sha256.Sum256([]byte(c.name))
			der, err := cms.Sign(context.Background(), c.id, digest[:], cms.Options{})
			if err == nil || der != nil {
				t.Errorf("%s: %d bytes, error %v", c.name, len(der), err)
			}
		}
	}
}

func TestLocalRefuses(t *testing.T) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var refused *signer.RefusedError
	if _, err := signer.NewLocal(private).Sign(t.Context(), make([]byte, 20), crypto.SHA256); !errors.As(err, &refused) || refused.Reason != signer.ReasonDigest {
		t.Errorf("a short digest: %v", err)
	}
}
