package trust

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// name is a distinguished name in the form that RFC 5280 §7.1 compares: one string for each
// relative distinguished name, equal for names that differ only in the kind of string, in
// capitals, in white space or in how accents are composed.
type name []string

// maxAttributes bounds the relative distinguished names of a name.
const maxAttributes = 100

// parseName reads a Name in DER. What is no name is nil and equals nothing.
func parseName(der []byte) name {
	s := cryptobyte.String(der)
	var list, set cryptobyte.String
	if !s.ReadASN1(&list, cbasn1.SEQUENCE) || !s.Empty() {
		return nil
	}
	out := name{}
	for !list.Empty() {
		if len(out) == maxAttributes || !list.ReadASN1(&set, cbasn1.SET) {
			return nil
		}
		parts, ok := parseRelative(set)
		if !ok {
			return nil
		}
		out = append(out, joinRelative(parts))
	}
	return out
}

func joinRelative(parts []string) string { return strings.Join(parts, "\x00") }

// parseRelative reads the attributes of a RelativeDistinguishedName, in one order.
func parseRelative(set cryptobyte.String) ([]string, bool) {
	var parts []string
	for !set.Empty() {
		var attribute, value cryptobyte.String
		var oid asn1.ObjectIdentifier
		var tag cbasn1.Tag
		if len(parts) == maxAttributes || !set.ReadASN1(&attribute, cbasn1.SEQUENCE) || !attribute.ReadASN1ObjectIdentifier(&oid) ||
			!attribute.ReadAnyASN1(&value, &tag) || !attribute.Empty() {
			return nil, false
		}
		parts = append(parts, oid.String()+"="+prepare(tag, value))
	}
	slices.Sort(parts)
	return parts, len(parts) > 0
}

// Tags of strings that cryptobyte does not name.
const (
	tagUniversalString = cbasn1.Tag(28)
	tagBMPString       = cbasn1.Tag(30)
	tagVisibleString   = cbasn1.Tag(26)
)

// prepare brings an attribute value into the form of RFC 4518 as RFC 5280 §7.1 narrows it:
// Unicode, NFKC, case folded, inner white space one space, none at the ends. What is no string
// equals only itself.
func prepare(tag cbasn1.Tag, value []byte) string {
	text, ok := decodeString(tag, value)
	if !ok {
		return string(rune(tag)) + "#" + string(value)
	}
	if ascii(text) {
		text = strings.ToLower(text)
	} else {
		text = norm.NFKC.String(cases.Fold().String(norm.NFKC.String(text)))
	}
	return strings.Join(strings.Fields(text), " ")
}

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func decodeString(tag cbasn1.Tag, value []byte) (string, bool) {
	switch tag {
	case cbasn1.UTF8String, cbasn1.PrintableString, cbasn1.IA5String, tagVisibleString:
		return string(value), utf8.Valid(value)
	case cbasn1.T61String: // what writers mean by it is Latin-1
		runes := make([]rune, len(value))
		for i, b := range value {
			runes[i] = rune(b)
		}
		return string(runes), true
	case tagBMPString:
		return decodeUTF16(value)
	case tagUniversalString:
		return decodeUTF32(value)
	}
	return "", false
}

func decodeUTF16(value []byte) (string, bool) {
	units := make([]uint16, 0, len(value)/2)
	for i := 0; i+1 < len(value); i += 2 {
		units = append(units, uint16(value[i])<<8|uint16(value[i+1]))
	}
	return string(utf16.Decode(units)), len(value)%2 == 0
}

func decodeUTF32(value []byte) (string, bool) {
	runes := make([]rune, 0, len(value)/4)
	for i := 0; i+3 < len(value); i += 4 {
		runes = append(runes, rune(uint32(value[i])<<24|uint32(value[i+1])<<16|uint32(value[i+2])<<8|uint32(value[i+3])))
	}
	return string(runes), len(value)%4 == 0
}

// sameName compares two names in DER by RFC 5280 §7.1.
func sameName(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	x, y := parseName(a), parseName(b)
	return x != nil && y != nil && slices.Equal(x, y)
}

// is tells whether a name in DER is this one, raw in DER.
func (n name) is(der, raw []byte) bool {
	return bytes.Equal(der, raw) || n != nil && slices.Equal(n, parseName(der))
}

// within tells whether a name lies in the subtree of another (RFC 5280 §4.2.1.10).
func (n name) within(base name) bool {
	return n != nil && base != nil && len(n) >= len(base) && slices.Equal(n[:len(base)], base)
}
