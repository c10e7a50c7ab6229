package pades

import (
	"context"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
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
	Level     Level
	Size      int64  // of the signed file
	CMS       []byte // as embedded, without padding
}

// Sign signs base, a file of size bytes, with a key at hand, and writes the signed file to
// out. It reads the base while copying it, so on an error out may hold a part of it: the
// caller discards that. The key is used once, after the base was read; the network only by
// the time-stamper and the collector.
//
// Errors: those of Prepare, of the key (signer.ErrKeyRefused, signer.ErrUnavailable), of the
// time-stamper and the collector, ErrLevel, ErrTooLarge, or one of base or out. A level that
// cannot be reached is an error, never a lower level.
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
	der, err := cms.Sign(ctx, id, p.digest, cms.Options{PSS: m.PSS, TimeStamper: tsa})
	if err != nil {
		return nil, err
	}
	// cms.Sign has verified the value over this digest with this certificate: only the size
	// is open.
	if len(der) > p.reserved {
		return nil, &TooLargeError{Need: len(der), Reserved: p.reserved}
	}
	res := &Result{Field: p.field, ByteRange: p.ByteRange(), Level: m.Level, CMS: der, Size: p.SignedSize()}
	if m.Level <= BT {
		return res, p.write(out, der)
	}
	increment := p.fill(der)
	e := ExtendOptions{Level: m.Level, TimeStamper: m.TimeStamper, Collector: m.Collector, Limits: o.Limits}
	more, err := e.increments(ctx, Join(base, size, increment))
	if err != nil {
		return nil, err
	}
	increment = append(increment, more...)
	if _, err := out.Write(increment); err != nil {
		return nil, fmt.Errorf("write the signature: %w", err)
	}
	res.Size = size + int64(len(increment))
	return res, nil
}
