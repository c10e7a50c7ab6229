package validation

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"slices"
	"time"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/trust"
)

// Options say against what, and as of when, a file is validated.
type Options struct {
	// At is the time of validation; it must be set.
	At time.Time
	// Anchors are the only certificates trusted for themselves; nil: none.
	Anchors *trust.Store
	// Policy says which algorithms count when; nil: StandardPolicy.
	Policy *Policy
	// Source fetches what the file does not carry: issuers, OCSP responses and CRLs. Nil:
	// nothing is fetched, only what the file holds counts.
	Source *trust.Source
	// MaxTime bounds how long the file may be worked at, the network left out; without it or
	// Spent: as long as ctx lasts. Beyond it the verdict is that it could not be examined.
	MaxTime time.Duration
	// Spent is the clock of MaxTime, from any start. The processor time of a process that does
	// nothing else is a good one: it does not depend on what else the machine is doing.
	Spent func() time.Duration
	// Limits bound what a file may make the reader do; zero fields take its defaults.
	Limits pdf.Limits
}

// File validates all signatures of a PDF file of size bytes. It reads r, which it does not
// load, and writes nothing. It is an error only when r cannot be read or ctx ends;
// everything a file can be is a verdict in the report.
//
// ETSI EN 319 102-1 §5; the rules for what may come after a signature are those of
// ISO 32000-2 §12.8.2, the stricter reading where readers differ.
func File(ctx context.Context, r io.ReaderAt, size int64, o Options) (*Report, error) {
	if o.At.IsZero() {
		return nil, errors.New("validation: no time of validation given")
	}
	if o.Limits.DecodedTotal == 0 {
		o.Limits.DecodedTotal = maxDecoded
	}
	if o.Policy == nil {
		o.Policy = StandardPolicy()
	}
	within := o.limit(ctx)
	x := &examiner{ctx: within, caller: ctx, file: patientReader{within, r}, size: size, options: o, work: maxWork, digestLeft: max(maxDigest, 4*size),
		judged: map[string]bool{}, used: map[string]bool{},
		report: &Report{Size: size, Integrity: IntegrityNone, Issuer: Undetermined, Indication: NoSignature}}
	err := x.run()
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return x.outOfTime(), nil
	}
	if err != nil {
		return nil, err
	}
	x.report.conclude()
	return x.report, ctx.Err()
}

// What one file may cost, whatever it asks for.
const (
	maxWork   = 6_000_000 // objects visited in comparisons and forms
	maxDigest = 4 << 30   // bytes digested, all signatures together
	// maxDecoded are bytes of decoded streams, of each revision read.
	maxDecoded = 256 << 20
)

// examiner is the validation of one file.
type examiner struct {
	ctx     context.Context // ends with MaxTime
	caller  context.Context // does not, for what asks the network
	file    io.ReaderAt
	size    int64
	options Options
	front   *frontScan
	report  *Report

	doc   *pdf.Reader    // the newest state of the document that reads without repair
	revs  []pdf.Revision // of doc, oldest first
	tiled map[int]error  // revision → what accountFor found
	// damage is what is wrong with the file as a whole; every signature fails for it.
	damage    *message
	encrypted bool
	// storeCerts are the certificates of the document security store.
	storeCerts []*x509.Certificate
	evidence   *evidence
	judged     map[string]bool // certificates in bags, in DER: altered or not
	used       map[string]bool // certificates and revocation data, in DER, that paths rest on
	onPaths    []*x509.Certificate
	spans      []span
	// work and digestLeft are what the file may still cost: objects visited, bytes digested.
	work       int
	digestLeft int64
}

func (x *examiner) run() (err error) {
	if x.front, err = scan(x.file, x.size); err != nil {
		return err
	}
	x.report.SHA256 = hexOf(x.front.digest[:])
	if err := x.open(); err != nil {
		return err
	}
	if x.doc == nil {
		return x.unreadable()
	}
	if err := x.unambiguous(); err != nil {
		return err
	}
	if err := x.odd(); err != nil {
		return err
	}
	if x.damage == nil {
		x.report.Checks = append(x.report.Checks, msgOpened.check("file-structure", Passed))
	}
	found, err := x.locateAll()
	if err != nil {
		if isIO(err) {
			return err
		}
		x.fault(msgUnreadable.of(plain(err)))
		return x.unreadable()
	}
	return x.signatures(found)
}

// open reads the whole file if it reads in one way only; else the longest front part that
// ends with a revision and does.
func (x *examiner) open() error {
	doc, revs, err := openRevisions(x.file, x.size, x.options.Limits)
	if err == nil {
		x.doc, x.revs = doc, revs
		if end := revs[len(revs)-1].End; x.front.last > end {
			x.fault(msgAppended.of(x.front.last - end))
		}
		return nil
	}
	switch {
	case isIO(err):
		return err
	case errors.Is(err, pdf.ErrEncrypted):
		x.encrypted = true
		x.fault(msgEncrypted)
		return nil
	}
	return x.openPrefix(err)
}

// odd accounts for every byte of the revisions whose tables some programs would repair: these
// scan the file and must find the same objects.
func (x *examiner) odd() error {
	const header = int64(len("%PDF-1.7"))
	from := header
	for i, rev := range x.revs {
		if slices.ContainsFunc(rev.Sections, func(s *pdf.Section) bool { return s.Odd }) {
			r, err := x.doc.AtRevision(i)
			if err == nil {
				err = accountFor(x.file, r, rev, from)
			}
			var h *hidden
			if errors.As(err, &h) {
				x.fault(msgHidden.of(h.at, h.what))
			} else if isIO(err) {
				return err
			} else if err != nil {
				x.fault(msgUnreadable.of(plain(err)))
			}
		}
		from = rev.End
	}
	return nil
}

// maxPrefixes bounds the end markers that are tried.
const maxPrefixes = 16

// openPrefix looks for the document that was there before something was appended that forms
// no update.
func (x *examiner) openPrefix(why error) error {
	ends := x.front.ends
	for i := len(ends) - 1; i >= 0 && i >= len(ends)-maxPrefixes; i-- {
		end, err := x.lineEnd(ends[i])
		if err != nil {
			return err
		}
		doc, revs, err := openRevisions(x.file, end, x.options.Limits)
		if err != nil {
			if isIO(err) {
				return err
			}
			continue
		}
		if x.doc = doc; x.front.last > end {
			x.revs = revs
			x.fault(msgAppended.of(x.front.last - end))
			return nil
		}
		x.doc = nil
	}
	x.fault(msgUnreadable.of(plain(why)))
	return nil
}

// lineEnd returns the offset behind the end of line that follows at, if one does.
func (x *examiner) lineEnd(at int64) (int64, error) {
	b := make([]byte, min(2, x.size-at))
	if err := readExactly(x.file, b, at); err != nil {
		return 0, err
	}
	if len(b) > 0 && b[0] == '\r' {
		at, b = at+1, b[1:]
	}
	if len(b) > 0 && b[0] == '\n' {
		at++
	}
	return at, nil
}

func openRevisions(r io.ReaderAt, size int64, l pdf.Limits) (*pdf.Reader, []pdf.Revision, error) {
	doc, err := pdf.Open(r, size, l)
	if err != nil {
		return nil, nil, err
	}
	revs, err := doc.Revisions()
	if err == nil && len(revs) == 0 {
		err = pdf.ErrDamaged
	}
	return doc, revs, err
}

// isIO reports whether an error comes from reading the bytes, not from what they say.
func isIO(err error) bool {
	for _, verdict := range []error{pdf.ErrDamaged, pdf.ErrEncrypted, pdf.ErrLimit, pdf.ErrFilter, errTooComplex, errSyntax} {
		if errors.Is(err, verdict) {
			return false
		}
	}
	return err != nil && !errors.Is(err, io.ErrUnexpectedEOF)
}

// plain is the same words in both languages, for findings of a parser.
func plain(err error) both { return both{err.Error(), err.Error()} }

// warn adds a warning, Vietnamese first.
func (x *examiner) warn(w both) {
	x.report.Warnings = append(x.report.Warnings, w.vi+" / "+w.en)
}

// warnOnce adds a warning unless it stands there.
func (x *examiner) warnOnce(w both) {
	if !slices.Contains(x.report.Warnings, w.vi+" / "+w.en) {
		x.warn(w)
	}
}

func (x *examiner) fault(m message) {
	x.report.Checks = append(x.report.Checks, m.check("file-structure", Failed))
	if x.damage == nil {
		x.damage = &m
	}
}

// unreadable is the verdict on a file that could not be opened or walked.
func (x *examiner) unreadable() error {
	if !x.front.signatureLike() {
		x.warn(both{x.damage.vi, x.damage.en})
		return nil
	}
	raw, err := x.rawSignatures(nil)
	if err != nil {
		return err
	}
	x.report.Signatures = append(x.report.Signatures, raw...)
	if len(raw) == 0 {
		x.report.Indication, x.report.SubIndication = TotalFailed, FormatFailure
		x.report.Integrity = IntegrityNotChecked
	}
	x.warn(both{"Tệp có cấu trúc của chữ ký nhưng không đọc được như một tài liệu PDF: " + x.damage.vi,
		"The file holds structures of a signature but cannot be examined as a PDF document: " + x.damage.en})
	return nil
}

// signatures examines what was found through the form, then looks for what was not.
func (x *examiner) signatures(found []located) error {
	x.tiled = map[int]error{}
	x.spans = make([]span, len(found))
	for i, l := range found {
		x.spans[i], _, _ = readByteRange(view{x.doc}, l.value, x.size)
	}
	var store evidence
	if err := store.store(x.doc); isIO(err) {
		return err
	}
	x.storeCerts = store.certs
	var all []*signing
	for i, l := range found {
		s, err := x.signature(l, i)
		if err != nil {
			return err
		}
		all = append(all, s)
	}
	order(all)
	if err := x.changes(all); err != nil {
		return err
	}
	if err := x.authenticity(all); err != nil {
		return err
	}
	for _, s := range all {
		x.report.Signatures = append(x.report.Signatures, s.out)
	}
	return x.unclaimed(found)
}

// unclaimed warns of signature-like bytes that no field leads to. In a file that was damaged
// or shows no signature they are examined as they stand.
func (x *examiner) unclaimed(found []located) error {
	var claimed []int64
	for _, l := range found {
		claimed = append(claimed, l.offset)
	}
	if x.damage == nil && len(found) > 0 {
		return nil
	}
	raw, err := x.rawSignatures(claimed)
	if err != nil {
		return err
	}
	if x.damage != nil {
		x.report.Signatures = append(x.report.Signatures, raw...)
	}
	if len(raw) > 0 || len(found) == 0 && x.front.signatureLike() {
		x.warn(message{vi: "Tệp có %d cấu trúc giống chữ ký mà không trường chữ ký nào của tài liệu dẫn tới.",
			en: "The file holds %d structures that look like a signature and belong to no signature field of the document."}.of(max(1, len(raw))).both())
	}
	return nil
}
