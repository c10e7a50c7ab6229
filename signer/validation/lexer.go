package validation

import (
	"bytes"
	"errors"
	"fmt"
)

// errSyntax: bytes that are not the PDF syntax expected at their place.
var errSyntax = errors.New("not PDF syntax")

// maxNesting bounds arrays and dictionaries within each other.
const maxNesting = 100

// lexer walks PDF syntax without making objects of it; it answers where things stand. It
// looks only at the bytes it was given.
type lexer struct {
	b []byte
	i int
	// marker: a comment passed over is an end marker or header, which a reader that scans
	// for them would take for one.
	marker bool
}

// space skips white space and comments.
func (l *lexer) space() {
	for l.i < len(l.b) {
		switch c := l.b[l.i]; {
		case isSpace(c):
			l.i++
		case c == '%':
			l.marker = l.marker || bytes.HasPrefix(l.b[l.i:], tokEOF) || bytes.HasPrefix(l.b[l.i:], tokHeader)
			for l.i < len(l.b) && !isEOL(l.b[l.i]) {
				l.i++
			}
		default:
			return
		}
	}
}

// keyword skips s if it stands here as a whole word.
func (l *lexer) keyword(s string) bool {
	l.space()
	end := l.i + len(s)
	if end > len(l.b) || string(l.b[l.i:end]) != s {
		return false
	}
	if end < len(l.b) && !isSpace(l.b[end]) && !isDelimiter(l.b[end]) {
		return false
	}
	l.i = end
	return true
}

// integer reads digits; ok is false where there are none or too many.
func (l *lexer) integer() (v int64, ok bool) {
	l.space()
	from := l.i
	for l.i < len(l.b) && l.b[l.i] >= '0' && l.b[l.i] <= '9' && l.i-from < 18 {
		v = v*10 + int64(l.b[l.i]-'0')
		l.i++
	}
	if l.i == from || l.i < len(l.b) && l.b[l.i] >= '0' && l.b[l.i] <= '9' {
		return 0, false
	}
	return v, true
}

// header reads "N G obj".
func (l *lexer) header() (number, generation int64, err error) {
	number, ok1 := l.integer()
	generation, ok2 := l.integer()
	if !ok1 || !ok2 || !l.keyword("obj") {
		return 0, 0, fmt.Errorf("object header: %w", errSyntax)
	}
	return number, generation, nil
}

// value skips one direct object or reference.
func (l *lexer) value(depth int) error {
	l.space()
	if l.i >= len(l.b) || depth > maxNesting {
		return fmt.Errorf("object at %d: %w", l.i, errSyntax)
	}
	switch c := l.b[l.i]; {
	case c == '/':
		l.i++
		l.regular()
		return nil
	case c == '(':
		return l.literal()
	case c == '[':
		return l.array(depth)
	case c == '<' && l.i+1 < len(l.b) && l.b[l.i+1] == '<':
		return l.dict(depth, nil)
	case c == '<':
		return l.hexString()
	case isDelimiter(c):
		return fmt.Errorf("object at %d: %w", l.i, errSyntax)
	}
	return l.word()
}

// word skips a number, a reference, true, false or null.
func (l *lexer) word() error {
	from := l.i
	l.regular()
	if !isDigits(l.b[from:l.i]) {
		switch w := string(l.b[from:l.i]); w {
		case "true", "false", "null":
			return nil
		default:
			if !isNumber(w) {
				return fmt.Errorf("word %.20q at %d: %w", w, from, errSyntax)
			}
			return nil
		}
	}
	after := l.i
	if _, ok := l.integer(); ok && l.keyword("R") {
		return nil
	}
	l.i = after
	return nil
}

func (l *lexer) regular() {
	for l.i < len(l.b) && !isSpace(l.b[l.i]) && !isDelimiter(l.b[l.i]) {
		l.i++
	}
}

func (l *lexer) array(depth int) error {
	for l.i++; ; {
		l.space()
		if l.i < len(l.b) && l.b[l.i] == ']' {
			l.i++
			return nil
		}
		if err := l.value(depth + 1); err != nil {
			return err
		}
	}
}

// dict skips a dictionary; each is called, if not nil, with every key of the outermost level
// as it is written and the place of its value.
func (l *lexer) dict(depth int, each func(key []byte, from, to int)) error {
	for l.i += 2; ; {
		l.space()
		if l.i+1 < len(l.b) && l.b[l.i] == '>' && l.b[l.i+1] == '>' {
			l.i += 2
			return nil
		}
		if l.i >= len(l.b) || l.b[l.i] != '/' {
			return fmt.Errorf("dictionary key at %d: %w", l.i, errSyntax)
		}
		l.i++
		from := l.i
		l.regular()
		key := l.b[from:l.i]
		l.space()
		from = l.i
		if err := l.value(depth + 1); err != nil {
			return err
		}
		if each != nil {
			each(key, from, l.i)
		}
	}
}

func (l *lexer) hexString() error {
	for l.i++; l.i < len(l.b); l.i++ {
		switch c := l.b[l.i]; {
		case c == '>':
			l.i++
			return nil
		case isSpace(c) || isHex(c):
		default:
			return fmt.Errorf("hexadecimal string at %d: %w", l.i, errSyntax)
		}
	}
	return fmt.Errorf("hexadecimal string without end: %w", errSyntax)
}

func (l *lexer) literal() error {
	depth := 0
	for ; l.i < len(l.b); l.i++ {
		switch l.b[l.i] {
		case '\\':
			l.i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.i++
				return nil
			}
		}
	}
	return fmt.Errorf("string without end: %w", errSyntax)
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func isDigits(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

func isNumber(s string) bool {
	digits := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			digits++
		case c == '.' || (c == '-' || c == '+') && i == 0:
		default:
			return false
		}
	}
	return digits > 0
}
