package trust

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var (
	oidDeltaCRL         = asn1.ObjectIdentifier{2, 5, 29, 27}
	oidIssuingDistPoint = asn1.ObjectIdentifier{2, 5, 29, 28}
)

func badCRL(what string) error { return fmt.Errorf("%w: CRL: %s", ErrEvidence, what) }

// checkCRL verifies a CRL of the certificate's own issuer (RFC 5280 §6.3). Indirect, delta
// and partial lists that do not cover the certificate are refused: they cannot prove it good.
func checkCRL(l *x509.RevocationList, cert, issuer *x509.Certificate, when When) (Revocation, error) {
	if err := l.CheckSignatureFrom(issuer); err != nil {
		return Revocation{}, fmt.Errorf("%w: CRL: %w", ErrEvidence, err)
	}
	for _, e := range l.Extensions {
		if err := checkCRLExtension(e, cert); err != nil {
			return Revocation{}, err
		}
	}
	r := Revocation{Status: Good, Source: "CRL", ThisUpdate: l.ThisUpdate, NextUpdate: l.NextUpdate, Raw: l.Raw}
	for _, entry := range l.RevokedCertificateEntries {
		if entry.SerialNumber.Cmp(cert.SerialNumber) != 0 {
			continue
		}
		if entry.ReasonCode == 8 { // removeFromCRL
			continue
		}
		r.Status, r.RevokedAt, r.Reason = Revoked, entry.RevocationTime, entry.ReasonCode
	}
	return r, when.accept(r, cert)
}

func checkCRLExtension(e pkix.Extension, cert *x509.Certificate) error {
	switch {
	case e.Id.Equal(oidDeltaCRL):
		return badCRL("is a delta CRL")
	case e.Id.Equal(oidIssuingDistPoint):
		return checkDistributionPoint(e.Value, cert)
	case e.Critical:
		return badCRL("unknown critical extension " + e.Id.String())
	}
	return nil
}

// checkDistributionPoint wants an IssuingDistributionPoint (RFC 5280 §5.2.5) to include the
// certificate.
func checkDistributionPoint(der cryptobyte.String, cert *x509.Certificate) error {
	var s, point, other cryptobyte.String
	var hasPoint, present bool
	if !der.ReadASN1(&s, cbasn1.SEQUENCE) || !s.ReadOptionalASN1(&point, &hasPoint, contextTag(0)) {
		return badCRL("issuingDistributionPoint")
	}
	if hasPoint && !pointOf(point, cert) {
		return badCRL("is for another distribution point")
	}
	flag := func(n uint8) bool {
		ok := s.ReadOptionalASN1(&other, &present, cbasn1.Tag(n).ContextSpecific())
		return ok && present && len(other) == 1 && other[0] != 0
	}
	userOnly, caOnly := flag(1), flag(2)
	if (userOnly && cert.IsCA) || (caOnly && !cert.IsCA) {
		return badCRL("is for another kind of certificate")
	}
	if !s.ReadOptionalASN1(&other, &present, cbasn1.Tag(3).ContextSpecific()) || present {
		return badCRL("covers only some reasons")
	}
	if flag(4) || flag(5) || !s.Empty() {
		return badCRL("is indirect, or for attribute certificates")
	}
	return nil
}

// pointOf tells whether a DistributionPointName has an address that the certificate names.
func pointOf(s cryptobyte.String, cert *x509.Certificate) bool {
	var names cryptobyte.String
	if !s.ReadASN1(&names, contextTag(0)) { // nameRelativeToCRLIssuer is used by nobody
		return false
	}
	for !names.Empty() {
		var name cryptobyte.String
		var tag cbasn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			return false
		}
		if tag == cbasn1.Tag(6).ContextSpecific() && slices.Contains(cert.CRLDistributionPoints, string(name)) {
			return true
		}
	}
	return false
}
