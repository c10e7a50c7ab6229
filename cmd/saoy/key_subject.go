package main

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"regexp"
	"unicode/utf8"

	"github.com/saoy/saoy/internal/certcopy"
)

// subjectFlags name who the key is for, in the attributes that Vietnamese authorities use
// (RFC 5280 §4.1.2.4, RFC 4519).
type subjectFlags struct {
	CN       string   `help:"Name of the person or agency (commonName)." name:"cn" placeholder:"NAME"`
	Title    string   `help:"Office of the person (title)." placeholder:"TITLE"`
	Org      string   `help:"Agency (organizationName)." placeholder:"AGENCY"`
	Unit     []string `help:"Unit of the agency (organizationalUnitName); may be repeated." sep:"none" placeholder:"UNIT"`
	Locality string   `help:"Commune or ward (localityName)." placeholder:"PLACE"`
	Province string   `help:"Province or city (stateOrProvinceName)." placeholder:"PLACE"`
	Country  string   `help:"Country, two letters." default:"VN"`
	UID      string   `help:"Identifier (userId), with its kind: CCCD:…, MST:…, MNS:…" name:"uid" placeholder:"ID"`
	Email    string   `help:"E-mail address, for the subject alternative name." placeholder:"ADDRESS"`
}

var (
	oidTitle  = asn1.ObjectIdentifier{2, 5, 4, 12}
	oidUserID = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
)

var twoLetters = regexp.MustCompile(`^[A-Z]{2}$`)

// name returns the subject, whose attributes are of the lengths that RFC 5280 Appendix A
// allows: an authority would refuse, or cut, what is longer.
func (s subjectFlags) name() (pkix.Name, error) {
	if s.CN == "" {
		return pkix.Name{}, certcopy.Errorf(certcopy.Invalid, "--cn", nil, certcopy.Msg(
			"Cần tên của người hoặc cơ quan dùng khóa: --cn.", "Whose key is it? Name the person or agency with --cn."))
	}
	if !twoLetters.MatchString(s.Country) {
		return pkix.Name{}, certcopy.Errorf(certcopy.Invalid, "--country", nil, certcopy.Msg(
			"Mã nước gồm hai chữ hoa, ví dụ VN.", "A country is two capital letters, such as VN."))
	}
	limits := []struct {
		flag  string
		limit int
		text  []string
	}{{"--cn", 64, one(s.CN)}, {"--title", 64, one(s.Title)}, {"--org", 64, one(s.Org)}, {"--unit", 64, s.Unit},
		{"--locality", 128, one(s.Locality)}, {"--province", 128, one(s.Province)}, {"--uid", 256, one(s.UID)}}
	for _, l := range limits {
		for _, text := range l.text {
			if n := utf8.RuneCountInString(text); n > l.limit || !utf8.ValidString(text) {
				return pkix.Name{}, certcopy.Errorf(certcopy.Invalid, l.flag, nil, certcopy.Msg(
					fmt.Sprintf("Dài %d ký tự, tối đa %d. Hãy rút gọn.", n, l.limit), fmt.Sprintf("%d characters, at most %d are allowed. Shorten it.", n, l.limit)))
			}
		}
	}
	n := pkix.Name{CommonName: s.CN, Country: []string{s.Country}, Organization: one(s.Org), OrganizationalUnit: s.Unit,
		Locality: one(s.Locality), Province: one(s.Province)}
	for _, x := range []struct {
		oid   asn1.ObjectIdentifier
		value string
	}{{oidTitle, s.Title}, {oidUserID, s.UID}} {
		if x.value != "" {
			n.ExtraNames = append(n.ExtraNames, pkix.AttributeTypeAndValue{Type: x.oid, Value: x.value})
		}
	}
	return n, nil
}

// rawSubject is the DER of the subject.
func (s subjectFlags) rawSubject() ([]byte, error) {
	n, err := s.name()
	if err != nil {
		return nil, err
	}
	return asn1.Marshal(n.ToRDNSequence())
}

// one is a list of the text, or of nothing if it is empty.
func one(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}
