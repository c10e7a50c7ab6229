package trust

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/saoy/saoy/signer/cms"
)

// issuers are the certificates that an address gave, and were good for something.
type issuers struct {
	certs []*x509.Certificate
	until time.Time
}

// Issuers fetches the certificates that a certificate names as its issuer's (RFC 5280
// §4.2.2.1): one in DER, several in PEM or in a CMS message without signers. One of them has
// signed the certificate; whether it may have, the path has to show. What fitted is remembered
// for an hour.
func (s *Source) Issuers(ctx context.Context, cert *x509.Certificate, now time.Time) ([]*x509.Certificate, error) {
	var errs []error
	for _, address := range cert.IssuingCertificateURL {
		if certs := s.issuersFrom(address, now); signerOf(cert, certs) != nil {
			return certs, nil
		}
		certs, err := s.fetchIssuers(ctx, address)
		if err == nil && signerOf(cert, certs) == nil {
			err = fmt.Errorf("%s: none of the certificates signed %s", address, cert.Subject)
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.keepIssuers(address, certs, now)
		return certs, nil
	}
	return nil, errors.Join(errs...)
}

// signerOf returns which of several certificates signed one; nil if none did.
func signerOf(cert *x509.Certificate, certs []*x509.Certificate) *x509.Certificate {
	for _, c := range certs {
		if c.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil {
			return c
		}
	}
	return nil
}

// maxIssuers bounds the certificates taken from one address.
const maxIssuers = 20

func (s *Source) fetchIssuers(ctx context.Context, address string) ([]*x509.Certificate, error) {
	data, err := s.fetcher.Get(ctx, address)
	if err != nil {
		return nil, err
	}
	if c, err := x509.ParseCertificate(data); err == nil {
		return []*x509.Certificate{c}, nil
	}
	if certs, err := ParsePEM(data); err == nil {
		return certs[:min(len(certs), maxIssuers)], nil
	}
	if sd, err := cms.Parse(data); err == nil && len(sd.Certificates) > 0 {
		return sd.Certificates[:min(len(sd.Certificates), maxIssuers)], nil
	}
	return nil, fmt.Errorf("%s: no certificate in DER, PEM or CMS", address)
}

func (s *Source) issuersFrom(address string, now time.Time) []*x509.Certificate {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.found[address]; now.Before(found.until) {
		return found.certs
	}
	return nil
}

func (s *Source) keepIssuers(address string, certs []*x509.Certificate, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.found) >= maxCached {
		clear(s.found)
	}
	s.found[address] = issuers{certs: certs, until: now.Add(maxCacheAge)}
}
