package trust

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

var oidDistributionPoints = asn1.ObjectIdentifier{2, 5, 29, 31}

// reasonSet are the reasons for revocation that a list covers (ReasonFlags of RFC 5280
// §4.2.1.13), bit 1 keyCompromise to bit 8 aACompromise.
type reasonSet uint16

const allReasons reasonSet = 0x1fe

func parseReasons(s *cryptobyte.String, tag cbasn1.Tag) (reasonSet, bool) {
	var bits cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&bits, &present, tag) {
		return 0, false
	}
	if !present {
		return allReasons, true
	}
	if len(bits) < 1 || bits[0] > 7 {
		return 0, false
	}
	flags := asn1.BitString{Bytes: bits[1:], BitLength: 8*(len(bits)-1) - int(bits[0])}
	var set reasonSet
	for i := 1; i <= 8; i++ {
		set |= reasonSet(flags.At(i)) << i
	}
	return set, true
}

// crlScope says which certificates and reasons a CRL covers (IssuingDistributionPoint, RFC
// 5280 §5.2.5). The zero value but for reasons is: all of the issuer's.
type crlScope struct {
	raw                          []byte // nil if the list does not limit itself
	names                        []generalName
	userOnly, caOnly, attributes bool
	indirect                     bool
	reasons                      reasonSet
}

func (s crlScope) covered() reasonSet {
	if s.raw == nil {
		return allReasons
	}
	return s.reasons
}

func parseScope(der, issuer []byte) (crlScope, error) {
	in := cryptobyte.String(der)
	var s, point cryptobyte.String
	var hasPoint, ok bool
	scope := crlScope{raw: der}
	bad := badCRL("issuingDistributionPoint")
	if !in.ReadASN1(&s, cbasn1.SEQUENCE) || !in.Empty() || !s.ReadOptionalASN1(&point, &hasPoint, contextTag(0)) {
		return scope, bad
	}
	if hasPoint {
		if scope.names, ok = parsePointName(point, issuer); !ok {
			return scope, bad
		}
	}
	if !readFlag(&s, 1, &scope.userOnly) || !readFlag(&s, 2, &scope.caOnly) {
		return scope, bad
	}
	if scope.reasons, ok = parseReasons(&s, cbasn1.Tag(3).ContextSpecific()); !ok {
		return scope, bad
	}
	if !readFlag(&s, 4, &scope.indirect) || !readFlag(&s, 5, &scope.attributes) || !s.Empty() {
		return scope, bad
	}
	return scope, nil
}

// readFlag reads an implicitly tagged BOOLEAN that is false if absent.
func readFlag(s *cryptobyte.String, tag uint8, flag *bool) bool {
	var value cryptobyte.String
	var present bool
	if !s.ReadOptionalASN1(&value, &present, cbasn1.Tag(tag).ContextSpecific()) {
		return false
	}
	*flag = present && len(value) == 1 && value[0] != 0
	return !present || len(value) == 1
}

// parsePointName reads a DistributionPointName. A name relative to the issuer of the list is
// completed.
func parsePointName(s cryptobyte.String, issuer []byte) ([]generalName, bool) {
	var full, relative cryptobyte.String
	if s.PeekASN1Tag(contextTag(1)) {
		base := parseName(issuer)
		if !s.ReadASN1(&relative, contextTag(1)) || base == nil {
			return nil, false
		}
		parts, ok := parseRelative(relative)
		if !ok {
			return nil, false
		}
		return []generalName{{form: formDirectory, directory: append(base, joinRelative(parts))}}, true
	}
	return readNames(&s, contextTag(0), &full)
}

// readNames reads GeneralNames under an implicit tag.
func readNames(s *cryptobyte.String, tag cbasn1.Tag, scratch *cryptobyte.String) ([]generalName, bool) {
	if !s.ReadASN1(scratch, tag) {
		return nil, false
	}
	var names []generalName
	for !scratch.Empty() {
		g, ok := readGeneralName(scratch)
		if !ok || len(names) == maxNames {
			return nil, false
		}
		names = append(names, g)
	}
	return names, len(names) > 0
}

// distributionPoint is where a certificate says that CRLs about it are (RFC 5280 §4.2.1.13).
type distributionPoint struct {
	names   []generalName // nil: none given
	issuers []generalName // who signs the list, if not the certificate's issuer
	reasons reasonSet
}

// pointsOf returns the distribution points of a certificate, and the one that RFC 5280 §6.3.3
// implies: all lists of its issuer.
func pointsOf(cert *x509.Certificate, issuer name) []distributionPoint {
	implied := distributionPoint{reasons: allReasons, names: []generalName{{form: formDirectory, directory: issuer}}}
	s := cryptobyte.String(extension(cert, oidDistributionPoints))
	var list, one cryptobyte.String
	var points []distributionPoint
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) {
		return []distributionPoint{implied}
	}
	for !list.Empty() && len(points) < maxNames {
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) {
			break
		}
		if p, ok := parsePoint(one, cert.RawIssuer); ok {
			points = append(points, p)
		}
	}
	return append(points, implied)
}

func parsePoint(s cryptobyte.String, issuer []byte) (p distributionPoint, ok bool) {
	var point, scratch cryptobyte.String
	var hasPoint bool
	if !s.ReadOptionalASN1(&point, &hasPoint, contextTag(0)) {
		return p, false
	}
	if hasPoint {
		if p.names, ok = parsePointName(point, issuer); !ok {
			return p, false
		}
	}
	if p.reasons, ok = parseReasons(&s, cbasn1.Tag(1).ContextSpecific()); !ok {
		return p, false
	}
	if s.PeekASN1Tag(contextTag(2)) {
		if p.issuers, ok = readNames(&s, contextTag(2), &scratch); !ok {
			return p, false
		}
	}
	return p, s.Empty() && (hasPoint || p.issuers != nil)
}

// covers tells for which reasons a list is about a certificate at a point of it (RFC 5280
// §6.3.3 b, d); none: not at all.
func (p distributionPoint) covers(c *crl, cert *x509.Certificate, issuer name) reasonSet {
	if p.issuers != nil {
		if !anyName(p.issuers, []generalName{{form: formDirectory, directory: c.issuer}}) || !c.scope.indirect {
			return 0
		}
	} else if issuer == nil || !slices.Equal(c.issuer, issuer) {
		return 0
	}
	names := p.names
	if names == nil {
		names = p.issuers
	}
	switch {
	case c.scope.names != nil && !anyName(c.scope.names, names),
		c.scope.userOnly && cert.BasicConstraintsValid && cert.IsCA,
		c.scope.caOnly && (!cert.BasicConstraintsValid || !cert.IsCA),
		c.scope.attributes:
		return 0
	}
	return p.reasons & c.scope.covered()
}

// anyName tells whether two lists of names have one in common.
func anyName(a, b []generalName) bool {
	return slices.ContainsFunc(a, func(x generalName) bool {
		return slices.ContainsFunc(b, func(y generalName) bool { return x.equal(y) })
	})
}

func (g generalName) equal(h generalName) bool {
	if g.form != h.form {
		return false
	}
	if g.form == formDirectory {
		return g.directory != nil && slices.Equal(g.directory, h.directory)
	}
	return string(g.value) == string(h.value)
}
