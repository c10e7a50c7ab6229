package api

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// flow is the real one but for what needs decoders and keys.
type flow struct {
	*issue.Flow
	uploads int
	// lose makes the next upload succeed and its answer get lost, as a crash would.
	lose bool
}

func (f *flow) Upload(ctx context.Context, id certcopy.CopyID, revision int, files []issue.Upload) (issue.UploadResult, error) {
	f.uploads++
	scans, err := f.Ledger.Scans(ctx, id)
	if err != nil {
		return issue.UploadResult{}, err
	}
	r := issue.UploadResult{}
	for _, u := range files {
		b, err := io.ReadAll(u.Body)
		if err != nil {
			return r, err
		}
		if !bytes.HasPrefix(b, []byte("scan")) {
			r.Refused = append(r.Refused, issue.RefusedFile{Name: u.Name, Message: certcopy.Msg("không phải ảnh", "not an image")})
			continue
		}
		scans = append(scans, certcopy.Scan{ID: certcopy.ScanID(storagetest.UUID()), Copy: id, Position: len(scans) + 1, FileName: u.Name, Size: int64(len(b)), Digest: certcopy.DigestOf(b), Pages: 1})
	}
	if err := f.Ledger.SetScans(ctx, id, revision, scans); err != nil {
		return r, err
	}
	if err := f.Ledger.SetClean(ctx, id, revision+1, certcopy.CleanDocument{Digest: certcopy.DigestOf([]byte(id)), Size: 10, Pages: []certcopy.Page{{Width: 595, Height: 842, DPI: 300}}}); err != nil {
		return r, err
	}
	if f.lose {
		f.lose = false
		return r, storage.ErrUnavailable
	}
	c, err := f.Ledger.Copy(ctx, id)
	r.Copy = c
	return r, err
}

func (f *flow) PageImage(_ context.Context, _ certcopy.CopyID, page, width int) ([]byte, error) {
	return fmt.Appendf(nil, "page %d at %d", page, width), nil
}

func (f *flow) Final(context.Context, certcopy.CopyID) (io.ReadCloser, certcopy.FinalFile, error) {
	return io.NopCloser(strings.NewReader("%PDF")), certcopy.FinalFile{Size: 4}, nil
}

// strange finds no signature in any file.
type strange struct{}

func (strange) Examine(_ context.Context, name string, r io.ReaderAt, size int64) (*verify.Examination, error) {
	b := make([]byte, size)
	_, _ = r.ReadAt(b, 0)
	return &verify.Examination{Digest: certcopy.DigestOf(b), Size: size, Report: &validation.Report{File: name, Indication: validation.NoSignature, Integrity: validation.IntegrityNone, Issuer: validation.Undetermined}}, nil
}

type world struct {
	t      *testing.T
	store  *postgres.Store
	office storagetest.Office
	flow   *flow
	h      http.Handler
	token  map[string]string // of "all", "verify", "other"
}

func newWorld(t *testing.T) *world { return newWorldWith(t, func(*Config) {}) }

func newWorldWith(t *testing.T, change func(*Config)) *world {
	t.Helper()
	store, office := storagetest.NewOffice(t, true)
	base, err := link.ParseBase("https://saoy.example.vn")
	if err != nil {
		t.Fatal(err)
	}
	f := &flow{Flow: &issue.Flow{Ledger: store, Rand: rand.Reader, Now: time.Now}}
	w := &world{t: t, store: store, office: office, flow: f, token: map[string]string{}}
	c := Config{Web: web.Config{Log: slog.New(slog.DiscardHandler), Now: time.Now, Rand: rand.Reader}, Flow: f, Ledger: store, Clients: store,
		Verifier: &verify.Verifier{Register: store, Examiner: strange{}}, Base: base, Writers: 4}
	change(&c)
	w.h, err = New(c)
	if err != nil {
		t.Fatal(err)
	}
	for name, scopes := range map[string][]string{"all": {ScopeRequests, ScopeVerify, ScopeCertify, ScopeSeal}, "verify": {ScopeVerify}, "other": {ScopeRequests}} {
		token, err := NewToken(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		if err := store.CreateClient(t.Context(), storage.Client{ID: name, Agency: office.Agency, Name: name, Account: office.Clerk}); err != nil {
			t.Fatal(err)
		}
		if err := store.CreateToken(t.Context(), name, TokenHash(token), scopes, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		w.token[name] = string(token.Reveal())
	}
	return w
}

// answer is a response and its body.
type answer struct {
	*httptest.ResponseRecorder
	t *testing.T
}

func (a answer) is(status int, contains ...string) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Errorf("status %d, want %d: %s", a.Code, status, a.Body)
	}
	for _, s := range contains {
		if !strings.Contains(a.Body.String(), s) {
			a.t.Errorf("no %q in %s", s, a.Body)
		}
	}
	return a
}

func (a answer) into(v any) {
	a.t.Helper()
	if err := json.Unmarshal(a.Body.Bytes(), v); err != nil {
		a.t.Fatalf("%v: %s", err, a.Body)
	}
}

func (w *world) ask(who, method, path, body string, header ...string) answer {
	r := httptest.NewRequest(method, Prefix+path, strings.NewReader(body))
	if t := w.token[who]; t != "" {
		r.Header.Set("Authorization", "Bearer "+t)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	return answer{rec, w.t}
}

func multi(files ...string) (body, kind string) {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	for i, f := range files {
		p, _ := m.CreateFormFile("file", fmt.Sprintf("trang-%d.jpg", i+1))
		_, _ = io.WriteString(p, f)
	}
	_ = m.Close()
	return b.String(), m.FormDataContentType()
}

const newRequest = `{"requester":{"name":"Phạm Thị Hường","id_number":"052190001234"},"dossier_code":"H08.35-1","originals":[{"type":"khai-sinh","title":"Giấy khai sinh","pages":2,"copies":3}]}`

func (w *world) create(key string) Request {
	w.t.Helper()
	var r Request
	w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", key).is(201).into(&r)
	return r
}

func (w *world) upload(c Copy, key string, files ...string) answer {
	body, kind := multi(files...)
	return w.ask("all", "POST", fmt.Sprintf("/copies/%s/scans?revision=%d", c.Id, c.Revision), body, "Content-Type", kind, "Idempotency-Key", key)
}

// submitted brings a new copy to the certifier.
func (w *world) submitted(key string) Copy {
	w.t.Helper()
	c := w.create(key).Copies[0]
	var up UploadResult
	w.upload(c, key+"-scans", "scan 1").is(200).into(&up)
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", fmt.Sprintf(`{"revision":%d,"checked":true}`, up.Copy.Revision), "Idempotency-Key", key+"-submit").is(200).into(&c)
	return c
}

func TestTheWayOfARequest(t *testing.T) {
	w := newWorld(t)
	r := w.create("key-00001")
	c := r.Copies[0]
	if c.State != "received" || c.VerifyUrl != "https://saoy.example.vn/v/"+c.Code || c.Original.Pages != 2 || *c.Original.Copies != 3 {
		t.Errorf("%+v", c)
	}
	var up UploadResult
	w.upload(c, "key-00002", "scan 1", "virus", "scan 2").is(200, "không phải ảnh", "trang-2.jpg").into(&up)
	if up.Copy.State != "scanned" || up.Copy.Pages != 1 {
		t.Errorf("%+v", up.Copy)
	}
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", fmt.Sprintf(`{"revision":%d,"checked":false}`, up.Copy.Revision)).is(422, "đối chiếu")
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", fmt.Sprintf(`{"revision":%d,"checked":true}`, up.Copy.Revision)).is(200, `"state":"submitted"`, `"submission":"`)
	w.ask("all", "GET", "/requests/"+r.Id, "").is(200, `"submitted"`, "H08.35-1")
	w.ask("all", "GET", "/copies/"+c.Id+"/pages/1?width=300", "").is(200, "page 1 at 300")
	w.ask("all", "GET", "/copies/"+c.Id+"/pages/1?width=9000", "").is(422)
	if a := w.ask("all", "GET", "/copies/"+c.Id+"/file", "").is(200, "%PDF"); a.Header().Get("Content-Type") != "application/pdf" {
		t.Errorf("%v", a.Header())
	}
	if strings.Contains(w.ask("all", "GET", "/requests/"+r.Id, "").Body.String(), "Hường") {
		t.Error("the requester's data are given out")
	}
}

func TestWhoMayAsk(t *testing.T) {
	w := newWorld(t)
	c := w.create("key-00001").Copies[0]
	if a := w.ask("nobody", "GET", "/copies/"+c.Id, "").is(401, `"vi"`, `"code":"forbidden"`); a.Header().Get("WWW-Authenticate") == "" || a.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%v", a.Header())
	}
	w.ask("nobody", "GET", "/copies/"+c.Id, "", "Authorization", "Bearer saoy_wrong").is(401)
	w.ask("nobody", "GET", "/copies/"+c.Id, "", "Authorization", "Basic "+w.token["all"]).is(401)
	w.ask("verify", "GET", "/copies/"+c.Id, "").is(403)
	w.ask("verify", "POST", "/certifications", `{"copies":[]}`).is(403)
	w.ask("other", "POST", "/verifications", `{"code":"x"}`).is(403)
	w.ask("other", "GET", "/copies/"+c.Id, "").is(404)
	w.ask("other", "GET", "/requests/"+c.Request, "").is(404)
	w.ask("other", "POST", "/copies/"+c.Id+"/submission", `{"revision":1,"checked":true}`).is(404)
	w.ask("other", "GET", "/copies/"+c.Id+"/file", "").is(404)
	w.ask("all", "GET", "/copies/../../etc", "").is(404)
	w.ask("all", "GET", "/copies/not-a-uuid", "").is(404)
	w.ask("all", "GET", "/nothing", "").is(404, `"reference"`)
	w.ask("nobody", "GET", "/openapi.yaml", "").is(200, "openapi: 3")
}

func TestCertifyingNeedsABoundOfficial(t *testing.T) {
	w := newWorld(t)
	c := w.submitted("key-00001")
	body := fmt.Sprintf(`{"copies":[{"id":%q,"submission":%q}]}`, c.Id, *c.Submission)
	w.ask("all", "POST", "/certifications", body, "Idempotency-Key", "cert-0001").is(403, "ủy quyền")
	day := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := w.store.BindClient(t.Context(), w.office.Agency, "all", w.office.Certifier, "certify", day, "09/QĐ-UBND"); err != nil {
		t.Fatal(err)
	}
	w.ask("all", "POST", "/certifications", strings.Replace(body, *c.Submission, strings.Repeat("0", 64), 1)).is(409)
	w.ask("all", "POST", "/certifications", `{"copies":[{"id":"`+c.Id+`","submission":"x"}]}`).is(422)
	w.ask("all", "POST", "/certifications", `{"copies":[]}`).is(422)
	w.ask("all", "POST", "/certifications", body, "Idempotency-Key", "cert-0001").is(202, c.Id)
	// The answer was lost before it was kept: another key, the same confirmation.
	w.ask("all", "POST", "/certifications", body, "Idempotency-Key", "cert-0002").is(202, c.Id)
	got, err := w.store.Copy(t.Context(), certcopy.CopyID(c.Id))
	if err != nil || got.CertifiedBy.Account != w.office.Certifier {
		t.Errorf("%v %+v", err, got.CertifiedBy)
	}
	w.ask("all", "POST", "/seals", body).is(403)
}

func TestIdempotency(t *testing.T) {
	w := newWorld(t)
	first := w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", "key-00001").is(201)
	again := w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", "key-00001").is(201)
	if first.Body.String() != again.Body.String() || again.Header().Get("Idempotency-Replayed") != "true" || first.Header().Get("Idempotency-Replayed") != "" {
		t.Errorf("first %s\nagain %s", first.Body, again.Body)
	}
	w.ask("all", "POST", "/requests", strings.Replace(newRequest, "Hường", "Hương", 1), "Idempotency-Key", "key-00001").is(422, "nội dung khác")
	w.ask("other", "POST", "/requests", newRequest, "Idempotency-Key", "key-00001").is(201)
	w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", "short").is(422, "8–128")
	w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", "with a space").is(422)
	w.ask("all", "POST", "/requests", `{"requester":{"name":""},"originals":[]}`, "Idempotency-Key", "key-00002").is(422)
	w.ask("all", "POST", "/requests", `{"requester":{"name":""},"originals":[]}`, "Idempotency-Key", "key-00002").is(422)

	var r Request
	first.into(&r)
	c := r.Copies[0]
	// A form has another boundary each time; it is the same request all the same.
	w.upload(c, "key-00003", "scan 1").is(200)
	if a := w.upload(c, "key-00003", "scan 1").is(200); a.Header().Get("Idempotency-Replayed") != "true" || w.flow.uploads != 1 {
		t.Errorf("uploaded %d times", w.flow.uploads)
	}
	w.upload(c, "key-00003", "scan 2").is(422)
}

// TestLostAnswers: the work was done, the answer was not kept. Asking again does it no twice.
func TestLostAnswers(t *testing.T) {
	w := newWorld(t)
	c := w.create("key-00001").Copies[0]
	w.flow.lose = true
	w.upload(c, "key-00002", "scan 1", "virus", "scan 2").is(503)
	w.upload(c, "key-00004", "scan 3").is(409)
	var up UploadResult
	w.upload(c, "key-00002", "scan 1", "virus", "scan 2").is(200, "trang-2.jpg", "lần gửi trước").into(&up)
	if scans, err := w.store.Scans(t.Context(), certcopy.CopyID(c.Id)); err != nil || len(scans) != 2 || len(up.Refused) != 1 {
		t.Errorf("%d scans, %v", len(scans), err)
	}
	body := fmt.Sprintf(`{"revision":%d,"checked":true}`, up.Copy.Revision)
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", body).is(200)
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", body).is(200, `"submitted"`)
	w.ask("all", "POST", "/copies/"+c.Id+"/submission", fmt.Sprintf(`{"revision":%d,"checked":true}`, up.Copy.Revision-1)).is(409)
}

func TestManyTwinsMakeOneRequest(t *testing.T) {
	w := newWorld(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	ids := map[string]bool{}
	for range 12 {
		wg.Go(func() {
			for {
				a := w.ask("all", "POST", "/requests", newRequest, "Idempotency-Key", "key-00001")
				if a.Code == 409 {
					if a.Header().Get("Retry-After") == "" {
						t.Error("409 without Retry-After")
					}
					time.Sleep(time.Millisecond)
					continue
				}
				var r Request
				a.is(201).into(&r)
				mu.Lock()
				ids[r.Id] = true
				mu.Unlock()
				return
			}
		})
	}
	wg.Wait()
	if len(ids) != 1 {
		t.Errorf("%d requests from one key", len(ids))
	}
}

func TestExternalNumbersAreForEver(t *testing.T) {
	w := newWorld(t)
	body := strings.Replace(newRequest, `"dossier_code"`, `"external_id":"HS-1","dossier_code"`, 1)
	var a, b Request
	w.ask("all", "POST", "/requests", body, "Idempotency-Key", "key-00001").is(201, `"external_id":"HS-1"`).into(&a)
	w.ask("all", "POST", "/requests", body, "Idempotency-Key", "key-00002").is(200).into(&b)
	if a.Id != b.Id {
		t.Error("one number, two requests")
	}
}

func TestVerifications(t *testing.T) {
	w := newWorld(t)
	c := w.create("key-00001").Copies[0]
	body, kind := multi("hello")
	w.ask("verify", "POST", "/verifications", body, "Content-Type", kind).is(200, `"indication":"NO-SIGNATURE"`, `"status":"unknown"`)
	w.ask("verify", "POST", "/verifications", `{"sha256":"`+strings.Repeat("ab", 32)+`"}`).is(200, `"status":"unknown"`)
	w.ask("verify", "POST", "/verifications", `{"code":"`+c.Code+`"}`).is(404) // not released
	w.ask("verify", "POST", "/verifications", `{"code":"wrong"}`).is(422, "17 ký tự")
	w.ask("verify", "POST", "/verifications", `{"sha256":"x"}`).is(422)
	w.ask("verify", "POST", "/verifications", `{}`).is(422)
	w.ask("verify", "POST", "/verifications", `{"code":"a","sha256":"b"}`).is(422)
	w.ask("verify", "POST", "/verifications", `{`).is(422)
	w.ask("verify", "POST", "/verifications", "x", "Content-Type", "text/plain").is(422)
}

func TestBodiesAreBounded(t *testing.T) {
	w := newWorld(t)
	c := w.create("key-00001").Copies[0]
	w.upload(c, "key-00002", strings.Repeat("scan", maxBody/4)).is(413)
	w.ask("all", "POST", "/requests", `{"requester":{"name":"`+strings.Repeat("x", maxBody)+`"}}`).is(413)
}

// TestScopesFollowTheSpecification: the table and x-scope say the same of every operation.
func TestScopesFollowTheSpecification(t *testing.T) {
	b, err := os.ReadFile("openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var spec struct {
		Paths map[string]map[string]struct {
			Scope string `yaml:"x-scope"`
		} `yaml:"paths"`
	}
	if err := yaml.Unmarshal(b, &spec); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for path, methods := range spec.Paths {
		for method, op := range methods {
			seen++
			if name := strings.ToUpper(method) + " " + path; scopes[name] != op.Scope || op.Scope == "" {
				t.Errorf("%s: scope %q, in the specification %q", name, scopes[name], op.Scope)
			}
		}
	}
	if seen != len(scopes) {
		t.Errorf("%d operations, %d in the table", seen, len(scopes))
	}
}

func TestTokensAreHidden(t *testing.T) {
	token, err := NewToken(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if s := fmt.Sprintf("%v %+v %s", token, token, token); strings.Contains(s, tokenPrefix) || len(token.Reveal()) != len(tokenPrefix)+43 {
		t.Error(s)
	}
	if _, err := NewToken(bytes.NewReader(make([]byte, 31))); err == nil {
		t.Error("a token of too few random bytes")
	}
}
