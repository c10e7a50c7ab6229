package pades

import (
	"context"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
)

// Means is what Sign uses besides the key.
type Means struct {
	// Level to be reached; 0 is BT with a TimeStamper and BB without.
	Level Level
	// TimeStamper stamps the signature, and for BLTA the document.
	TimeStamper signer.TimeStamper
	// Collector gathers validation data for BLT and BLTA.
	Collector Collector
	// PSS chooses RSASSA-PSS for an RSA key.
	PSS bool
	// OnShortfall is asked when the level cannot be reached because the time-stamper or the
	// collector gave an error. If it returns nil, the file is finished at the lower level, and
	// Result says so; else its error is Sign's. Nil: the cause is an error.
	OnShortfall func(*Shortfall) error
}

func (m *Means) validate() error {
	if m.Level == 0 {
		m.Level = BB
		if m.TimeStamper != nil {
			m.Level = BT
		}
	}
	switch {
	case m.Level > BB && m.TimeStamper == nil:
		return fmt.Errorf("%w: %s needs a time-stamp authority", ErrLevel, m.Level)
	case m.Level > BT && m.Collector == nil:
		return fmt.Errorf("%w: %s needs a source of validation data", ErrLevel, m.Level)
	}
	return nil
}

// Result tells what Sign made.
type Result struct {
	Field     string
	ByteRange [4]int64
	Level     Level      // that was reached
	Shortfall *Shortfall // why that is less than what was wanted; nil if it is not
	Size      int64      // of the signed file
	CMS       []byte     // as embedded, without padding
}

// Sign signs base, a file of size bytes, with a key at hand, and writes the signed file to
// out. It reads the base while copying it, so on an error out may hold a part of it: the
// caller discards that. The key is used once, after the base was read; the network only by
// the time-stamper and the collector.
//
// Errors: those of Prepare, of the key (signer.ErrKeyRefused, signer.ErrUnavailable), of the
// time-stamper and the collector, ErrLevel, ErrTooLarge, or one of base or out. A level that
// cannot be reached is an error, unless Means.OnShortfall accepts a lower one: the key is not
// used a second time for it.
func Sign(ctx context.Context, base io.ReaderAt, size int64, out io.Writer, id signer.Identity, o Options, m Means) (*Result, error) {
	if id.Certificate == nil || id.Key == nil {
		return nil, fmt.Errorf("%w: an identity needs a key and its certificate", ErrOptions)
	}
	if err := m.validate(); err != nil {
		return nil, err
	}
	o.Certificate, o.Chain = id.Certificate, id.Chain
	tsa := m.TimeStamper
	if m.Level == BB {
		tsa = nil
		if o.ContentsSize == 0 {
			o.ContentsSize = cms.EstimateSize(id.Certificate, id.Chain, 0)
		}
	}
	p, err := prepare(base, size, o, out)
	if err != nil {
		return nil, err
	}
	var short *Shortfall
	withoutTime := func(cause error) error {
		short = &Shortfall{Wanted: m.Level, Reached: BB, Cause: cause}
		return ask(ctx, m.OnShortfall, short)
	}
	der, err := cms.Sign(ctx, id, p.digest, cms.Options{PSS: m.PSS, TimeStamper: tsa, WithoutTime: withoutTime})
	if err != nil {
		return nil, err
	}
	// cms.Sign has verified the value over this digest with this certificate: only the size
	// is open.
	if len(der) > p.reserved {
		return nil, &TooLargeError{Need: len(der), Reserved: p.reserved}
	}
	res := &Result{Field: p.field, ByteRange: p.ByteRange(), Level: m.Level, Shortfall: short, CMS: der, Size: p.SignedSize()}
	if short != nil {
		res.Level = short.Reached
	}
	if res.Level <= BT {
		err = p.write(out, der)
	} else {
		err = m.finish(ctx, Join(base, size, p.fill(der)), res, o.Limits, out)
	}
	if err != nil {
		return nil, err
	}
	return res, nil
}

// finish lifts a signed file to the level and writes what follows its base.
func (m *Means) finish(ctx context.Context, signed *Joined, res *Result, l pdf.Limits, out io.Writer) error {
	e := ExtendOptions{Level: m.Level, TimeStamper: m.TimeStamper, Collector: m.Collector, Limits: l, signing: true}
	e.OnShortfall = func(s *Shortfall) error {
		res.Level, res.Shortfall = s.Reached, s
		return ask(ctx, m.OnShortfall, s)
	}
	more, err := e.increments(ctx, signed)
	if err != nil {
		return err
	}
	res.Size = signed.Size() + int64(len(more))
	for _, part := range [][]byte{signed.tail, more} {
		if _, err := out.Write(part); err != nil {
			return fmt.Errorf("write the signature: %w", err)
		}
	}
	return nil
}
