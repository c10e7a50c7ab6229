package pades

import (
	"context"
	"crypto"
	"fmt"
	"io"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
)

// TimeStampOptions of a document time-stamp.
type TimeStampOptions struct {
	// Field is the name of the new field; empty: "DocTimeStamp1" or the next that is free.
	Field string
	// Hash of the document digest; 0 is SHA-256.
	Hash crypto.Hash
	// TokenSize is the place reserved, in bytes of DER; 0 is DefaultTokenSize.
	TokenSize int
	Limits    pdf.Limits
}

// PrepareDocTimeStamp appends to base a revision with an empty place for a document
// time-stamp (ISO 32000-2 §12.8.5, ETSI EN 319 142-1 §5.4.3) in an invisible field on the
// first page. No signature forbids it. Embed then takes the DER of an RFC 3161 token over
// Digest.
func PrepareDocTimeStamp(base io.ReaderAt, size int64, o TimeStampOptions) (*Prepared, error) {
	p, err := o.layOut(base, size)
	if err != nil {
		return nil, err
	}
	return p, p.digestBase(base, nil)
}

// layOut makes the revision without its digests.
func (o TimeStampOptions) layOut(base io.ReaderAt, size int64) (*Prepared, error) {
	if o.Hash == 0 {
		o.Hash = crypto.SHA256
	}
	if o.TokenSize == 0 {
		o.TokenSize = DefaultTokenSize
	}
	if o.TokenSize < 0 || o.TokenSize > maxContentsSize || !o.Hash.Available() {
		return nil, fmt.Errorf("%w: TokenSize or Hash", ErrOptions)
	}
	r, err := openStrict(base, size, o.Limits)
	if err != nil {
		return nil, err
	}
	e, err := newEdit(r)
	if err != nil {
		return nil, err
	}
	if o.Field == "" {
		o.Field = e.form.freeName("DocTimeStamp")
	}
	value := e.u.Alloc()
	d := holes("DocTimeStamp", "ETSI.RFC3161", o.TokenSize)
	d.Set("V", pdf.Integer(0))
	e.u.Set(value, d)
	if err := e.createField(o.Field, value, placement{}); err != nil {
		return nil, err
	}
	if err := e.setSigFlags(); err != nil {
		return nil, err
	}
	if err := e.declareExtension(); err != nil {
		return nil, err
	}
	l, err := e.layOut(value, o.TokenSize)
	if err != nil {
		return nil, err
	}
	return &Prepared{kind: kindTimeStamp, field: o.Field, hash: o.Hash, baseSize: size, layout: *l}, nil
}

// docTimeStamp returns the increment of a document time-stamp over base. A token that needs
// more place than was reserved is asked for once again with enough.
func docTimeStamp(ctx context.Context, base io.ReaderAt, size int64, tsa signer.TimeStamper, o TimeStampOptions) ([]byte, error) {
	for again := false; ; again = true {
		p, err := PrepareDocTimeStamp(base, size, o)
		if err != nil {
			return nil, err
		}
		token, err := tsa.TimeStamp(ctx, p.digest, p.hash)
		if err != nil {
			return nil, fmt.Errorf("document time-stamp: %w", &outsideFault{err})
		}
		if len(token) <= p.reserved || again {
			inc, err := p.Increment(token)
			if err != nil {
				return nil, &outsideFault{err} // the token does not fit, or is none over this file
			}
			return inc, nil
		}
		o.TokenSize = len(token) + 512
	}
}
