package trust

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidCRLNumber         = asn1.ObjectIdentifier{2, 5, 29, 20}
	oidReasonCode        = asn1.ObjectIdentifier{2, 5, 29, 21}
	oidInvalidityDate    = asn1.ObjectIdentifier{2, 5, 29, 24}
	oidDeltaCRL          = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistPoint  = asn1.ObjectIdentifier{2, 5, 29, 28}
	oidCertificateIssuer = asn1.ObjectIdentifier{2, 5, 29, 29}
	oidAuthorityKeyID    = asn1.ObjectIdentifier{2, 5, 29, 35}
)

// removeFromCRL takes a certificate out of the list a delta CRL adds to (RFC 5280 §5.3.1).
const removeFromCRL = 8

// crl is a parsed CertificateList with its scope, not yet verified.
type crl struct {
	*x509.RevocationList
	issuer name
	scope  crlScope
	base   *big.Int // of a delta CRL: the complete one that it adds to or a later; else nil
	// foreign: entries may be about certificates of other authorities.
	foreign bool
	memo    memo // of who signed it
}

func badCRL(what string) error { return fmt.Errorf("%w: CRL: %s", ErrEvidence, what) }

// parseCRL reads a CRL in DER. One that has a critical extension unknown here, of itself or
// of an entry, may not be used at all (RFC 5280 §5.2, §5.3).
func parseCRL(der []byte) (*crl, error) {
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		return nil, fmt.Errorf("%w: CRL: %w", ErrEvidence, err)
	}
	c := &crl{RevocationList: list, issuer: parseName(list.RawIssuer)}
	for _, e := range list.Extensions {
		switch {
		case e.Id.Equal(oidIssuingDistPoint):
			if c.scope, err = parseScope(e.Value, list.RawIssuer); err != nil {
				return nil, err
			}
		case e.Id.Equal(oidDeltaCRL):
			s := cryptobyte.String(e.Value)
			c.base = new(big.Int)
			if !s.ReadASN1Integer(c.base) || !s.Empty() {
				return nil, badCRL("deltaCRLIndicator")
			}
		case e.Critical && !e.Id.Equal(oidCRLNumber) && !e.Id.Equal(oidAuthorityKeyID):
			return nil, badCRL("unknown critical extension " + e.Id.String())
		}
	}
	return c, c.checkEntries()
}

func (c *crl) checkEntries() error {
	for i := range c.RevokedCertificateEntries {
		for _, e := range c.RevokedCertificateEntries[i].Extensions {
			switch {
			case e.Id.Equal(oidCertificateIssuer):
				c.foreign = true
			case e.Critical && !e.Id.Equal(oidReasonCode) && !e.Id.Equal(oidInvalidityDate):
				return badCRL("unknown critical extension of an entry " + e.Id.String())
			}
		}
	}
	return nil
}

// find returns the entry about a certificate, nil if there is none. An entry without issuer
// has that of the entry before it, the first one that of the list (RFC 5280 §5.3.3).
func (c *crl) find(cert *x509.Certificate) (*x509.RevocationListEntry, error) {
	issuer := c.RawIssuer
	var found *x509.RevocationListEntry
	for i := range c.RevokedCertificateEntries {
		entry := &c.RevokedCertificateEntries[i]
		if c.foreign {
			named, err := entryIssuer(entry)
			if err != nil {
				return nil, err
			}
			if named != nil {
				issuer = named
			}
		}
		if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 && sameName(issuer, cert.RawIssuer) {
			found = entry
		}
	}
	return found, nil
}

// entryIssuer reads the certificateIssuer of an entry: the directory name among its names.
func entryIssuer(entry *x509.RevocationListEntry) ([]byte, error) {
	for _, e := range entry.Extensions {
		if !e.Id.Equal(oidCertificateIssuer) {
			continue
		}
		s := cryptobyte.String(e.Value)
		var names cryptobyte.String
		if !s.ReadASN1(&names, cbasn1.SEQUENCE) || !s.Empty() {
			return nil, badCRL("certificateIssuer")
		}
		for !names.Empty() {
			g, ok := readGeneralName(&names)
			if !ok {
				return nil, badCRL("certificateIssuer")
			}
			if g.form == formDirectory {
				return g.value, nil
			}
		}
		return nil, badCRL("certificateIssuer names nobody")
	}
	return nil, nil
}

// signer finds who signed the list: the certificate's issuer, or another with the list's
// name that has a path to the same anchor (RFC 5280 §6.3.3 f, g). SHA-1 is refused.
func (c *crl) signer(s subject) (*x509.Certificate, error) {
	if weakSignature(c.SignatureAlgorithm) {
		return nil, badCRL("signed with " + c.SignatureAlgorithm.String())
	}
	err := error(badCRL("its issuer's certificate is not at hand"))
	for i, candidate := range append([]*x509.Certificate{s.issuer}, s.others...) {
		if !c.issuer.is(candidate.RawSubject, c.RawIssuer) || (i > 0 && candidate.Equal(s.issuer)) {
			continue
		}
		if candidate.KeyUsage != 0 && candidate.KeyUsage&x509.KeyUsageCRLSign == 0 {
			err = badCRL("signed by a certificate that may not sign CRLs")
			continue
		}
		if failed := c.memo.verify(c, candidate, func() error {
			return candidate.CheckSignature(c.SignatureAlgorithm, c.RawTBSRevocationList, c.Signature)
		}); failed != nil {
			err = fmt.Errorf("%w: CRL: %w", ErrEvidence, failed)
			continue
		}
		if i == 0 {
			return candidate, nil
		}
		if s.crlSigner == nil {
			err = badCRL("signed by another than the certificate's issuer")
		} else if err = s.crlSigner(candidate); err == nil {
			return candidate, nil
		} else {
			err = fmt.Errorf("%w: CRL: its signer: %w", ErrEvidence, err)
		}
	}
	return nil, err
}

// extends tells whether a delta CRL adds to a complete one: same issuer, scope and key, not
// older than its base, younger than the complete list itself (RFC 5280 §5.2.4).
func (c *crl) extends(complete *crl) bool {
	return c.base != nil && complete.base == nil && complete.Number != nil && c.Number != nil &&
		sameName(c.RawIssuer, complete.RawIssuer) && bytes.Equal(c.scope.raw, complete.scope.raw) &&
		bytes.Equal(c.AuthorityKeyId, complete.AuthorityKeyId) &&
		complete.Number.Cmp(c.base) >= 0 && complete.Number.Cmp(c.Number) < 0
}

// statement is what a complete CRL, brought up to date by a delta CRL, says of a certificate,
// for the reasons it covers.
func (c *crl) statement(s subject, reasons reasonSet, deltas []*crl, when When) (partial, error) {
	who, err := c.signer(s)
	if err != nil {
		return partial{}, err
	}
	p := partial{reasons: reasons, Revocation: Revocation{Status: Good, Source: "CRL", ThisUpdate: c.ThisUpdate, NextUpdate: c.NextUpdate, Raw: c.Raw}}
	p.signedBy(who, s.issuer)
	entry, err := c.find(s.cert)
	if err != nil {
		return partial{}, err
	}
	p.enter(entry)
	for _, d := range deltas {
		if d.extends(c) {
			p.update(d, s, when)
		}
	}
	if p.Reason == removeFromCRL {
		p.Status, p.Reason, p.RevokedAt = Good, 0, time.Time{}
	}
	return p, when.accept(p.Revocation, s.cert)
}

// partial is a statement about some reasons for revocation.
type partial struct {
	Revocation
	reasons reasonSet
}

// enter takes over an entry.
func (p *partial) enter(entry *x509.RevocationListEntry) {
	if entry != nil {
		p.Status, p.RevokedAt, p.Reason = Revoked, entry.RevocationTime, entry.ReasonCode
	}
}

func (p *partial) signedBy(who, issuer *x509.Certificate) {
	if !who.Equal(issuer) {
		p.Signers = append(p.Signers, who)
	}
}

// update brings a statement up to date with a delta CRL; one that is not good changes nothing:
// the complete list stands by itself.
func (p *partial) update(d *crl, s subject, when When) {
	who, err := d.signer(s)
	if err != nil || !d.ThisUpdate.After(p.ThisUpdate) && len(p.More) > 0 {
		return
	}
	entry, err := d.find(s.cert)
	if err != nil || when.fresh(d.ThisUpdate, d.NextUpdate, s.cert) != nil {
		return
	}
	p.enter(entry)
	p.signedBy(who, s.issuer)
	p.ThisUpdate, p.NextUpdate, p.More = d.ThisUpdate, d.NextUpdate, append(p.More, d.Raw)
}
