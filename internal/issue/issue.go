// Package issue is the flow: how scans become a certified copy, in order, with recovery.
//
// Before a number is taken people act (receive, upload, submit, certify, seal) and every act
// is one transaction of the ledger. From the certifier's confirmation on, Advance does one
// step after the other as a durable job. Each step ends in one durable write that says it is
// done; what a crash after each write means is the table in crash.go.
package issue

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/storage"
)

// Flow carries copies through their life. Its fields are set once, before use; its methods
// are safe for concurrent use, in one process or in many.
type Flow struct {
	Ledger  storage.Ledger
	Scratch storage.Blobs // scans, prepared and signed files, previews: deletable
	Vault   *vault.Vault  // final files
	Public  storage.Blobs // signed checkpoints: locked, never deleted

	Keys       Keyring
	Stamps     signer.TimeStamper
	Revocation pades.Collector // validation data for the DSS
	Examine    Examiner        // the validator every file passes before it is registered
	Looks      Looks
	Wordings   Wordings // nil: the statutory ones only
	Intake     Reader
	Render     Renderer
	Log        *register.Signer // origin and key of the log

	// VerifyURL makes the address printed in the QR from a canonical code.
	VerifyURL func(code string) string
	// Now is the clock for claimed signing times and for validity of keys; dates and times of
	// the book are the database's.
	Now func() time.Time
	// Rand is the source of codes, salts and identifiers.
	Rand io.Reader
}

// Keyring gives the identities that sign. Both return an error for which
// errors.Is(err, signer.ErrKeyRefused) holds if the key may not be used now, and
// signer.ErrUnavailable if it cannot be reached.
type Keyring interface {
	// Certifier returns the identity of an official.
	Certifier(ctx context.Context, account certcopy.AccountID) (signer.Identity, error)
	// Agency returns the identity that seals.
	Agency(ctx context.Context, agency certcopy.AgencyID) (signer.Identity, error)
}

// Looks gives the images that are drawn on the page.
type Looks interface {
	// Signature returns the PNG of the official's signature.
	Signature(ctx context.Context, account certcopy.AccountID) ([]byte, error)
	// Seal returns the PNG of the agency's seal.
	Seal(ctx context.Context, agency certcopy.AgencyID) ([]byte, error)
}

// Reader turns one uploaded file into clean pages, and a page into what an edit makes of it;
// package intake does, in a child process.
type Reader interface {
	Read(ctx context.Context, u intake.Upload) (*intake.Result, error)
	Edit(ctx context.Context, p intake.Page, e intake.Edit) (intake.Page, error)
}

// Renderer draws a page of a PDF as a JPEG of the given width.
type Renderer interface {
	Page(ctx context.Context, pdf []byte, page, widthPx int) ([]byte, error)
}

// Examiner validates a finished file as a receiver would at a time. It returns the level that
// every signature has reached ("B-LT") and an error if the file would not pass.
type Examiner interface {
	Examine(ctx context.Context, file []byte, at time.Time) (level string, err error)
}

// Advance does the next step of a copy, if one is due; the step enqueues the one after it.
// It may be called at any time, by several processes at once and after any crash: a step
// finds what an earlier attempt left and goes on from there.
//
// An error leaves the copy where it was, with the trouble recorded for people; the caller
// tries again later.
func (f *Flow) Advance(ctx context.Context, id certcopy.CopyID) error {
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return err
	}
	step, err := f.due(ctx, c)
	if step == nil || err != nil {
		return err
	}
	err = step(ctx, c)
	if errors.Is(err, storage.ErrConflict) {
		err = f.overtaken(ctx, c, err)
	} else if err != nil {
		f.record(ctx, c, err)
	}
	if err != nil {
		return fmt.Errorf("issue %s: %s: %w", id, c.State, err)
	}
	return nil
}

// overtaken returns nil if a twin did the step first, and so enqueued what comes next. A
// conflict that left the copy where it was is an error like any other: whoever took it for a
// twin's success would drop the copy's last job.
func (f *Flow) overtaken(ctx context.Context, seen certcopy.Copy, conflict error) error {
	now, err := f.Ledger.Copy(ctx, seen.ID)
	if err != nil {
		return err
	}
	if now.State != seen.State || now.Revision != seen.Revision {
		return nil
	}
	return conflict
}

// due returns the step that takes the copy out of its state, nil if none is due.
func (f *Flow) due(ctx context.Context, c certcopy.Copy) (func(context.Context, certcopy.Copy) error, error) {
	switch c.State {
	case certcopy.Submitted: // 3: dry run, then the number
		if c.CertifiedAt.IsZero() {
			return nil, nil
		}
		return f.number, nil
	case certcopy.Numbered: // 4: the page people see
		return f.stamp, nil
	case certcopy.Stamped: // 5: the certifier's signature
		return f.sign, nil
	case certcopy.Signed: // 5: the agency's seal
		agency, err := f.Ledger.Agency(ctx, c.Agency)
		if err != nil || c.SealedAt.IsZero() && !agency.SealAtOnce {
			return nil, err
		}
		return f.seal, nil
	case certcopy.Sealed: // 5 and 6: validation data; the commit point
		return f.register, nil
	default: // 7 is Publish: a checkpoint releases every leaf it covers
		return nil, nil
	}
}

// facts are what the stamp draws for a copy; before its number is taken they hold the book and
// today's date.
func (f *Flow) facts(ctx context.Context, c certcopy.Copy) (stamp.Facts, error) {
	agency, err := f.Ledger.Agency(ctx, c.Agency)
	if err != nil {
		return stamp.Facts{}, err
	}
	signature, err := f.Looks.Signature(ctx, c.CertifiedBy.Account)
	if err != nil {
		return stamp.Facts{}, fmt.Errorf("signature image: %w", err)
	}
	seal, err := f.Looks.Seal(ctx, c.Agency)
	if err != nil {
		return stamp.Facts{}, fmt.Errorf("seal image: %w", err)
	}
	number := c.Number
	if number.IsZero() {
		number = certcopy.Number{Agency: c.Agency, Book: agency.Book, Date: certcopy.Day(f.Now())}
	}
	wording, err := f.wording(ctx, c.Agency, number.Date)
	if err != nil {
		return stamp.Facts{}, err
	}
	return stamp.Facts{
		Template: wording, Agency: agency, Number: number, Official: c.CertifiedBy, Title: c.Original.Title,
		Code: c.Code, VerifyURL: f.VerifyURL(c.Code), Signature: signature, Seal: seal,
	}, nil
}
