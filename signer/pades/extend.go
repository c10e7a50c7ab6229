package pades

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
)

// Level is a baseline level (ETSI EN 319 142-1 §6).
type Level int

// The levels, lowest first.
const (
	BB   Level = iota + 1 // signed
	BT                    // and time-stamped
	BLT                   // and with all that is needed to validate it
	BLTA                  // and with that time-stamped
)

// String returns the level's name in the standard: "B-LT".
func (l Level) String() string {
	if l < BB || l > BLTA {
		return fmt.Sprintf("level %d", int(l))
	}
	return [...]string{"B-B", "B-T", "B-LT", "B-LTA"}[l-BB]
}

// ParseLevel reads the name of a level.
func ParseLevel(s string) (Level, error) {
	for l := BB; l <= BLTA; l++ {
		if l.String() == s {
			return l, nil
		}
	}
	return 0, fmt.Errorf("%w: %q is not B-B, B-T, B-LT or B-LTA", ErrLevel, s)
}

// Collector gathers what proves that a certificate was valid: its issuers up to the anchor,
// and revocation data for each and for who issued that data. It returns only data that it
// has verified; others are certificates that may be among the issuers.
type Collector interface {
	Collect(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate) (ValidationData, error)
}

// CollectorFunc is a function as a Collector.
type CollectorFunc func(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate) (ValidationData, error)

// Collect calls the function.
func (f CollectorFunc) Collect(ctx context.Context, certificate *x509.Certificate, others []*x509.Certificate) (ValidationData, error) {
	return f(ctx, certificate, others)
}

// ExtendOptions says to which level and with what.
type ExtendOptions struct {
	// Level is BT, BLT or BLTA.
	Level       Level
	TimeStamper signer.TimeStamper // of BT where a signature has no time-stamp, and of BLTA
	Collector   Collector          // of BLT and BLTA
	TokenSize   int                // as in TimeStampOptions
	// WithoutVRI leaves out the entries that relate data to signatures; validators do
	// without them.
	WithoutVRI bool
	// OnShortfall is asked when the level cannot be reached because the time-stamper or the
	// collector gave an error, after something was added: if it returns nil, that is written
	// and the rest is left; else its error is Extend's. Nil: the cause is an error.
	OnShortfall func(*Shortfall) error
	Limits      pdf.Limits

	signing bool // the file was signed just now: nothing need be added to it
}

// Extend lifts all signatures of base, a file of size bytes, to a level and writes the
// longer file to out: the base, byte for byte, and up to three increments. A signature
// without a time-stamp gets a document time-stamp; then follows the validation data of all
// signers and time-stamp authorities; then, for BLTA, a document time-stamp over it all.
// Extending a B-LTA file to BLTA again renews it: the data of the last time-stamp's authority
// is added before a new time-stamp.
//
// Every signature is verified over its bytes first; whether it is trusted is the collector's
// to say. Nothing is written before all of it has succeeded; a level that cannot be reached
// is ErrLevel, or the error of the time-stamper or the collector, unless OnShortfall accepts
// a lower one.
func Extend(ctx context.Context, base io.ReaderAt, size int64, out io.Writer, o ExtendOptions) error {
	inc, err := o.increments(ctx, Join(base, size))
	if err != nil {
		return err
	}
	_, err = Join(base, size, inc).WriteTo(out)
	return err
}

// increments returns all that Extend appends.
func (o *ExtendOptions) increments(ctx context.Context, file *Joined) ([]byte, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	r, err := openStrict(file, file.Size(), o.Limits)
	if err != nil {
		return nil, err
	}
	found, err := readSignatures(r)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: the file has no signature", ErrLevel)
	}
	e := &extension{o: o, file: Join(file, file.Size()), found: found}
	for _, step := range []struct {
		level Level
		take  func(context.Context) error
	}{{BT, e.addTime}, {BLT, e.addData}, {BLTA, e.addStamp}} {
		if step.level > o.Level {
			break
		}
		if err := step.take(ctx); err != nil {
			return e.file.tail, e.fallShort(ctx, step.level-1, err)
		}
	}
	return e.file.tail, nil
}

func (o *ExtendOptions) validate() error {
	switch {
	case o.Level < BT || o.Level > BLTA:
		return fmt.Errorf("%w: %s", ErrLevel, o.Level)
	case o.Level >= BLT && o.Collector == nil:
		return fmt.Errorf("%w: %s needs a source of validation data", ErrLevel, o.Level)
	case o.Level == BLTA && o.TimeStamper == nil:
		return fmt.Errorf("%w: %s needs a time-stamp authority", ErrLevel, o.Level)
	}
	return nil
}

// lacksTime reports whether a signature has neither a time-stamp of its own nor a later
// document time-stamp.
func lacksTime(found []existing) bool {
	lastStamp := int64(0)
	for _, s := range found {
		if s.timeStamp {
			lastStamp = max(lastStamp, s.end)
		}
	}
	for _, s := range found {
		if !s.timeStamp && !s.stamped && s.end > lastStamp {
			return true
		}
	}
	return false
}

// extension is a file on its way to a level.
type extension struct {
	o     *ExtendOptions
	file  *Joined
	found []existing
}

// addTime adds a document time-stamp if a signature lacks one, and finds the signatures anew.
func (e *extension) addTime(ctx context.Context) error {
	if !lacksTime(e.found) {
		return nil
	}
	if e.o.TimeStamper == nil {
		return fmt.Errorf("%w: a signature has no time-stamp, and there is no authority to ask", ErrLevel)
	}
	if err := e.addStamp(ctx); err != nil {
		return err
	}
	r, err := pdf.Open(e.file, e.file.Size(), e.o.Limits)
	if err != nil {
		return err
	}
	e.found, err = readSignatures(r)
	return err
}

func (e *extension) addData(ctx context.Context) error {
	data, err := e.o.collect(ctx, e.found)
	if err != nil {
		return err
	}
	inc, err := addValidationData(e.file, e.file.Size(), data, e.o.Limits)
	if err == nil {
		e.file = e.file.with(inc)
	}
	return err
}

func (e *extension) addStamp(ctx context.Context) error {
	inc, err := docTimeStamp(ctx, e.file, e.file.Size(), e.o.TimeStamper, TimeStampOptions{TokenSize: e.o.TokenSize, Limits: e.o.Limits})
	if err == nil {
		e.file = e.file.with(inc)
	}
	return err
}

// fallShort returns nil if the file as it is now is accepted. What is not the fault of the
// time-stamper or the collector is not a question of policy.
func (e *extension) fallShort(ctx context.Context, reached Level, err error) error {
	var fault *outsideFault
	if !errors.As(err, &fault) || len(e.file.tail) == 0 && !e.o.signing {
		return err
	}
	return ask(ctx, e.o.OnShortfall, &Shortfall{Wanted: e.o.Level, Reached: reached, Cause: err})
}

// collect gathers the validation data of every certificate that signed something.
func (o *ExtendOptions) collect(ctx context.Context, found []existing) (ValidationData, error) {
	all := ValidationData{}
	if !o.WithoutVRI {
		all.VRI = map[string]ValidationData{}
	}
	known := map[string]ValidationData{}
	for _, s := range found {
		var own ValidationData
		for _, c := range s.chains {
			id := string(c.certificate.Raw)
			v, ok := known[id]
			if !ok {
				var err error
				if v, err = o.Collector.Collect(ctx, c.certificate, c.others); err != nil {
					return all, fmt.Errorf("validation data of signature %q: %w", s.field, &outsideFault{err})
				}
				known[id] = v
			}
			own.Merge(v)
		}
		all.Merge(own)
		if !o.WithoutVRI {
			all.VRI[VRIKey(s.contents)] = own
		}
	}
	return all, nil
}

// with returns the file with one more increment.
func (j *Joined) with(increment []byte) *Joined {
	return &Joined{base: j.base, size: j.size, tail: append(j.tail[:len(j.tail):len(j.tail)], increment...)}
}
