package pdf

import (
	"bytes"
	"errors"
	"fmt"
)

// Object returns the indirect object ref in its newest state: Null if it is free or was
// never written (ISO 32000-2 §7.3.10), a *Stream without its data read. What it returns is
// shared and must not be changed.
func (r *Reader) Object(ref Ref) (Object, error) {
	e, ok := r.Entry(ref.Number)
	if !ok || e.Kind == Free || e.Kind == InUse && e.Generation != ref.Generation ||
		e.Kind == Compressed && ref.Generation != 0 {
		return Null{}, nil
	}
	if o, ok := r.cache[ref.Number]; ok {
		return o, nil
	}
	o, err := r.load(ref, e)
	if err != nil {
		return nil, err
	}
	r.remember(ref.Number, o)
	return o, nil
}

// remember caches an object. The cache is bounded by the values it holds, of which the last
// parse tells the number, and emptied when it is full.
func (r *Reader) remember(number int, o Object) {
	if r.cached += r.parsed; r.cached > cacheValues {
		clear(r.cache)
		r.cached = r.parsed
	}
	r.cache[number] = o
}

func (r *Reader) load(ref Ref, e XRefEntry) (Object, error) {
	if r.nested++; r.nested > maxNested {
		r.nested--
		return nil, damaged(e.Offset, ref, "a stream needs itself to be read")
	}
	defer func() { r.nested-- }()
	if e.Kind == Compressed {
		return r.compressed(ref, e)
	}
	return r.indirectAt(e.Offset, ref)
}

// Resolve returns o itself, or what it refers to when it is a Ref; nil becomes Null.
func (r *Reader) Resolve(o Object) (Object, error) {
	for range 32 { // a reference to a reference is legal, a ring of them is not
		switch v := o.(type) {
		case nil:
			return Null{}, nil
		case Ref:
			next, err := r.Object(v)
			if err != nil {
				return nil, err
			}
			o = next
		default:
			return o, nil
		}
	}
	return nil, damaged(0, Ref{}, "references form a ring")
}

// Dict resolves o to a dictionary, which may be that of a stream; nil if it is null.
func (r *Reader) Dict(o Object) (Dict, error) {
	v, err := r.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch d := v.(type) {
	case Dict:
		return d, nil
	case *Stream:
		return d.Dict, nil
	case Null:
		return nil, nil
	}
	return nil, wrongType(o, v, "a dictionary")
}

// Array resolves o to an array; nil if it is null.
func (r *Reader) Array(o Object) (Array, error) {
	v, err := r.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch a := v.(type) {
	case Array:
		return a, nil
	case Null:
		return nil, nil
	}
	return nil, wrongType(o, v, "an array")
}

func wrongType(o, found Object, want string) error {
	ref, _ := o.(Ref)
	return damaged(0, ref, "%T where %s belongs", found, want)
}

// indirectAt parses the indirect object at an offset. want is checked against its header
// unless it is zero.
func (r *Reader) indirectAt(offset int64, want Ref) (Object, error) {
	if offset <= 0 || offset >= r.size {
		return nil, damaged(offset, want, "the offset lies outside the file")
	}
	var o indirect
	parse := func(p *parser) error { return p.indirect(&o) }
	if err := r.parseAt(offset, want, parse); err != nil {
		return nil, err
	}
	if !want.IsZero() && o.ref != want {
		return nil, damaged(offset, want, "object %d %d stands there", o.ref.Number, o.ref.Generation)
	}
	if !o.isStream {
		return o.object, nil
	}
	return r.stream(o, offset)
}

// nearEnd is how little of the window, in bytes, is not worth a try.
const nearEnd = 128

// parseAt parses at an offset in a window that grows until the parse no longer touches its
// end, or is the rest of the file. What is at hand of the window before is tried first.
func (r *Reader) parseAt(offset int64, ref Ref, parse func(*parser) error) error {
	rest := r.size - offset
	n := r.atHand(offset)
	if n < nearEnd {
		n = leastAhead
	}
	for n = min(n, rest); ; n = min(max(n*4, leastAhead), rest) {
		if n > r.limits.ObjectBytes && n < rest {
			return fmt.Errorf("%w: an object at offset %d is larger than %d bytes", ErrLimit, offset, r.limits.ObjectBytes)
		}
		b, err := r.window(offset, n)
		if err != nil {
			return err
		}
		r.p.reset(b, 0, r.limits.Depth)
		err = parse(&r.p)
		if r.p.hitEnd && n < rest {
			continue
		}
		r.parsed = r.p.values
		return r.parseError(err, offset+int64(r.p.pos), ref)
	}
}

func (r *Reader) parseError(err error, offset int64, ref Ref) error {
	if err == nil {
		return nil
	}
	var s syntaxError
	switch {
	case errors.As(err, &s):
		return damaged(offset, ref, "%s", string(s))
	case errors.Is(err, errDepth):
		return fmt.Errorf("%w: object %v: nested deeper than %d", ErrLimit, ref, r.limits.Depth)
	case errors.Is(err, errValues):
		return fmt.Errorf("%w: object %v: more than %d values", ErrLimit, ref, maxValues)
	}
	return err
}

// indirect is what stands between "obj" and "endobj" or "stream".
type indirect struct {
	ref      Ref
	object   Object
	isStream bool
	data     int // where stream data begins, in the window
}

// header parses "12 0 obj".
func (p *parser) header() (Ref, error) {
	p.skipSpace()
	number, ok1 := plainInteger(p.regular())
	p.skipSpace()
	generation, ok2 := plainInteger(p.regular())
	if !ok1 || !ok2 || number <= 0 || number > 1<<31-1 || generation > maxGeneration || !p.keyword("obj") {
		return Ref{}, syntaxError("no object begins there")
	}
	return Ref{int(number), int(generation)}, nil
}

func (p *parser) indirect(o *indirect) (err error) {
	if o.ref, err = p.header(); err != nil {
		return err
	}
	if o.object, err = p.object(); err != nil {
		return err
	}
	_, isDict := o.object.(Dict)
	o.isStream, o.data, err = p.afterObject(isDict)
	return err
}

// afterObject parses endobj, or stream and the end of line before its data.
func (p *parser) afterObject(isDict bool) (isStream bool, data int, err error) {
	if p.keyword("endobj") {
		return false, 0, nil
	}
	if !p.keyword("stream") {
		return false, 0, syntaxError("neither endobj nor stream follows the object")
	}
	if !isDict {
		return false, 0, syntaxError("a stream has no dictionary")
	}
	if p.peek() == '\r' {
		p.pos++
	}
	if p.peek() != '\n' {
		return false, 0, syntaxError("the keyword stream is not followed by a line feed")
	}
	p.pos++
	return true, p.pos, nil
}

// stream makes the stream whose dictionary was parsed.
func (r *Reader) stream(o indirect, offset int64) (Object, error) {
	d := o.object.(Dict)
	v, err := r.Resolve(d.Get("Length"))
	if err != nil {
		return nil, err
	}
	length, ok := v.(Integer)
	if !ok {
		length = -1
	}
	start := offset + int64(o.data)
	if err := r.extent(o.ref, start, int64(length), d.Has("F")); err != nil {
		return nil, err
	}
	return &Stream{Dict: d, data: r.file, offset: start, length: int64(length), limits: r.limits, spent: &r.decoded}, nil
}

// extent checks that a stream's data is in the file and that endstream follows it.
func (r *Reader) extent(ref Ref, start, length int64, elsewhere bool) error {
	if length < 0 || length > r.size-start {
		return damaged(start, ref, "the stream has no valid /Length")
	}
	if elsewhere {
		return damaged(start, ref, "the stream's data is in another file")
	}
	end := start + length
	b, err := r.bytesAt(end, 64)
	if err != nil {
		return err
	}
	b = bytes.TrimLeft(b, "\r\n \t\x00\f")
	rest, ok := bytes.CutPrefix(b, []byte("endstream"))
	if !ok {
		return damaged(end, ref, "endstream does not stand where /Length %d puts it", length)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(rest, "\r\n \t\x00\f"), []byte("endobj")) {
		return damaged(end, ref, "no endobj after endstream")
	}
	return nil
}
