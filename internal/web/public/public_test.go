package public

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// world is the site over a real register, with one copy released and others at will.
type world struct {
	t      *testing.T
	store  *postgres.Store
	office storagetest.Office
	signer *register.Signer
	h      http.Handler
	log    bytes.Buffer

	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// issuedCopy is a copy in the register.
type issuedCopy struct {
	id   certcopy.CopyID
	code link.Code
	file []byte
}

// examiner says of a file that it is signed if it begins so.
type examiner struct{}

func (examiner) Examine(_ context.Context, name string, r io.ReaderAt, size int64) (*verify.Examination, error) {
	b := make([]byte, size)
	if _, err := r.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	rep := &validation.Report{File: name, Indication: validation.NoSignature, Integrity: validation.IntegrityNone, Issuer: validation.Undetermined}
	e := &verify.Examination{Digest: certcopy.DigestOf(b), Size: size, Report: rep}
	if bytes.HasPrefix(b, []byte("signed")) {
		rep.Indication, rep.Integrity, rep.Issuer = validation.TotalPassed, validation.Intact, validation.Trusted
		rep.Signatures = []validation.Signature{{Field: "A", Kind: validation.KindSignature}, {Field: "B", Kind: validation.KindSignature}}
	}
	if _, code, ok := bytes.Cut(b, []byte("code=")); ok {
		e.Codes = []string{string(code)}
	}
	return e, nil
}

// pictures draws nothing but says what was asked.
type pictures struct{}

func (pictures) Page(_ context.Context, pdf []byte, page, width int) ([]byte, error) {
	return []byte{0xff, 0xd8, byte(page), 0xff, 0xd9}, nil
}

func (pictures) Heights(_ context.Context, pdf []byte, width int) ([]int, error) {
	return []int{width * 2, width / 2}, nil
}

// fileKey is the key of every file.
const fileKey = "AGE-SECRET-KEY-OF-THE-TEST"

// vault keeps files in memory.
type vault map[certcopy.Digest][]byte

func (v vault) Open(_ context.Context, key certcopy.Secret, _ certcopy.CopyID, d certcopy.Digest) ([]byte, error) {
	if string(key.Reveal()) != fileKey {
		return nil, errors.New("another key")
	}
	if b, ok := v[d]; ok {
		return b, nil
	}
	return nil, storage.ErrNotFound
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	store, office := storagetest.NewOffice(t, true)
	secret, _, err := register.GenerateKey(rand.Reader, "saoy.example.vn/log")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := register.NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, office: office, signer: signer, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	c := Config{
		Web:      web.Config{Log: slog.New(slog.NewTextHandler(&w.log, nil)), Now: w.clock, Rand: rand.Reader},
		Verifier: &verify.Verifier{Register: store, Examiner: examiner{}, CertifierField: "A", AgencyField: "B"},
		Register: store, Log: store, LogKey: signer.Log(), Links: store, Files: vault{}, Renderer: pictures{}, Uploads: 2,
	}
	if change != nil {
		change(&c)
	}
	w.h, err = New(c)
	w.must(err)
	t.Cleanup(func() { w.noSecretsInLog() })
	return w
}

// noSecretsInLog: neither codes nor tokens nor names may ever stand in the access log.
func (w *world) noSecretsInLog() {
	for _, never := range []string{"Phạm", "Giấy khai sinh số"} {
		if strings.Contains(w.log.String(), never) {
			w.t.Errorf("%q is in the log", never)
		}
	}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// issue brings a copy to a state, with leaves and checkpoint of the real form.
func (w *world) issue(to certcopy.State) issuedCopy {
	w.t.Helper()
	ctx := w.t.Context()
	code, err := link.NewCode(rand.Reader)
	w.must(err)
	n := storagetest.NewCopy()
	n.Code, n.CodeHash = code.String(), code.Hash()
	_, _, err = w.store.CreateRequest(ctx, w.office.NewRequest(), []storage.NewCopy{n})
	w.must(err)
	i := issuedCopy{id: n.ID, code: code, file: []byte("signed copy " + code.String())}
	for {
		c, err := w.store.Copy(ctx, n.ID)
		w.must(err)
		if c.State == to || to == certcopy.Void && c.State == certcopy.Numbered || c.State == certcopy.Sealed {
			break
		}
		w.must(w.office.Step(ctx, c, certcopy.Sealed))
	}
	switch to {
	case certcopy.Void:
		_, err := w.store.Void(ctx, n.ID, w.office.Certifier, "rescan", "", w.leaf(i, storage.LeafVoid))
		w.must(err)
	case certcopy.Released, certcopy.Annulled:
		_, err := w.store.Register(ctx, n.ID, certcopy.FinalFile{Digest: certcopy.DigestOf(i.file), Size: int64(len(i.file)), Pages: 2, Level: "B-LT"}, w.leaf(i, storage.LeafIssue))
		w.must(err)
		w.publish()
	}
	if to == certcopy.Annulled {
		_, err := w.store.Annul(ctx, n.ID, w.office.Decision(), w.leaf(i, storage.LeafAnnul))
		w.must(err)
	}
	if to != certcopy.Submitted {
		w.publish()
	}
	return i
}

func (w *world) leaf(i issuedCopy, kind storage.LeafKind) storage.LeafMaker {
	c, err := w.store.Copy(w.t.Context(), i.id)
	w.must(err)
	one := certcopy.DigestOf([]byte("x"))
	return func(at time.Time) ([]byte, error) {
		l := register.Leaf{Kind: kind, Time: at, Agency: c.Agency, Book: c.Number.Book, Year: c.Number.Year, Number: c.Number.Seq, CodeHash: i.code.Hash(),
			Date: c.Number.Date, File: certcopy.DigestOf(i.file), Length: int64(len(i.file)), Pages: 2, DocumentType: c.Original.Type,
			CertifierCertificate: one, AgencyCertificate: one, Commitment: one, DecisionNumber: "07/QĐ-UBND", DecisionDate: c.Number.Date, Reason: "rescan"}
		return l.Marshal()
	}
}

func (w *world) publish() {
	ctx := w.t.Context()
	size, root, err := w.store.Head(ctx)
	w.must(err)
	_, last, err := w.store.Checkpoint(ctx)
	if errors.Is(err, storage.ErrNotFound) {
		last, err = nil, nil
	}
	w.must(err)
	signed, err := w.signer.Checkpoint(last, size, root, register.HashReader(func(ix []int64) ([]certcopy.Digest, error) { return w.store.ReadHashes(ctx, ix) }))
	w.must(err)
	if bytes.Equal(signed, last) {
		return
	}
	_, err = w.store.Publish(ctx, size, signed)
	w.must(err)
}

func (w *world) ask(method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, body)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	w.h.ServeHTTP(rec, r)
	return rec
}

func (w *world) get(target string, header ...string) *httptest.ResponseRecorder {
	return w.ask("GET", target, nil, header...)
}

// send posts a file as the form does.
func (w *world) send(target string, file []byte, header ...string) *httptest.ResponseRecorder {
	var b bytes.Buffer
	m := multipart.NewWriter(&b)
	part, _ := m.CreateFormFile("file", `C:\x\bản sao.pdf`)
	_, _ = part.Write(file)
	_ = m.WriteField("sha256", "")
	_ = m.Close()
	return w.ask("POST", target, &b, append(header, "Content-Type", m.FormDataContentType())...)
}

func form(s string) (io.Reader, string, string) {
	return strings.NewReader(s), "Content-Type", "application/x-www-form-urlencoded"
}

// green is the class of a headline that says all is well; no other element bears both.
const green = `class="notice ok head"`

func (w *world) expect(rec *httptest.ResponseRecorder, status int, want []string, never ...string) {
	w.t.Helper()
	if rec.Code != status {
		w.t.Errorf("status %d, want %d", rec.Code, status)
	}
	for _, s := range want {
		if !strings.Contains(rec.Body.String(), s) {
			w.t.Errorf("no %q in:\n%s", s, rec.Body)
		}
	}
	for _, s := range append(never, "Phạm Thị Hường", "Giấy khai sinh số 12/2019", "052190001234", "ZgotmplZ", "%!") {
		if strings.Contains(rec.Body.String(), s) {
			w.t.Errorf("%q must not be shown in:\n%s", s, rec.Body)
		}
	}
}

func TestCodePage(t *testing.T) {
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	page := "/v/" + i.code.String()
	w.expect(w.get(page), 200, []string{"CHƯA kiểm tra tệp bạn đang cầm", "Ủy ban nhân dân xã Ân Tường Đông", "Nguyễn Văn An", "Giấy khai sinh",
		certcopy.DigestOf(i.file).String(), i.code.Grouped(), `data-size="`}, green, `class="verdict ok"`)
	w.expect(w.get("/v/"+strings.ToLower(i.code.Grouped())+"?lang=en"), 200, []string{"has NOT checked the file", "Birth certificate"}, green)
	rec := w.get(page)
	if rec.Header().Get("X-Robots-Tag") != "noindex" || rec.Header().Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", rec.Header())
	}
	body := rec.Body.String()
	if at := strings.Index(body, "<form"); at < 0 || at > strings.Index(body, "verdicts") {
		t.Error("the file check is not the first control")
	}
	if len(body) > 30_000 {
		t.Errorf("the page has %d bytes", len(body))
	}
	if strings.Contains(w.log.String(), i.code.String()) {
		t.Error("the code is in the log")
	}
}

func TestCodeAsJSON(t *testing.T) {
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	var rep verify.Report
	rec := w.get("/v/"+i.code.String(), "Accept", "application/json")
	if err := json.Unmarshal(rec.Body.Bytes(), &rep); err != nil || rec.Code != 200 || rep.Status != verify.Valid || rep.Integrity != validation.IntegrityNotChecked || rep.Copy.Number != 1 {
		t.Errorf("%d %v %s", rec.Code, err, rec.Body)
	}
	if rec := w.get("/v/"+strings.Repeat("0", 17), "Accept", "application/json"); rec.Code != 404 || rec.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
}

func TestUnknownCodesTellNothing(t *testing.T) {
	w := newWorld(t, nil)
	pending := w.issue(certcopy.Submitted)
	other, err := link.NewCode(rand.Reader)
	w.must(err)
	hide := func(r *httptest.ResponseRecorder, code link.Code) string {
		s := strings.ReplaceAll(r.Body.String(), r.Header().Get("X-Request-Id"), "REF")
		return strings.ReplaceAll(s, code.String(), "CODE")
	}
	a, b := w.get("/v/"+pending.code.String()), w.get("/v/"+other.String())
	if a.Code != 404 || b.Code != 404 || hide(a, pending.code) != hide(b, other) {
		t.Errorf("a copy in work can be told from none: %d %d", a.Code, b.Code)
	}
	for _, target := range []string{"/v/" + other.String() + "/proof", "/v/x", "/v/" + strings.Repeat("A", 300)} {
		if rec := w.get(target); rec.Code != 404 {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
}

func TestGuessingIsLimited(t *testing.T) {
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	guesses := 0
	for ; guesses < 1000; guesses++ {
		code, _ := link.NewCode(rand.Reader)
		if w.get("/v/"+code.String()).Code == 429 {
			break
		}
	}
	if guesses > 40 {
		t.Errorf("%d guesses before the limit", guesses)
	}
	if w.get("/v/"+i.code.String()).Code != 429 {
		t.Error("a limited network can tell a code that exists")
	}
	w.wait(time.Minute)
	if w.get("/v/"+i.code.String()).Code != 200 {
		t.Error("the limit does not end")
	}
}

func TestAnnulledAndVoidForEver(t *testing.T) {
	w := newWorld(t, nil)
	a, v := w.issue(certcopy.Annulled), w.issue(certcopy.Void)
	w.expect(w.get("/v/"+a.code.String()), 200, []string{"HỦY BỎ GIÁ TRỊ PHÁP LÝ", "07/QĐ-UBND", "20/11/2026", "notice bad head"}, green, "Bản chính giả")
	w.expect(w.send("/v/"+a.code.String(), a.file), 200, []string{"HỦY BỎ GIÁ TRỊ PHÁP LÝ"}, green)
	w.expect(w.get("/v/"+v.code.String()), 200, []string{"chưa từng được phát hành", "notice bad head"}, green, "data-sha256")
}

func TestFileOnCodePage(t *testing.T) {
	w := newWorld(t, nil)
	i, other := w.issue(certcopy.Released), w.issue(certcopy.Released)
	page := "/v/" + i.code.String()
	altered := append(bytes.Clone(i.file), '!')
	digest := func(b []byte) string { return "sha256=" + certcopy.DigestOf(b).String() }

	w.expect(w.send(page, i.file), 200, []string{green, "đúng là bản sao do Ủy ban nhân dân xã Ân Tường Đông"})
	w.expect(w.send(page, altered), 200, []string{"KHÔNG phải là bản sao", "notice bad head"}, green)
	w.expect(w.send(page, other.file), 200, []string{"KHÔNG phải là bản sao"}, green)
	w.expect(w.send(page, []byte("forged, code="+i.code.String())), 200, []string{"KHÔNG phải là tệp đã được cấp"}, green)
	w.expect(w.send(page, []byte("plain")), 200, []string{"KHÔNG phải là bản sao"}, green)
	b, k, v := form(digest(i.file))
	w.expect(w.ask("POST", page, b, k, v), 200, []string{green})
	b, k, v = form(strings.ToUpper(digest(altered)))
	w.expect(w.ask("POST", page, b, k, v), 422, []string{"64 ký tự"}, green)
	b, k, v = form(digest(altered))
	w.expect(w.ask("POST", page, b, k, v), 200, []string{"KHÔNG phải là bản sao"}, green)
	w.expect(w.send(page, nil), 422, []string{"Hãy chọn một tệp", "CHƯA kiểm tra"}, green)
}

func TestFilePage(t *testing.T) {
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	w.expect(w.get("/check"), 200, []string{"certutil", "filecheck"}, green)
	w.expect(w.send("/check", i.file), 200, []string{green, "bản sao.pdf"}, `C:\`)
	w.expect(w.send("/check", []byte("plain")), 200, []string{"không có chữ ký số"}, green)
	w.expect(w.send("/check", []byte("signed by others")), 200, []string{"không phải do hệ thống này cấp", "notice warn head"}, green)
	w.expect(w.send("/check", []byte("forged, code="+i.code.String())), 200, []string{"KHÔNG phải là tệp đã được cấp", "Bản sao thật của mã đó"}, green)
	b, k, v := form("sha256=" + strings.Repeat("ab", 32))
	w.expect(w.ask("POST", "/check", b, k, v), 200, []string{"Không có tệp này trong sổ"}, green)
	rec := w.send("/check", i.file, "Accept", "application/json")
	var rep verify.Report
	if err := json.Unmarshal(rec.Body.Bytes(), &rep); err != nil || !rep.Good() {
		t.Errorf("%v %s", err, rec.Body)
	}
	if rec := w.ask("POST", "/check", strings.NewReader("x"), "Content-Type", "multipart/form-data"); rec.Code != 422 {
		t.Errorf("no boundary: %d", rec.Code)
	}
	if rec := w.send("/check", make([]byte, maxUpload+1)); rec.Code != 413 {
		t.Errorf("too large: %d", rec.Code)
	}
}

func TestHome(t *testing.T) {
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	w.expect(w.get("/"), 200, []string{`name="code"`})
	b, k, v := form("code=" + strings.ToLower(i.code.Grouped()))
	if rec := w.ask("POST", "/", b, k, v); rec.Code != 303 || rec.Header().Get("Location") != "/v/"+i.code.String() {
		t.Errorf("%d %v", rec.Code, rec.Header())
	}
	b, k, v = form("code=wrong")
	w.expect(w.ask("POST", "/", b, k, v), 422, []string{"17 ký tự"})
	w.expect(w.get("/about/trust"), 200, []string{"saoy.example.vn/log", strings.ReplaceAll(w.signer.Log().Key(), "+", "&#43;")})
	w.expect(w.get("/robots.txt"), 200, []string{"Disallow: /s/"})
}

func (w *world) share(i issuedCopy, days int) link.Token {
	tok, err := link.NewToken(rand.Reader)
	w.must(err)
	_, err = w.store.PutFileKey(w.t.Context(), i.id, []byte("wrapped for the vault"))
	w.must(err)
	wrapped, err := tok.Wrap(i.id, certcopy.NewSecret([]byte(fileKey)))
	w.must(err)
	now := w.clock()
	w.must(w.store.CreateLink(w.t.Context(), tok.Hash(), desk.Link{Copy: i.id, CreatedBy: w.office.Clerk, CreatedAt: now, Expires: now.AddDate(0, 0, days), FileKey: wrapped}))
	return tok
}

func (w *world) openings(i issuedCopy) int {
	links, err := w.store.Links(w.t.Context(), i.id)
	w.must(err)
	return links[0].Openings
}

func TestSharingLink(t *testing.T) {
	files := vault{}
	w := newWorld(t, func(c *Config) { c.Files = files })
	i := w.issue(certcopy.Released)
	files[certcopy.DigestOf(i.file)] = i.file
	tok := w.share(i, 30)
	at := "/s/" + tok.Reveal()

	w.expect(w.get(at), 200, []string{green, at + "/page/2", at + "/file", "22/12/2026", `width="1000" height="2000"`, `loading="lazy" decoding="async" width="1000" height="500"`}, at+"/page/3")
	if n := w.openings(i); n != 1 {
		t.Errorf("%d openings after one", n)
	}
	w.ask("HEAD", at, nil)
	for _, robot := range []string{"facebookexternalhit/1.1", "Mozilla/5.0 (compatible; Googlebot/2.1)", "WhatsApp/2.0", "Slackbot-LinkExpanding 1.0"} {
		w.get(at, "User-Agent", robot)
	}
	w.get(at, "Sec-Purpose", "prefetch")
	w.get(at + "/page/1")
	w.get(at+"/file", "Sec-Fetch-Site", "same-origin")
	if n := w.openings(i); n != 1 {
		t.Errorf("%d openings: robots, previews and pages were counted", n)
	}
	w.get(at, "User-Agent", "Mozilla/5.0 (iPhone) Zalo iOS/500")
	w.get(at + "/file")
	if n := w.openings(i); n != 3 {
		t.Errorf("%d openings, want 3", n)
	}
	rec := w.get(at + "/file")
	if !bytes.Equal(rec.Body.Bytes(), i.file) || rec.Header().Get("Content-Type") != "application/pdf" || !strings.Contains(rec.Header().Get("Content-Disposition"), "ban-sao-1-2026.pdf") {
		t.Errorf("file: %v", rec.Header())
	}
	for _, p := range []string{"/page/0", "/page/3", "/page/x", "/page/-1"} {
		if rec := w.get(at + p); rec.Code != 404 {
			t.Errorf("%s: %d", p, rec.Code)
		}
	}
	if h := w.get(at).Header(); h.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(h.Get("X-Robots-Tag"), "noindex") {
		t.Errorf("headers %v", h)
	}
	if strings.Contains(w.log.String(), tok.Reveal()) {
		t.Error("the token is in the log")
	}
}

func TestClosedLinks(t *testing.T) {
	files := vault{}
	w := newWorld(t, func(c *Config) { c.Files = files })
	i, annulled := w.issue(certcopy.Released), w.issue(certcopy.Annulled)
	files[certcopy.DigestOf(i.file)], files[certcopy.DigestOf(annulled.file)] = i.file, annulled.file
	tok := w.share(i, 30)
	at := "/s/" + tok.Reveal()
	unknown, _ := link.NewToken(rand.Reader)
	for _, target := range []string{"/s/" + unknown.Reveal(), "/s/short", "/s/" + unknown.Reveal() + "/file"} {
		w.expect(w.get(target), 404, []string{"Không có liên kết chia sẻ này"})
	}
	w.expect(w.get("/s/"+w.share(annulled, 1).Reveal()), 200, []string{"HỦY BỎ GIÁ TRỊ PHÁP LÝ", "07/QĐ-UBND"}, green)
	w.wait(31 * 24 * time.Hour)
	for _, p := range []string{"", "/file", "/page/1"} {
		w.expect(w.get(at+p), 410, []string{"hết hạn"}, green)
	}
	w.wait(-31 * 24 * time.Hour)
	links, err := w.store.Links(t.Context(), i.id)
	w.must(err)
	w.must(w.store.RevokeLink(t.Context(), i.id, links[0].ID, w.office.Clerk, w.clock()))
	w.expect(w.get(at), 410, []string{"thu hồi"}, green)
	if n := w.openings(i); n != 0 {
		t.Errorf("%d openings of a closed link", n)
	}
}

func TestAudit(t *testing.T) {
	w := newWorld(t, nil)
	released, annulled, void := w.issue(certcopy.Released), w.issue(certcopy.Annulled), w.issue(certcopy.Void)
	key, err := register.ParseLogKey(w.get("/log/key").Body.String())
	w.must(err)
	for _, c := range []struct {
		of    issuedCopy
		query string
		kinds []storage.LeafKind
	}{{released, "", []storage.LeafKind{storage.LeafIssue}}, {annulled, "", []storage.LeafKind{storage.LeafIssue, storage.LeafAnnul}},
		{annulled, "?kind=annul", []storage.LeafKind{storage.LeafAnnul}}, {void, "", []storage.LeafKind{storage.LeafVoid}}} {
		rec := w.get("/v/" + c.of.code.String() + "/proof" + c.query)
		proofs, err := register.ParseProofs(rec.Body.Bytes())
		if err != nil || len(proofs) != len(c.kinds) {
			t.Errorf("%s%s: %d %v", c.kinds, c.query, rec.Code, err)
			continue
		}
		for i, p := range proofs {
			leaf, _, err := key.Verify(p)
			if err != nil || leaf.Kind != c.kinds[i] || leaf.CodeHash != c.of.code.Hash() {
				t.Errorf("%s: %v %+v", c.kinds, err, leaf)
			}
		}
	}
	cp, err := key.OpenCheckpoint(w.get("/checkpoint").Body.Bytes())
	if err != nil || cp.Size != 4 {
		t.Errorf("checkpoint: %v %+v", err, cp)
	}
	if rec := w.get("/log/tile/0/000.p/4"); rec.Code != 200 || rec.Body.Len() != 4*32 {
		t.Errorf("tile: %d, %d bytes", rec.Code, rec.Body.Len())
	}
	if rec := w.get("/log/tile/entries/000.p/4"); rec.Code != 200 || bytes.Count(rec.Body.Bytes(), []byte("saoy leaf v1\n")) != 4 {
		t.Errorf("entries: %d %q", rec.Code, rec.Body)
	}
	for _, target := range []string{"/log/tile/0/000.p/5", "/log/tile/0/000", "/log/tile/", "/log/tile/9/000", "/v/" + released.code.String() + "/proof?kind=annul", "/v/" + released.code.String() + "/proof?kind=x"} {
		if rec := w.get(target); rec.Code != 404 {
			t.Errorf("%s: %d", target, rec.Code)
		}
	}
}

// TestPublicRoleSuffices runs the site under the database role that may only read.
func TestPublicRoleSuffices(t *testing.T) {
	dsn := storagetest.Postgres(t)
	store, err := postgres.Open(t.Context(), postgres.Config{URL: dsn, Role: postgres.PublicRole})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	ctx := t.Context()
	for what, err := range map[string]error{
		"code": second(store.PublicByCode(ctx, certcopy.Digest{1})), "file": second(store.PublicByFile(ctx, certcopy.Digest{1})), "id": second(store.PublicByID(ctx, certcopy.CopyID(storagetest.UUID()))),
		"link": second(store.OpenLink(ctx, certcopy.Digest{1}, "203.0.113.0/24", time.Now(), true)),
	} {
		if !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := store.Copy(ctx, certcopy.CopyID(storagetest.UUID())); err == nil || errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the public role may read copies: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
