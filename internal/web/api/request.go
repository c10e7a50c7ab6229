package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// CreateRequest opens a request. The client's own number, if given, makes that idempotent for
// ever; the Idempotency-Key for as long as replies are kept.
func (a *API) CreateRequest(ctx context.Context, q CreateRequestRequestObject) (CreateRequestResponseObject, error) {
	c, b := client(ctx), q.Body
	if len(b.Originals) == 0 || len(b.Originals) > 100 {
		return nil, invalid("originals", "Một hồ sơ phải có từ 1 đến 100 bản chính.", "A request must have 1 to 100 originals.")
	}
	external := value(b.ExternalId)
	if external == "" && q.Params.IdempotencyKey != nil {
		// A crash between the ledger and the reply must not open a second request.
		external = "key:" + *q.Params.IdempotencyKey
	}
	r := certcopy.Request{
		Agency: c.Agency, Channel: c.ID, ExternalID: external, DossierCode: value(b.DossierCode), CreatedBy: c.Account,
		Requester: certcopy.Requester{Name: b.Requester.Name, IDNumber: value(b.Requester.IdNumber), Phone: value(b.Requester.Phone), Email: value(b.Requester.Email)},
	}
	originals := make([]certcopy.Original, len(b.Originals))
	for i, o := range b.Originals {
		originals[i] = certcopy.Original{Type: certcopy.DocumentTypeCode(o.Type), Title: o.Title, IssuingBody: value(o.IssuingBody), Pages: o.Pages, Copies: 1}
		if o.Copies != nil {
			originals[i].Copies = *o.Copies
		}
	}
	stored, created, err := a.Flow.Receive(ctx, r, originals)
	if err != nil {
		return nil, err
	}
	out, err := a.request(ctx, stored)
	if err != nil {
		return nil, err
	}
	if created {
		return CreateRequest201JSONResponse(out), nil
	}
	return CreateRequest200JSONResponse(out), nil
}

// ReadRequest reads a request of the client's own.
func (a *API) ReadRequest(ctx context.Context, q ReadRequestRequestObject) (ReadRequestResponseObject, error) {
	if !desk.IsID(q.Id) {
		return nil, storage.ErrNotFound
	}
	r, err := a.Ledger.Request(ctx, certcopy.RequestID(q.Id))
	if err != nil {
		return nil, err
	}
	if c := client(ctx); r.Agency != c.Agency || r.Channel != c.ID {
		return nil, storage.ErrNotFound
	}
	out, err := a.request(ctx, r)
	return ReadRequest200JSONResponse(out), err
}

// own returns a copy of the client's own; others do not exist for it.
func (a *API) own(ctx context.Context, id string) (certcopy.Copy, error) {
	if !desk.IsID(id) {
		return certcopy.Copy{}, storage.ErrNotFound
	}
	c, err := a.Ledger.Copy(ctx, certcopy.CopyID(id))
	if err != nil {
		return c, err
	}
	if k := client(ctx); c.Agency != k.Agency || c.Channel != k.ID {
		return c, fmt.Errorf("copy of another channel: %w", storage.ErrNotFound)
	}
	return c, nil
}

// ReadCopy reads where a copy stands.
func (a *API) ReadCopy(ctx context.Context, q ReadCopyRequestObject) (ReadCopyResponseObject, error) {
	c, err := a.own(ctx, q.Id)
	return ReadCopy200JSONResponse(a.copy(c)), err
}

// UploadScans adds files to a copy. Repeated after a crash that lost the answer, it finds its
// files there and says so.
func (a *API) UploadScans(ctx context.Context, q UploadScansRequestObject) (UploadScansResponseObject, error) {
	c, err := a.own(ctx, q.Id)
	if err != nil {
		return nil, err
	}
	files, digests, err := readFiles(q.Body)
	if err != nil {
		return nil, err
	}
	result, err := a.Flow.Upload(ctx, c.ID, q.Params.Revision, files)
	if errors.Is(err, storage.ErrConflict) {
		if refused, done := a.uploaded(ctx, c, files, digests); done {
			result, err = issue.UploadResult{Copy: c, Refused: refused}, nil
		}
	}
	if err != nil {
		return nil, err
	}
	out := UploadResult{Copy: a.copy(result.Copy), Refused: []RefusedFile{}}
	for _, f := range result.Refused {
		out.Refused = append(out.Refused, RefusedFile{Name: f.Name, Vi: f.Message.VI, En: f.Message.EN})
	}
	return UploadScans200JSONResponse(out), nil
}

// uploaded reports whether the last scans of a copy are these files, but for those that an
// earlier attempt refused, which it returns.
func (a *API) uploaded(ctx context.Context, c certcopy.Copy, files []issue.Upload, digests []certcopy.Digest) (refused []issue.RefusedFile, done bool) {
	scans, err := a.Ledger.Scans(ctx, c.ID)
	if err != nil {
		return nil, false
	}
	last := len(scans) - 1
	for i := len(digests) - 1; i >= 0; i-- {
		if last >= 0 && scans[last].Digest == digests[i] {
			last--
			done = true
			continue
		}
		refused = append(refused, issue.RefusedFile{Name: files[i].Name, Message: certcopy.Msg(
			"Tệp này không được nhận ở lần gửi trước. Hãy gửi riêng tệp để biết lý do.",
			"This file was not taken by an earlier attempt. Send it alone to learn why.")})
	}
	slices.Reverse(refused)
	return refused, done
}

// readFiles reads the parts named "file"; the request's body is bounded.
func readFiles(parts *multipart.Reader) (files []issue.Upload, digests []certcopy.Digest, err error) {
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, malformed(err)
		}
		if part.FormName() != "file" {
			continue
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, malformed(err)
		}
		files = append(files, issue.Upload{Name: filepath.Base(part.FileName()), Body: strings.NewReader(string(b))})
		digests = append(digests, certcopy.DigestOf(b))
	}
	if len(files) == 0 {
		return nil, nil, invalid("file", "Không có tệp nào. Hãy gửi ít nhất một phần tên “file”.", "There is no file. Send at least one part named “file”.")
	}
	return files, digests, nil
}

// SubmitCopy freezes a copy. Repeated after it was done, it answers as it did.
func (a *API) SubmitCopy(ctx context.Context, q SubmitCopyRequestObject) (SubmitCopyResponseObject, error) {
	c, err := a.own(ctx, q.Id)
	if err != nil {
		return nil, err
	}
	err = a.Flow.Submit(ctx, storage.Submission{Copy: c.ID, Revision: q.Body.Revision, By: client(ctx).Account, Checked: q.Body.Checked,
		LowResolutionReason: value(q.Body.LowResolutionReason)})
	done := c.State == certcopy.Submitted && c.Revision == q.Body.Revision+1
	if err != nil && (!errors.Is(err, storage.ErrConflict) || !done) {
		return nil, err
	}
	c, err = a.Ledger.Copy(ctx, c.ID)
	return SubmitCopy200JSONResponse(a.copy(c)), err
}

// ReadPage draws a page.
func (a *API) ReadPage(ctx context.Context, q ReadPageRequestObject) (ReadPageResponseObject, error) {
	c, err := a.own(ctx, q.Id)
	if err != nil {
		return nil, err
	}
	width := 1000
	if q.Params.Width != nil {
		width = *q.Params.Width
	}
	if q.Page < 1 || width < 100 || width > 3000 {
		return nil, invalid("page", "Trang phải từ 1, chiều rộng từ 100 đến 3000.", "The page must be at least 1, the width 100 to 3000.")
	}
	b, err := a.Flow.PageImage(ctx, c.ID, q.Page, width)
	if err != nil {
		return nil, err
	}
	return ReadPage200ImagejpegResponse{Body: strings.NewReader(string(b)), ContentLength: int64(len(b))}, nil
}

// ReadFile downloads a released copy.
func (a *API) ReadFile(ctx context.Context, q ReadFileRequestObject) (ReadFileResponseObject, error) {
	c, err := a.own(ctx, q.Id)
	if err != nil {
		return nil, err
	}
	file, final, err := a.Flow.Final(ctx, c.ID)
	if err != nil {
		return nil, err
	}
	// The generated visitor closes a body that can be closed.
	return ReadFile200ApplicationpdfResponse{Body: file, ContentLength: final.Size}, nil
}

func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

func invalid(subject, vi, en string) error {
	return certcopy.Errorf(certcopy.Invalid, subject, nil, certcopy.Msg(vi, en))
}
