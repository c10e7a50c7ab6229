package pdf

import (
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// ErrObject: an object cannot be written: a nil value, a number that is not finite, a
// stream inside another object, or nesting deeper than maxWriteDepth.
var ErrObject = errors.New("object cannot be written")

const maxWriteDepth = 200

// Append appends the syntax of o, which is not a *Stream, to b. Equal objects give equal
// bytes.
func Append(b []byte, o Object) ([]byte, error) { return appendObject(b, o, 0) }

func appendObject(b []byte, o Object, depth int) ([]byte, error) {
	if depth > maxWriteDepth {
		return b, fmt.Errorf("%w: nested deeper than %d", ErrObject, maxWriteDepth)
	}
	switch v := o.(type) {
	case Null:
		return append(b, "null"...), nil
	case Boolean:
		return strconv.AppendBool(b, bool(v)), nil
	case Integer:
		return strconv.AppendInt(b, int64(v), 10), nil
	case Real:
		return appendReal(b, float64(v))
	case Name:
		return appendName(b, v)
	case String:
		return appendString(b, v), nil
	case Place:
		return append(b, "<>"...), nil
	case Ref:
		return appendRef(b, v)
	case Array:
		return appendArray(b, v, depth)
	case Dict:
		return appendDict(b, v, depth)
	case *Stream:
		return b, fmt.Errorf("%w: a stream must be an indirect object", ErrObject)
	}
	return b, fmt.Errorf("%w: %T", ErrObject, o)
}

func appendReal(b []byte, v float64) ([]byte, error) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return b, fmt.Errorf("%w: number %v", ErrObject, v)
	}
	start := len(b)
	b = strconv.AppendFloat(b, v, 'f', -1, 64)
	for _, c := range b[start:] {
		if c == '.' {
			return b, nil
		}
	}
	return append(b, ".0"...), nil
}

func appendRef(b []byte, r Ref) ([]byte, error) {
	if r.Number <= 0 || r.Generation < 0 || r.Generation > maxGeneration {
		return b, fmt.Errorf("%w: reference %v", ErrObject, r)
	}
	b = strconv.AppendInt(b, int64(r.Number), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(r.Generation), 10)
	return append(b, " R"...), nil
}

func appendName(b []byte, n Name) ([]byte, error) {
	b = append(b, '/')
	for i := range len(n) {
		c := n[i]
		switch {
		case c == 0:
			return b, fmt.Errorf("%w: name with a null byte", ErrObject)
		case c < 0x21 || c > 0x7E || c == '#' || isDelimiter(c):
			b = append(b, '#', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b, nil
}

const hexDigits = "0123456789ABCDEF"

func appendString(b []byte, s String) []byte {
	if s.Hex {
		b = append(b, '<')
		b = hex.AppendEncode(b, s.Bytes)
		return append(b, '>')
	}
	b = append(b, '(')
	for _, c := range s.Bytes {
		switch c {
		case '(', ')', '\\':
			b = append(b, '\\', c)
		case '\r': // a bare one would be read as a line feed
			b = append(b, '\\', 'r')
		case '\n':
			b = append(b, '\\', 'n')
		default:
			b = append(b, c)
		}
	}
	return append(b, ')')
}

func appendArray(b []byte, a Array, depth int) ([]byte, error) {
	var err error
	b = append(b, '[')
	for i, o := range a {
		if i > 0 {
			b = append(b, ' ')
		}
		if b, err = appendObject(b, o, depth+1); err != nil {
			return b, err
		}
	}
	return append(b, ']'), nil
}

func appendDict(b []byte, d Dict, depth int) ([]byte, error) {
	var err error
	b = append(b, "<<"...)
	for i, e := range d {
		if i > 0 {
			b = append(b, ' ')
		}
		if b, err = appendName(b, e.Key); err != nil {
			return b, err
		}
		b = append(b, ' ')
		if b, err = appendObject(b, e.Value, depth+1); err != nil {
			return b, fmt.Errorf("/%s: %w", e.Key, err)
		}
	}
	return append(b, ">>"...), nil
}
