package validation

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer/cms"
)

// The parts of a CMS that no signature covers are its envelope: version numbers, lists of
// algorithms, the frames around certificates and revocation data, unsigned attributes. Each
// has one form that RFC 5652 allows; where another stands there, somebody may have written
// into the file after it was signed.

var (
	envelopeNotDER     = both{"không mã hoá theo DER", "it is not encoded in DER"}
	envelopeVersion    = both{"số phiên bản không đúng với nội dung", "a version number does not fit the content"}
	envelopeAlgorithms = both{"danh sách thuật toán không đúng với chữ ký", "the list of algorithms does not fit the signature"}
	envelopeRevocation = both{"dữ liệu thu hồi kèm theo không đọc được", "revocation data beside it cannot be read"}
	envelopeAttribute  = both{"có thuộc tính không được ký mà không ai biết", "it has an unsigned attribute that nobody knows"}
)

// unsignedKnown are the unsigned attributes that have a meaning (ETSI EN 319 122-1 §5.3, §5.4,
// §5.5; RFC 5652 §11.4; RFC 5126 §6.2).
var unsignedKnown = func() []string {
	known := []string{"1.2.840.113549.1.9.6", "0.4.0.1733.2.4", "0.4.0.1733.2.5", "0.4.0.19122.1.5"}
	for _, last := range []string{"14", "21", "22", "23", "24", "25", "26", "27", "44", "45", "46", "48"} {
		known = append(known, "1.2.840.113549.1.9.16.2."+last)
	}
	return known
}()

// envelope returns what is wrong with the envelope of a CMS or of a time-stamp within it;
// empty if nothing is.
func envelope(der []byte, sd *cms.SignedData) both {
	if !sd.Canonical {
		return envelopeNotDER
	}
	s := cryptobyte.String(der)
	var info, explicit, body, digests, crls cryptobyte.String
	var hasCRLs bool
	tag := func(n uint8) cbasn1.Tag { return cbasn1.Tag(n).ContextSpecific().Constructed() }
	if !s.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.OBJECT_IDENTIFIER) || !info.ReadASN1(&explicit, tag(0)) ||
		!explicit.ReadASN1(&body, cbasn1.SEQUENCE) || !body.SkipASN1(cbasn1.INTEGER) || !body.ReadASN1(&digests, cbasn1.SET) ||
		!body.SkipASN1(cbasn1.SEQUENCE) || !body.SkipOptionalASN1(tag(0)) || !body.ReadOptionalASN1(&crls, &hasCRLs, tag(1)) {
		return envelopeNotDER
	}
	switch {
	case sd.Version != versionOf(sd):
		return envelopeVersion
	case !listsDigests(digests, sd.Signers):
		return envelopeAlgorithms
	case !readableCRLs(crls, sd):
		return envelopeRevocation
	}
	for _, si := range sd.Signers {
		if bad := signerEnvelope(si); bad != (both{}) {
			return bad
		}
	}
	return both{}
}

// versionOf is the version of a SignedData with certificates of X.509 (RFC 5652 §5.1).
func versionOf(sd *cms.SignedData) int {
	bySubject := slices.ContainsFunc(sd.Signers, func(si *cms.SignerInfo) bool { return si.Serial == nil })
	switch {
	case len(sd.OCSPs) > 0:
		return 5
	case bySubject || !sd.ContentType.Equal(cms.OIDData):
		return 3
	}
	return 1
}

// listsDigests reports whether the list holds nothing but hashes, and those of the signers.
func listsDigests(list cryptobyte.String, signers []*cms.SignerInfo) bool {
	var listed []asn1.ObjectIdentifier
	for !list.Empty() {
		var oid asn1.ObjectIdentifier
		var one cryptobyte.String
		if !list.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&oid) || !noParameters(one) || cms.HashOf(oid) == 0 {
			return false
		}
		listed = append(listed, oid)
	}
	return !slices.ContainsFunc(signers, func(si *cms.SignerInfo) bool { return !slices.ContainsFunc(listed, si.DigestOID.Equal) })
}

// noParameters: hashes have none, written as nothing or as NULL (RFC 5754 §2).
func noParameters(s cryptobyte.String) bool { return len(s) == 0 || string(s) == "\x05\x00" }

// readableCRLs wants every element to be a CRL or an OCSP response.
func readableCRLs(s cryptobyte.String, sd *cms.SignedData) bool {
	for n := len(sd.CRLs) + len(sd.OCSPs); !s.Empty(); n-- {
		var raw cryptobyte.String
		var tag cbasn1.Tag
		if n == 0 || !s.ReadAnyASN1Element(&raw, &tag) {
			return false
		}
	}
	for _, der := range sd.CRLs {
		if _, err := x509.ParseRevocationList(der); err != nil {
			return false
		}
	}
	return true
}

// signerEnvelope looks at the version of a SignerInfo (RFC 5652 §5.3) and at its unsigned
// attributes, time-stamps among them.
func signerEnvelope(si *cms.SignerInfo) both {
	if want := map[bool]int{true: 3, false: 1}[si.Serial == nil]; si.Version != want {
		return envelopeVersion
	}
	for _, a := range si.UnsignedAttributes {
		if !slices.Contains(unsignedKnown, a.OID.String()) {
			return envelopeAttribute
		}
	}
	for _, der := range si.TimeStampTokens() {
		if sd, err := cms.Parse(der); err == nil {
			if bad := envelope(der, sd); bad != (both{}) {
				return bad
			}
		}
	}
	return both{}
}
