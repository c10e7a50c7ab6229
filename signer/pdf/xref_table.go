package pdf

import (
	"bufio"
	"io"
)

// tableScanner reads a cross-reference table from the front and counts bytes.
type tableScanner struct {
	r   *bufio.Reader
	pos int64
}

func (s *tableScanner) skipSpace() {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return
		}
		if !isSpace(c) {
			_ = s.r.UnreadByte() // a byte was just read
			return
		}
		s.pos++
	}
}

// integer reads up to ten digits.
func (s *tableScanner) integer() (int64, bool) {
	s.skipSpace()
	v, digits := int64(0), 0
	for digits <= 10 {
		c, err := s.r.ReadByte()
		if err != nil {
			break
		}
		if !isDigit(c) {
			_ = s.r.UnreadByte() // a byte was just read
			break
		}
		v = v*10 + int64(c-'0')
		digits++
		s.pos++
	}
	return v, digits > 0 && digits <= 10
}

// readTable reads the table at an offset, its trailer and what follows (ISO 32000-2
// §7.5.4). Every entry must have its 20 bytes.
func (r *Reader) readTable(offset int64) (*Section, error) {
	s := &tableScanner{bufio.NewReaderSize(io.NewSectionReader(r.file, offset, r.size-offset), 16<<10), offset}
	_, _ = s.r.Discard(len("xref")) // the caller has seen the keyword
	s.pos += int64(len("xref"))
	var subs []subsection
	for {
		s.skipSpace()
		if word, _ := s.r.Peek(len("trailer")); string(word) == "trailer" {
			break
		}
		sub, err := r.readSubsection(s)
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

func (r *Reader) readSubsection(s *tableScanner) (subsection, error) {
	at := s.pos
	first, ok1 := s.integer()
	count, ok2 := s.integer()
	if !ok1 || !ok2 || first > 1<<31-1 || count > 1<<31-1-first {
		return subsection{}, damaged(at, Ref{}, "the cross-reference table has no subsection header or trailer here")
	}
	s.skipSpace()
	if count > (r.size-s.pos)/20 {
		return subsection{}, damaged(at, Ref{}, "the cross-reference table announces more entries than the file can hold")
	}
	if err := r.count(int(count)); err != nil {
		return subsection{}, err
	}
	sub := subsection{int(first), make([]packedEntry, count)}
	var line [20]byte
	for i := range sub.entries {
		if _, err := io.ReadFull(s.r, line[:]); err != nil {
			return sub, damaged(s.pos, Ref{}, "the cross-reference table ends early")
		}
		e, ok := parseTableEntry(line)
		if !ok {
			return sub, damaged(s.pos, Ref{}, "not a cross-reference entry of 20 bytes: %q", line[:])
		}
		sub.entries[i] = e
		s.pos += 20
	}
	return sub, nil
}

func parseTableEntry(line [20]byte) (packedEntry, bool) {
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
