package validation

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"time"

	"github.com/saoy/saoy/signer/cms"
)

// An algorithm counts for signatures that are proven to have existed while it was secure
// (ETSI TS 119 312 §9; the years are ours, not sooner than those of SOG-IS for what Viet
// Nam's authorities still issue). The zero time: never.
var (
	rsa2048Until = time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC)
	rsa3072Until = time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC)
)

// weakest names the weakest part of a signature that was not secure at a time.
func weakest(v *cms.Verification, at time.Time) (name string, bad bool) {
	for _, h := range []crypto.Hash{v.Digest, v.Algorithm.Hash} {
		if h != 0 && weakHash(h) {
			return h.String(), true
		}
	}
	for _, w := range v.Weaknesses {
		if w == cms.WeakDigest || w == cms.WeakSignature {
			return "SHA-1", true
		}
	}
	if v.Signer == nil {
		return "", false
	}
	switch k := v.Signer.PublicKey.(type) {
	case *rsa.PublicKey:
		bits := k.N.BitLen()
		return fmt.Sprintf("RSA-%d", bits), bits < 2048 || bits < 3072 && !at.Before(rsa2048Until) || bits < 4096 && !at.Before(rsa3072Until)
	case *ecdsa.PublicKey:
		bits := k.Curve.Params().BitSize
		return fmt.Sprintf("ECDSA P-%d", bits), bits < 256
	}
	return "", false
}

func weakHash(h crypto.Hash) bool {
	switch h {
	case crypto.SHA256, crypto.SHA384, crypto.SHA512, crypto.SHA3_256, crypto.SHA3_384, crypto.SHA3_512, crypto.SHA512_256:
		return false
	}
	return true
}
