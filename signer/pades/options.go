package pades

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/pdf"
)

// Options of one signature. The zero value makes an invisible approval signature in a new
// field on the first page.
type Options struct {
	// Field is the full name of an existing empty signature field, or of one to be created.
	// Empty: a new field is named "Signature1" or the next that is free.
	Field string
	// Page counts from 0. Page, Rect and Appearance matter only when the field is created.
	Page int
	// Rect is the widget's place in points of the page as it is seen, from its lower left
	// corner: left, bottom, right, top. Zero: invisible.
	Rect [4]float64
	// Appearance draws the widget; nil leaves it empty.
	Appearance Appearance
	// Lock is written into the field when it is created. A lock, there or in an existing
	// field, becomes a FieldMDP transform of the signature (ISO 32000-2 §12.8.2.4), and its
	// permissions bind what comes after the signature (ISO 32000-2 §12.7.5.5, Table 236).
	Lock *Lock
	// Certify makes the file's first signature a certification signature: what may change
	// afterwards is 1 nothing, 2 form filling and signing, 3 annotations too (ISO 32000-2
	// §12.8.2.2). 0: an approval signature.
	Certify int

	Name, Reason, Location, ContactInfo string
	// SigningTime is the claimed time of signing, /M, in its own time zone. Required.
	SigningTime time.Time

	// Certificate is the one that must sign; Embed refuses any other. Nil: any.
	Certificate *x509.Certificate
	// Chain holds its issuers; only its size matters here.
	Chain []*x509.Certificate
	// Hash of the document digest; 0 is that of the certificate's key, or SHA-256.
	Hash crypto.Hash
	// ContentsSize is the place reserved for the CMS, in bytes of DER. 0: from the
	// certificates and a time-stamp token of TokenSize.
	ContentsSize int
	// TokenSize is the place reserved for a signature time-stamp; 0 is DefaultTokenSize.
	TokenSize int
	// Limits bound the reading of the base.
	Limits pdf.Limits
}

// Sizes that are reserved, in bytes.
const (
	// DefaultTokenSize suits time-stamp tokens that carry their certificates.
	DefaultTokenSize = 8 << 10
	// DefaultContentsSize is reserved when no certificate is given.
	DefaultContentsSize = 24 << 10
	maxContentsSize     = 8 << 20
)

// LockAction says which fields a signature locks (ISO 32000-2 Table 236).
type LockAction string

// The actions.
const (
	LockAll     LockAction = "All"
	LockInclude LockAction = "Include"
	LockExclude LockAction = "Exclude"
)

// Lock names the fields that may not change after the signature.
type Lock struct {
	Action LockAction
	Fields []string // of Include and Exclude
	// Permissions is what may change in the document after the signature, as in
	// Options.Certify; 0: the lock says nothing of it (/P, since PDF 2.0). It may deny what
	// earlier signatures permit, not permit what they deny.
	Permissions int
}

// fieldLock is the type of a lock in a field; the parameters of a FieldMDP transform, which
// have no /P, are the other (ISO 32000-2 Tables 236 and 258).
const fieldLock pdf.Name = "SigFieldLock"

func (l *Lock) dict(kind pdf.Name) pdf.Dict {
	d := pdf.Dict{pdf.E("Type", kind), pdf.E("Action", pdf.Name(l.Action))}
	if l.Permissions != 0 && kind == fieldLock {
		d.Set("P", pdf.Integer(l.Permissions))
	}
	if l.Action == LockAll {
		return d
	}
	fields := pdf.Array{}
	for _, f := range l.Fields {
		fields = append(fields, pdf.Text(f))
	}
	return append(d, pdf.E("Fields", fields))
}

// covers reports whether the lock holds for a field: itself or a field above it is named.
func (l *Lock) covers(field string) bool {
	named := false
	for _, f := range l.Fields {
		named = named || f == field || strings.HasPrefix(field, f+".")
	}
	switch l.Action {
	case LockInclude:
		return named
	case LockExclude:
		return !named
	}
	return true
}

func (o *Options) validate() error {
	switch {
	case o.Certify < 0 || o.Certify > 3:
		return fmt.Errorf("%w: Certify %d is not 0 to 3", ErrOptions, o.Certify)
	case o.SigningTime.IsZero():
		return fmt.Errorf("%w: SigningTime is required (ETSI EN 319 142-1 §6.3)", ErrOptions)
	case o.ContentsSize < 0 || o.ContentsSize > maxContentsSize:
		return fmt.Errorf("%w: ContentsSize %d", ErrOptions, o.ContentsSize)
	case o.TokenSize < 0 || o.TokenSize > maxContentsSize:
		return fmt.Errorf("%w: TokenSize %d", ErrOptions, o.TokenSize)
	case o.Rect[2] < o.Rect[0] || o.Rect[3] < o.Rect[1]:
		return fmt.Errorf("%w: Rect %v has no extent", ErrOptions, o.Rect)
	case o.Lock != nil && o.Lock.Action != LockAll && o.Lock.Action != LockInclude && o.Lock.Action != LockExclude:
		return fmt.Errorf("%w: Lock.Action %q", ErrOptions, o.Lock.Action)
	case o.Lock != nil && (o.Lock.Permissions < 0 || o.Lock.Permissions > 3):
		return fmt.Errorf("%w: Lock.Permissions %d is not 0 to 3", ErrOptions, o.Lock.Permissions)
	}
	return nil
}

// hash is the hash of the document digest.
func (o *Options) hash() (crypto.Hash, error) {
	if o.Hash != 0 {
		_, err := cms.HashOID(o.Hash)
		return o.Hash, err
	}
	if o.Certificate == nil {
		return crypto.SHA256, nil
	}
	alg, err := cms.AlgorithmFor(o.Certificate.PublicKey, false)
	return alg.Hash, err
}

func (o *Options) reserve() int {
	switch {
	case o.ContentsSize > 0:
		return o.ContentsSize
	case o.Certificate == nil:
		return DefaultContentsSize
	}
	token := o.TokenSize
	if token == 0 {
		token = DefaultTokenSize
	}
	return cms.EstimateSize(o.Certificate, o.Chain, token)
}
