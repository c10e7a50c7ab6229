package pdf

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Text returns the text string of s: printable ASCII as it is, all else in UTF-16BE with
// its byte order mark, in hexadecimal (ISO 32000-2 §7.9.2.2).
func Text(s string) String {
	if isPrintableASCII(s) {
		return String{Bytes: []byte(s)}
	}
	b := append(make([]byte, 0, 2+2*len(s)), 0xFE, 0xFF)
	for _, r := range s {
		high, low := utf16.EncodeRune(r)
		if high == unicode.ReplacementChar { // not a pair
			b = append(b, byte(r>>8), byte(r))
			continue
		}
		b = append(b, byte(high>>8), byte(high), byte(low>>8), byte(low))
	}
	return String{Bytes: b, Hex: true}
}

func isPrintableASCII(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] > 0x7E {
			return false
		}
	}
	return true
}

// Text decodes a text string: UTF-16BE or UTF-8 with their marks, else PDFDocEncoding
// (ISO 32000-2 §7.9.2.2 and Annex D). What cannot be decoded becomes U+FFFD.
func (s String) Text() string {
	b := s.Bytes
	switch {
	case len(b) >= 2 && b[0] == 0xFE && b[1] == 0xFF:
		return decodeUTF16(b[2:])
	case len(b) >= 3 && b[0] == 0xEF && b[1] == 0xBB && b[2] == 0xBF:
		return strings.ToValidUTF8(string(b[3:]), string(utf8.RuneError))
	}
	var t strings.Builder
	for _, c := range b {
		t.WriteRune(docEncodingRune(c))
	}
	return t.String()
}

func decodeUTF16(b []byte) string {
	u := make([]uint16, len(b)/2)
	for i := range u {
		u[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
	}
	return string(utf16.Decode(u))
}

// docEncoding holds the code points of PDFDocEncoding that differ from Latin-1, in the two
// ranges where it does.
var (
	docEncoding18 = [...]rune{'˘', 'ˇ', 'ˆ', '˙', '˝', '˛', '˚', '˜'}
	docEncoding80 = [...]rune{'•', '†', '‡', '…', '—', '–', 'ƒ', '⁄', '‹', '›', '−', '‰', '„', '“', '”', '‘',
		'’', '‚', '™', 'ﬁ', 'ﬂ', 'Ł', 'Œ', 'Š', 'Ÿ', 'Ž', 'ı', 'ł', 'œ', 'š', 'ž', utf8.RuneError, '€'}
)

func docEncodingRune(c byte) rune {
	switch {
	case c >= 0x18 && c <= 0x1F:
		return docEncoding18[c-0x18]
	case c >= 0x80 && c <= 0xA0:
		return docEncoding80[c-0x80]
	case c == 0x7F || c == 0xAD:
		return utf8.RuneError
	}
	return rune(c)
}

func digit(n int) byte { return '0' + byte(n%10) }

// Date returns the date string of t with t's own offset from UTC, to the second:
// "D:20260102150405+07'00'" (ISO 32000-2 §7.9.4; the last apostrophe is what older readers
// expect).
func Date(t time.Time) String {
	_, offset := t.Zone()
	sign := byte('+')
	if offset < 0 {
		sign, offset = '-', -offset
	}
	b := t.AppendFormat(append(make([]byte, 0, 24), "D:"...), "20060102150405")
	return String{Bytes: append(b, sign, digit(offset/36000), digit(offset/3600), '\'', digit(offset/600%6), digit(offset/60), '\'')}
}
