package api

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// maxBody bounds the body of a changing request: an upload and the form around it.
const maxBody = certcopy.MaxUploadBytes + 64<<10

// maxKeptReply bounds what is kept of an answer; ours are a few kilobytes.
const maxKeptReply = 4 << 20

// once answers a repeated Idempotency-Key with the first answer, and lets one holder of a key
// work at a time. With or without a key it bounds the body, and how many are worked on at once.
func (a *API) once(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		if a.guest(r) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBody)
			next.ServeHTTP(w, r)
			return
		}
		select {
		case a.writers <- struct{}{}:
			defer func() { <-a.writers }()
		case <-r.Context().Done():
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxBody)
		key := r.Header.Get("Idempotency-Key")
		if key == "" || operation(r) == "POST /verifications" {
			next.ServeHTTP(w, r)
			return
		}
		if err := a.answerOnce(w, r, key, next); err != nil {
			a.site.Fail(w, r, err)
		}
	})
}

func (a *API) answerOnce(w http.ResponseWriter, r *http.Request, key string, next http.Handler) error {
	if !validKey(key) {
		return certcopy.Errorf(certcopy.Invalid, "Idempotency-Key", nil, certcopy.Msg(
			"Idempotency-Key phải có 8–128 ký tự ASCII nhìn thấy được.", "Idempotency-Key must have 8–128 visible ASCII characters."))
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return malformed(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	claim, err := a.Clients.Claim(r.Context(), client(r.Context()).ID, key, requestDigest(r, body))
	if err != nil {
		return claimError(w, err)
	}
	defer claim.Release()
	if reply, ok := claim.Reply(); ok {
		w.Header().Set("Idempotency-Replayed", "true")
		return send(w, reply)
	}
	rec := &recorder{header: w.Header()}
	next.ServeHTTP(rec, r)
	// An answer that asks for another attempt is not the answer.
	if rec.final() {
		if err := claim.Keep(r.Context(), rec.reply()); err != nil {
			return err
		}
	}
	return send(w, rec.reply())
}

func validKey(key string) bool {
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return false
		}
	}
	return len(key) >= 8 && len(key) <= 128
}

func claimError(w http.ResponseWriter, err error) error {
	switch {
	case errors.Is(err, storage.ErrExists):
		return certcopy.Errorf(certcopy.Invalid, "Idempotency-Key", nil, certcopy.Msg(
			"Idempotency-Key này đã dùng cho một yêu cầu có nội dung khác. Yêu cầu mới phải có khóa mới.",
			"This Idempotency-Key was used for a request with other content. A new request needs a new key."))
	case errors.Is(err, storage.ErrConflict):
		w.Header().Set("Retry-After", "1")
		return certcopy.Errorf(certcopy.Conflict, "Idempotency-Key", nil, certcopy.Msg(
			"Yêu cầu trước với khóa này còn đang được xử lý. Hãy chờ rồi gửi lại y như cũ.",
			"The earlier request with this key is still being worked on. Wait, then send the same again."))
	}
	return err
}

// requestDigest tells requests apart by what they say: of a form, the parts, because each
// attempt may draw another boundary.
func requestDigest(r *http.Request, body []byte) certcopy.Digest {
	h := sha256.New()
	fmt.Fprintf(h, "%s %s\n", r.Method, r.URL.RequestURI())
	kind, params, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind != "multipart/form-data" || !hashParts(h, multipart.NewReader(bytes.NewReader(body), params["boundary"])) {
		fmt.Fprintf(h, "%s %x\n", kind, sha256.Sum256(body))
	}
	return certcopy.Digest(h.Sum(nil))
}

func hashParts(h io.Writer, parts *multipart.Reader) bool {
	for {
		part, err := parts.NextPart()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		content := sha256.New()
		if _, err := io.Copy(content, part); err != nil {
			return false
		}
		fmt.Fprintf(h, "%q %q %x\n", part.FormName(), part.FileName(), content.Sum(nil))
	}
}

func send(w http.ResponseWriter, r storage.Reply) error {
	w.Header().Set("Content-Type", r.ContentType)
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.Status)
	_, _ = w.Write(r.Body) // a broken connection shows in the access log; the client asks again
	return nil
}

// recorder keeps an answer back until it is stored.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }

func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}

func (r *recorder) Write(b []byte) (int, error) {
	r.WriteHeader(http.StatusOK)
	return r.body.Write(b)
}

func (r *recorder) reply() storage.Reply {
	return storage.Reply{Status: max(r.status, http.StatusOK), ContentType: r.header.Get("Content-Type"), Body: r.body.Bytes()}
}

// final reports whether the answer will be the same for ever: success, or what is wrong with
// the request. Conflicts and faults may be over next time.
func (r *recorder) final() bool {
	s := max(r.status, http.StatusOK)
	return r.body.Len() <= maxKeptReply && (s < 300 || s == http.StatusUnprocessableEntity || s == http.StatusBadRequest)
}
