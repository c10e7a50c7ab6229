package pades

import (
	"crypto/rsa"
	"testing"

	"github.com/saoy/saoy/signer/signertest"
)

func TestSignEveryKindOfFile(t *testing.T) {
	for name, base := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			once := signed(t, base, official(), options(), Means{})
			accepted(t, once, 1)
			o := options()
			o.Rect, o.Page = [4]float64{300, 50, 400, 100}, 1
			twice := signed(t, once, official(), o, Means{TimeStamper: pki()})
			accepted(t, twice, 2)
		})
	}
}

func TestSignWithEveryKindOfKey(t *testing.T) {
	base := document(t, "1.7", nil)
	for _, k := range []signertest.KeyType{signertest.RSA2048, signertest.RSA3072, signertest.RSA4096, signertest.P256, signertest.P384} {
		id := identity(t, k)
		accepted(t, signed(t, base, id, options(), Means{}), 1)
		if _, rsa := id.Certificate.PublicKey.(*rsa.PublicKey); rsa {
			accepted(t, signed(t, base, id, options(), Means{PSS: true}), 1)
		}
	}
}
