package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/verify/sheet"
	"github.com/saoy/saoy/internal/web"
)

// ResultSigner signs results of verifications, in field verify.ResultField, with a key that
// certifies no copy. Errors are certcopy.Unavailable where time-stamps or revocation data
// cannot be had now.
type ResultSigner interface {
	SignResult(ctx context.Context, document []byte) ([]byte, error)
}

// Pictures draws files of strangers, confined.
type Pictures interface {
	Look(ctx context.Context, r io.ReaderAt, size int64, a picture.Ask) (*picture.Look, error)
}

// Limits of who asks for a document without a token: ten at once from a network, then one
// each half minute; documents made at once for everybody together.
const (
	guestBudget    = 10
	guestPerSecond = 1.0 / 30
	documentsOnce  = 2
	guestsAtOnce   = 8
	guestTime      = 2 * time.Minute
)

type documentKey struct{}

// asDocument reports whether the answer is to be a PDF.
func asDocument(ctx context.Context) bool { return ctx.Value(documentKey{}) != nil }

// wantsDocument notes what the request asks for, before Accept is made that of a program. A
// browser's form, which names HTML, gets errors as pages.
func wantsDocument(r *http.Request) *http.Request {
	accept := r.Header.Get("Accept")
	if strings.Contains(accept, "application/pdf") || r.URL.Query().Get("format") == "pdf" {
		r = r.WithContext(context.WithValue(r.Context(), documentKey{}, true))
	}
	if !asDocument(r.Context()) || !strings.Contains(accept, "text/html") {
		r.Header.Set("Accept", "application/json")
	}
	return r
}

// guest reports whether a request may go on without a token: for one document.
func (a *API) guest(r *http.Request) bool {
	return asDocument(r.Context()) && r.Header.Get("Authorization") == "" && operation(r) == "POST /verifications"
}

// serveGuest serves who has no token: few at once, each network within its budget, and for no
// longer than a slow line needs, so that they never keep the clients' systems waiting.
func (a *API) serveGuest(w http.ResponseWriter, r *http.Request, next http.Handler) {
	who := web.TruncatedIP(r.RemoteAddr)
	if !a.guests.Enter(who) {
		a.site.TooMany(w, r)
		return
	}
	a.guests.Spend(who, 1)
	select {
	case a.visitors <- struct{}{}:
		defer func() { <-a.visitors }()
	default:
		a.site.Fail(w, r, errBusy)
		return
	}
	// A connection that knows no deadlines is a test's.
	_ = http.NewResponseController(w).SetReadDeadline(a.Web.Now().Add(guestTime))
	next.ServeHTTP(w, r)
}

var (
	errNoResults = certcopy.Errorf(certcopy.Unavailable, "", nil, certcopy.Msg(
		"Hệ thống này chưa được cấu hình khóa ký kết quả kiểm tra. Hãy dùng kết quả trên trang hoặc dạng JSON.",
		"This service has no key for results of verifications. Use the result on the page, or as JSON."))
	errBusy = certcopy.Errorf(certcopy.Unavailable, "", nil, certcopy.Msg(
		"Hệ thống đang lập nhiều kết quả cùng lúc. Hãy thử lại sau ít giây.", "Many results are being made right now. Try again in a few seconds."))
)

// document examines one file and answers with the signed sheet. Neither is kept.
func (a *API) document(ctx context.Context, q VerifyRequestObject) (VerifyResponseObject, error) {
	if a.Results == nil {
		return nil, errNoResults
	}
	if q.MultipartBody == nil {
		return nil, noFile()
	}
	f, err := nextFile(q.MultipartBody)
	if errors.Is(err, io.EOF) || err == nil && len(f.bytes) == 0 {
		return nil, noFile()
	}
	if err != nil {
		return nil, err
	}
	if client(ctx).ID != "" {
		if err := a.spend(ctx, 2*costFile); err != nil {
			return nil, err
		}
	}
	select {
	case a.documents <- struct{}{}:
		defer func() { <-a.documents }()
	default:
		return nil, errBusy
	}
	signed, err := a.result(ctx, f)
	if err != nil {
		return nil, err
	}
	return answerPDF{signed}, nil
}

// result is the signed sheet on a file.
func (a *API) result(ctx context.Context, f sent) ([]byte, error) {
	rep, err := a.verifyFile(ctx, f)
	if err != nil {
		return nil, err
	}
	if client(ctx).ID == "" {
		rep = rep.ForEveryone()
	}
	ask := picture.AskFor(rep.Signatures, int64(len(f.bytes)), picture.MaxThumbnails)
	look, err := a.Pictures.Look(ctx, bytes.NewReader(f.bytes), int64(len(f.bytes)), ask)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	o := sheet.Options{At: a.Web.Now(), Service: a.Base.String(), Anchors: a.Anchors, Demonstration: a.Web.Demonstration}
	if err := sheet.Write(&b, rep, look, o); err != nil {
		return nil, fmt.Errorf("result of a verification: %w", err)
	}
	signed, err := a.Results.SignResult(ctx, b.Bytes())
	if err != nil {
		return nil, fmt.Errorf("sign the result of a verification: %w", err)
	}
	return signed, nil
}

// answerPDF is a document to be saved.
type answerPDF struct{ body []byte }

// VisitVerifyResponse implements VerifyResponseObject.
func (r answerPDF) VisitVerifyResponse(w http.ResponseWriter) error {
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Disposition", `attachment; filename="ket-qua-kiem-tra.pdf"`)
	h.Set("Content-Length", fmt.Sprint(len(r.body)))
	h.Set("Cache-Control", "no-store")
	_, err := w.Write(r.body)
	return err
}
