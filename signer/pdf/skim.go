package pdf

import (
	"bytes"
	"math"
	"slices"
)

// skimmed is what Check needs to know of an indirect object; all else of it is passed over.
type skimmed struct {
	ref       Ref
	isStream  bool
	data      int // where stream data begins, in the window
	length    int64
	lengthRef Ref  // if /Length is a reference
	hasLength bool // and a number or a reference
	hasFile   bool // /F is not null
}

// skimIndirect passes an indirect object. It accepts what indirect accepts, except a
// dictionary in which a key occurs twice, notes what it has seen in p.seen, and allocates
// nothing in the usual case.
func (p *parser) skimIndirect() (err error) {
	o := &p.seen
	if o.ref, err = p.header(); err != nil {
		return err
	}
	isDict, err := p.skimTop(o)
	if err != nil {
		return err
	}
	o.isStream, o.data, err = p.afterObject(isDict)
	return err
}

// skimTop passes the object itself and notes what a stream's dictionary says of its data.
func (p *parser) skimTop(o *skimmed) (isDict bool, err error) {
	p.skipSpace()
	if p.peek() != '<' || p.pos+1 >= len(p.b) || p.b[p.pos+1] != '<' {
		return false, p.skim()
	}
	if p.values++; p.values > maxValues {
		return false, errValues
	}
	p.pos += 2
	return true, p.skimDict(o)
}

// skim passes one object as object does.
func (p *parser) skim() error {
	p.skipSpace()
	if p.atEnd() {
		return syntaxError("an object is missing")
	}
	if p.values++; p.values > maxValues {
		return errValues
	}
	switch c := p.peek(); {
	case c == '/':
		_, err := p.rawName()
		return err
	case c == '(':
		_, err := p.text(false)
		return err
	case c == '[':
		return p.skimArray()
	case c == '<':
		p.pos++
		if p.peek() == '<' {
			p.pos++
			return p.skimDict(nil)
		}
		_, err := p.hex(false)
		return err
	case isDigit(c):
		_, _, err := p.skimNumber()
		return err
	case c == '+' || c == '-' || c == '.':
		_, err := p.numberOrRef()
		return err
	}
	_, err := p.word()
	return err
}

func (p *parser) skimArray() error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	p.pos++ // the bracket
	for {
		p.skipSpace()
		if p.peek() == ']' {
			p.pos++
			return nil
		}
		if err := p.skim(); err != nil {
			return err
		}
	}
}

// skimDict passes what follows "<<".
func (p *parser) skimDict(o *skimmed) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	first := len(p.keys)
	for {
		p.skipSpace()
		switch p.peek() {
		case '>':
			p.pos++
			if p.peek() != '>' {
				return syntaxError("a dictionary ends with a single >")
			}
			p.pos++
			err := keysDiffer(p.keys[first:])
			p.keys = p.keys[:first]
			return err
		case '/':
			key, err := p.rawName()
			if err != nil {
				return err
			}
			p.keys = append(p.keys, key)
			if err := p.skimEntry(string(key), o); err != nil {
				return err
			}
		default:
			return syntaxError("a dictionary key is not a name")
		}
	}
}

// skimEntry passes the value of a key, and notes it if it matters.
func (p *parser) skimEntry(key string, o *skimmed) (err error) {
	switch {
	case o != nil && key == "Length":
		return p.skimLength(o)
	case o != nil && key == "F":
		p.skipSpace()
		start := p.pos
		err = p.skim()
		o.hasFile = string(p.b[start:p.pos]) != "null"
		return err
	}
	return p.skim()
}

func (p *parser) skimLength(o *skimmed) (err error) {
	p.skipSpace()
	switch c := p.peek(); {
	case c == '+' || c == '-' || c == '.':
		v, err := p.object()
		n, ok := v.(Integer)
		o.length, o.hasLength = int64(n), ok
		return err
	case !isDigit(c):
		return p.skim()
	}
	if p.values++; p.values > maxValues {
		return errValues
	}
	o.length, o.lengthRef, err = p.skimNumber()
	o.hasLength = o.length >= 0
	return err
}

// skimNumber passes a number or a reference that begins with a digit. The number is -1 for
// a reference, and for a number that is not whole or too large for an object's length.
func (p *parser) skimNumber() (int64, Ref, error) {
	start := p.pos
	n, ok := plainInteger(p.regular())
	if !ok {
		p.pos = start
		_, err := p.numberOrRef()
		return -1, Ref{}, err
	}
	if n == 0 || n > math.MaxInt32 {
		return n, Ref{}, nil
	}
	after := p.pos
	if generation, ok := p.generation(); ok {
		return -1, Ref{int(n), generation}, nil
	}
	p.pos = after
	return n, Ref{}, nil
}

// plainInteger reads a token of up to 18 digits.
func plainInteger(token []byte) (int64, bool) {
	if len(token) == 0 || len(token) > 18 {
		return 0, false
	}
	n := int64(0)
	for _, c := range token {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// keysDiffer returns an error if a name occurs twice; it may change the order.
func keysDiffer(keys [][]byte) error {
	const few = 16
	if len(keys) > few {
		slices.SortFunc(keys, bytes.Compare)
		for i := 1; i < len(keys); i++ {
			if bytes.Equal(keys[i-1], keys[i]) {
				return keyTwice(keys[i])
			}
		}
		return nil
	}
	for i := range keys {
		for j := range i {
			if bytes.Equal(keys[i], keys[j]) {
				return keyTwice(keys[i])
			}
		}
	}
	return nil
}

func keyTwice(key []byte) error {
	return syntaxError("a dictionary has two /" + clip(string(key)))
}
