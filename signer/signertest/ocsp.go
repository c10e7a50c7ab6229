package signertest

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/crypto/ocsp"
)

var (
	oidOCSPBasic = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 1}
	oidOCSPNonce = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 2}
)

// ocspLife is how long an OCSP answer is fresh.
const ocspLife = 24 * time.Hour

// serveOCSP answers by RFC 6960 Appendix A: POST with the request, GET with it in the path.
func (p *PKI) serveOCSP(w http.ResponseWriter, r *http.Request) {
	der, err := readOCSPRequest(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	answer, err := p.answerOCSP(der)
	if err != nil {
		answer = ocsp.InternalErrorErrorResponse
	}
	w.Header().Set("Content-Type", "application/ocsp-response")
	_, _ = w.Write(answer)
}

func readOCSPRequest(r *http.Request) ([]byte, error) {
	if r.Method == http.MethodPost {
		return io.ReadAll(io.LimitReader(r.Body, 16<<10))
	}
	s, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), "/ocsp/"))
	if err != nil {
		return nil, err
	}
	return base64.StdEncoding.DecodeString(s)
}

func (p *PKI) answerOCSP(der []byte) ([]byte, error) {
	req, err := ocsp.ParseRequest(der)
	if err != nil {
		return ocsp.MalformedRequestErrorResponse, nil
	}
	issuer := p.issuerOf(req)
	if issuer == nil {
		return ocsp.UnauthorizedErrorResponse, nil
	}
	if p.fault(OCSPService) == Rejecting {
		return ocsp.TryLaterErrorResponse, nil
	}
	return p.buildOCSP(issuer, req, requestNonce(der))
}

// OCSPAnswer returns the OCSP response that the service gives now about a certificate.
func (p *PKI) OCSPAnswer(cert *x509.Certificate) ([]byte, error) {
	issuer := p.Issuing
	if bytes.Equal(cert.RawIssuer, p.Root.Certificate.RawSubject) {
		issuer = p.Root
	}
	der, err := ocsp.CreateRequest(cert, issuer.Certificate, nil)
	if err != nil {
		return nil, err
	}
	return p.answerOCSP(der)
}

// issuerOf returns the authority a request asks about.
func (p *PKI) issuerOf(req *ocsp.Request) *CA {
	for _, ca := range []*CA{p.Issuing, p.Root} {
		if !req.HashAlgorithm.Available() {
			return nil
		}
		h := req.HashAlgorithm.New()
		h.Write(ca.Certificate.RawSubject)
		if bytes.Equal(h.Sum(nil), req.IssuerNameHash) {
			return ca
		}
	}
	return nil
}

// requestNonce returns the value of the nonce extension, nil if there is none.
func requestNonce(der []byte) []byte {
	var req struct {
		TBS struct {
			Version    int           `asn1:"explicit,tag:0,default:0,optional"`
			Requestor  asn1.RawValue `asn1:"explicit,tag:1,optional"`
			List       []asn1.RawValue
			Extensions []struct {
				ID       asn1.ObjectIdentifier
				Critical bool `asn1:"optional"`
				Value    []byte
			} `asn1:"explicit,tag:2,optional"`
		}
	}
	if _, err := asn1.Unmarshal(der, &req); err != nil {
		return nil
	}
	for _, e := range req.TBS.Extensions {
		if e.ID.Equal(oidOCSPNonce) {
			return e.Value
		}
	}
	return nil
}

// buildOCSP signs an answer: for the root's certificates by the root itself, for others by
// the delegated responder.
func (p *PKI) buildOCSP(issuer *CA, req *ocsp.Request, nonce []byte) ([]byte, error) {
	key, cert := p.OCSP.Private, p.OCSP.Certificate
	if issuer == p.Root {
		key, cert = p.Root.Private, nil
	}
	fault := p.fault(OCSPService)
	if fault == WrongSigner {
		key, cert = p.TSA.Private, p.TSA.Certificate
	}
	tbs, err := p.ocspResponseData(key, req, nonce, fault)
	if err != nil {
		return nil, err
	}
	var basic cryptobyte.Builder
	addSigned(&basic, key, tbs, fault == Forged, func(b *cryptobyte.Builder) {
		if cert == nil {
			return
		}
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(cert.Raw) })
		})
	})
	der, err := basic.Bytes()
	if err != nil {
		return nil, err
	}
	return sequence(func(b *cryptobyte.Builder) { // OCSPResponse
		b.AddASN1Enum(0)
		b.AddASN1(explicit(0), func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPBasic)
				b.AddASN1OctetString(der)
			})
		})
	})
}

func (p *PKI) ocspResponseData(key crypto.Signer, req *ocsp.Request, nonce []byte, fault Fault) ([]byte, error) {
	id, err := keyID(key.Public())
	if err != nil {
		return nil, err
	}
	this, next := p.updateTimes(fault, ocspLife)
	return sequence(func(b *cryptobyte.Builder) {
		b.AddASN1(explicit(2), func(b *cryptobyte.Builder) { b.AddASN1OctetString(id) })
		addTime(b, this)
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				addCertID(b, req, fault)
				p.addStatus(b, req.SerialNumber)
				addTime(b, this)
				b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { addTime(b, next) })
			})
		})
		addNonce(b, nonce, fault)
	})
}

// updateTimes gives thisUpdate and nextUpdate.
func (p *PKI) updateTimes(fault Fault, life time.Duration) (this, next time.Time) {
	this = p.cfg.Clock().Add(-time.Minute)
	switch fault {
	case Stale:
		this = this.Add(-10 * life)
	case Future:
		this = this.Add(life)
	}
	return this, this.Add(life)
}

func addCertID(b *cryptobyte.Builder, req *ocsp.Request, fault Fault) {
	serial := req.SerialNumber
	if fault == WrongImprint {
		serial = new(big.Int).Add(serial, big.NewInt(1))
	}
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(ocspHashes[req.HashAlgorithm])
			b.AddASN1NULL()
		})
		b.AddASN1OctetString(req.IssuerNameHash)
		b.AddASN1OctetString(req.IssuerKeyHash)
		b.AddASN1BigInt(serial)
	})
}

var ocspHashes = map[crypto.Hash]asn1.ObjectIdentifier{
	crypto.SHA1:   {1, 3, 14, 3, 2, 26},
	crypto.SHA256: {2, 16, 840, 1, 101, 3, 4, 2, 1},
	crypto.SHA384: {2, 16, 840, 1, 101, 3, 4, 2, 2},
	crypto.SHA512: {2, 16, 840, 1, 101, 3, 4, 2, 3},
}

func (p *PKI) addStatus(b *cryptobyte.Builder, serial *big.Int) {
	p.mu.Lock()
	r, issued := p.status[serial.Text(16)]
	p.mu.Unlock()
	switch {
	case !issued:
		b.AddASN1(cbasn1.Tag(2).ContextSpecific(), func(*cryptobyte.Builder) {})
	case r.At.IsZero():
		b.AddASN1(cbasn1.Tag(0).ContextSpecific(), func(*cryptobyte.Builder) {})
	default:
		b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
			addTime(b, r.At)
			b.AddASN1(explicit(0), func(b *cryptobyte.Builder) { b.AddASN1Enum(int64(r.Reason)) })
		})
	}
}

func addNonce(b *cryptobyte.Builder, nonce []byte, fault Fault) {
	if nonce == nil || fault == NoNonce {
		return
	}
	if fault == WrongNonce {
		nonce = append([]byte{}, nonce...)
		nonce[len(nonce)-1] ^= 1
	}
	b.AddASN1(explicit(1), func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOCSPNonce)
				b.AddASN1OctetString(nonce)
			})
		})
	})
}
