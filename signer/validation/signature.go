package validation

import (
	"bytes"
	"crypto"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/timestamp"
)

// signing is a signature under examination.
type signing struct {
	located
	out      Signature
	span     span
	rangeOK  bool
	contents []byte
	rev      int         // revision it signed; -1: none
	signed   *pdf.Reader // the document as it was signed; nil if rev is -1
	digest   *digester
	cms      *cms.SignedData
	verified *cms.Verification
	demands  permissions

	token   *timestamp.Token // of a document time-stamp
	unsound bool             // structure, digest or value failed
	stamped bool             // a signature time-stamp covers the value
	holds   bool             // a document time-stamp that proves its time
	proven  time.Time        // by when the signature is proven to have existed
}

// fail settles a signature as failed.
func (s *signing) fail(id string, sub SubIndication, i Integrity, m message) {
	s.out.check(id, Failed, m)
	s.out.settle(TotalFailed, sub)
	s.out.Integrity = worse(s.out.Integrity, i, Intact, IntegrityNotChecked, Modified, Broken)
}

// signature examines everything about one signature that does not depend on what came after
// it or on whom to trust.
func (x *examiner) signature(l located, i int) (*signing, error) {
	s := &signing{located: l, out: *newSignature(), rev: -1}
	s.describe(view{x.doc})
	if x.damage != nil {
		s.fail("file-structure", FormatFailure, Modified, *x.damage)
	}
	if !s.readContents(view{x.doc}) {
		return s, nil
	}
	if err := x.byteRange(s, i); err != nil {
		return nil, err
	}
	if !s.rangeOK {
		return s, nil
	}
	if err := x.signedRevision(s); err != nil {
		return nil, err
	}
	s.digest = &digester{r: x.file, s: s.span, front: x.front, sums: map[crypto.Hash][]byte{}, left: &x.digestLeft}
	return s, x.cryptography(s)
}

// describe copies what the dictionary says of itself; all of it is only claimed.
func (s *signing) describe(v view) {
	o := &s.out
	o.Field = s.field
	o.SubFilter = string(s.value.Name("SubFilter"))
	o.Kind = KindSignature
	if s.value.Name("Type") == "DocTimeStamp" || o.SubFilter == subFilterTimestamp {
		o.Kind = KindDocTimestamp
	}
	o.Reason, o.Location = textValue(v, s.value, "Reason"), textValue(v, s.value, "Location")
	if t, ok := parseDate(textValue(v, s.value, "M")); ok && o.Kind == KindSignature {
		o.Time, o.TimeSource = t, TimeClaimed
	}
}

func (s *signing) readContents(v view) bool {
	o, err := v.get(s.value.Get("Contents"))
	str, ok := o.(pdf.String)
	switch {
	case err != nil || !ok:
		s.fail("signature-contents", FormatFailure, Broken, msgContentsBad.of(contentsMissing))
		return false
	case !anySet(str.Bytes):
		s.fail("signature-contents", FormatFailure, Broken, msgContentsBad.of(contentsMissing))
		return false
	}
	s.contents = str.Bytes
	return true
}

func (x *examiner) byteRange(s *signing, i int) error {
	var bad both
	s.span, s.out.ByteRange, bad = readByteRange(view{x.doc}, s.value, x.size)
	if bad == (both{}) {
		var err error
		if bad, err = checkGap(x.file, s.span, s.located, s.contents, x.size); err != nil {
			return err
		}
	}
	if bad == (both{}) && sharesGap(x.spans, i) {
		bad = both{"hai chữ ký dùng chung một chỗ trống", "two signatures leave out the same bytes"}
	}
	if bad == (both{}) {
		if s.rev = x.revisionAt(s.span.end); s.rev < 0 {
			bad = both{"vùng ký không kết thúc ở cuối một bản của tệp", "the range does not end with a revision of the file"}
		}
	}
	if bad != (both{}) {
		s.fail("byte-range", FormatFailure, Broken, msgRangeBad.of(bad))
		// The value is still checked where the range makes sense, to say which of the two it is.
		s.rangeOK = s.span.end > 0 && s.span.gapStart < s.span.gapEnd && s.span.end <= x.size
		return nil
	}
	s.rangeOK, s.out.ByteRangeOK, s.out.CoversWholeRevision = true, true, true
	s.out.CoversWholeFile = s.rev == len(x.revs)-1 && x.damage == nil
	s.out.check("byte-range", Passed, msgRangeOK)
	return x.digits(s)
}

// digits looks at how the hexadecimal string of a signature is written. Every signer writes
// its digits in one case, and no signature covers them: where both occur, somebody wrote
// into the file afterwards.
func (x *examiner) digits(s *signing) error {
	gap := make([]byte, s.span.gapEnd-s.span.gapStart)
	if err := readExactly(x.file, gap, s.span.gapStart); err != nil {
		return err
	}
	if bytes.ContainsAny(gap, "abcdef") && bytes.ContainsAny(gap, "ABCDEF") {
		s.out.check("signature-contents", Failed, msgDigits)
		s.out.settle(Indeterminate, SigConstraintsFailure)
	}
	return nil
}

// revisionAt returns the revision that ends at an offset, its last end of line counted or
// not; -1 if none does.
func (x *examiner) revisionAt(end int64) int {
	for i, r := range x.revs {
		// Writers differ in whether the end of line after %%EOF belongs to the revision.
		if end == r.End || end < r.End && end >= r.End-2 && x.endsWithMarker(end) {
			return i
		}
		next := x.size
		if i+1 < len(x.revs) {
			next = x.revs[i+1].StartXRef
		}
		if end > r.End && end <= next && end-r.End <= 64 && x.isBlank(r.End, end) {
			return i
		}
	}
	return -1
}

func (x *examiner) endsWithMarker(end int64) bool {
	for _, e := range x.front.ends {
		if e == end || e == end-1 {
			return true
		}
	}
	return false
}

func (x *examiner) isBlank(from, to int64) bool {
	b := make([]byte, to-from)
	if readExactly(x.file, b, from) != nil {
		return false
	}
	for _, c := range b {
		if !isSpace(c) {
			return false
		}
	}
	return true
}

// signedRevision opens the document as it was signed and finds the signature in it: the same
// dictionary at the same place.
func (x *examiner) signedRevision(s *signing) error {
	if s.rev < 0 {
		return nil
	}
	signed, err := x.doc.AtRevision(s.rev)
	if err != nil {
		s.fail("signed-revision", FormatFailure, Broken, msgRevisionBad.of(plain(err)))
		return notVerdict(err)
	}
	found, err := locate(signed, &x.work)
	if err != nil {
		s.fail("signed-revision", FormatFailure, Broken, msgRevisionBad.of(plain(err)))
		return notVerdict(err)
	}
	if !has(found, s.located) {
		s.fail("signed-revision", FormatFailure, Broken, msgRevisionBad.of(
			both{"chữ ký không thuộc bản mà nó ký", "the signature is not part of the revision it signs"}))
		return nil
	}
	for _, l := range found {
		if l.offset == s.offset && l.host == s.host {
			s.form, s.at = l.form, l.at
		}
	}
	s.signed = signed
	s.demands, s.out.DocMDP, err = demandsOf(view{signed}, s.value, s.form)
	if err != nil {
		s.fail("signed-revision", FormatFailure, Broken, msgRevisionBad.of(plain(err)))
	}
	return notVerdict(err)
}

// notVerdict keeps an error only if the file could not be read.
func notVerdict(err error) error {
	if isIO(err) {
		return err
	}
	return nil
}
