package pdf

import (
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
)

// Update collects new and changed objects and writes them as one incremental update (ISO
// 32000-2 §7.5.6): the bytes that go behind the base file. The base is never written to.
//
// The update uses a cross-reference stream if the newest section of the base is one, else a
// table. It keeps the trailer's entries and the first element of /ID; the second becomes a
// digest of the update. The objects stand in ascending order of their numbers, so the same
// changes give the same bytes.
type Update struct {
	base    *Reader
	next    int
	objects []placed // in ascending order of ref
}

// placed is an object of an update and where in the increment it stands.
type placed struct {
	ref    Ref
	object Object
	offset int64
}

// NewUpdate starts an update of a base file.
func NewUpdate(base *Reader) *Update {
	return &Update{base: base, next: base.MaxNumber() + 1, objects: make([]placed, 0, 8)}
}

// Alloc reserves a new object number; Set must follow.
func (u *Update) Alloc() Ref {
	u.next++
	return Ref{Number: u.next - 1}
}

// Add gives o, which may be a *Stream, a new reference.
func (u *Update) Add(o Object) Ref {
	ref := u.Alloc()
	u.Set(ref, o)
	return ref
}

// Set replaces the object ref, or gives a value to one that Alloc returned.
func (u *Update) Set(ref Ref, o Object) {
	i, there := find(u.objects, ref)
	if there {
		u.objects[i].object = o
		return
	}
	u.objects = slices.Insert(u.objects, i, placed{ref: ref, object: o})
}

func find(objects []placed, ref Ref) (int, bool) {
	return slices.BinarySearchFunc(objects, ref, func(p placed, r Ref) int {
		return cmp.Or(p.ref.Number-r.Number, p.ref.Generation-r.Generation)
	})
}

// Object returns ref as the update leaves it.
func (u *Update) Object(ref Ref) (Object, error) {
	if i, ok := find(u.objects, ref); ok {
		return u.objects[i].object, nil
	}
	return u.base.Object(ref)
}

// Empty reports whether there is nothing to write.
func (u *Update) Empty() bool { return len(u.objects) == 0 }

// Increment is an update as bytes.
type Increment struct {
	// Bytes begin with an object, or with the end of line that the base lacks. A Place is
	// written as "<>"; what comes after it is where it will be once that is filled.
	Bytes   []byte
	objects []placed
}

// Offset returns where an object stands in the increment with its places filled; -1 if it is
// not one of the update.
func (inc *Increment) Offset(ref Ref) int64 {
	if i, ok := find(inc.objects, ref); ok {
		return inc.objects[i].offset
	}
	return -1
}

// MaxObjects is the highest object number that is given out (ISO 32000-1 Annex C).
const MaxObjects = 8_388_607

// ErrTooFar: an offset does not fit a cross-reference table.
var ErrTooFar = errors.New("a cross-reference table cannot address beyond 10 digits")

// Increment returns the update. Streams are read into memory. It is ErrLimit if the base
// has given out object numbers beyond MaxObjects.
func (u *Update) Increment() (*Increment, error) {
	if u.next > MaxObjects {
		return nil, fmt.Errorf("%w: object number %d", ErrLimit, u.next)
	}
	last, err := u.base.bytesAt(max(0, u.base.size-1), 1)
	if err != nil {
		return nil, err
	}
	b := make([]byte, 0, u.sizeHint())
	if len(last) == 0 || last[0] != '\n' && last[0] != '\r' {
		b = append(b, '\n')
	}
	empty := int64(0) // places so far
	for i := range u.objects {
		o := &u.objects[i]
		o.offset = int64(len(b)) + empty
		empty += placeIn(o.object).size()
		if b, err = appendIndirect(b, o.ref, o.object); err != nil {
			return nil, err
		}
	}
	start := u.base.size + int64(len(b)) + empty
	trailer := u.trailer(b)
	if u.base.sections[0].Stream {
		b, err = u.appendXRefStream(b, trailer, start)
	} else {
		b, err = u.appendTable(b, trailer, start)
	}
	return &Increment{Bytes: b, objects: u.objects}, err
}

// sizeHint is about how long the increment will be.
func (u *Update) sizeHint() int {
	n := 512
	for _, o := range u.objects {
		n += 256
		if s, ok := o.object.(*Stream); ok {
			n += int(min(s.Len(), 1<<20))
		}
	}
	return n
}

func appendIndirect(b []byte, ref Ref, o Object) ([]byte, error) {
	s, ok := o.(*Stream)
	if !ok {
		b, err := Append(appendObjectHead(b, ref), o)
		if err != nil {
			return nil, fmt.Errorf("object %v: %w", ref, err)
		}
		return append(b, "\nendobj\n"...), nil
	}
	b, err := appendStreamHead(b, ref, s.Dict, s.Len())
	if err != nil {
		return nil, fmt.Errorf("object %v: %w", ref, err)
	}
	at := len(b)
	b = append(b, make([]byte, s.Len())...)
	if _, err := io.ReadFull(s.Raw(), b[at:]); err != nil {
		return nil, fmt.Errorf("object %v: stream: %w", ref, err)
	}
	return append(b, "\nendstream\nendobj\n"...), nil
}

// trailer returns the entries that the base's trailer hands on.
func (u *Update) trailer(body []byte) Dict {
	base := u.base.Trailer()
	d := make(Dict, 0, len(base)+2)
	for _, e := range base {
		switch e.Key {
		case "Prev", "XRefStm", "Type", "Length", "Filter", "DecodeParms", "W", "Index", "Size":
		case "ID":
			d = append(d, Entry{"ID", u.identifier(e.Value, body)})
		default:
			d = append(d, e)
		}
	}
	d.Set("Prev", Integer(u.base.startXRef))
	return d
}

// identifier keeps the first element of /ID and derives the second from the update (ISO
// 32000-2 §14.4).
func (u *Update) identifier(id Object, body []byte) Object {
	a, err := u.base.Array(id)
	if err != nil || len(a) != 2 {
		return id
	}
	h := sha256.New()
	if second, ok := a[1].(String); ok {
		_, _ = h.Write(second.Bytes) // a hash takes everything
	}
	_, _ = h.Write(body)
	return Array{a[0], String{Bytes: h.Sum(nil)[:16], Hex: true}}
}

// run returns how many of the first objects have consecutive numbers.
func run(objects []placed) int {
	n := 1
	for n < len(objects) && objects[n].ref.Number == objects[n-1].ref.Number+1 {
		n++
	}
	return n
}

func (u *Update) appendTable(b []byte, trailer Dict, start int64) ([]byte, error) {
	if start > 9_999_999_999 {
		return nil, ErrTooFar
	}
	b = append(b, "xref\n"...)
	for rest := u.objects; len(rest) > 0; {
		n := run(rest)
		b = strconv.AppendInt(b, int64(rest[0].ref.Number), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(n), 10)
		b = append(b, '\n')
		for _, o := range rest[:n] {
			b = appendTableEntry(b, u.base.size+o.offset, o.ref.Generation, 'n')
		}
		rest = rest[n:]
	}
	trailer.Set("Size", Integer(u.next))
	return appendTrailer(b, trailer, start)
}

// appendTableEntry writes the 20 bytes of an entry (ISO 32000-2 §7.5.4).
func appendTableEntry(b []byte, offset int64, generation int, kind byte) []byte {
	b = append(b, "0000000000 00000 ? \n"...)
	line := b[len(b)-entryBytes:]
	for i := 9; offset > 0 && i >= 0; i-- {
		line[i] += byte(offset % 10)
		offset /= 10
	}
	for i := 15; generation > 0 && i >= 11; i-- {
		line[i] += byte(generation % 10)
		generation /= 10
	}
	line[17] = kind
	return b
}

// appendXRefStream writes the section as a stream without a filter: it is small, and its
// bytes do not depend on a compressor.
func (u *Update) appendXRefStream(b []byte, trailer Dict, start int64) ([]byte, error) {
	self := u.Alloc()
	all := append(u.objects[:len(u.objects):len(u.objects)], placed{ref: self, offset: start - u.base.size})
	width := 4
	for start>>(8*width) != 0 {
		width++
	}
	index := make(Array, 0, 8)
	data := make([]byte, 0, len(all)*(3+width))
	for rest := all; len(rest) > 0; {
		n := run(rest)
		index = append(index, Integer(rest[0].ref.Number), Integer(n))
		for _, o := range rest[:n] {
			data = append(data, byte(InUse))
			offset := u.base.size + o.offset
			for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
				data = append(data, byte(offset>>shift))
			}
			data = append(data, byte(o.ref.Generation>>8), byte(o.ref.Generation))
		}
		rest = rest[n:]
	}
	d := Dict{E("Type", Name("XRef")), E("Size", Integer(u.next)), E("W", Array{Integer(1), Integer(width), Integer(2)}), E("Index", index)}
	d = append(d, trailer...)
	b, err := appendIndirect(b, self, NewStream(d, data))
	if err != nil {
		return nil, err
	}
	return appendStartXRef(b, start), nil
}
