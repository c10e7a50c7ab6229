package cms

import (
	"bytes"
	"encoding/asn1"
	"math/big"
	"slices"
)

// encoder writes DER from the back to the front: the length of an element is known once what
// is in it stands, so that nothing is moved or encoded twice. What comes last in the notation
// of a standard is therefore written first.
type encoder struct {
	b  []byte
	at int // b[at:] is written
}

// tags of universal types, and the bits that make one constructed or context-specific
const (
	tagInteger     = 0x02
	tagOctets      = 0x04
	tagNull        = 0x05
	tagOID         = 0x06
	tagSequence    = 0x30
	tagSet         = 0x31
	tagConstructed = 0xA0 // [0], constructed
)

// newEncoder expects about size bytes.
func newEncoder(size int) *encoder { return &encoder{make([]byte, size), size} }

func (e *encoder) bytes() []byte { return e.b[e.at:] }

// mark returns the amount written; wrap takes it as the end of an element.
func (e *encoder) mark() int { return len(e.b) - e.at }

// take returns the next n bytes to be written, which stand before the others.
func (e *encoder) take(n int) []byte {
	if n > e.at {
		larger := make([]byte, 2*len(e.b)+n)
		at := len(larger) - e.mark()
		copy(larger[at:], e.bytes())
		e.b, e.at = larger, at
	}
	e.at -= n
	return e.b[e.at : e.at+n]
}

func (e *encoder) raw(der []byte) { copy(e.take(len(der)), der) }

// wrap writes the head of an element that holds what was written since mark.
func (e *encoder) wrap(tag byte, mark int) {
	n := e.mark() - mark
	if n < 0x80 {
		h := e.take(2)
		h[0], h[1] = tag, byte(n)
		return
	}
	octets := 0
	for ; n > 0; n >>= 8 {
		e.take(1)[0] = byte(n)
		octets++
	}
	h := e.take(2)
	h[0], h[1] = tag, 0x80|byte(octets)
}

func (e *encoder) element(tag byte, contents []byte) {
	mark := e.mark()
	e.raw(contents)
	e.wrap(tag, mark)
}

func (e *encoder) octets(b []byte) { e.element(tagOctets, b) }

func (e *encoder) null() { e.element(tagNull, nil) }

// small writes an INTEGER from 0 to 127.
func (e *encoder) small(n byte) { e.element(tagInteger, []byte{n}) }

// integer writes an INTEGER that is not negative.
func (e *encoder) integer(n *big.Int) {
	mark := e.mark()
	n.FillBytes(e.take(n.BitLen()/8 + 1)) // with a zero in front where the first bit is set
	e.wrap(tagInteger, mark)
}

// oid writes an identifier of at least two arcs (X.690 §8.19).
func (e *encoder) oid(id asn1.ObjectIdentifier) {
	mark := e.mark()
	for i := len(id) - 1; i >= 2; i-- {
		e.arc(id[i])
	}
	e.arc(40*id[0] + id[1])
	e.wrap(tagOID, mark)
}

func (e *encoder) arc(v int) {
	more := byte(0)
	for first := true; first || v > 0; first = false {
		e.take(1)[0] = byte(v&0x7F) | more
		v, more = v>>7, 0x80
	}
}

// hash writes the AlgorithmIdentifier of a hash, parameters absent (RFC 5754 §2).
func (e *encoder) hash(oid asn1.ObjectIdentifier) {
	mark := e.mark()
	e.oid(oid)
	e.wrap(tagSequence, mark)
}

// attribute writes an Attribute with the one value that was written since mark.
func (e *encoder) attribute(oid asn1.ObjectIdentifier, mark int) {
	e.wrap(tagSet, mark)
	e.oid(oid)
	e.wrap(tagSequence, mark)
}

// sortedSet writes a SET OF: its elements in ascending order (X.690 §11.6).
func (e *encoder) sortedSet(tag byte, elements [][]byte) {
	sorted := slices.Clone(elements)
	slices.SortFunc(sorted, bytes.Compare)
	mark := e.mark()
	for _, element := range slices.Backward(sorted) {
		e.raw(element)
	}
	e.wrap(tag, mark)
}
