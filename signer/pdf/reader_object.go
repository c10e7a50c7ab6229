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
	if err := r.parseAt(offset, want, func(p *parser) error { return p.indirect(&o) }); err != nil {
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

// parseAt parses at an offset in a window that grows until the parse no longer touches its
// end, or is the rest of the file.
func (r *Reader) parseAt(offset int64, ref Ref, parse func(*parser) error) error {
	rest := r.size - offset
	for n := min(int64(4096), rest); ; n = min(n*4, rest) {
		if n > r.limits.ObjectBytes && n < rest {
			return fmt.Errorf("%w: an object at offset %d is larger than %d bytes", ErrLimit, offset, r.limits.ObjectBytes)
		}
		if int64(cap(r.buf)) < n {
			r.buf = make([]byte, n)
		}
		b := r.buf[:n]
		if err := readFull(r.file, b, offset); err != nil {
			return err
		}
		p := parser{b: b, depth: r.limits.Depth}
		err := parse(&p)
		if p.hitEnd && n < rest {
			continue
		}
		r.parsed = p.values
		return r.parseError(err, offset+int64(p.pos), ref)
	}
}

func (r *Reader) parseError(err error, offset int64, ref Ref) error {
	var s syntaxError
	switch {
	case err == nil:
		return nil
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
	number, err1 := p.object()
	generation, err2 := p.object()
	n, ok1 := number.(Integer)
	g, ok2 := generation.(Integer)
	if err1 != nil || err2 != nil || !ok1 || !ok2 || n <= 0 || n > 1<<31-1 || g < 0 || g > maxGeneration || !p.keyword("obj") {
		return Ref{}, syntaxError("no object begins there")
	}
	return Ref{int(n), int(g)}, nil
}

func (p *parser) indirect(o *indirect) (err error) {
	if o.ref, err = p.header(); err != nil {
		return err
	}
	if o.object, err = p.object(); err != nil {
		return err
	}
	if p.keyword("endobj") {
		return nil
	}
	if !p.keyword("stream") {
		return syntaxError("neither endobj nor stream follows the object")
	}
	if _, ok := o.object.(Dict); !ok {
		return syntaxError("a stream has no dictionary")
	}
	o.isStream = true
	if p.peek() == '\r' {
		p.pos++
	}
	if p.peek() != '\n' {
		return syntaxError("the keyword stream is not followed by a line feed")
	}
	p.pos++
	o.data = p.pos
	return nil
}

// stream finds the extent of a stream's data and checks that endstream follows it.
func (r *Reader) stream(o indirect, offset int64) (Object, error) {
	d := o.object.(Dict)
	v, err := r.Resolve(d.Get("Length"))
	if err != nil {
		return nil, err
	}
	length, ok := v.(Integer)
	start := offset + int64(o.data)
	if !ok || length < 0 || int64(length) > r.size-start {
		return nil, damaged(start, o.ref, "the stream has no valid /Length")
	}
	if d.Has("F") {
		return nil, damaged(start, o.ref, "the stream's data is in another file")
	}
	end := start + int64(length)
	b, err := r.bytesAt(end, 64)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimLeft(b, "\r\n \t\x00\f")
	rest, ok := bytes.CutPrefix(b, []byte("endstream"))
	if !ok {
		return nil, damaged(end, o.ref, "endstream does not stand where /Length %d puts it", length)
	}
	if !bytes.HasPrefix(bytes.TrimLeft(rest, "\r\n \t\x00\f"), []byte("endobj")) {
		return nil, damaged(end, o.ref, "no endobj after endstream")
	}
	return &Stream{Dict: d, data: r.file, offset: start, length: int64(length), limits: r.limits, spent: &r.decoded}, nil
}
