package pdf

import (
	"bytes"
	"fmt"
	"iter"
	"slices"
	"sort"
)

// EntryKind says what a cross-reference entry means (ISO 32000-2 §7.5.4, Table 18).
type EntryKind uint8

// The kinds of entries.
const (
	Free       EntryKind = iota // no such object
	InUse                       // an object at an offset
	Compressed                  // an object in an object stream
)

// XRefEntry says where an object is.
type XRefEntry struct {
	Kind       EntryKind
	Generation int   // InUse: the object's; Free: the next; Compressed: 0
	Offset     int64 // InUse: in the file; Compressed: number of the object stream
	Index      int   // Compressed: within the object stream
}

// packedEntry is an XRefEntry in 16 bytes.
type packedEntry struct {
	offset int64
	minor  uint32 // generation or index
	kind   EntryKind
}

func (e packedEntry) unpack() XRefEntry {
	if e.kind == Compressed {
		return XRefEntry{Kind: e.kind, Offset: e.offset, Index: int(e.minor)}
	}
	return XRefEntry{Kind: e.kind, Offset: e.offset, Generation: int(e.minor)}
}

// subsection is a run of entries of consecutive object numbers.
type subsection struct {
	first   int
	entries []packedEntry
}

// Section is one cross-reference section: a table, a stream, or the table and stream of a
// hybrid file.
type Section struct {
	Offset  int64 // of the keyword xref or the stream object
	Trailer Dict  // the trailer, or the stream's dictionary
	Stream  bool  // a cross-reference stream
	Hybrid  bool  // a table with /XRefStm
	// Odd: a table that readers understand and ISO 32000-2 §7.5.4 does not allow: its entries are
	// not of 20 bytes, or white space stands before it. Programs that repair may scan the file.
	Odd    bool
	tail   tail
	table  []subsection // in ascending order of first
	hidden []subsection // of /XRefStm
}

// Entry returns the entry of an object number, if the section has one. In a hybrid section
// an object that the table calls free is looked up in the stream (ISO 32000-2 §7.5.8.4).
func (s *Section) Entry(number int) (XRefEntry, bool) {
	e, ok := entryOf(s.table, number)
	if ok && e.kind != Free {
		return e.unpack(), true
	}
	if h, found := entryOf(s.hidden, number); found {
		return h.unpack(), true
	}
	return e.unpack(), ok
}

// Entries ranges over the section's entries by object number, as Entry returns them.
func (s *Section) Entries() iter.Seq2[int, XRefEntry] {
	return func(yield func(int, XRefEntry) bool) {
		for _, sub := range s.table {
			for i := range sub.entries {
				if e, _ := s.Entry(sub.first + i); !yield(sub.first+i, e) {
					return
				}
			}
		}
		for _, sub := range s.hidden {
			for i, e := range sub.entries {
				if _, inTable := entryOf(s.table, sub.first+i); !inTable && !yield(sub.first+i, e.unpack()) {
					return
				}
			}
		}
	}
}

func entryOf(subs []subsection, number int) (packedEntry, bool) {
	i := 0
	if len(subs) > 1 {
		i = sort.Search(len(subs), func(i int) bool { return subs[i].first > number }) - 1
	}
	if i < 0 || i >= len(subs) || number < subs[i].first || number-subs[i].first >= len(subs[i].entries) {
		return packedEntry{}, false
	}
	return subs[i].entries[number-subs[i].first], true
}

// Entry returns the newest entry of an object number.
func (r *Reader) Entry(number int) (XRefEntry, bool) {
	for _, s := range r.sections {
		if e, ok := s.Entry(number); ok {
			return e, true
		}
	}
	return XRefEntry{}, false
}

// Sections returns the cross-reference sections, newest first; they must not be changed.
func (r *Reader) Sections() []*Section { return r.sections }

// MaxNumber is the highest object number that any section or /Size knows of.
func (r *Reader) MaxNumber() int {
	highest := 0
	for _, s := range r.sections {
		if size, ok := s.Trailer.Int("Size"); ok && size > 0 && size <= 1<<31-1 {
			highest = max(highest, int(size)-1)
		}
		for _, subs := range [][]subsection{s.table, s.hidden} {
			if n := len(subs); n > 0 {
				highest = max(highest, subs[n-1].first+len(subs[n-1].entries)-1)
			}
		}
	}
	return highest
}

// readChain reads the section at start and all that /Prev leads to.
func (r *Reader) readChain(start int64) error {
	seen := map[int64]bool{}
	for offset := start; ; {
		if seen[offset] {
			return damaged(offset, Ref{}, "the cross-reference sections form a ring")
		}
		seen[offset] = true
		if len(seen) > r.limits.Sections {
			return fmt.Errorf("%w: more than %d cross-reference sections", ErrLimit, r.limits.Sections)
		}
		s, err := r.readSection(offset)
		if err != nil {
			return err
		}
		r.sections = append(r.sections, s)
		prev := s.Trailer.Get("Prev")
		if prev == nil {
			return nil
		}
		next, ok := prev.(Integer)
		if !ok || next <= 0 || int64(next) >= r.size {
			return damaged(offset, Ref{}, "/Prev is no offset in the file")
		}
		offset = int64(next)
	}
}

// maxLead is how much white space may stand where startxref or /Prev leads, before the keyword.
const maxLead = 16

func (r *Reader) readSection(offset int64) (*Section, error) {
	b, err := r.bytesAt(offset, maxLead+4)
	if err != nil {
		return nil, err
	}
	var s *Section
	if lead := bytes.TrimLeft(b, "\x00\t\n\f\r "); len(b)-len(lead) <= maxLead && bytes.HasPrefix(lead, []byte("xref")) {
		s, err = r.readTable(offset)
	} else {
		s, err = r.readXRefStream(offset)
	}
	if err != nil {
		return nil, err
	}
	if key, twice := s.Trailer.Duplicate(); twice {
		return nil, damaged(offset, Ref{}, "the trailer has two /%s", key)
	}
	if s.Trailer.Has("XRefStm") && !s.Stream {
		return s, r.readHidden(s)
	}
	return s, nil
}

func (r *Reader) readHidden(s *Section) error {
	at, ok := s.Trailer.Int("XRefStm")
	if !ok || at <= 0 || at >= r.size {
		return damaged(s.Offset, Ref{}, "/XRefStm is no offset in the file")
	}
	h, err := r.readXRefStream(at)
	if err != nil {
		return err
	}
	s.Hybrid, s.hidden = true, h.table
	return nil
}

// sortSubsections puts them in ascending order and refuses overlaps, in which readers
// differ.
func sortSubsections(subs []subsection, offset int64) ([]subsection, error) {
	slices.SortStableFunc(subs, func(a, b subsection) int { return a.first - b.first })
	for i := 1; i < len(subs); i++ {
		if subs[i-1].first+len(subs[i-1].entries) > subs[i].first {
			return nil, damaged(offset, Ref{}, "the cross-reference section lists object %d twice", subs[i].first)
		}
	}
	return subs, nil
}

// count adds n entries to those read so far.
func (r *Reader) count(n int) error {
	if r.entries += n; r.entries > r.limits.Objects {
		return fmt.Errorf("%w: more than %d cross-reference entries", ErrLimit, r.limits.Objects)
	}
	return nil
}
