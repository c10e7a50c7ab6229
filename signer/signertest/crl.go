package signertest

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	"net/http"
	"time"
)

// crlLife is how long a CRL is fresh.
const crlLife = 7 * 24 * time.Hour

// serveCRL answers with an authority's current CRL.
func (p *PKI) serveCRL(w http.ResponseWriter, r *http.Request) {
	for _, ca := range []*CA{p.Root, p.Issuing} {
		if r.PathValue("file") != ca.file+".crl" {
			continue
		}
		der, err := p.CRL(ca)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/pkix-crl")
		_, _ = w.Write(der)
		return
	}
	http.NotFound(w, r)
}

// CRL returns the list of revoked certificates of an authority, as the service gives it now.
// It lists every revoked serial number of the PKI, whoever issued it.
func (p *PKI) CRL(ca *CA) ([]byte, error) {
	fault := p.fault(CRLService)
	this, next := p.updateTimes(fault, crlLife)
	key := ca.Private
	if fault == WrongSigner {
		key = p.TSA.Private
		// x509 refuses a key that is not the issuer's, so the issuer is given the wrong one
		spoiled := *ca.Certificate
		spoiled.PublicKey = key.Public()
		ca = &CA{Certificate: &spoiled}
	}
	list := &x509.RevocationList{ThisUpdate: this, NextUpdate: next, RevokedCertificateEntries: p.revoked()}
	p.mu.Lock()
	p.crls++
	list.Number = big.NewInt(p.cfg.Clock().Unix()<<16 + p.crls)
	p.mu.Unlock()
	der, err := x509.CreateRevocationList(rand.Reader, list, ca.Certificate, key)
	if err == nil && fault == Forged {
		der[len(der)-1] ^= 1
	}
	return der, err
}

func (p *PKI) revoked() []x509.RevocationListEntry {
	p.mu.Lock()
	defer p.mu.Unlock()
	var entries []x509.RevocationListEntry
	for serial, r := range p.status {
		if r.At.IsZero() {
			continue
		}
		n, _ := new(big.Int).SetString(serial, 16)
		entries = append(entries, x509.RevocationListEntry{SerialNumber: n, RevocationTime: r.At, ReasonCode: r.Reason})
	}
	return entries
}
