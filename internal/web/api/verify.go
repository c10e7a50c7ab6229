package api

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"path/filepath"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
)

// Verify answers for a file, a digest or a code.
func (a *API) Verify(ctx context.Context, q VerifyRequestObject) (VerifyResponseObject, error) {
	rep, err := a.verify(ctx, q)
	if err != nil {
		return nil, err
	}
	return Verify200JSONResponse(*rep), nil
}

func (a *API) verify(ctx context.Context, q VerifyRequestObject) (*verify.Report, error) {
	if q.MultipartBody != nil {
		return a.verifyFile(ctx, q.MultipartBody)
	}
	switch b := q.JSONBody; {
	case b == nil || (b.Sha256 == nil) == (b.Code == nil):
		return nil, invalid("", "Hãy gửi đúng một trong hai: sha256 hoặc code.", "Send exactly one of sha256 and code.")
	case b.Code != nil:
		code, err := link.FindCode(*b.Code)
		if err != nil {
			return nil, err
		}
		return a.Verifier.Code(ctx, code)
	default:
		d, err := certcopy.ParseDigest(*b.Sha256)
		if err != nil {
			return nil, invalid("sha256", "Mã SHA-256 phải gồm 64 chữ số thập lục phân.", "A SHA-256 has 64 hexadecimal digits.")
		}
		return a.Verifier.Digest(ctx, d)
	}
}

// verifyFile reads the first part named "file" into memory and forgets it.
func (a *API) verifyFile(ctx context.Context, parts *multipart.Reader) (*verify.Report, error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, invalid("file", "Không có tệp. Hãy gửi một phần tên “file”.", "There is no file. Send a part named “file”.")
		}
		if err != nil {
			return nil, malformed(err)
		}
		if part.FormName() != "file" {
			continue
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, malformed(err)
		}
		return a.Verifier.File(ctx, filepath.Base(part.FileName()), bytes.NewReader(b), int64(len(b)))
	}
}
