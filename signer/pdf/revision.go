package pdf

import (
	"slices"
)

// tail is what closes a revision: startxref, an offset, %%EOF (ISO 32000-2 §7.5.5).
type tail struct {
	target int64
	end    int64 // behind the end of line after %%EOF; 0: there is no tail
}

// readTail parses the tail at an offset.
func (r *Reader) readTail(offset int64) (tail, error) {
	var t tail
	b, err := r.bytesAt(offset, 1024)
	if err != nil {
		return t, err
	}
	p := parser{b: b}
	for p.pos < len(b) && isSpace(b[p.pos]) {
		p.pos++
	}
	if !p.keyword("startxref") {
		return t, damaged(offset, Ref{}, "startxref does not follow")
	}
	for p.pos < len(b) && isSpace(b[p.pos]) {
		p.pos++
	}
	o, err := p.number()
	v, ok := o.(Integer)
	if err != nil || !ok || v < 0 || int64(v) >= r.size {
		return t, damaged(offset, Ref{}, "startxref gives no offset in the file")
	}
	for p.pos < len(b) && isSpace(b[p.pos]) {
		p.pos++
	}
	if string(b[p.pos:min(len(b), p.pos+5)]) != "%%EOF" {
		return t, damaged(offset, Ref{}, "%%%%EOF does not follow startxref")
	}
	p.pos += 5
	if p.peek() == '\r' {
		p.pos++
	}
	if p.peek() == '\n' {
		p.pos++
	}
	return tail{int64(v), offset + int64(p.pos)}, nil
}

// Revision is the file as one save left it: bytes 0 to End, read from StartXRef.
type Revision struct {
	StartXRef int64
	End       int64      // behind %%EOF and its end of line
	Sections  []*Section // the sections this revision added, newest first: one, or the two of a linearized file
}

// Revisions returns the revisions of the file, oldest first. It checks that each section is
// followed by the startxref and %%EOF that a reader of the file as it then stood would have
// started from (ISO 32000-2 §7.5.6).
//
// The last revision's End is less than Size when something follows the last %%EOF.
func (r *Reader) Revisions() ([]Revision, error) {
	linear, err := r.isLinearized()
	if err != nil {
		return nil, err
	}
	var revs []Revision
	below := r.size
	for i := 0; i < len(r.sections); i++ {
		s := r.sections[i]
		rev := Revision{StartXRef: s.Offset, End: s.tail.end, Sections: r.sections[i : i+1]}
		if linear && i+2 == len(r.sections) && r.sections[i+1].tail.target == s.Offset && s.Offset < r.sections[i+1].Offset {
			rev.Sections = r.sections[i : i+2]
			rev.End = r.sections[i+1].tail.end
			i++
		} else if s.tail.end == 0 || s.tail.target != s.Offset {
			return nil, damaged(s.Offset, Ref{}, "the cross-reference section is not followed by its own startxref and %%%%EOF")
		}
		if rev.End > below {
			return nil, damaged(s.Offset, Ref{}, "the revisions are not in the order of the file")
		}
		below = rev.End
		revs = append(revs, rev)
	}
	slices.Reverse(revs)
	return revs, nil
}

// AtRevision returns a reader of the file as it stood at revision i of Revisions.
func (r *Reader) AtRevision(i int) (*Reader, error) {
	revs, err := r.Revisions()
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= len(revs) {
		return nil, damaged(0, Ref{}, "there is no revision %d", i)
	}
	rev := revs[i]
	at := slices.Index(r.sections, rev.Sections[0])
	return &Reader{file: r.file, size: rev.End, limits: r.limits, version: r.version, startXRef: rev.StartXRef,
		sections: r.sections[at:], entries: r.entries, cache: map[int]Object{}}, nil
}
