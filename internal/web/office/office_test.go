package office

import (
	"bytes"
	"crypto/rand"
	"html"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

const password = "bờ tre xanh rì rào"

// desktop is the site over a real ledger, with people to use it and a clock.
type desktop struct {
	t     *testing.T
	site  *Office
	store *postgres.Store
	desk  storagetest.Office
	flow  *ledgerFlow
	now   time.Time
	drawn drawn
	log   bytes.Buffer
}

func open(t *testing.T) *desktop {
	t.Helper()
	d := &desktop{t: t, now: time.Now().UTC()} // near the database's clock, which dates the copies
	d.store, d.desk = storagetest.NewOffice(t, false)
	d.flow = &ledgerFlow{Ledger: d.store}
	hash, err := account.Hash(rand.Reader, certcopy.NewSecret([]byte(password)))
	d.must(err)
	for _, id := range []certcopy.AccountID{d.desk.Clerk, d.desk.Certifier, d.desk.SealKeeper} {
		d.must(d.store.SetPassword(t.Context(), id, hash, certcopy.Digest{}))
	}
	for _, a := range []account.Account{
		{Login: "quantri", Name: "Vũ Quản Trị", Roles: []certcopy.Role{certcopy.Admin}},
		{Login: "kiemtra", Name: "Đỗ Kiểm Tra", Roles: []certcopy.Role{certcopy.Auditor}},
	} {
		a.Agency, a.PasswordHash = d.desk.Agency, hash
		_, err := d.store.CreateAccount(t.Context(), a)
		d.must(err)
	}
	d.must(d.store.OpenOffice(t.Context(), storage.Office{
		Agency: certcopy.Agency{ID: "xa-tay", Code: "H08.36", Name: "UBND xã Tây", Place: "Tây", Province: "Gia Lai", Book: certcopy.DefaultBook},
		From:   d.now.AddDate(-1, 0, 0),
		People: []storage.Person{{ID: certcopy.AccountID(storagetest.UUID()), Login: "xatay", Name: "Người Xã Tây", PasswordHash: hash,
			Roles: []certcopy.Role{certcopy.Clerk, certcopy.Certifier, certcopy.SealKeeper, certcopy.Admin}, Title: "CHỦ TỊCH"}},
	}))
	base, err := link.ParseBase("http://127.0.0.1:8080")
	d.must(err)
	d.site, err = New(Config{
		Web:  web.Config{Demonstration: true, Log: slog.New(slog.NewJSONHandler(&d.log, nil)), Now: func() time.Time { return d.now }, Rand: rand.Reader},
		Flow: d.flow, Ledger: d.store, Desk: d.store, Base: base, Draw: &d.drawn, Staging: d.staging(), Fee: func(pages, copies int, _ time.Time) int64 { return int64(2000 * pages * copies) },
	})
	d.must(err)
	return d
}

func (d *desktop) must(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// browser is one signed-in browser, without scripts.
type browser struct {
	*desktop
	cookie *http.Cookie
}

// answer is what a browser got.
type answer struct {
	*httptest.ResponseRecorder
	t    *testing.T
	path string
}

func (b *browser) send(r *http.Request) answer {
	b.t.Helper()
	r.RemoteAddr = "192.0.2.7:1234"
	if b.cookie != nil {
		r.AddCookie(b.cookie)
	}
	w := httptest.NewRecorder()
	b.site.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		if c.Name == "saoy" {
			b.cookie = c
		}
	}
	return answer{w, b.t, r.URL.Path}
}

func (b *browser) get(path string) answer {
	b.t.Helper()
	return b.send(httptest.NewRequest("GET", path, nil))
}

func (b *browser) post(path string, fields ...string) answer {
	b.t.Helper()
	f := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		f.Add(fields[i], fields[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(f.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

// upload sends files by their names; a file's bytes are its name.
func (b *browser) upload(path string, revision string, names ...string) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	b.must(m.WriteField("revision", revision))
	for _, n := range names {
		w, err := m.CreateFormFile("files", n)
		b.must(err)
		_, err = w.Write([]byte(n))
		b.must(err)
	}
	b.must(m.Close())
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	return b.send(r)
}

func (a answer) want(status int, texts ...string) answer {
	a.t.Helper()
	if a.Code != status {
		a.t.Fatalf("%s: status %d, want %d:\n%s", a.path, a.Code, status, a.Body)
	}
	body := html.UnescapeString(a.Body.String())
	for _, text := range texts {
		if !strings.Contains(body, text) {
			a.t.Errorf("%s: no %q in\n%s", a.path, text, body)
		}
	}
	return a
}

func (a answer) never(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(html.UnescapeString(a.Body.String()), text) {
			a.t.Errorf("%s: %q must not be there:\n%s", a.path, text, a.Body)
		}
	}
	return a
}

// to returns where the answer leads.
func (a answer) to() string {
	a.t.Helper()
	a.want(http.StatusSeeOther)
	path, _, _ := strings.Cut(a.Header().Get("Location"), "?")
	return path
}

// value returns the value of a form's field.
func (a answer) value(name string) string {
	a.t.Helper()
	m := regexp.MustCompile(`name="` + regexp.QuoteMeta(name) + `" value="([^"]*)"`).FindStringSubmatch(a.Body.String())
	if m == nil {
		a.t.Fatalf("%s: no field %q in\n%s", a.path, name, a.Body)
	}
	return html.UnescapeString(m[1])
}

func (d *desktop) signIn(login string) *browser {
	d.t.Helper()
	b := &browser{desktop: d}
	b.post("/office/login", "login", login, "password", password).want(http.StatusSeeOther)
	return b
}

// received makes a request with one original and returns the address of its copy.
func (b *browser) received(title string) string {
	b.t.Helper()
	form := b.get("/office/requests/new").want(200)
	request := b.post("/office/requests/new", "key", form.value("key"), "originals", "1", "act", "save", "name", "Phạm Thị Hường",
		"type_0", "bang-dai-hoc", "title_0", title, "issuing_body_0", "Đại học Quy Nhơn", "pages_0", "1", "copies_0", "2").to()
	return regexp.MustCompile(`/office/copies/[0-9a-f-]{36}`).FindString(b.get(request).want(200, title).Body.String())
}

func (b *browser) submitted(title string) string {
	b.t.Helper()
	at := b.received(title)
	b.upload(at+"/scans", b.get(at).value("revision"), "trang 1.jpg").want(http.StatusSeeOther)
	b.post(at+"/submit", "revision", b.get(at).value("revision"), "checked", "yes").want(http.StatusSeeOther)
	return at
}

func id(at string) certcopy.CopyID { return certcopy.CopyID(at[strings.LastIndex(at, "/")+1:]) }

// walk lets the jobs run until the copy is in the state.
func (d *desktop) walk(at string, to certcopy.State) {
	d.t.Helper()
	for {
		c, err := d.store.Copy(d.t.Context(), id(at))
		d.must(err)
		if c.State == to {
			return
		}
		d.must(d.desk.Step(d.t.Context(), c, to))
	}
}

// certify confirms one copy as the certifier.
func (d *desktop) certify(at string) {
	d.t.Helper()
	chairman := d.signIn("chutich")
	chairman.post("/office/certify", "copy", chairman.get(at+"/review").value("copy"), "password", password).want(http.StatusSeeOther)
}
