package cms_test

import (
	"crypto"
	"crypto/sha256"
	"testing"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// BenchmarkSign compares the making of a CMS with the one key operation in it.
func BenchmarkSign(b *testing.B) {
	leaf := identity(b, signertest.P256)
	digest := sha256.Sum256(content)
	b.Run("key", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := leaf.Key.Sign(b.Context(), digest[:], crypto.SHA256); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("cms", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := cms.Sign(b.Context(), leaf.Identity, digest[:], cms.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkParseVerify(b *testing.B) {
	der := sign(b, identity(b, signertest.P256).Identity, false, pki())
	b.ReportAllocs()
	for b.Loop() {
		sd, err := cms.Parse(der)
		if err != nil {
			b.Fatal(err)
		}
		if err := sd.Verify(cms.BytesOf(content))[0].Err(); err != nil {
			b.Fatal(err)
		}
	}
}
