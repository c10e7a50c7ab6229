// Package verify answers whether a code is of a copy we issued, and whether a file is what
// it claims to be: one Report for both.
//
// It holds no key and can write nothing. Files are examined in a confined child process
// that has neither network nor register; what it found is then compared with the register.
package verify

import (
	"context"
	"errors"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// MaxFileBytes is the largest file that is examined here.
const MaxFileBytes = certcopy.MaxUploadBytes

// Register is what the verifier asks of the register; nil for a verifier that has none.
type Register interface {
	PublicByCode(ctx context.Context, code certcopy.Digest) (storage.PublicCopy, error)
	PublicByFile(ctx context.Context, file certcopy.Digest) (storage.PublicCopy, error)
}

// Examiner looks at the bytes of a file. Confined is the one for files of strangers; Direct
// the one for a person's own files on the command line.
type Examiner interface {
	Examine(ctx context.Context, name string, r io.ReaderAt, size int64) (*Examination, error)
}

// Verifier answers for files and codes. Safe for concurrent use.
type Verifier struct {
	Register Register
	Examiner Examiner
	// CertifierField and AgencyField are the names of the two signature fields of a copy.
	CertifierField, AgencyField string
	// Reader looks for codes that can only be seen, in files that are not ours; nil: none does.
	Reader Reader
	// Results are the SHA-256 fingerprints, in hexadecimal, of the certificates that sign
	// results of verifications.
	Results []string
}

// Status is the verdict on whether the issuer still stands behind a copy.
type Status string

// The status verdicts.
const (
	Valid            Status = "valid"
	Annulled         Status = "annulled"
	Void             Status = "void"
	Erased           Status = "erased"
	Unknown          Status = "unknown"
	StatusNotChecked Status = validation.StatusNotChecked
)

// Origin says how a file relates to our register.
type Origin string

// The origins. A file that is not ours has none.
const (
	// AsIssued: byte for byte the file that was registered.
	AsIssued Origin = "as-issued"
	// Extended: the registered file with validation data or document time-stamps after it.
	Extended Origin = "extended"
	// Altered: the registered file with something else after it.
	Altered Origin = "altered"
	// Pretends: it bears a verification code of ours but is another file, or one that nobody
	// knows and its signatures do not vouch for it.
	Pretends Origin = "pretends"
	// Another: not the copy of the code it was compared with, see Report.NotThis.
	Another Origin = "another"
)

// File examines a file and compares it with the register. What is wrong with the file is in
// the report; an error means that it could not be examined now, or is too large
// (certcopy.Invalid).
func (v *Verifier) File(ctx context.Context, name string, r io.ReaderAt, size int64) (*Report, error) {
	if size > MaxFileBytes {
		return nil, certcopy.Errorf(certcopy.Invalid, name, nil, certcopy.Msg(
			"Tệp lớn hơn 64 MB nên không kiểm tra được ở đây. Hãy tự tính mã SHA-256 và nhập vào ô bên dưới.",
			"The file is larger than 64 MB and cannot be checked here. Compute its SHA-256 yourself and enter it below."))
	}
	e, err := v.Examiner.Examine(ctx, name, r, size)
	if err != nil {
		return nil, err
	}
	rep := reportOf(e)
	if v.Register == nil {
		return rep, nil
	}
	if v.isResult(rep.Signatures) {
		rep.result()
		return rep, nil
	}
	return rep, v.compare(ctx, e, r, rep)
}

// compare finds the file in the register and adds the rules of our copies.
func (v *Verifier) compare(ctx context.Context, e *Examination, r io.ReaderAt, rep *Report) error {
	c, origin, err := v.find(ctx, e)
	if errors.Is(err, storage.ErrNotFound) && origin == "" {
		if c, err = v.seen(ctx, r, e.Size); err == nil {
			origin = Pretends
		}
	}
	switch {
	case errors.Is(err, storage.ErrNotFound) && origin == Pretends && rep.Indication != validation.TotalPassed:
		rep.pretends(nil)
		return nil
	case errors.Is(err, storage.ErrNotFound) && origin == Pretends:
		// Well signed by those the operator trusts: another installation has issued it.
		rep.Status = Unknown
		rep.add(checkRegistered, validation.NotDone, sayElsewhere)
		return nil
	case errors.Is(err, storage.ErrNotFound):
		rep.Status = Unknown
		rep.add(checkRegistered, validation.NotDone, sayNotInRegister)
		return nil
	case err != nil:
		return err
	}
	if origin == Pretends {
		rep.pretends(&c)
		return nil
	}
	rep.about(c)
	rep.Origin = origin
	rep.add(checkRegistered, validation.Passed, sayRegistered)
	v.copyRules(rep)
	return nil
}

// find looks for the whole file, then for what stood before its last additions, then for the
// codes it bears. Origin Pretends with ErrNotFound: it bears an address of ours, or a code,
// that the register does not know.
func (v *Verifier) find(ctx context.Context, e *Examination) (storage.PublicCopy, Origin, error) {
	c, err := v.Register.PublicByFile(ctx, e.Digest)
	if !errors.Is(err, storage.ErrNotFound) {
		return c, AsIssued, err
	}
	for _, p := range e.Prefixes {
		c, err := v.Register.PublicByFile(ctx, p.Digest)
		if !errors.Is(err, storage.ErrNotFound) {
			return c, Extended, err
		}
	}
	origin := Origin("")
	for _, text := range e.Codes {
		code, err := link.ParseCode(text)
		if err != nil {
			continue
		}
		origin = Pretends
		c, err := v.Register.PublicByCode(ctx, code.Hash())
		if !errors.Is(err, storage.ErrNotFound) {
			return c, Pretends, err
		}
	}
	return storage.PublicCopy{}, origin, storage.ErrNotFound
}

// Code answers for a verification code alone: what the register knows, nothing about any
// file. storage.ErrNotFound for a code that is not, or not yet, public.
func (v *Verifier) Code(ctx context.Context, code link.Code) (*Report, error) {
	c, err := v.Register.PublicByCode(ctx, code.Hash())
	if err != nil {
		return nil, err
	}
	return codeReport(c), nil
}

// Copy answers for a copy the caller has found itself, as Code does.
func (v *Verifier) Copy(c storage.PublicCopy) *Report { return codeReport(c) }

// Digest answers for the SHA-256 of a file the asker holds: whether a file of that digest was
// issued. It says nothing about signatures. An unknown digest is a report, not an error.
func (v *Verifier) Digest(ctx context.Context, d certcopy.Digest) (*Report, error) {
	rep := &Report{SHA256: d.String(), Indication: validation.Indeterminate, SubIndication: validation.SignedDataNotFound,
		Integrity: validation.IntegrityNotChecked, Status: Unknown, Issuer: validation.Undetermined}
	c, err := v.Register.PublicByFile(ctx, d)
	if errors.Is(err, storage.ErrNotFound) {
		rep.add(checkRegistered, validation.NotDone, sayNotInRegister)
		return rep, nil
	}
	if err != nil {
		return nil, err
	}
	rep.about(c)
	rep.Origin, rep.Integrity = AsIssued, validation.Intact
	rep.add(checkRegistered, validation.Passed, sayRegistered)
	rep.add(checkSignatures, validation.NotDone, sayOnlyDigest)
	return rep, nil
}
