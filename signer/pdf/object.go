package pdf

import (
	"bytes"
	"io"
	"strconv"
)

// Object is any PDF object: Null, Boolean, Integer, Real, Name, String, Array, Dict, Ref or
// *Stream (ISO 32000-2 §7.3). No other type but Place implements it.
type Object interface{ object() }

type (
	// Null is the null object.
	Null struct{}
	// Boolean is true or false.
	Boolean bool
	// Integer is a whole number.
	Integer int64
	// Real is a number with a fraction, in the precision of a float64.
	Real float64
	// Name is a name without its solidus, #-escapes already undone.
	Name string
	// Array is an ordered list of objects.
	Array []Object
)

// String is a string of bytes. Hex remembers that it was, or is to be, written in
// hexadecimal.
type String struct {
	Bytes []byte
	Hex   bool
}

// Place is a hexadecimal string of so many bytes that something else will write: an Update
// counts it in its offsets and leaves it empty. It stands in a dictionary of an object; no
// reader returns one.
type Place int

// size is how many bytes a place takes in a file, besides its brackets.
func (p Place) size() int64 { return 2 * int64(p) }

// placeIn returns the place in the dictionary of an object, 0 if there is none.
func placeIn(o Object) Place {
	d, _ := o.(Dict)
	for i := range d {
		if p, ok := d[i].Value.(Place); ok {
			return p
		}
	}
	return 0
}

// Ref names an indirect object. The zero Ref names nothing.
type Ref struct {
	Number     int
	Generation int
}

// String returns the reference as it stands in a file: "12 0 R".
func (r Ref) String() string {
	return strconv.Itoa(r.Number) + " " + strconv.Itoa(r.Generation) + " R"
}

// IsZero reports whether r names nothing.
func (r Ref) IsZero() bool { return r == Ref{} }

// Stream is a dictionary with a sequence of bytes, as stored: filters are not applied.
type Stream struct {
	Dict Dict

	data   io.ReaderAt
	offset int64
	length int64
	limits Limits // of Decode; set by the reader
	spent  *int64 // bytes decoded from the whole file so far; nil: not counted
}

// NewStream makes a stream of bytes that are already encoded as d's /Filter says. The
// writers set /Length.
func NewStream(d Dict, data []byte) *Stream {
	return &Stream{Dict: d, data: bytes.NewReader(data), length: int64(len(data))}
}

// NewStreamAt makes a stream of length bytes of r from offset; nothing is read before the
// stream is written.
func NewStreamAt(d Dict, r io.ReaderAt, offset, length int64) *Stream {
	return &Stream{Dict: d, data: r, offset: offset, length: length}
}

// Raw returns a new reader of the bytes as stored.
func (s *Stream) Raw() *io.SectionReader {
	if s.data == nil {
		return io.NewSectionReader(bytes.NewReader(nil), 0, 0)
	}
	return io.NewSectionReader(s.data, s.offset, s.length)
}

// Len is the number of bytes as stored.
func (s *Stream) Len() int64 { return s.length }

func (Null) object()    {}
func (Boolean) object() {}
func (Integer) object() {}
func (Real) object()    {}
func (Name) object()    {}
func (String) object()  {}
func (Array) object()   {}
func (Dict) object()    {}
func (Place) object()   {}
func (Ref) object()     {}
func (*Stream) object() {}

// Rect returns the array of a rectangle, lower left corner first (ISO 32000-2 §7.9.5).
func Rect(llx, lly, urx, ury float64) Array {
	return Array{Number(llx), Number(lly), Number(urx), Number(ury)}
}

// Number returns v as an Integer if it is whole, else as a Real.
func Number(v float64) Object {
	if i := int64(v); float64(i) == v && i > -1<<31 && i < 1<<31 {
		return Integer(i)
	}
	return Real(v)
}

// Float returns the value of an Integer or a Real.
func Float(o Object) (float64, bool) {
	switch v := o.(type) {
	case Integer:
		return float64(v), true
	case Real:
		return float64(v), true
	}
	return 0, false
}
