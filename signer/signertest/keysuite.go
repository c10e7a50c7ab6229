package signertest

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"sync"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

// Test is the part of *testing.T that the suite uses. It is an interface so that programs
// which serve a demonstration authority do not link the testing package.
type Test[T any] interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
	Run(name string, f func(T)) bool
}

// KeySuite checks that a key keeps the contract of signer.Key: that it signs with every
// scheme and hash of its kind so that its certificate verifies, from many goroutines, and that
// it refuses wrong digests and cancelled contexts. open is called once for each subtest.
func KeySuite[T Test[T]](t T, open func(T) signer.Identity) {
	t.Helper()
	t.Run("certificate holds the key", func(t T) { suiteCertificate(t, open(t)) })
	t.Run("every scheme", func(t T) { suiteSchemes(t, open(t)) })
	t.Run("wrong digest length", func(t T) { suiteDigestLength(t, open(t)) })
	t.Run("cancelled context", func(t T) { suiteCancelled(t, open(t)) })
	t.Run("concurrent", func(t T) { suiteConcurrent(t, open(t)) })
	t.Run("cms", func(t T) { suiteCMS(t, open(t)) })
}

func suiteCertificate[T Test[T]](t T, id signer.Identity) {
	type comparable interface{ Equal(crypto.PublicKey) bool }
	if id.Certificate == nil {
		t.Fatalf("identity has no certificate")
	}
	pub, ok := id.Certificate.PublicKey.(comparable)
	if !ok || !pub.Equal(id.Key.Public()) {
		t.Errorf("certificate is for another key than Public returns")
	}
}

// Algorithms returns every algorithm a public key can be used with here.
func Algorithms(pub crypto.PublicKey) []cms.Algorithm {
	var schemes []cms.Scheme
	switch pub.(type) {
	case *rsa.PublicKey:
		schemes = []cms.Scheme{cms.RSAPKCS1, cms.RSAPSS}
	case *ecdsa.PublicKey:
		schemes = []cms.Scheme{cms.ECDSA}
	}
	var all []cms.Algorithm
	for _, s := range schemes {
		for _, h := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			all = append(all, cms.Algorithm{Scheme: s, Hash: h})
		}
	}
	return all
}

func suiteSchemes[T Test[T]](t T, id signer.Identity) {
	algorithms := Algorithms(id.Key.Public())
	if len(algorithms) == 0 {
		t.Fatalf("key of type %T is neither RSA nor ECDSA", id.Key.Public())
	}
	for _, a := range algorithms {
		if err := signOnce(context.Background(), id, a, "một bản sao"); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}

func signOnce(ctx context.Context, id signer.Identity, a cms.Algorithm, text string) error {
	h := a.Hash.New()
	h.Write([]byte(text))
	digest := h.Sum(nil)
	signature, err := id.Key.Sign(ctx, bytes.Clone(digest), a.SignerOpts())
	if err != nil {
		return err
	}
	return a.Verify(id.Certificate.PublicKey, digest, signature)
}

func suiteDigestLength[T Test[T]](t T, id signer.Identity) {
	for _, a := range Algorithms(id.Key.Public()) {
		for _, n := range []int{0, 1, a.Hash.Size() - 1, a.Hash.Size() + 1} {
			if s, err := id.Key.Sign(context.Background(), make([]byte, n), a.SignerOpts()); err == nil {
				t.Errorf("%s: signed %d bytes as a digest (signature of %d bytes)", a, n, len(s))
			}
		}
	}
}

func suiteCancelled[T Test[T]](t T, id signer.Identity) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	a := Algorithms(id.Key.Public())[0]
	if _, err := id.Key.Sign(ctx, make([]byte, a.Hash.Size()), a.SignerOpts()); err == nil {
		t.Errorf("signed although the context was cancelled")
	}
	if err := signOnce(context.Background(), id, a, "sau khi huỷ"); err != nil {
		t.Errorf("after a cancelled call: %v", err)
	}
}

func suiteConcurrent[T Test[T]](t T, id signer.Identity) {
	a := Algorithms(id.Key.Public())[0]
	errs := make([]error, 16)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() { errs[i] = signOnce(context.Background(), id, a, fmt.Sprintf("bản sao %d", i)) })
	}
	wg.Wait()
	for i, err := range errs {
		if err != nil {
			t.Errorf("call %d of %d: %v", i, len(errs), err)
		}
	}
}

func suiteCMS[T Test[T]](t T, id signer.Identity) {
	for _, pss := range []bool{false, true} {
		a, err := cms.AlgorithmFor(id.Key.Public(), pss)
		if err != nil {
			t.Fatalf("%v", err)
		}
		if _, err := cms.Sign(context.Background(), id, make([]byte, a.Hash.Size()), cms.Options{PSS: pss}); err != nil {
			t.Errorf("%s: %v", a, err)
		}
	}
}
