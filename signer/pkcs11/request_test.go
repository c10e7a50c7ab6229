//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/sha256"
	"errors"
	"testing"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// TestOpenKey: a key without a certificate tells its public key, and signs with it.
func TestOpenKey(t *testing.T) {
	h := softHSM(t)
	for _, kind := range []signertest.KeyType{signertest.RSA2048, signertest.P256, signertest.P384} {
		t.Run(string(kind), func(t *testing.T) {
			cfg, leaf := h.put(t, func(f *signertest.Profile) { f.KeyType = kind })
			cfg.Certificate, cfg.Chain = nil, nil
			token, key, err := OpenKey(cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = token.Close() }()
			if !leaf.Certificate.PublicKey.(interface{ Equal(crypto.PublicKey) bool }).Equal(key.Public()) {
				t.Fatal("another public key")
			}
			alg, err := cms.AlgorithmFor(key.Public(), false)
			if err != nil {
				t.Fatal(err)
			}
			alg.Hash = crypto.SHA256
			sum := sha256.Sum256([]byte("x"))
			signature, err := key.Sign(t.Context(), sum[:], alg.SignerOpts())
			if err != nil || alg.Verify(key.Public(), sum[:], signature) != nil {
				t.Errorf("its signature does not verify: %v", err)
			}
		})
	}
	cfg, _ := h.put(t, nil)
	cfg.URI.Object = "no such key"
	if _, _, err := OpenKey(cfg); !errors.Is(err, ErrNoKey) {
		t.Errorf("no key: %v", err)
	}
	cfg.PIN = []byte("000000")
	if _, _, err := OpenKey(cfg); !errors.Is(err, ErrPIN) {
		t.Errorf("wrong PIN: %v", err)
	}
}
