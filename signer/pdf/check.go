package pdf

// Check reads every object in use once and returns the first that breaks the syntax: an
// object that is not where its entry says, a stream whose /Length is wrong, an object
// stream that does not hold what it should, a key that occurs twice. A file that passes is
// one that readers need not repair, and so do not repair differently. Stream data other
// than object streams is not decoded, and nothing is kept.
func (r *Reader) Check() error {
	if err := r.checkSizes(); err != nil {
		return err
	}
	for number := range r.MaxNumber() + 1 {
		e, ok := r.Entry(number)
		if !ok || e.Kind == Free {
			continue
		}
		ref := Ref{number, e.Generation}
		if number == 0 {
			return damaged(e.Offset, ref, "object 0 is in use")
		}
		o, ok := r.cache[number]
		if !ok {
			var err error
			if o, err = r.load(ref, e); err != nil {
				return err
			}
		}
		if err := checkKeys(o, ref, e.Offset); err != nil {
			return err
		}
	}
	for _, err := range r.Pages() {
		if err != nil {
			return err
		}
	}
	return nil
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

// checkKeys refuses a dictionary in which a key occurs twice, at any depth.
func checkKeys(o Object, ref Ref, offset int64) error {
	switch v := o.(type) {
	case *Stream:
		return checkKeys(v.Dict, ref, offset)
	case Array:
		for _, item := range v {
			if err := checkKeys(item, ref, offset); err != nil {
				return err
			}
		}
	case Dict:
		if key, twice := v.Duplicate(); twice {
			return damaged(offset, ref, "a dictionary has two /%s", key)
		}
		for _, e := range v {
			if err := checkKeys(e.Value, ref, offset); err != nil {
				return err
			}
		}
	}
	return nil
}
