// Package link mints the two ways to reach a copy from outside: the verification code that
// is printed in it, and the sharing link that opens it.
//
// A code leads to public facts and may be spread; a sharing token opens the file and must
// not be. Neither says anything about number, agency or time. The package is pure: random
// bytes and the site's address are passed in.
package link

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/saoy/saoy/internal/certcopy"
)

// CodeBits is the number of random bits in a verification code.
const CodeBits = 80

// ErrCode is wrapped by every error of ParseCode.
var ErrCode = errors.New("not a verification code")

const (
	// alphabet is that of Crockford's base 32: no I, L, O, and no U.
	alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	bodyLen  = CodeBits / 5
	codeLen  = bodyLen + 1
	group    = 4
	// maxTyped bounds what ParseCode looks at; a code with a separator after every character
	// is far shorter.
	maxTyped = 256
)

// Code is a verification code: 80 random bits and a check character. The zero Code is none.
type Code struct{ text string }

// NewCode makes a code of 10 bytes of rand, which must be a source fit for keys.
func NewCode(rand io.Reader) (Code, error) {
	var b [CodeBits / 8]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return Code{}, fmt.Errorf("verification code: %w", err)
	}
	var values [bodyLen]byte
	for i := range values {
		values[i] = bits5(b[:], i*5)
	}
	text := make([]byte, 0, codeLen)
	for _, v := range values {
		text = append(text, alphabet[v])
	}
	return Code{text: string(append(text, alphabet[check(values[:])]))}, nil
}

// bits5 returns the five bits of b that begin at bit i, most significant first.
func bits5(b []byte, i int) byte {
	pair := uint16(b[i/8]) << 8
	if i/8+1 < len(b) {
		pair |= uint16(b[i/8+1])
	}
	return byte(pair>>(11-i%8)) & 31
}

// ParseCode reads a code as people type it: in either case, with o for 0 and i or l for 1,
// with spaces, dashes, dots or underscores anywhere. It detects every single wrong character
// and every exchange of two characters. Errors wrap ErrCode and are certcopy.Invalid; they do
// not repeat what was typed.
func ParseCode(typed string) (Code, error) {
	if len(typed) > maxTyped {
		return Code{}, badCode("too long", certcopy.Msg(
			"Mã xác minh quá dài. Mã gồm 17 ký tự, in dưới ô vuông QR.",
			"The verification code is too long. It has 17 characters, printed below the QR square."))
	}
	text := make([]byte, 0, codeLen)
	values := make([]byte, 0, codeLen)
	for _, r := range typed {
		if separator(r) {
			continue
		}
		v := strings.IndexRune(alphabet, canonical(r))
		if v < 0 {
			return Code{}, badCode("foreign character", certcopy.Msg(
				"Mã xác minh chỉ gồm chữ số và chữ cái không dấu (không có I, L, O, U). Hãy xem lại ký tự vừa nhập.",
				"A verification code has only digits and plain letters (no I, L, O, U). Check what was typed."))
		}
		text, values = append(text, alphabet[v]), append(values, byte(v))
	}
	if len(text) != codeLen {
		return Code{}, badCode(fmt.Sprintf("%d characters", len(text)), certcopy.Msg(
			fmt.Sprintf("Mã xác minh phải có 17 ký tự, ở đây có %d. Hãy nhập lại đủ mã in dưới ô vuông QR.", len(text)),
			fmt.Sprintf("A verification code has 17 characters, this has %d. Enter the whole code printed below the QR square.", len(text))))
	}
	if check(values[:bodyLen]) != values[bodyLen] {
		return Code{}, badCode("check character", certcopy.Msg(
			"Mã xác minh có ký tự gõ sai (ký tự kiểm tra không khớp). Hãy so lại từng nhóm 4 ký tự.",
			"The verification code has a mistyped character (its check character does not fit). Compare it group by group."))
	}
	return Code{text: string(text)}, nil
}

func badCode(what string, m certcopy.Message) error {
	return certcopy.Errorf(certcopy.Invalid, "", fmt.Errorf("%w: %s", ErrCode, what), m)
}

// canonical maps what people write to what was meant.
func canonical(r rune) rune {
	switch r {
	case 'o', 'O':
		return '0'
	case 'i', 'I', 'l', 'L':
		return '1'
	}
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// separator reports whether r only groups. Pd has the dashes that word processors make of "-".
func separator(r rune) bool {
	return unicode.IsSpace(r) || unicode.Is(unicode.Pd, r) || r == '.' || r == '_' || r == '\u200b' || r == '\u2212'
}

// String returns the canonical form: 17 upper-case characters without separators.
func (c Code) String() string { return c.text }

// Grouped returns the code for print and for reading aloud: XXXX-XXXX-XXXX-XXXX-X.
func (c Code) Grouped() string {
	var b strings.Builder
	for i, r := range c.text {
		if i > 0 && i%group == 0 {
			b.WriteByte('-')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Hash returns the SHA-256 of the canonical form, by which a code is looked up and under
// which it stands in the log.
func (c Code) Hash() certcopy.Digest { return certcopy.DigestOf([]byte(c.text)) }

// IsZero reports whether there is no code.
func (c Code) IsZero() bool { return c.text == "" }
