package timestamp

import (
	"crypto"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

// ErrRejected: the authority refused the request for a reason that will not pass by itself.
var ErrRejected = errors.New("time-stamp request rejected")

// request encodes a TimeStampReq (RFC 3161 §2.4.1) that asks for the certificates.
func request(digest []byte, hash crypto.Hash, policy asn1.ObjectIdentifier, nonce *big.Int) ([]byte, error) {
	oid, err := cms.HashOID(hash)
	if err != nil {
		return nil, err
	}
	if len(digest) != hash.Size() {
		return nil, fmt.Errorf("digest of %d bytes is no %s digest", len(digest), hash)
	}
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oid)
				b.AddASN1NULL() // some authorities demand it
			})
			b.AddASN1OctetString(digest)
		})
		if policy != nil {
			b.AddASN1ObjectIdentifier(policy)
		}
		b.AddASN1BigInt(nonce)
		b.AddASN1Boolean(true)
	})
	return b.Bytes()
}

// ParseReply reads a TimeStampResp (RFC 3161 §2.4.2) and returns its token. A refusal is
// ErrRejected, or signer.ErrUnavailable if the authority says it cannot now.
func ParseReply(der []byte) (*Token, error) {
	outer := cryptobyte.String(der)
	var s, info, token cryptobyte.String
	var status int
	if !outer.ReadASN1(&s, cbasn1.SEQUENCE) || !outer.Empty() || !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.ReadASN1Integer(&status) {
		return nil, syntax("TimeStampResp")
	}
	if status != 0 && status != 1 { // granted, grantedWithMods
		return nil, refusal(status, info)
	}
	if !s.ReadASN1Element(&token, cbasn1.SEQUENCE) || !s.Empty() {
		return nil, syntax("granted without a token")
	}
	return ParseToken(token)
}

// failures are the bits of PKIFailureInfo; those that pass by themselves are marked.
var failures = map[int]struct {
	name  string
	later bool
}{
	0: {"badAlg", false}, 2: {"badRequest", false}, 5: {"badDataFormat", false}, 14: {"timeNotAvailable", true},
	15: {"unacceptedPolicy", false}, 16: {"unacceptedExtension", false}, 17: {"addInfoNotAvailable", false}, 25: {"systemFailure", true},
}

// refusal makes an error of PKIStatusInfo: status, an optional text, optional failure bits.
func refusal(status int, info cryptobyte.String) error {
	text, reason, kind := "", "", ErrRejected
	var texts cryptobyte.String
	if info.PeekASN1Tag(cbasn1.SEQUENCE) && info.ReadASN1(&texts, cbasn1.SEQUENCE) {
		var first cryptobyte.String
		if texts.ReadASN1(&first, cbasn1.UTF8String) {
			text = fmt.Sprintf(" %.200q", []byte(first))
		}
	}
	var bits asn1.BitString
	if info.PeekASN1Tag(cbasn1.BIT_STRING) && info.ReadASN1BitString(&bits) {
		for bit, f := range failures {
			if bits.At(bit) == 1 {
				reason = " " + f.name
				if f.later {
					kind = signer.ErrUnavailable
				}
			}
		}
	}
	return fmt.Errorf("%w: status %d%s%s", kind, status, reason, text)
}
