package validation

import (
	"bytes"
	"slices"

	"github.com/saoy/saoy/signer/pdf"
)

const (
	// maxRaw bounds the signature-like structures examined outside the document.
	maxRaw = 32
	// rawReach is how far before its /ByteRange or /SubFilter a signature object may begin.
	rawReach = 256 << 10
)

// rawSignatures examines what looks like a signature dictionary in the bytes of a file that
// does not read as a document. None of them can pass; each is named for what is wrong.
// claimed are offsets of objects that were examined already.
func (x *examiner) rawSignatures(claimed []int64) ([]Signature, error) {
	var out []Signature
	seen := slices.Clone(claimed)
	for tries, at := range slices.Concat(x.front.byteRanges, x.front.subFilters) {
		if tries >= 4*maxRaw || len(out) == maxRaw {
			break
		}
		start, err := x.objectBefore(at)
		if err != nil {
			return nil, err
		}
		if start < 0 || slices.Contains(seen, start) {
			continue
		}
		seen = append(seen, start)
		s, ok, err := x.rawSignature(start)
		if err != nil {
			return nil, err
		}
		if ok {
			out = append(out, s)
		}
	}
	return out, nil
}

// objectBefore finds the "N G obj" nearest before an offset, -1 if there is none near.
func (x *examiner) objectBefore(at int64) (int64, error) {
	const reach, overlap = 16 << 10, 32
	for end := at; end > 0 && at-end < rawReach; {
		from := max(0, end-reach)
		b := make([]byte, min(end+overlap, at)-from)
		if err := readExactly(x.file, b, from); err != nil {
			return 0, err
		}
		for i := len(b); ; {
			if i = bytes.LastIndex(b[:i], []byte("obj")); i < 0 {
				break
			}
			if n := headerBefore(b[:i]); n > 0 {
				return from + int64(i-n), nil
			}
		}
		end = from
	}
	return -1, nil
}

// headerBefore returns how many bytes before the keyword obj its object's header begins, 0
// if no two integers stand there.
func headerBefore(b []byte) int {
	i := len(b)
	for range 2 {
		j := i
		for j > 0 && isSpace(b[j-1]) {
			j--
		}
		k := j
		for k > 0 && b[k-1] >= '0' && b[k-1] <= '9' && j-k < 10 {
			k--
		}
		if k == j || j == i {
			return 0
		}
		i = k
	}
	return len(b) - i
}

// rawSignature examines one dictionary by its bytes alone.
func (x *examiner) rawSignature(start int64) (Signature, bool, error) {
	o, err := readObject(x.file, start, x.size)
	if err != nil && isIO(err) {
		return Signature{}, false, err
	}
	if err == nil && (!o.isDict || o.count["ByteRange"] == 0 && o.count["Contents"] == 0 && o.count["SubFilter"] == 0) {
		return Signature{}, false, nil
	}
	s := newSignature()
	s.Kind = KindSignature
	s.ChangesAfter = ChangesDisallowed
	if x.encrypted {
		// Not wrong, but its document cannot be seen.
		s.settle(Indeterminate, SignedDataNotFound)
		s.Integrity = IntegrityNotChecked
		s.check("file-structure", NotDone, msgEncrypted)
		return *s, true, nil
	}
	s.settle(TotalFailed, FormatFailure)
	s.Integrity = Broken
	if x.damage != nil {
		s.check("file-structure", Failed, *x.damage)
	}
	if err != nil {
		s.check("signature-contents", Failed, msgContentsBad.of(both{"từ điển chữ ký sai cú pháp", "the signature dictionary is malformed"}))
		return *s, true, nil
	}
	return *s, true, x.rawRange(s, o)
}

// rawRange applies the rules of the byte range to values read from the bytes.
func (x *examiner) rawRange(s *Signature, o *rawObject) error {
	if name, err := x.rawValue(o, "SubFilter"); err != nil {
		return err
	} else if len(name) > 1 {
		s.SubFilter = nameOf(name[1:])
	}
	contents, err := x.rawValue(o, "Contents")
	if err != nil {
		return err
	}
	if value, ok := hexOfString(contents); !ok || !anySet(value) {
		s.check("signature-contents", Failed, msgContentsBad.of(contentsMissing))
	}
	text, err := x.rawValue(o, "ByteRange")
	if err != nil {
		return err
	}
	sp, bad := rangeOf(integers(text), x.size)
	s.ByteRange = integers(text)
	if bad == (both{}) && (o.place["Contents"] != [2]int64{sp.gapStart, sp.gapEnd}) {
		bad = gapTooBig
	}
	if bad != (both{}) {
		s.check("byte-range", Failed, msgRangeBad.of(bad))
		return nil
	}
	s.ByteRangeOK = true
	s.Integrity = Modified
	if x.doc == nil {
		// The bytes may be those that were signed; what they show cannot be known.
		s.Integrity = IntegrityNotChecked
	}
	return nil
}

var contentsMissing = both{"/Contents trống hoặc không có (giả mạo chữ ký)", "/Contents is empty or missing (universal signature forgery)"}

func anySet(b []byte) bool { return slices.ContainsFunc(b, func(c byte) bool { return c != 0 }) }

func (x *examiner) rawValue(o *rawObject, key string) ([]byte, error) {
	at, ok := o.place[key]
	if !ok || at[1]-at[0] > 2*maxContents {
		return nil, nil
	}
	b := make([]byte, at[1]-at[0])
	return b, readExactly(x.file, b, at[0])
}

// integers reads "[1 2 3 4]"; anything else gives none.
func integers(b []byte) []int64 {
	l := lexer{b: b}
	if l.space(); l.i >= len(b) || b[l.i] != '[' {
		return nil
	}
	l.i++
	var out []int64
	for len(out) < 16 {
		v, ok := l.integer()
		if !ok {
			break
		}
		out = append(out, v)
	}
	return out
}

func newSignature() *Signature {
	return &Signature{Level: LevelNone, TimeSource: TimeNone, ChangesAfter: ChangesNone,
		Integrity: Intact, Issuer: Undetermined, Indication: TotalPassed}
}

// textValue returns a text string of a dictionary, empty if there is none.
func textValue(v view, d pdf.Dict, key pdf.Name) string {
	s, _, err := textOf(v, d.Get(key))
	if err != nil {
		return ""
	}
	return s
}
