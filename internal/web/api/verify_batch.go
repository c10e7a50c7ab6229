package api

import (
	"context"
	"errors"
	"io"
	"mime/multipart"

	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/web"
)

// verifyMany answers for digests and codes in order. What is wrong with one does not touch
// the others; the end of the request ends them all.
func (a *API) verifyMany(ctx context.Context, items []Lookup) (VerifyResponseObject, error) {
	if len(items) == 0 || len(items) > maxLookups {
		return nil, invalid("items", "Mỗi lần gửi từ 1 đến 1000 mục.", "Send 1 to 1000 items at a time.")
	}
	if err := a.spend(ctx, costLookup*float64(len(items))); err != nil {
		return nil, err
	}
	out := Batch{Results: make([]BatchItem, 0, len(items))}
	for _, l := range items {
		rep, err := a.lookUp(ctx, l)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		out.Results = append(out.Results, a.item(ctx, rep, err))
	}
	return answerJSON{out}, nil
}

// verifyFiles examines the files of a form one after the other; each is forgotten before the
// next is read. One file is answered by its report, several by a batch.
func (a *API) verifyFiles(ctx context.Context, parts *multipart.Reader) (VerifyResponseObject, error) {
	var reports []*verify.Report
	var errs []error
	for {
		f, err := nextFile(parts)
		if errors.Is(err, io.EOF) {
			return a.files(ctx, reports, errs)
		}
		if err == nil && len(reports) == maxFiles {
			err = invalid("file", "Mỗi lần gửi nhiều nhất 20 tệp.", "Send at most 20 files at a time.")
		}
		if err == nil {
			err = a.spend(ctx, costFile)
		}
		if err != nil {
			return nil, err
		}
		rep, err := a.verifyFile(ctx, f)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		reports, errs = append(reports, rep), append(errs, err)
	}
}

func (a *API) files(ctx context.Context, reports []*verify.Report, errs []error) (VerifyResponseObject, error) {
	switch len(reports) {
	case 0:
		return nil, noFile()
	case 1:
		return answerJSON{reports[0]}, errs[0]
	}
	out := Batch{}
	for i := range reports {
		out.Results = append(out.Results, a.item(ctx, reports[i], errs[i]))
	}
	return answerJSON{out}, nil
}

// item is one answer of a batch. An error of ours is logged here, as it never reaches the site.
func (a *API) item(ctx context.Context, rep *verify.Report, err error) BatchItem {
	if err == nil {
		return BatchItem{Report: rep}
	}
	p := web.ProblemOf(err)
	if p.Status >= 500 {
		a.Web.Log.ErrorContext(ctx, "verification", "reference", web.Reference(ctx), "err", err)
	}
	problem := Problem{Type: p.Type, Title: p.Title, Status: p.Status, Code: ProblemCode(p.Code), Vi: p.VI, En: p.EN, Reference: web.Reference(ctx)}
	if p.Subject != "" {
		problem.Subject = &p.Subject
	}
	return BatchItem{Problem: &problem}
}
