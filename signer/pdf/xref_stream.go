package pdf

// readXRefStream reads the cross-reference stream at an offset (ISO 32000-2 §7.5.8).
func (r *Reader) readXRefStream(offset int64) (*Section, error) {
	o, err := r.indirectAt(offset, Ref{})
	if err != nil {
		return nil, err
	}
	st, ok := o.(*Stream)
	if !ok || st.Dict.Name("Type") != "XRef" {
		return nil, damaged(offset, Ref{}, "no cross-reference section stands here")
	}
	w, err := fieldWidths(st.Dict, offset)
	if err != nil {
		return nil, err
	}
	runs, err := indexRuns(st.Dict, offset)
	if err != nil {
		return nil, err
	}
	data, err := st.Decode()
	if err != nil {
		return nil, err
	}
	var subs []subsection
	for _, run := range runs {
		width := w[0] + w[1] + w[2]
		if run[1] > len(data)/width {
			return nil, damaged(offset, Ref{}, "the cross-reference stream is shorter than /Index says")
		}
		if err := r.count(run[1]); err != nil {
			return nil, err
		}
		sub := subsection{run[0], make([]packedEntry, run[1])}
		for i := range sub.entries {
			sub.entries[i] = decodeEntry(data, w)
			data = data[width:]
		}
		if len(sub.entries) > 0 {
			subs = append(subs, sub)
		}
	}
	if subs, err = sortSubsections(subs, offset); err != nil {
		return nil, err
	}
	s := &Section{Offset: offset, Trailer: st.Dict, Stream: true, table: subs}
	s.tail, _ = r.readTail(r.afterStream(st)) // only Revisions needs it
	return s, nil
}

// afterStream returns the offset behind the endobj of a stream that was read.
func (r *Reader) afterStream(st *Stream) int64 {
	end := st.offset + st.length
	b, err := r.bytesAt(end, 128)
	if err != nil {
		return end
	}
	p := parser{b: b}
	if p.keyword("endstream") && p.keyword("endobj") {
		return end + int64(p.pos)
	}
	return end
}

func fieldWidths(d Dict, offset int64) ([3]int, error) {
	var w [3]int
	a, _ := d.Get("W").(Array)
	if len(a) != 3 {
		return w, damaged(offset, Ref{}, "the cross-reference stream has no /W of three widths")
	}
	for i, o := range a {
		n, ok := o.(Integer)
		if !ok || n < 0 || n > 8 {
			return w, damaged(offset, Ref{}, "the cross-reference stream has a width that is not 0 to 8")
		}
		w[i] = int(n)
	}
	if w[0] > 4 || w[1] == 0 || w[2] > 4 {
		return w, damaged(offset, Ref{}, "the widths %v of the cross-reference stream make no sense", w)
	}
	return w, nil
}

// indexRuns returns the pairs of first number and count; /Size stands in for /Index.
func indexRuns(d Dict, offset int64) ([][2]int, error) {
	size, ok := d.Int("Size")
	if !ok || size <= 0 || size > 1<<31-1 {
		return nil, damaged(offset, Ref{}, "the cross-reference stream has no valid /Size")
	}
	if !d.Has("Index") {
		return [][2]int{{0, int(size)}}, nil
	}
	a, _ := d.Get("Index").(Array)
	if len(a) == 0 || len(a)%2 != 0 {
		return nil, damaged(offset, Ref{}, "/Index is not an array of pairs")
	}
	var runs [][2]int
	for i := 0; i < len(a); i += 2 {
		first, ok1 := a[i].(Integer)
		count, ok2 := a[i+1].(Integer)
		if !ok1 || !ok2 || first < 0 || count < 0 || first > 1<<31-1 || count > 1<<31-1-first {
			return nil, damaged(offset, Ref{}, "/Index holds a number out of range")
		}
		runs = append(runs, [2]int{int(first), int(count)})
	}
	return runs, nil
}

// decodeEntry reads one entry; of a type unknown to ISO 32000-2 Table 18 it makes a free
// one, as readers must.
func decodeEntry(b []byte, w [3]int) packedEntry {
	kind := uint64(InUse)
	if w[0] > 0 {
		kind = bigEndian(b[:w[0]])
	}
	major := bigEndian(b[w[0] : w[0]+w[1]])
	minor := bigEndian(b[w[0]+w[1] : w[0]+w[1]+w[2]])
	if kind > uint64(Compressed) || major > 1<<62 {
		return packedEntry{}
	}
	return packedEntry{int64(major), uint32(minor), EntryKind(kind)} // w[2] ≤ 4 bytes
}

func bigEndian(b []byte) uint64 {
	v := uint64(0)
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}
