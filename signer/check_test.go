package signer_test

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

func TestGuardPassesTheSuite(t *testing.T) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := p.Issue(signertest.Agency("UBND xã Thử", ""))
	if err != nil {
		t.Fatal(err)
	}
	signertest.KeySuite(t, func(t *testing.T) signer.Identity {
		id, err := signer.Guard(leaf.Identity, time.Now)
		if err != nil {
			t.Fatal(err)
		}
		return id
	})
}

func TestCheck(t *testing.T) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	a, errA := p.Issue(signertest.Official("A", "", "", ""))
	b, errB := p.Issue(signertest.Official("B", "", "", ""))
	if err := errors.Join(errA, errB); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		id   signer.Identity
		at   time.Time
		want signer.Reason
	}{
		{"good", a.Identity, time.Now(), ""},
		{"last moment", a.Identity, a.Certificate.NotAfter, ""},
		{"after", a.Identity, a.Certificate.NotAfter.Add(time.Second), signer.ReasonExpired},
		{"before", a.Identity, a.Certificate.NotBefore.Add(-time.Second), signer.ReasonNotYetValid},
		{"other's certificate", signer.Identity{Key: a.Key, Certificate: b.Certificate}, time.Now(), signer.ReasonMismatch},
		{"no certificate", signer.Identity{Key: a.Key}, time.Now(), signer.ReasonMismatch},
		{"no key", signer.Identity{Certificate: a.Certificate}, time.Now(), signer.ReasonMismatch},
		{"authority", signer.Identity{Key: signertest.KeyOf(p.Issuing.Private), Certificate: p.Issuing.Certificate}, time.Now(), signer.ReasonAuthority},
	}
	for _, tt := range tests {
		err := signer.Check(tt.id, tt.at)
		var refused *signer.RefusedError
		if errors.As(err, &refused) != (tt.want != "") || refused != nil && refused.Reason != tt.want {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	if _, err := signer.Guard(a.Identity, nil); err == nil {
		t.Error("guarded without a clock")
	}
}

// countingKey tells whether it was used at all.
type countingKey struct {
	signer.Key
	used int
}

func (k *countingKey) Sign(ctx context.Context, d []byte, o crypto.SignerOpts) ([]byte, error) {
	k.used++
	return k.Key.Sign(ctx, d, o)
}

func TestGuardRefusesBeforeTheKeyIsUsed(t *testing.T) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := p.Issue(signertest.Official("A", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	key := &countingKey{Key: leaf.Key}
	id, err := signer.Guard(signer.Identity{Key: key, Certificate: leaf.Certificate}, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	now = leaf.Certificate.NotAfter.Add(time.Hour)
	if _, err := id.Key.Sign(t.Context(), make([]byte, 32), crypto.SHA256); !errors.Is(err, signer.ErrKeyRefused) || key.used != 0 {
		t.Errorf("%v, key used %d times", err, key.used)
	}
}

func TestOrderChain(t *testing.T) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := p.Issue(signertest.Official("A", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	// the stranger's authorities have the same names
	bag := []*x509.Certificate{stranger.Root.Certificate, p.Root.Certificate, nil, leaf.Certificate, stranger.Issuing.Certificate, p.Issuing.Certificate}
	chain := signer.OrderChain(leaf.Certificate, bag)
	if len(chain) != 2 || !chain[0].Equal(p.Issuing.Certificate) || !chain[1].Equal(p.Root.Certificate) {
		t.Errorf("chain of %d", len(chain))
	}
}
