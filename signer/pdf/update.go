package pdf

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
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
	objects map[Ref]Object
}

// NewUpdate starts an update of a base file.
func NewUpdate(base *Reader) *Update {
	return &Update{base: base, next: base.MaxNumber() + 1, objects: map[Ref]Object{}}
}

// Alloc reserves a new object number; Set must follow.
func (u *Update) Alloc() Ref {
	u.next++
	return Ref{Number: u.next - 1}
}

// Add gives o, which may be a *Stream, a new reference.
func (u *Update) Add(o Object) Ref {
	ref := u.Alloc()
	u.objects[ref] = o
	return ref
}

// Set replaces the object ref, or gives a value to one that Alloc returned.
func (u *Update) Set(ref Ref, o Object) { u.objects[ref] = o }

// Object returns ref as the update leaves it.
func (u *Update) Object(ref Ref) (Object, error) {
	if o, ok := u.objects[ref]; ok {
		return o, nil
	}
	return u.base.Object(ref)
}

// Empty reports whether there is nothing to write.
func (u *Update) Empty() bool { return len(u.objects) == 0 }

// Increment is an update as bytes.
type Increment struct {
	Bytes   []byte        // begin with an object, or with the end of line that the base lacks
	Offsets map[Ref]int64 // of each object, in Bytes
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
	inc := &Increment{Offsets: make(map[Ref]int64, len(u.objects))}
	last, err := u.base.bytesAt(max(0, u.base.size-1), 1)
	if err != nil {
		return nil, err
	}
	if len(last) == 0 || last[0] != '\n' && last[0] != '\r' {
		inc.Bytes = append(inc.Bytes, '\n')
	}
	refs := u.sorted()
	for _, ref := range refs {
		inc.Offsets[ref] = int64(len(inc.Bytes))
		if inc.Bytes, err = appendIndirect(inc.Bytes, ref, u.objects[ref]); err != nil {
			return nil, err
		}
	}
	start := u.base.size + int64(len(inc.Bytes))
	trailer := u.trailer(inc.Bytes)
	if u.base.sections[0].Stream {
		inc.Bytes, err = u.appendXRefStream(inc, refs, trailer, start)
	} else {
		inc.Bytes, err = u.appendTable(inc, refs, trailer, start)
	}
	return inc, err
}

func (u *Update) sorted() []Ref {
	refs := make([]Ref, 0, len(u.objects))
	for ref := range u.objects {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return a.Number - b.Number })
	return refs
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
	var d Dict
	for _, e := range u.base.Trailer() {
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

// runs splits refs into runs of consecutive numbers.
func runs(refs []Ref) [][]Ref {
	var out [][]Ref
	for i, ref := range refs {
		if i == 0 || ref.Number != refs[i-1].Number+1 {
			out = append(out, nil)
		}
		out[len(out)-1] = append(out[len(out)-1], ref)
	}
	return out
}

func (u *Update) appendTable(inc *Increment, refs []Ref, trailer Dict, start int64) ([]byte, error) {
	if start > 9_999_999_999 {
		return nil, ErrTooFar
	}
	b := append(inc.Bytes, "xref\n"...)
	for _, run := range runs(refs) {
		b = fmt.Appendf(b, "%d %d\n", run[0].Number, len(run))
		for _, ref := range run {
			b = fmt.Appendf(b, "%010d %05d n \n", u.base.size+inc.Offsets[ref], ref.Generation)
		}
	}
	trailer.Set("Size", Integer(u.next))
	return appendTrailer(b, trailer, start)
}

// appendXRefStream writes the section as a stream without a filter: it is small, and its
// bytes do not depend on a compressor.
func (u *Update) appendXRefStream(inc *Increment, refs []Ref, trailer Dict, start int64) ([]byte, error) {
	self := u.Alloc()
	inc.Offsets[self] = start - u.base.size
	refs = append(refs, self)
	width := 4
	for start>>(8*width) != 0 {
		width++
	}
	var index Array
	var data []byte
	for _, run := range runs(refs) {
		index = append(index, Integer(run[0].Number), Integer(len(run)))
		for _, ref := range run {
			data = append(data, byte(InUse))
			offset := u.base.size + inc.Offsets[ref]
			for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
				data = append(data, byte(offset>>shift))
			}
			data = append(data, byte(ref.Generation>>8), byte(ref.Generation))
		}
	}
	d := Dict{E("Type", Name("XRef")), E("Size", Integer(u.next)), E("W", Array{Integer(1), Integer(width), Integer(2)}), E("Index", index)}
	d = append(d, trailer...)
	b, err := appendIndirect(inc.Bytes, self, NewStream(d, data))
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(b, "startxref\n%d\n%%%%EOF\n", start), nil
}
