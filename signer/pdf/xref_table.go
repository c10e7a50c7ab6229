package pdf

// tableScanner reads a cross-reference table from the front.
type tableScanner struct {
	r   *Reader
	pos int64
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
// §7.5.4). Every entry must have its 20 bytes.
func (r *Reader) readTable(offset int64) (*Section, error) {
	s := &tableScanner{r, offset + int64(len("xref"))} // the caller has seen the keyword
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
	section := &Section{Offset: offset, table: subs}
	return section, r.readTrailer(section, s.pos)
}

const entryBytes = 20 // of an entry of a cross-reference table

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
	if count > (s.r.size-s.pos)/entryBytes {
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
		b, err := s.r.bytesAt(s.pos, int64(n)*entryBytes)
		if err != nil {
			return err
		}
		for i := range n {
			line := b[i*entryBytes:][:entryBytes]
			e, ok := parseTableEntry([entryBytes]byte(line))
			if !ok {
				return damaged(s.pos, Ref{}, "not a cross-reference entry of 20 bytes: %q", line)
			}
			to[i] = e
			s.pos += entryBytes
		}
		to = to[n:]
	}
	return nil
}

func parseTableEntry(line [entryBytes]byte) (packedEntry, bool) {
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
	end := string(line[18:])
	if line[10] != ' ' || line[16] != ' ' || end != " \n" && end != " \r" && end != "\r\n" {
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
