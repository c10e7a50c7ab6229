package pdf

import (
	"math"
	"strconv"
)

// numberOrRef parses a number, or the three tokens of a reference.
func (p *parser) numberOrRef() (Object, error) {
	o, err := p.number()
	number, ok := o.(Integer)
	if err != nil || !ok || number <= 0 || number > math.MaxInt32 {
		return o, err
	}
	after := p.pos
	if generation, ok := p.generation(); ok {
		return Ref{int(number), generation}, nil
	}
	p.pos = after
	return o, nil
}

// generation parses the "0 R" of a reference.
func (p *parser) generation() (int, bool) {
	p.skipSpace()
	digits := p.regular()
	if len(digits) == 0 || len(digits) > 5 {
		return 0, false
	}
	g := 0
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		g = g*10 + int(c-'0')
	}
	return g, g <= maxGeneration && p.keyword("R")
}

func (p *parser) number() (Object, error) {
	start := p.pos
	token := p.regular()
	digits, points := 0, 0
	for i, c := range token {
		switch {
		case isDigit(c):
			digits++
		case c == '.':
			points++
		case (c == '+' || c == '-') && i == 0:
		default:
			p.pos = start
			return nil, syntaxError("not a number: " + strconv.Quote(clip(string(token))))
		}
	}
	if digits == 0 || points > 1 {
		p.pos = start
		return nil, syntaxError("not a number: " + strconv.Quote(clip(string(token))))
	}
	if points == 0 {
		if i, err := strconv.ParseInt(string(token), 10, 64); err == nil {
			return Integer(i), nil
		}
	}
	f, err := strconv.ParseFloat(string(token), 64)
	if err != nil {
		return nil, syntaxError("number out of range")
	}
	return Real(f), nil
}

func (p *parser) literal() (Object, error) {
	b, err := p.text(true)
	if err != nil {
		return nil, err
	}
	return String{Bytes: b}, nil
}

// text parses a string in parentheses (ISO 32000-2 §7.3.4.2); it returns nothing but the
// error unless the string is to be kept.
func (p *parser) text(keep bool) ([]byte, error) {
	p.pos++
	out := []byte{}
	open := 1
	for !p.atEnd() {
		c := p.b[p.pos]
		p.pos++
		switch c {
		case '\\':
			out = p.escape(out)
		case '(':
			open++
			out = append(out, c)
		case ')':
			if open--; open == 0 {
				return out, nil
			}
			out = append(out, c)
		case '\r': // any end of line reads as a line feed
			if p.peek() == '\n' {
				p.pos++
			}
			out = append(out, '\n')
		default:
			out = append(out, c)
		}
		if !keep {
			out = out[:0]
		}
	}
	return nil, syntaxError("a string does not end")
}

// escape parses what follows a reverse solidus and appends what it stands for.
func (p *parser) escape(out []byte) []byte {
	if p.atEnd() {
		return out
	}
	c := p.b[p.pos]
	p.pos++
	switch c {
	case 'n':
		return append(out, '\n')
	case 'r':
		return append(out, '\r')
	case 't':
		return append(out, '\t')
	case 'b':
		return append(out, '\b')
	case 'f':
		return append(out, '\f')
	case '\n':
		return out
	case '\r':
		if p.peek() == '\n' {
			p.pos++
		}
		return out
	}
	if c < '0' || c > '7' {
		return append(out, c)
	}
	v := int(c - '0')
	for range 2 {
		if d := p.peek(); d < '0' || d > '7' || p.atEnd() {
			break
		}
		v = v<<3 | int(p.b[p.pos]-'0')
		p.pos++
	}
	return append(out, byte(v))
}
