package web

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Problem is an error as the API and other programs see it (RFC 9457), in both languages.
type Problem struct {
	Type      string        `json:"type"`
	Title     string        `json:"title"`
	Status    int           `json:"status"`
	Code      certcopy.Code `json:"code"`
	Subject   string        `json:"subject,omitempty"`
	VI        string        `json:"vi"`
	EN        string        `json:"en"`
	Reference string        `json:"reference"`
}

// statuses is the one mapping from what went wrong to what HTTP calls it.
var statuses = map[certcopy.Code]int{
	certcopy.Invalid:        http.StatusUnprocessableEntity,
	certcopy.NotFound:       http.StatusNotFound,
	certcopy.Forbidden:      http.StatusForbidden,
	certcopy.Conflict:       http.StatusConflict,
	certcopy.Unavailable:    http.StatusServiceUnavailable,
	certcopy.OutcomeUnknown: http.StatusInternalServerError,
	certcopy.Internal:       http.StatusInternalServerError,
}

// retryAfter is how many seconds a program should wait before it asks again.
const retryAfter = "5"

// fallback is what people are told of errors that crossed the layers without words.
var fallback = []struct {
	err  error
	code certcopy.Code
	text certcopy.Message
}{
	{storage.ErrNotFound, certcopy.NotFound, certcopy.Msg(
		"Không tìm thấy mục này, hoặc ông/bà không được phép xem. Hãy kiểm tra lại địa chỉ.",
		"There is no such item, or you may not see it. Check the address.")},
	{storage.ErrConflict, certcopy.Conflict, certcopy.Msg(
		"Mục này vừa được người khác thay đổi; chưa có gì bị mất. Hãy mở lại để xem nội dung mới nhất rồi làm tiếp.",
		"Somebody else has just changed this item; nothing is lost. Open it again to see its newest content, then go on.")},
	{storage.ErrUnavailable, certcopy.Unavailable, certcopy.Msg(
		"Kho dữ liệu tạm thời không trả lời; chưa có gì thay đổi. Hãy thử lại sau ít phút.",
		"The data store does not answer at the moment; nothing was changed. Try again in a few minutes.")},
	{storage.ErrOutcomeUnknown, certcopy.OutcomeUnknown, certcopy.Msg(
		"Chưa biết thao tác vừa rồi đã được ghi hay chưa. Hãy mở lại mục này để xem trước khi làm lại.",
		"It is not known whether the last action was recorded. Open the item again and look before repeating it.")},
}

// ProblemOf tells what to show for err. The cause is not in it.
func ProblemOf(err error) Problem {
	p := Problem{Type: "about:blank", Code: certcopy.CodeOf(err)}
	m := certcopy.MessageOf(err)
	var own *certcopy.Error
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		p.Code, p.Status = certcopy.Invalid, http.StatusRequestEntityTooLarge
		m = certcopy.Msg("Dữ liệu gửi lên quá lớn. Hãy gửi ít tệp hơn mỗi lần, hoặc quét lại với dung lượng nhỏ hơn.",
			"What was sent is too large. Send fewer files at a time, or scan again at a smaller size.")
	case errors.As(err, &own):
		p.Subject = own.Subject
	default:
		for _, f := range fallback {
			if errors.Is(err, f.err) {
				p.Code, m = f.code, f.text
				break
			}
		}
	}
	if p.Status == 0 {
		p.Status = statuses[p.Code]
	}
	if p.Status == 0 {
		p.Code, p.Status = certcopy.Internal, http.StatusInternalServerError
	}
	p.Title, p.VI, p.EN = http.StatusText(p.Status), m.VI, m.EN
	return p
}

// Fail answers a request with err: a page for people, application/problem+json for
// programs. It is the one place where a handler's error is logged, and only if it is ours.
func (s *Site) Fail(w http.ResponseWriter, r *http.Request, err error) {
	p := ProblemOf(err)
	p.Reference = Reference(r.Context())
	if p.Status >= http.StatusInternalServerError {
		s.config.Log.LogAttrs(r.Context(), slog.LevelError, "request failed",
			slog.String("reference", p.Reference), slog.String("path", loggedPath(r.URL.Path)),
			slog.String("code", string(p.Code)), slog.Any("err", err))
	}
	s.WriteProblem(w, r, p)
}

// WriteProblem sends a Problem in the form that the request accepts.
func (s *Site) WriteProblem(w http.ResponseWriter, r *http.Request, p Problem) {
	if p.Status == http.StatusServiceUnavailable || p.Status == http.StatusTooManyRequests {
		w.Header().Set("Retry-After", retryAfter)
	}
	w.Header().Set("Cache-Control", "no-store")
	if WantsJSON(r) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(p.Status)
		_ = json.NewEncoder(w).Encode(p) // a broken connection shows in the access log
		return
	}
	if err := s.Render(w, r, p.Status, "error", p); err != nil {
		s.config.Log.LogAttrs(r.Context(), slog.LevelError, "error page", slog.Any("err", err))
		http.Error(w, p.VI+"\n"+p.EN+"\n"+p.Reference, p.Status)
	}
}

// NotFound answers for an address that does not exist.
func (s *Site) NotFound(w http.ResponseWriter, r *http.Request) { s.Fail(w, r, storage.ErrNotFound) }

// MethodNotAllowed answers a known address asked with the wrong method.
func (s *Site) MethodNotAllowed(w http.ResponseWriter, r *http.Request) {
	s.WriteProblem(w, r, Problem{Type: "about:blank", Title: http.StatusText(http.StatusMethodNotAllowed),
		Status: http.StatusMethodNotAllowed, Code: certcopy.Invalid, Reference: Reference(r.Context()),
		VI: "Địa chỉ này không nhận cách gửi vừa dùng. Hãy quay lại trang trước và thử lại.",
		EN: "This address does not take what was sent this way. Go back and try again."})
}

// WantsJSON reports whether the asker is a program: it accepts JSON and does not name HTML.
func WantsJSON(r *http.Request) bool {
	a := r.Header.Get("Accept")
	return strings.Contains(a, "json") && !strings.Contains(a, "text/html")
}
