package pades

import (
	"context"
	"crypto/x509"
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
	Limits     pdf.Limits
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
// is ErrLevel, or the error of the time-stamper or the collector.
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
	grown := Join(file, file.Size())
	if lacksTime(found) {
		if grown, found, err = o.addTime(ctx, grown); err != nil {
			return nil, err
		}
	}
	if o.Level >= BLT {
		data, err := o.collect(ctx, found)
		if err != nil {
			return nil, err
		}
		inc, err := addValidationData(grown, grown.Size(), data, o.Limits)
		if err != nil {
			return nil, err
		}
		grown = grown.with(inc)
	}
	if o.Level >= BLTA {
		inc, err := o.stamp(ctx, grown)
		if err != nil {
			return nil, err
		}
		grown = grown.with(inc)
	}
	return grown.tail, nil
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

// addTime adds a document time-stamp and finds the signatures anew.
func (o *ExtendOptions) addTime(ctx context.Context, file *Joined) (*Joined, []existing, error) {
	if o.TimeStamper == nil {
		return nil, nil, fmt.Errorf("%w: a signature has no time-stamp, and there is no authority to ask", ErrLevel)
	}
	inc, err := o.stamp(ctx, file)
	if err != nil {
		return nil, nil, err
	}
	file = file.with(inc)
	r, err := pdf.Open(file, file.Size(), o.Limits)
	if err != nil {
		return nil, nil, err
	}
	found, err := readSignatures(r)
	return file, found, err
}

func (o *ExtendOptions) stamp(ctx context.Context, file *Joined) ([]byte, error) {
	return docTimeStamp(ctx, file, file.Size(), o.TimeStamper, TimeStampOptions{TokenSize: o.TokenSize, Limits: o.Limits})
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
					return all, fmt.Errorf("validation data of signature %q: %w", s.field, err)
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
