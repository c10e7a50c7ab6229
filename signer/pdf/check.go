package pdf

import (
	"fmt"
	"slices"
)

// Check reads every object in use once and returns the first that breaks the syntax: an
// object that is not where its entry says, a stream whose /Length is wrong, an object
// stream that does not hold what it should, a key that occurs twice. A file that passes is
// one that readers need not repair, and so do not repair differently. Stream data other
// than object streams is not decoded, and nothing is kept: what it allocates does not grow
// with the file but for its pages and object streams.
func (r *Reader) Check() error {
	if err := r.checkSizes(); err != nil {
		return err
	}
	for _, s := range r.sections {
		if s.Odd {
			return damaged(s.Offset, Ref{}, "the cross-reference table has entries that are not of 20 bytes, or white space before it")
		}
	}
	if r.entries > maxLookups/len(r.sections) {
		return fmt.Errorf("%w: %d cross-reference entries in %d sections", ErrLimit, r.entries, len(r.sections))
	}
	for _, span := range r.spans() {
		for number := span[0]; number < span[1]; number++ {
			if err := r.checkObject(number); err != nil {
				return err
			}
		}
	}
	for _, err := range r.Pages() {
		if err != nil {
			return err
		}
	}
	return nil
}

// maxLookups bounds entries times sections, the work of finding every newest entry.
const maxLookups = 50_000_000

// spans returns the object numbers that any section lists, as ranges from the first to
// behind the last, in ascending order and without overlap.
func (r *Reader) spans() [][2]int {
	var all [][2]int
	for _, s := range r.sections {
		for _, subs := range [][]subsection{s.table, s.hidden} {
			for _, sub := range subs {
				all = append(all, [2]int{sub.first, sub.first + len(sub.entries)})
			}
		}
	}
	slices.SortFunc(all, func(a, b [2]int) int { return a[0] - b[0] })
	merged := all[:0]
	for _, span := range all {
		if n := len(merged); n > 0 && span[0] <= merged[n-1][1] {
			merged[n-1][1] = max(merged[n-1][1], span[1])
			continue
		}
		merged = append(merged, span)
	}
	return merged
}

func (r *Reader) checkObject(number int) error {
	e, ok := r.Entry(number)
	if !ok || e.Kind == Free {
		return nil
	}
	ref := Ref{number, e.Generation}
	switch {
	case number == 0:
		return damaged(e.Offset, ref, "object 0 is in use")
	case e.Kind == Compressed:
		return r.skimCompressed(ref, e)
	}
	return r.skimAt(ref, e.Offset)
}

// skimAt checks the object at an offset without keeping it.
func (r *Reader) skimAt(ref Ref, offset int64) error {
	if offset <= 0 || offset >= r.size {
		return damaged(offset, ref, "the offset lies outside the file")
	}
	if err := r.parseAt(offset, ref, (*parser).skimIndirect); err != nil {
		return err
	}
	o := r.p.seen
	switch {
	case o.ref != ref:
		return damaged(offset, ref, "object %d %d stands there", o.ref.Number, o.ref.Generation)
	case !o.isStream:
		return nil
	}
	if !o.lengthRef.IsZero() {
		v, err := r.Resolve(o.lengthRef)
		if err != nil {
			return err
		}
		n, ok := v.(Integer)
		o.length, o.hasLength = int64(n), ok
	}
	if !o.hasLength {
		o.length = -1
	}
	return r.extent(ref, offset+int64(o.data), o.length, o.hasFile)
}

// skimCompressed checks an object of an object stream.
func (r *Reader) skimCompressed(ref Ref, e XRefEntry) error {
	c, at, err := r.place(ref, e)
	if err != nil {
		return err
	}
	r.p.reset(c.data, at, r.limits.Depth)
	err = r.p.skim()
	return r.parseError(err, int64(r.p.pos), ref)
}

// checkSizes refuses an object in use at or beyond /Size, which some readers take and others
// must ignore (ISO 32000-2 §7.5.5, Table 15).
func (r *Reader) checkSizes() error {
	for _, s := range r.sections {
		size, ok := s.Trailer.Int("Size")
		if !ok {
			return damaged(s.Offset, Ref{}, "the trailer has no /Size")
		}
		for _, subs := range [][]subsection{s.table, s.hidden} {
			if n := len(subs); n > 0 && int64(subs[n-1].first+len(subs[n-1].entries)) > size {
				return damaged(s.Offset, Ref{}, "the cross-reference section lists objects beyond /Size %d", size)
			}
		}
	}
	return nil
}
