package signertest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"fmt"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidSHA256RSA   = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 11}
	oidECDSASHA256 = asn1.ObjectIdentifier{1, 2, 840, 10045, 4, 3, 2}
)

func explicit(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }

// addSigned writes SEQUENCE { tbs, algorithm, BIT STRING signature, more… }, the form that
// certificates, CRLs and OCSP responses share.
func addSigned(b *cryptobyte.Builder, key crypto.Signer, tbs []byte, spoil bool, more cryptobyte.BuilderContinuation) {
	digest := sha256.Sum256(tbs)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		b.SetError(err)
		return
	}
	if spoil {
		signature[len(signature)-1] ^= 1
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(tbs)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			switch key.Public().(type) {
			case *rsa.PublicKey:
				b.AddASN1ObjectIdentifier(oidSHA256RSA)
				b.AddASN1NULL()
			case *ecdsa.PublicKey:
				b.AddASN1ObjectIdentifier(oidECDSASHA256)
			default:
				b.SetError(fmt.Errorf("key of type %T", key.Public()))
			}
		})
		b.AddASN1BitString(signature)
		more(b)
	})
}

func addTime(b *cryptobyte.Builder, t time.Time) {
	b.AddASN1GeneralizedTime(t.UTC().Truncate(time.Second))
}

func sequence(f cryptobyte.BuilderContinuation) ([]byte, error) {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, f)
	return b.Bytes()
}
