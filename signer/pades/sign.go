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
	// TimeStamper makes the signature B-T; nil leaves it B-B.
	TimeStamper signer.TimeStamper
	// PSS chooses RSASSA-PSS for an RSA key.
	PSS bool
}

// Result tells what Sign made.
type Result struct {
	Field     string
	ByteRange [4]int64
	Size      int64  // of the signed file
	CMS       []byte // as embedded, without padding
}

// Sign signs base, a file of size bytes, with a key at hand, and writes the signed file to
// out. It reads the base once while copying it, so on an error out may hold a part of it:
// the caller discards that. The key is used once, after the base was read; the network only
// by the time-stamper.
//
// Errors: those of Prepare, of the key (signer.ErrKeyRefused, signer.ErrUnavailable) and of
// the time-stamper, ErrTooLarge, or one of base or out.
func Sign(ctx context.Context, base io.ReaderAt, size int64, out io.Writer, id signer.Identity, o Options, m Means) (*Result, error) {
	if id.Certificate == nil || id.Key == nil {
		return nil, fmt.Errorf("%w: an identity needs a key and its certificate", ErrOptions)
	}
	o.Certificate, o.Chain = id.Certificate, id.Chain
	if m.TimeStamper == nil && o.ContentsSize == 0 {
		o.ContentsSize = cms.EstimateSize(id.Certificate, id.Chain, 0)
	}
	p, err := prepare(base, size, o, out)
	if err != nil {
		return nil, err
	}
	der, err := cms.Sign(ctx, id, p.digest, cms.Options{PSS: m.PSS, TimeStamper: m.TimeStamper})
	if err != nil {
		return nil, err
	}
	increment, err := p.Increment(der)
	if err != nil {
		return nil, err
	}
	if _, err := out.Write(increment); err != nil {
		return nil, fmt.Errorf("write the signature: %w", err)
	}
	return &Result{Field: p.field, ByteRange: p.ByteRange(), Size: p.SignedSize(), CMS: der}, nil
}
