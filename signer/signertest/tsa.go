package signertest

import (
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"math/big"
	"net/http"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer/cms"
)

// TSAPolicy is the policy under which time-stamps are given, from the arc that RFC 7299 §3.13
// leaves for tests.
var TSAPolicy = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 13, 1}

type timeStampRequest struct {
	Version int
	Imprint struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Policy     asn1.ObjectIdentifier `asn1:"optional"`
	Nonce      *big.Int              `asn1:"optional"`
	CertReq    bool                  `asn1:"optional"`
	Extensions asn1.RawValue         `asn1:"optional,tag:0"`
}

// Failure bits of PKIFailureInfo, RFC 3161 §2.4.2.
const (
	failBadAlg           = 0
	failBadRequest       = 2
	failBadDataFormat    = 5
	failUnacceptedPolicy = 15
	failSystemFailure    = 25
)

// serveTSA answers by RFC 3161 §3.4.
func (p *PKI) serveTSA(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 16<<10))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := p.TimeStampReply(r.Context(), body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	_, _ = w.Write(answer)
}

// TimeStampReply returns the TimeStampResp to the DER of a TimeStampReq, as the service
// gives it now.
func (p *PKI) TimeStampReply(ctx context.Context, request []byte) ([]byte, error) {
	var req timeStampRequest
	rest, err := asn1.Unmarshal(request, &req)
	switch h := cms.HashOf(req.Imprint.Algorithm.Algorithm); {
	case err != nil || len(rest) > 0 || req.Version != 1:
		return rejection(failBadDataFormat)
	case h == 0 || !h.Available():
		return rejection(failBadAlg)
	case len(req.Imprint.Digest) != h.Size():
		return rejection(failBadRequest)
	case req.Policy != nil && !req.Policy.Equal(TSAPolicy):
		return rejection(failUnacceptedPolicy)
	case p.fault(TSAService) == Rejecting:
		return rejection(failSystemFailure)
	}
	token, err := p.timeStampToken(ctx, req)
	if err != nil {
		return nil, err
	}
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1Int64(0) })
		b.AddBytes(token)
	})
}

func rejection(bit int) ([]byte, error) {
	bits := make([]byte, bit/8+1)
	bits[bit/8] |= 0x80 >> (bit % 8)
	failure, err := asn1.Marshal(asn1.BitString{Bytes: bits, BitLength: bit + 1})
	if err != nil {
		return nil, err
	}
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(2)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("the request was rejected")) })
			})
			b.AddBytes(failure)
		})
	})
}

// TimeStamp is an in-process signer.TimeStamper. Faults apply, except those of the transport.
func (p *PKI) TimeStamp(ctx context.Context, digest []byte, hash crypto.Hash) ([]byte, error) {
	oid, err := cms.HashOID(hash)
	if err != nil {
		return nil, err
	}
	req := timeStampRequest{Version: 1, CertReq: true}
	req.Imprint.Algorithm.Algorithm = oid
	req.Imprint.Digest = digest
	return p.timeStampToken(ctx, req)
}

func (p *PKI) timeStampToken(ctx context.Context, req timeStampRequest) ([]byte, error) {
	fault := p.fault(TSAService)
	id := p.TSA
	if fault == WrongSigner {
		id = p.OCSP
	}
	info, err := p.tstInfo(req, fault)
	if err != nil {
		return nil, err
	}
	alg, err := cms.AlgorithmFor(id.Certificate.PublicKey, false)
	if err != nil {
		return nil, err
	}
	h := alg.Hash.New()
	h.Write(info)
	attributes, err := cms.SignedAttributesOf(cms.OIDTSTInfo, h.Sum(nil), alg.Hash, id.Certificate)
	if err != nil {
		return nil, err
	}
	signature, err := cms.SignAttributes(ctx, id.Identity, alg, attributes)
	if err != nil {
		return nil, err
	}
	if fault == Forged {
		signature[len(signature)-1] ^= 1
	}
	return cms.Build(cms.Input{
		Attributes: attributes, Signature: signature, Algorithm: alg, Certificate: id.Certificate,
		Chain: []*x509.Certificate{p.Issuing.Certificate}, Content: info, ContentType: cms.OIDTSTInfo, OmitCertificates: !req.CertReq,
	})
}

// tstInfo encodes the TSTInfo of RFC 3161 §2.4.2, with an accuracy of half a second.
func (p *PKI) tstInfo(req timeStampRequest, fault Fault) ([]byte, error) {
	p.mu.Lock()
	p.stamps++
	serial := new(big.Int).Add(new(big.Int).Lsh(big.NewInt(p.cfg.Clock().UnixNano()), 16), big.NewInt(p.stamps))
	p.mu.Unlock()
	digest, nonce, at := req.Imprint.Digest, req.Nonce, p.cfg.Clock()
	switch fault {
	case WrongImprint:
		other := sha256.Sum256(digest)
		digest = append(other[:], other[:]...)[:len(digest)]
	case WrongNonce:
		if nonce != nil {
			nonce = new(big.Int).Add(nonce, big.NewInt(1))
		}
	case NoNonce:
		nonce = nil
	case Future:
		at = at.Add(48 * time.Hour)
	}
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1Int64(1)
		b.AddASN1ObjectIdentifier(TSAPolicy)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(req.Imprint.Algorithm.Algorithm)
			})
			b.AddASN1OctetString(digest)
		})
		b.AddASN1BigInt(serial)
		addTime(b, at)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // Accuracy
			b.AddASN1Int64WithTag(500, cbasn1.Tag(0).ContextSpecific())
		})
		if nonce != nil {
			b.AddASN1BigInt(nonce)
		}
	})
}
