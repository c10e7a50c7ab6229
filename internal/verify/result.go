package verify

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// Result: a signed result of a verification, made by this service. It is never a copy,
// whatever the pages in it show.
const Result Origin = "verification-result"

// ResultField is the signature field of a signed result.
const ResultField = "KetQuaKiemTra"

const checkResult checkID = "result.own"

var sayResult = certcopy.Msg("Tệp này là kết quả kiểm tra do hệ thống này lập và ký; KHÔNG phải bản sao chứng thực.",
	"This file is a verification result that this system made and signed; it is NOT a certified copy.")

// isResult reports whether one of our result keys signed the file. Whether it was changed
// since is for the other verdicts.
func (v *Verifier) isResult(signatures []validation.Signature) bool {
	return slices.ContainsFunc(signatures, func(s validation.Signature) bool {
		return s.Kind == validation.KindSignature && len(s.Path) > 0 && slices.Contains(v.Results, s.Path[0].Fingerprint)
	})
}

func (r *Report) result() {
	r.Origin, r.Status = Result, Unknown
	r.add(checkResult, validation.Passed, sayResult)
}

// Reader finds the codes a person sees in a file, in a QR or as text, where a search of the
// bytes finds none. picture.Confined is one.
type Reader interface {
	Codes(ctx context.Context, r io.ReaderAt, size int64) ([]string, error)
}

// seen looks up the codes that can only be seen. A code the register does not know says
// nothing: other registers print codes of the same form.
func (v *Verifier) seen(ctx context.Context, r io.ReaderAt, size int64) (storage.PublicCopy, error) {
	if v.Reader == nil {
		return storage.PublicCopy{}, storage.ErrNotFound
	}
	codes, err := v.Reader.Codes(ctx, r, size)
	if err != nil {
		return storage.PublicCopy{}, err
	}
	for _, text := range codes {
		code, err := link.ParseCode(text)
		if err != nil {
			continue
		}
		c, err := v.Register.PublicByCode(ctx, code.Hash())
		if !errors.Is(err, storage.ErrNotFound) {
			return c, err
		}
	}
	return storage.PublicCopy{}, storage.ErrNotFound
}
