package pdf

import (
	"bytes"
	"errors"
	"strconv"
)

// parser reads objects from a window of a file. A token that touches the end of the window
// sets hitEnd: the caller must then parse a larger window, unless the data ends there.
type parser struct {
	b      []byte
	pos    int
	depth  int // nesting still allowed
	values int // parsed so far
	hitEnd bool
	items  []Object // of the arrays that are being parsed
	pairs  []Entry  // of the dictionaries that are being parsed
	keys   [][]byte // of the dictionaries that are being skimmed
	seen   skimmed  // by skimIndirect
}

// reset makes the parser one of other bytes; what it has grown to hold stays.
func (p *parser) reset(b []byte, pos, depth int) {
	*p = parser{b: b, pos: pos, depth: depth, items: p.items[:0], pairs: p.pairs[:0], keys: p.keys[:0]}
}

// syntaxError is a finding at p.pos of the window; the reader turns it into a DamageError.
type syntaxError string

func (e syntaxError) Error() string { return string(e) }

var (
	errDepth  = errors.New("nested too deeply")
	errValues = errors.New("too many values in one object")
)

// maxValues of one object: each takes far more memory than its two or three bytes of syntax.
const maxValues = 500_000

// peek returns the byte at the position, or 0 at the end of the window.
func (p *parser) peek() byte {
	if p.pos >= len(p.b) {
		p.hitEnd = true
		return 0
	}
	return p.b[p.pos]
}

func (p *parser) atEnd() bool {
	if p.pos >= len(p.b) {
		p.hitEnd = true
		return true
	}
	return false
}

// skipSpace passes white space and comments (ISO 32000-2 §7.2.3, §7.2.4).
func (p *parser) skipSpace() {
	for b := p.b; ; {
		i := p.pos
		for i < len(b) && isSpace(b[i]) {
			i++
		}
		p.pos = i
		if p.atEnd() || b[i] != '%' {
			return
		}
		for !p.atEnd() && b[p.pos] != '\n' && b[p.pos] != '\r' {
			p.pos++
		}
	}
}

// regular returns the run of regular characters at the position.
func (p *parser) regular() []byte {
	b, i := p.b, p.pos
	for i < len(b) && classes[b[i]] == regular {
		i++
	}
	run := b[p.pos:i]
	p.pos = i
	p.hitEnd = p.hitEnd || i >= len(b)
	return run
}

// keyword passes white space and then exactly the word, and reports whether it was there.
func (p *parser) keyword(word string) bool {
	p.skipSpace()
	start := p.pos
	if string(p.regular()) == word {
		return true
	}
	p.pos = start
	return false
}

// object parses one object that is not a stream.
func (p *parser) object() (Object, error) {
	p.skipSpace()
	if p.atEnd() {
		return nil, syntaxError("an object is missing")
	}
	if p.values++; p.values > maxValues {
		return nil, errValues
	}
	switch c := p.peek(); {
	case c == '/':
		return p.name()
	case c == '(':
		return p.literal()
	case c == '[':
		return p.array()
	case c == '<':
		p.pos++
		if p.peek() == '<' {
			p.pos++
			return p.dict()
		}
		return p.hexString()
	case c == '+' || c == '-' || c == '.' || isDigit(c):
		return p.numberOrRef()
	}
	return p.word()
}

func (p *parser) word() (Object, error) {
	start := p.pos
	switch w := string(p.regular()); w {
	case "null":
		return Null{}, nil
	case "true":
		return Boolean(true), nil
	case "false":
		return Boolean(false), nil
	default:
		p.pos = start
		return nil, syntaxError("not an object: " + strconv.Quote(clip(w)))
	}
}

func (p *parser) name() (Object, error) {
	raw, err := p.rawName()
	if err != nil {
		return nil, err
	}
	if known, ok := commonNames[string(raw)]; ok {
		return known, nil
	}
	return Name(raw), nil
}

// key parses a name as the key of a dictionary.
func (p *parser) key() (Name, error) {
	raw, err := p.rawName()
	if known, ok := commonNames[string(raw)].(Name); ok {
		return known, err
	}
	return Name(raw), err
}

// rawName parses a name; without escapes it is a part of the window.
func (p *parser) rawName() ([]byte, error) {
	p.pos++ // the solidus
	raw := p.regular()
	if bytes.IndexByte(raw, '#') < 0 {
		return raw, nil
	}
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		if c == '#' {
			if i+2 >= len(raw) || unhex(raw[i+1]) < 0 || unhex(raw[i+2]) < 0 {
				return nil, syntaxError("a name has a # without two hexadecimal digits")
			}
			c = byte(unhex(raw[i+1])<<4 | unhex(raw[i+2]))
			if c == 0 {
				return nil, syntaxError("a name has a null byte")
			}
			i += 2
		}
		out = append(out, c)
	}
	return out, nil
}

func (p *parser) hexString() (Object, error) {
	b, err := p.hex(true)
	if err != nil {
		return nil, err
	}
	return String{Bytes: b, Hex: true}, nil
}

// hex parses what follows the "<" of a hexadecimal string.
func (p *parser) hex(keep bool) ([]byte, error) {
	var out []byte
	half := -1
	for !p.atEnd() {
		c := p.b[p.pos]
		p.pos++
		switch d := unhex(c); {
		case c == '>':
			if half >= 0 && keep {
				out = append(out, byte(half<<4))
			}
			return out, nil
		case isSpace(c):
		case d < 0:
			return nil, syntaxError("a hexadecimal string holds another character")
		case half < 0:
			half = d
		default:
			if keep {
				out = append(out, byte(half<<4|d))
			}
			half = -1
		}
	}
	return nil, syntaxError("a hexadecimal string does not end")
}

func (p *parser) array() (Object, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	p.pos++ // the bracket
	first := len(p.items)
	for {
		p.skipSpace()
		if p.peek() == ']' {
			p.pos++
			a := append(make(Array, 0, len(p.items)-first), p.items[first:]...)
			p.items = p.items[:first]
			return a, nil
		}
		o, err := p.object()
		if err != nil {
			return nil, err
		}
		p.items = append(p.items, o)
	}
}

// dict parses what follows "<<".
func (p *parser) dict() (Object, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	first := len(p.pairs)
	for {
		p.skipSpace()
		switch p.peek() {
		case '>':
			p.pos++
			if p.peek() != '>' {
				return nil, syntaxError("a dictionary ends with a single >")
			}
			p.pos++
			d := append(make(Dict, 0, len(p.pairs)-first), p.pairs[first:]...)
			p.pairs = p.pairs[:first]
			return d, nil
		case '/':
			key, err := p.key()
			if err != nil {
				return nil, err
			}
			value, err := p.object()
			if err != nil {
				return nil, err
			}
			p.pairs = append(p.pairs, Entry{key, value})
		default:
			return nil, syntaxError("a dictionary key is not a name")
		}
	}
}

func (p *parser) enter() error {
	if p.depth <= 0 {
		return errDepth
	}
	p.depth--
	return nil
}

func (p *parser) leave() { p.depth++ }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func unhex(c byte) int {
	switch {
	case isDigit(c):
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}
