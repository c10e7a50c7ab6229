package validation

import (
	"errors"
	"slices"
	"strings"
)

// maxNamed bounds the changes that a report lists.
const maxNamed = 16

// changes compares, for each signature in the order they were made, the document as it was
// signed with the document as it is now, under what this and all earlier signatures allow.
func (x *examiner) changes(all []*signing) error {
	var may permissions
	for _, s := range all {
		if s.signed == nil {
			s.out.ChangesAfter = ChangesDisallowed
			continue
		}
		may = may.with(s.demands)
		if err := x.after(s, may); err != nil {
			return err
		}
	}
	return nil
}

// after judges what came after one signature.
func (x *examiner) after(s *signing, may permissions) error {
	if x.damage != nil {
		s.out.ChangesAfter = ChangesDisallowed
		s.out.change(x.damage.both())
	}
	if s.rev == len(x.revs)-1 {
		if x.damage != nil {
			return nil
		}
		s.out.check("changes", Passed, msgNothingAfter)
		return nil
	}
	for i := s.rev + 1; i < len(x.revs); i++ {
		err := x.accounted(i)
		var h *hidden
		if errors.As(err, &h) {
			x.disallowed(s, msgHidden.of(h.at, h.what), h.what)
			continue
		}
		if isIO(err) {
			return err
		}
		if err != nil {
			x.disallowed(s, msgChangesUnknown.of(plain(err)), plain(err))
		}
	}
	found, err := compare(x.ctx, s.signed, x.doc, may, &x.work)
	if err != nil {
		if x.ctx.Err() != nil || isIO(err) {
			return err
		}
		x.disallowed(s, msgChangesUnknown.of(plain(err)), plain(err))
		return nil
	}
	x.classify(s, found)
	return nil
}

func (x *examiner) disallowed(s *signing, m message, what both) {
	s.out.ChangesAfter = ChangesDisallowed
	s.out.change(what)
	s.fail("changes", FormatFailure, Modified, m)
}

func (x *examiner) classify(s *signing, found []change) {
	var good, bad both
	for _, c := range found {
		s.out.change(c.what)
		if c.allowed {
			good = good.and(c.what)
		} else {
			bad = bad.and(c.what)
		}
	}
	switch {
	case bad != (both{}):
		s.out.ChangesAfter = ChangesDisallowed
		s.fail("changes", FormatFailure, Modified, msgDisallowedAfter.of(bad))
	case s.out.ChangesAfter == ChangesDisallowed: // by hidden data
	default:
		s.out.ChangesAfter = ChangesAllowed
		if good == (both{}) {
			good = both{"không có gì thay đổi trong tài liệu", "nothing in the document changed"}
		}
		s.out.check("changes", Passed, msgAllowedAfter.of(good))
	}
}

func (b both) and(c both) both {
	if b == (both{}) {
		return c
	}
	if strings.Count(b.en, "; ") >= maxNamed {
		return b
	}
	return both{b.vi + "; " + c.vi, b.en + "; " + c.en}
}

// accounted runs accountFor on a revision once.
func (x *examiner) accounted(i int) error {
	if err, done := x.tiled[i]; done {
		return err
	}
	r, err := x.doc.AtRevision(i)
	if err == nil {
		err = accountFor(x.file, r, x.revs[i], x.revs[i-1].End)
	}
	x.tiled[i] = err
	return err
}

// equal compares without revealing anything; both are public.
func equal(a, b []byte) bool { return slices.Equal(a, b) }
