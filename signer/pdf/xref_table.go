package pdf

import "bytes"

// tableScanner reads a cross-reference table from the front.
type tableScanner struct {
	r   *Reader
	pos int64
	// size is the length of every entry of the table, 0 before the first: readers that count
	// entries and readers that read words must find the same ones.
	size int
}

func (s *tableScanner) skipSpace() error {
	for {
		b, err := s.r.bytesAt(s.pos, 32)
		if err != nil {
			return err
		}
		for _, c := range b {
			if !isSpace(c) {
				return nil
			}
			s.pos++
		}
		if len(b) == 0 {
			return nil
		}
	}
}

// integer reads up to ten digits.
func (s *tableScanner) integer() (int64, bool, error) {
	if err := s.skipSpace(); err != nil {
		return 0, false, err
	}
	b, err := s.r.bytesAt(s.pos, 11)
	if err != nil {
		return 0, false, err
	}
	v, digits := int64(0), 0
	for digits < len(b) && isDigit(b[digits]) {
		v = v*10 + int64(b[digits]-'0')
		digits++
	}
	s.pos += int64(digits)
	return v, digits > 0 && digits <= 10, nil
}

// at reports whether a word stands at the position.
func (s *tableScanner) at(word string) (bool, error) {
	b, err := s.r.bytesAt(s.pos, int64(len(word)))
	return string(b) == word, err
}

// readTable reads the table at an offset, its trailer and what follows (ISO 32000-2
// §7.5.4). An entry has 20 bytes; one that lacks the space before its end of line, or has one
// byte more, as widespread writers have them, says the same to every reader.
func (r *Reader) readTable(offset int64) (*Section, error) {
	s := &tableScanner{r: r, pos: offset}
	if err := s.skipSpace(); err != nil {
		return nil, err
	}
	odd := s.pos > offset
	s.pos += int64(len("xref")) // the caller has seen the keyword
	var subs []subsection
	for {
		if err := s.skipSpace(); err != nil {
			return nil, err
		}
		if end, err := s.at("trailer"); err != nil || end {
			if err != nil {
				return nil, err
			}
			break
		}
		sub, err := s.subsection()
		if err != nil {
			return nil, err
		}
		if len(sub.entries) > 0 {
			subs = append(subs, sub)
		}
	}
	subs, err := sortSubsections(subs, offset)
	if err != nil {
		return nil, err
	}
	section := &Section{Offset: offset, table: subs, Odd: s.size != 0 && s.size != entryBytes || odd}
	return section, r.readTrailer(section, s.pos)
}

// Of an entry of a cross-reference table: as it must be, without its end, and at most.
const (
	entryBytes    = 20
	entryHead     = 18
	entryBytesMax = 21
)

func (s *tableScanner) subsection() (subsection, error) {
	at := s.pos
	first, ok1, err := s.integer()
	if err != nil {
		return subsection{}, err
	}
	count, ok2, err := s.integer()
	if err != nil {
		return subsection{}, err
	}
	if !ok1 || !ok2 || first > 1<<31-1 || count > 1<<31-1-first {
		return subsection{}, damaged(at, Ref{}, "the cross-reference table has no subsection header or trailer here")
	}
	if err := s.skipSpace(); err != nil {
		return subsection{}, err
	}
	if count > (s.r.size-s.pos)/(entryHead+1) {
		return subsection{}, damaged(at, Ref{}, "the cross-reference table announces more entries than the file can hold")
	}
	if err := s.r.count(int(count)); err != nil {
		return subsection{}, err
	}
	sub := subsection{int(first), make([]packedEntry, count)}
	return sub, s.entries(sub.entries)
}

// entries reads as many entries as there are places, some thousand bytes at a time.
func (s *tableScanner) entries(to []packedEntry) error {
	const together = 800
	for len(to) > 0 {
		n := min(len(to), together)
		b, err := s.r.bytesAt(s.pos, int64(n)*entryBytesMax)
		if err != nil {
			return err
		}
		for i := range n {
			size := entrySize(b)
			if s.size == 0 {
				s.size = size
			}
			if size == 0 || size != s.size {
				return damaged(s.pos, Ref{}, "not a cross-reference entry of 20 bytes: %q", b[:min(len(b), 20)])
			}
			e, ok := parseTableEntry([entryHead]byte(b))
			if !ok {
				return damaged(s.pos, Ref{}, "not a cross-reference entry of 20 bytes: %q", b[:size])
			}
			to[i] = e
			s.pos += int64(size)
			b = b[size:]
		}
		to = to[n:]
	}
	return nil
}

// entrySize is the length of the entry at the front of b with its end: a space and an end of
// line of one byte, an end of line of two, or what writers make of it; 0 if it is none of these.
func entrySize(b []byte) int {
	if len(b) <= entryHead {
		return 0
	}
	end := b[entryHead:min(len(b), entryBytesMax)]
	switch {
	case bytes.HasPrefix(end, []byte(" \r\n")):
		return entryBytesMax
	case len(end) > 1 && (end[0] == ' ' && (end[1] == '\n' || end[1] == '\r') || end[0] == '\r' && end[1] == '\n'):
		return entryBytes
	case end[0] == '\n' || end[0] == '\r':
		return entryHead + 1
	}
	return 0
}

func parseTableEntry(line [entryHead]byte) (packedEntry, bool) {
	var e packedEntry
	for _, c := range line[:10] {
		if !isDigit(c) {
			return e, false
		}
		e.offset = e.offset*10 + int64(c-'0')
	}
	for _, c := range line[11:16] {
		if !isDigit(c) {
			return e, false
		}
		e.minor = e.minor*10 + uint32(c-'0')
	}
	if line[10] != ' ' || line[16] != ' ' {
		return e, false
	}
	switch line[17] {
	case 'n':
		e.kind = InUse
	case 'f':
		e.kind = Free
	default:
		return e, false
	}
	return e, true
}

// readTrailer reads the trailer dictionary at an offset and the startxref after it.
func (r *Reader) readTrailer(s *Section, offset int64) error {
	var end int
	err := r.parseAt(offset, Ref{}, func(p *parser) error {
		if !p.keyword("trailer") {
			return syntaxError("the keyword trailer is missing")
		}
		o, err := p.object()
		if err != nil {
			return err
		}
		d, ok := o.(Dict)
		if !ok {
			return syntaxError("the trailer is not a dictionary")
		}
		s.Trailer, end = d, p.pos
		return nil
	})
	if err != nil {
		return err
	}
	s.tail, _ = r.readTail(offset + int64(end)) // only Revisions needs it
	return nil
}
