package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

var when = time.Date(2026, 7, 1, 2, 3, 4, 0, time.UTC)

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// testSite is a site with one page and the routes that the tests ask.
func testSite(t *testing.T, change func(*Config)) (http.Handler, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	c := Config{Log: slog.New(slog.NewJSONHandler(&log, nil)), Now: func() time.Time { return when }, Rand: zeros{},
		Pages: fstest.MapFS{
			"hello.html": {Data: []byte(`{{define "title"}}x{{end}}{{define "main"}}<p>{{t "hello" .Data}}</p>{{thousands 1234567}} {{bytes 1572864}} {{end}}`)},
			"fault.html": {Data: []byte(`{{define "title"}}x{{end}}{{define "main"}}half {{.Data.Nothing.There}}{{end}}`)},
			"_nav.html":  {Data: []byte(`{{define "nav"}}<nav>menu</nav>{{end}}`)},
		},
		Texts: fstest.MapFS{"vi.json": {Data: []byte(`{"hello":"Chào %s"}`)}, "en.json": {Data: []byte(`{"hello":"Hello %s"}`)}},
	}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	r := chi.NewRouter()
	r.Use(s.Middleware()...)
	r.Handle(AssetPrefix+"*", s.Assets())
	r.NotFound(s.NotFound)
	r.MethodNotAllowed(s.MethodNotAllowed)
	r.Get("/hello", s.Handle(func(w http.ResponseWriter, r *http.Request) error {
		return s.Render(w, r, 200, "hello", "<An>")
	}))
	r.Get("/fault", s.Handle(func(w http.ResponseWriter, r *http.Request) error { return s.Render(w, r, 200, "fault", "") }))
	r.Get("/panic", func(http.ResponseWriter, *http.Request) { panic("secret of the machine") })
	r.Get("/s/{token}", s.Handle(func(http.ResponseWriter, *http.Request) error { return errors.New("disk on fire") }))
	r.Get("/conflict", s.Handle(func(http.ResponseWriter, *http.Request) error { return fmt.Errorf("copy: %w", storage.ErrConflict) }))
	r.With(LimitBody(10)).Post("/form", s.Handle(func(_ http.ResponseWriter, r *http.Request) error {
		_, err := io.ReadAll(r.Body)
		return err
	}))
	return r, &log
}

func ask(h http.Handler, method, target, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	h, _ := testSite(t, nil)
	for _, c := range []struct {
		name, method, target, body string
		header                     []string
		status                     int
		want, never                string
	}{
		{"vietnamese by default", "GET", "/hello", "", nil, 200, "Chào &lt;An&gt;</p>1.234.567 1,5 MB", "<An>"},
		{"english asked for", "GET", "/hello?lang=en", "", nil, 200, "Hello &lt;An&gt;</p>1,234,567 1.5 MB", "Chào"},
		{"english by cookie", "GET", "/hello", "", []string{"Cookie", "lang=en"}, 200, "Hello", "Chào"},
		{"english browser", "GET", "/hello", "", []string{"Accept-Language", "en-GB,en;q=0.8,fr"}, 200, "Hello", "Chào"},
		{"browser that also reads vietnamese", "GET", "/hello", "", []string{"Accept-Language", "en-US,en;q=0.9,vi;q=0.5"}, 200, "Chào", "Hello"},
		{"a language we have not", "GET", "/hello?lang=xx", "", nil, 200, "Chào", "Hello"},
		{"nav of the site", "GET", "/hello", "", nil, 200, "<nav>menu</nav>", "Error"},
		{"a template's fault is never half a page", "GET", "/fault", "", nil, 500, "0000-0000", "half"},
		{"panic", "GET", "/panic", "", nil, 500, "0000-0000", "secret"},
		{"detail stays inside", "GET", "/s/abc", "", nil, 500, "mã tham chiếu", "fire"},
		{"conflict", "GET", "/conflict", "", nil, 409, "chưa có gì bị mất", "copy:"},
		{"problem for programs", "GET", "/conflict", "", []string{"Accept", "application/json"}, 409, `"code":"conflict"`, "<html"},
		{"unknown address", "GET", "/nothing", "", nil, 404, "Không tìm thấy", ""},
		{"wrong method", "POST", "/hello", "", nil, 405, "quay lại", ""},
		{"body within the limit", "POST", "/form", "0123456789", nil, 200, "", "<html"},
		{"body over the limit", "POST", "/form", "0123456789x", nil, 413, "quá lớn", ""},
		{"form of another site", "POST", "/form", "x", []string{"Sec-Fetch-Site", "cross-site"}, 403, "trang khác", ""},
		{"form of another origin", "POST", "/form", "x", []string{"Origin", "https://evil.example"}, 403, "trang khác", ""},
		{"form of our own", "POST", "/form", "x", []string{"Sec-Fetch-Site", "same-origin", "Origin", "null"}, 200, "", "trang khác"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ask(h, c.method, c.target, c.body, c.header...)
			if w.Code != c.status {
				t.Errorf("status %d, want %d", w.Code, c.status)
			}
			if !strings.Contains(w.Body.String(), c.want) {
				t.Errorf("no %q in:\n%s", c.want, w.Body)
			}
			if c.never != "" && strings.Contains(w.Body.String(), c.never) {
				t.Errorf("%q must not be shown:\n%s", c.never, w.Body)
			}
		})
	}
}

func TestHeaders(t *testing.T) {
	h, _ := testSite(t, func(c *Config) { c.Secure = true })
	for _, target := range []string{"/hello", "/nothing", "/panic"} {
		got := ask(h, "GET", target, "").Header()
		for name, want := range map[string]string{
			"Content-Security-Policy": contentSecurityPolicy, "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"X-Frame-Options": "DENY", "Strict-Transport-Security": "max-age=31536000", "Cache-Control": "no-store", "Content-Language": "vi",
		} {
			if got.Get(name) != want {
				t.Errorf("%s: %s is %q, want %q", target, name, got.Get(name), want)
			}
		}
	}
	if strings.Contains(contentSecurityPolicy, "unsafe") {
		t.Error("the policy allows inline code")
	}
}

func TestPagesKeepThePolicy(t *testing.T) {
	h, _ := testSite(t, nil)
	for _, target := range []string{"/hello", "/nothing"} {
		body := ask(h, "GET", target, "").Body.String()
		for _, never := range []string{"<style", "style=", "<script>", "onclick=", "javascript:", "http://", "https://"} {
			if strings.Contains(body, never) {
				t.Errorf("%s: page contains %q, which the policy forbids", target, never)
			}
		}
	}
}

func TestDemonstrationBanner(t *testing.T) {
	for _, demo := range []bool{true, false} {
		h, _ := testSite(t, func(c *Config) { c.Demonstration = demo })
		for _, target := range []string{"/hello", "/nothing", "/panic"} {
			if got := strings.Contains(ask(h, "GET", target, "").Body.String(), "không có giá trị pháp lý"); got != demo {
				t.Errorf("%s with demonstration=%v: banner shown is %v", target, demo, got)
			}
		}
	}
}

func TestLogKeepsSecrets(t *testing.T) {
	h, log := testSite(t, nil)
	ask(h, "GET", "/s/SECRETTOKEN?x=SECRETQUERY", "", "Authorization", "SECRETHEADER")
	ask(h, "GET", "/hello?q=SECRETNAME", "", "Cookie", "session=SECRETCOOKIE")
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("a secret is in the log:\n%s", log)
	}
	var line struct{ Path, Err, Reference string }
	if err := json.Unmarshal([]byte(strings.SplitN(log.String(), "\n", 2)[0]), &line); err != nil {
		t.Fatal(err)
	}
	if line.Path != "/s/…" || line.Err != "disk on fire" || line.Reference != "0000-0000" {
		t.Errorf("first line is %+v", line)
	}
}

func TestTruncatedIP(t *testing.T) {
	for in, want := range map[string]string{
		"203.0.113.77:1": "203.0.113.0/24", "[2001:db8:1:2:3::4]:1": "2001:db8:1::/48", "[::ffff:203.0.113.9]:1": "203.0.113.0/24", "@": "", "": "",
		"[fe80::1%eth0]:1": "fe80::/48",
	} {
		if got := TruncatedIP(in); got != want {
			t.Errorf("%s: %q, want %q", in, got, want)
		}
	}
}

func TestAssets(t *testing.T) {
	h, _ := testSite(t, nil)
	page := ask(h, "GET", "/hello", "").Body.String()
	_, rest, _ := strings.Cut(page, `stylesheet" href="`)
	address, _, ok := strings.Cut(rest, `"`)
	if !ok {
		t.Fatal("the page has no style sheet")
	}
	w := ask(h, "GET", address, "", "Accept-Encoding", "gzip")
	if w.Code != 200 || w.Header().Get("Content-Encoding") != "gzip" || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("%s: %d %v", address, w.Code, w.Header())
	}
	if n := w.Body.Len() + len(page); n > 15_000 {
		t.Errorf("an empty page costs %d bytes on the line, want at most 15000", n)
	}
	if w := ask(h, "GET", "/assets/saoy.css", ""); w.Code != 404 {
		t.Errorf("without its checksum: %d", w.Code)
	}
}

func TestStatusOfEveryCode(t *testing.T) {
	for code, want := range statuses {
		err := fmt.Errorf("outer: %w", certcopy.Errorf(code, "trang 3", errors.New("cause"), certcopy.Msg("Sai", "Wrong")))
		p := ProblemOf(err)
		if p.Status != want || p.VI != "Sai" || p.Subject != "trang 3" || p.Code != code {
			t.Errorf("%s: %+v", code, p)
		}
	}
	for err, want := range map[error]int{
		storage.ErrNotFound: 404, storage.ErrConflict: 409, storage.ErrUnavailable: 503, storage.ErrOutcomeUnknown: 500,
		storage.ErrDamaged: 500, io.EOF: 500, certcopy.Errorf("strange", "", nil, certcopy.Message{}): 500,
	} {
		if p := ProblemOf(err); p.Status != want || p.VI == "" || p.EN == "" {
			t.Errorf("%v: %+v, want %d", err, p, want)
		}
	}
}

func TestCataloguesMustAgree(t *testing.T) {
	vi := func(s string) fstest.MapFS {
		return fstest.MapFS{"vi.json": {Data: []byte(s)}, "en.json": {Data: []byte(`{"a":"A %d"}`)}}
	}
	for texts, ok := range map[string]bool{
		`{"a":"Á %d"}`: true, `{"a":"Á"}`: false, `{}`: false, `{"a":"Á %d","b":"B"}`: false, `{`: false,
		`{"a":"Á %d","layout.skip":"x"}`: false,
	} {
		if _, err := New(Config{Texts: vi(texts)}); (err == nil) != ok {
			t.Errorf("%s: %v", texts, err)
		}
	}
}
