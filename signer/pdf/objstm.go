package pdf

// container is a decoded object stream (ISO 32000-2 §7.5.7).
type container struct {
	number  int
	data    []byte
	numbers []int
	offsets []int // of each object in data, /First included
}

const (
	containersKept     = 8
	containerBytesKept = 8 << 20
)

// compressed returns an object of an object stream.
func (r *Reader) compressed(ref Ref, e XRefEntry) (Object, error) {
	c, at, err := r.place(ref, e)
	if err != nil {
		return nil, err
	}
	r.p.reset(c.data, at, r.limits.Depth)
	o, err := r.p.object()
	r.parsed = r.p.values
	return o, r.parseError(err, int64(r.p.pos), ref)
}

// place returns the object stream of an object and where in its data the object begins.
func (r *Reader) place(ref Ref, e XRefEntry) (*container, int, error) {
	c, err := r.container(int(e.Offset), ref)
	if err != nil {
		return nil, 0, err
	}
	if e.Index >= len(c.numbers) || c.numbers[e.Index] != ref.Number {
		return nil, 0, damaged(0, ref, "object stream %d does not hold the object at index %d", c.number, e.Index)
	}
	return c, c.offsets[e.Index], nil
}

func (r *Reader) container(number int, ref Ref) (*container, error) {
	for i, c := range r.containers {
		if c.number == number {
			last := len(r.containers) - 1
			r.containers[i], r.containers[last] = r.containers[last], c
			return c, nil
		}
	}
	if e, ok := r.Entry(number); !ok || e.Kind != InUse {
		return nil, damaged(0, ref, "object stream %d is not an object at an offset", number)
	}
	o, err := r.Object(Ref{Number: number})
	if err != nil {
		return nil, err
	}
	st, ok := o.(*Stream)
	if !ok || st.Dict.Name("Type") != "ObjStm" {
		return nil, damaged(0, ref, "object %d is not an object stream", number)
	}
	c, err := r.decodeContainer(number, st)
	if err != nil {
		return nil, err
	}
	r.keep(c)
	return c, nil
}

func (r *Reader) decodeContainer(number int, st *Stream) (*container, error) {
	data, err := st.Decode()
	if err != nil {
		return nil, err
	}
	n, ok1 := st.Dict.Int("N")
	first, ok2 := st.Dict.Int("First")
	ref := Ref{Number: number}
	if !ok1 || !ok2 || n < 0 || first < 0 || first > int64(len(data)) || n > first/2 {
		return nil, damaged(st.offset, ref, "the object stream has no valid /N and /First")
	}
	c := &container{number: number, data: data, numbers: make([]int, n), offsets: make([]int, n)}
	p := parser{b: data[:first]}
	for i := range c.numbers {
		number, offset, ok := p.pair()
		if !ok || offset > len(data)-int(first) {
			return nil, damaged(int64(p.pos), ref, "the object stream's header is no list of numbers and offsets")
		}
		c.numbers[i], c.offsets[i] = number, offset+int(first)
	}
	return c, nil
}

// pair parses two non-negative integers.
func (p *parser) pair() (a, b int, ok bool) {
	var v [2]int
	for i := range v {
		p.skipSpace()
		if !isDigit(p.peek()) {
			return 0, 0, false
		}
		o, err := p.number()
		n, isInt := o.(Integer)
		if err != nil || !isInt || n > 1<<31-1 {
			return 0, 0, false
		}
		v[i] = int(n)
	}
	return v[0], v[1], true
}

// keep adds c to the decoded object streams and drops the oldest beyond the bounds.
func (r *Reader) keep(c *container) {
	r.containers = append(r.containers, c)
	total := 0
	for _, k := range r.containers {
		total += len(k.data)
	}
	for len(r.containers) > 1 && (len(r.containers) > containersKept || total > containerBytesKept) {
		total -= len(r.containers[0].data)
		r.containers = r.containers[1:]
	}
}
