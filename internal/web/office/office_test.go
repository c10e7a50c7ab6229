package office

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"fmt"
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

	"github.com/go-chi/chi/v5"

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
		Flow: d.flow, Ledger: d.store, Desk: d.store, Base: base, Fee: func(pages, copies int, _ time.Time) int64 { return int64(2000 * pages * copies) },
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

func TestTheWholeWayWithoutScripts(t *testing.T) {
	d := open(t)
	clerk, chairman, keeper := d.signIn("canbo"), d.signIn("chutich"), d.signIn("vanthu")
	at := clerk.received("Bằng kỹ sư số 123/2019")
	page := clerk.get(at).want(200, "Bản quét", "4.000 đ").never("Trình người ký")
	clerk.upload(at+"/scans", page.value("revision"), "trang 2.jpg", `C:\quét\đơn.docx`, "trang 1.jpg").want(http.StatusSeeOther)
	page = clerk.get(at).want(200, "trang 1.jpg", "đơn.docx", "Không phải ảnh hay PDF.", "Bản quét có 2 trang nhưng bản chính khai 1 trang").never(`C:\`)
	second := regexp.MustCompile(`value="up ([0-9a-f-]{36})"`).FindAllStringSubmatch(page.Body.String(), -1)[1][1]
	clerk.post(at+"/order", "revision", page.value("revision"), "act", "up "+second).want(http.StatusSeeOther)
	scans, err := d.store.Scans(t.Context(), id(at))
	d.must(err)
	if scans[0].FileName != "trang 1.jpg" {
		t.Errorf("first file is %q", scans[0].FileName)
	}
	page = clerk.get(at)
	clerk.post(at+"/submit", "revision", page.value("revision")).want(422, "Chưa đánh dấu đã đối chiếu", "Not ticked")
	clerk.get(at + "/pages/1?w=200").want(200)
	clerk.post(at+"/submit", "revision", page.value("revision"), "checked", "yes").want(http.StatusSeeOther)
	clerk.get(at).want(200, "Tiến trình", "Chờ ký chứng thực", `http-equiv="refresh"`).never("đơn.docx")

	queue := chairman.get("/office/certify").want(200, "Bằng kỹ sư số 123/2019")
	chairman.get(at+"/review").want(200, "Chứng thực bản này", "Trả lại để sửa", "pages/2?w=1600")
	confirm := chairman.post("/office/certify/confirm", "copy", queue.value("copy")).want(200, "Ông/bà chứng thực 1 bản sao", "Phạm Thị Hường")
	chairman.post("/office/certify", "copy", confirm.value("copy"), "password", "sai mật khẩu rồi").want(422, "không đúng")
	chairman.post("/office/certify", "copy", confirm.value("copy"), "password", password).want(http.StatusSeeOther)
	chairman.get("/office/certify?done=certified").want(200, "Đã xác nhận chứng thực", "Không có bản sao nào đang chờ")
	d.walk(at, certcopy.Signed)
	clerk.get(at).want(200, "Chờ đóng dấu")
	queue = keeper.get("/office/seal").want(200, "Bằng kỹ sư", "1/"+fmt.Sprint(d.now.In(certcopy.Vietnam).Year()), "Nguyễn Văn An")
	keeper.post("/office/seal", "copy", keeper.post("/office/seal/confirm", "copy", queue.value("copy")).value("copy"), "password", password).want(http.StatusSeeOther)
	d.walk(at, certcopy.Released)

	page = clerk.get(at).want(200, "Trả kết quả", "Tải bản sao (PDF)", "Tạo đường dẫn chia sẻ", "http://127.0.0.1:8080/v/")
	pdf := clerk.get(at+"/pdf").want(200, finalPDF)
	if d := pdf.Header().Get("Content-Disposition"); !strings.HasPrefix(d, `attachment; filename="chung-thuc-1-`) {
		t.Errorf("disposition %q", d)
	}
	clerk.get(at+"/qr.svg").want(200, "<svg", "<path")
	clerk.get(at+"/slip").want(200, "Phiếu trả", "Số chứng thực", "Bằng kỹ sư số 123/2019").never("/s/")
	clerk.get("/office/").want(200, "Chờ trả kết quả", "Bằng kỹ sư số 123/2019")
	clerk.get("/office/search?q=pham+thi+huong").want(200, "Bằng kỹ sư số 123/2019")
	clerk.get("/office/search?q=1").want(200, "Bằng kỹ sư số 123/2019")
}

func TestSharingLinkIsShownOnceAndRevoked(t *testing.T) {
	d := open(t)
	clerk := d.signIn("canbo")
	at := clerk.submitted("Bằng")
	clerk.post(at+"/links").want(409, "chưa phát hành")
	d.certify(at)
	d.walk(at, certcopy.Released)
	page := clerk.post(at+"/links").want(201, "chỉ hiện một lần", "/s/")
	token, err := link.ParseToken(regexp.MustCompile(`/s/([A-Za-z0-9_-]+)`).FindStringSubmatch(page.Body.String())[1])
	d.must(err)
	l, err := d.store.OpenLink(t.Context(), token.Hash(), "192.0.2.0/24", d.now.Add(time.Hour), true)
	d.must(err)
	if l.Copy != id(at) || !l.Opens(d.now.AddDate(0, 0, 29)) || l.Opens(d.now.AddDate(0, 0, 30)) {
		t.Errorf("link is %+v", l)
	}
	shown := clerk.get(at).want(200, "Lượt mở", ">1<").never(token.Reveal())
	revoke := regexp.MustCompile(`/office/copies/[^"]*/revoke`).FindString(shown.Body.String())
	if to := clerk.post(revoke).to(); to != at {
		t.Errorf("leads to %s", to)
	}
	clerk.get(at).want(200, "Đã thu hồi")
	if l, _ = d.store.OpenLink(t.Context(), token.Hash(), "", d.now, false); l.Opens(d.now) {
		t.Error("the link still opens")
	}
	if strings.Contains(d.log.String(), token.Reveal()) || strings.Contains(d.log.String(), password) {
		t.Error("a secret is in the log")
	}
}

// certify confirms one copy as the certifier.
func (d *desktop) certify(at string) {
	d.t.Helper()
	chairman := d.signIn("chutich")
	chairman.post("/office/certify", "copy", chairman.get(at+"/review").value("copy"), "password", password).want(http.StatusSeeOther)
}

func TestSecondClicksChangeNothing(t *testing.T) {
	d := open(t)
	clerk, chairman := d.signIn("canbo"), d.signIn("chutich")
	form := clerk.get("/office/requests/new")
	fields := []string{"key", form.value("key"), "originals", "1", "act", "save", "name", "A", "type_0", "khac", "title_0", "Đơn", "pages_0", "1", "copies_0", "1"}
	first, second := clerk.post("/office/requests/new", fields...).to(), clerk.post("/office/requests/new", fields...).to()
	if first != second {
		t.Errorf("two requests: %s and %s", first, second)
	}
	fields[7] = "Người Khác" // the old form, filled in for somebody else
	again := clerk.post("/office/requests/new", fields...).want(422, "đã được dùng cho một yêu cầu trước", "Người Khác")
	fields[1] = again.value("key")
	if other := clerk.post("/office/requests/new", fields...).to(); other == first {
		t.Error("the second requester was taken for the first")
	}
	add := []string{"seen", "1", "type", "khac", "title", "Giấy thứ hai", "pages", "1", "copies", "1"}
	clerk.post(first+"/originals", add...).want(http.StatusSeeOther)
	clerk.post(first+"/originals", add...).want(409, "Nội dung đã thay đổi", "Giấy thứ hai")

	at := clerk.submitted("Bằng")
	revision := "2"
	clerk.post(at+"/submit", "revision", revision, "checked", "yes").want(http.StatusSeeOther)
	tick := chairman.get("/office/certify").value("copy")
	for range 2 {
		chairman.post("/office/certify", "copy", tick, "password", password).want(http.StatusSeeOther)
	}
	chairman.post("/office/certify/confirm", "copy", tick).want(409, "Nội dung đã thay đổi")
	d.walk(at, certcopy.Numbered)
	for range 2 {
		chairman.post(at+"/void", "reason", "rescan", "password", password).want(http.StatusSeeOther)
	}
	chairman.get(at).want(200, "Đã hủy số")
}

func TestTwoBrowsersOnOneDraft(t *testing.T) {
	d := open(t)
	one, two := d.signIn("canbo"), d.signIn("canbo")
	at := one.received("Giấy phép")
	seen := one.get(at).value("revision")
	two.upload(at+"/scans", seen, "a.jpg").want(http.StatusSeeOther)
	one.upload(at+"/scans", seen, "b.jpg").want(409, "Nội dung đã thay đổi", "Xem nội dung mới nhất")
	one.post(at+"/facts", "revision", seen, "type", "giay-phep", "title", "Giấy phép xây dựng số 7", "pages", "2", "copies", "1").
		want(409, "Giấy phép xây dựng số 7", "chưa ghi")
	one.post(at+"/submit", "revision", seen, "checked", "yes").want(409)
	scans, err := d.store.Scans(t.Context(), id(at))
	d.must(err)
	if len(scans) != 1 || scans[0].FileName != "a.jpg" {
		t.Errorf("scans are %+v", scans)
	}
}

func TestConfirmationOfWhatWasNotShown(t *testing.T) {
	d := open(t)
	clerk, chairman := d.signIn("canbo"), d.signIn("chutich")
	at := clerk.submitted("Bằng")
	tick := chairman.get("/office/certify").value("copy")
	// It is sent back, changed, and submitted again while the chairman looks at the old page.
	chairman.post(at+"/return", "from", "submitted", "reason", "wrong-facts").want(http.StatusSeeOther)
	page := clerk.get(at).want(200, "Bị trả lại: Thông tin nhập sai")
	clerk.post(at+"/facts", "revision", page.value("revision"), "type", "bang-dai-hoc", "title", "Bằng khác", "pages", "1", "copies", "1").want(http.StatusSeeOther)
	clerk.post(at+"/submit", "revision", clerk.get(at).value("revision"), "checked", "yes").want(http.StatusSeeOther)
	chairman.post("/office/certify/confirm", "copy", tick).want(409)
	chairman.post("/office/certify", "copy", tick, "password", password).want(409)
	c, err := d.store.Copy(t.Context(), id(at))
	d.must(err)
	if !c.CertifiedAt.IsZero() {
		t.Error("what was not shown was certified")
	}
	chairman.post("/office/certify/confirm").want(422, "Hãy đánh dấu")
	chairman.post("/office/certify/confirm", "copy", "x", "copy", string(id(at))+" zz").want(422)
}

func TestWhoMayDoWhat(t *testing.T) {
	d := open(t)
	clerk := d.signIn("canbo")
	at := clerk.submitted("Bằng")
	request := regexp.MustCompile(`/office/requests/[0-9a-f-]{36}`).FindString(clerk.get(at).Body.String())
	people := map[certcopy.Role]*browser{certcopy.Clerk: clerk, certcopy.Certifier: d.signIn("chutich"), certcopy.SealKeeper: d.signIn("vanthu"),
		certcopy.Admin: d.signIn("quantri"), certcopy.Auditor: d.signIn("kiemtra")}
	stranger, neighbour := &browser{desktop: d}, d.signIn("xatay")
	fill := strings.NewReplacer("{copy}", string(id(at)), "{request}", request[strings.LastIndex(request, "/")+1:], "{account}", string(d.desk.Clerk), "{page}", "1",
		"{link}", "1", "{authorisation}", "1")
	for _, line := range d.site.routes() {
		path := Prefix + fill.Replace(line.pattern)
		if line.roles == nil {
			continue
		}
		ask := func(b *browser) answer {
			r := httptest.NewRequest(line.method, path, nil)
			if line.method == "POST" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return b.send(r)
		}
		if a := ask(stranger); line.method == "GET" && !strings.HasPrefix(a.Header().Get("Location"), "/office/login?next=") || line.method == "POST" && a.Code != 403 {
			t.Errorf("%s %s: a stranger gets %d", line.method, path, a.Code)
		}
		for role, b := range people {
			allowed := false
			for _, r := range line.roles {
				allowed = allowed || r == role
			}
			if refused := ask(b).Code == 403; refused == allowed {
				t.Errorf("%s %s: %s is refused: %v", line.method, path, role, refused)
			}
		}
		if strings.Contains(line.pattern, "{") && !strings.Contains(line.pattern, "revoke") {
			if a := ask(neighbour); a.Code != 404 {
				t.Errorf("%s %s: another agency gets %d", line.method, path, a.Code)
			}
		}
	}
}

func TestSignIn(t *testing.T) {
	d := open(t)
	b := &browser{desktop: d}
	if to := b.get("/office/certify").Header().Get("Location"); to != "/office/login?next=%2Foffice%2Fcertify" {
		t.Errorf("leads to %s", to)
	}
	for range 5 {
		b.post("/office/login", "login", "canbo", "password", "wrong").want(422, "không đúng")
	}
	b.post("/office/login", "login", "canbo", "password", password).want(422, "Hãy đợi 30 giây")
	d.now = d.now.Add(31 * time.Second)
	if to := b.post("/office/login", "login", " CanBo ", "password", password, "next", "/office/certify?from=x").to(); to != "/office/certify" {
		t.Errorf("leads to %s", to)
	}
	if c := b.cookie; !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.MaxAge != 0 {
		t.Errorf("cookie is %+v", c)
	}
	stolen := &browser{desktop: d, cookie: b.cookie}
	stolen.get("/office/").want(200)
	b.post("/office/logout").want(http.StatusSeeOther)
	stolen.get("/office/").want(http.StatusSeeOther)
	for _, nobody := range []string{"khongco", "", "canbo' or 1=1"} {
		b.post("/office/login", "login", nobody, "password", password).want(422, "không đúng")
	}
	for asked, want := range map[string]string{"https://evil.example/office/": "/office/", "//evil.example/office/": "/office/", "/v/x": "/office/", `/office/\evil`: "/office/",
		"/office/login": "/office/", "": "/office/", "/office/seal": "/office/seal", "/office/search?q=a%20b": "/office/search?q=a%20b"} {
		if got := nextPath(asked); got != want {
			t.Errorf("%q leads to %q, want %q", asked, got, want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	d.now = d.now.Add(account.SessionIdle)
	b.post("/office/requests/new", "name", "A").want(403, "nội dung đã nhập chưa mất")
	b = d.signIn("canbo")
	other := d.signIn("canbo")
	b.post("/office/password", "password", password, "new", "ngắn", "again", "ngắn").want(422, "ít nhất 10 ký tự")
	b.post("/office/password", "password", "sai", "new", "một câu mới dài", "again", "một câu mới dài").want(422, "không đúng")
	b.post("/office/password", "password", password, "new", "một câu mới dài", "again", "một câu khác dài").want(422, "không giống nhau")
	b.post("/office/password", "password", password, "new", "một câu mới dài", "again", "một câu mới dài").want(http.StatusSeeOther)
	b.get("/office/").want(200)
	other.get("/office/").want(http.StatusSeeOther)
}

func TestSecureCookie(t *testing.T) {
	d := open(t)
	o := *d.site
	o.secure = true
	w := httptest.NewRecorder()
	o.setCookie(w, "v", 0)
	if c := w.Result().Cookies()[0]; c.Name != "__Host-saoy" || !c.Secure || c.Path != "/" || c.Domain != "" {
		t.Errorf("cookie is %+v", c)
	}
}

func TestFormsKeepWhatWasTyped(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	fields := []string{"key", "k", "originals", "2", "name", "", "phone", "0901", "type_0", "khac", "title_0", "Đơn <b>", "pages_0", "3", "copies_0", "1",
		"type_1", "can-cuoc", "title_1", "Căn cước", "pages_1", "2", "copies_1", "1"}
	page := b.post("/office/requests/new", append(fields, "act", "add")...).want(200, "Bản chính 3", "Đơn <b>", "0901").never()
	if strings.Contains(page.Body.String(), "Đơn <b>") {
		t.Error("what was typed is not escaped")
	}
	b.post("/office/requests/new", append(fields, "act", "remove")...).want(200, "Bản chính 1").never("Bản chính 2")
	b.post("/office/requests/new", append(fields, "act", "save")...).want(422, "Thiếu họ tên.", "The name is missing.", `value="0901"`, `aria-invalid="true"`, "Bản chính 2")
	fields[5+0] = "Phạm Thị Hường"
	for i := range fields {
		if fields[i] == "name" {
			fields[i+1] = "Phạm Thị Hường"
		}
	}
	request := b.post("/office/requests/new", append(fields, "act", "save")...).to()
	b.get(request).want(200, "Căn cước: hãy xem trong VNeID trước", "Tổng phí", "10.000 đ", "Hạn trả kết quả")
}

func TestLowResolutionAsksForAReason(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Bằng cũ")
	b.upload(at+"/scans", b.get(at).value("revision"), "ảnh mờ.jpg").want(http.StatusSeeOther)
	page := b.get(at).want(200, "dưới 200 dpi", "150 dpi")
	b.post(at+"/submit", "revision", page.value("revision"), "checked", "yes").want(422, "Thiếu lý do")
	b.post(at+"/submit", "revision", page.value("revision"), "checked", "yes", "low_resolution_reason", "Bản chính in mờ").want(http.StatusSeeOther)
	d.signIn("chutich").get(at+"/review").want(200, "Có trang dưới 200 dpi", "Bản chính in mờ")
}

func TestRefusalsNeedACode(t *testing.T) {
	d := open(t)
	clerk, chairman := d.signIn("canbo"), d.signIn("chutich")
	at := clerk.submitted("Bằng")
	chairman.post(at+"/refuse", "from", "submitted", "reason", "because", "text", "x").want(422, "Thiếu lý do")
	chairman.post(at+"/refuse", "from", "submitted", "reason", "altered", "text", "Ngày cấp bị tẩy").want(http.StatusSeeOther)
	clerk.get(at).want(200, "Bị từ chối", "Bản chính bị tẩy xóa", "Ngày cấp bị tẩy").never("Trình người ký chứng thực</button>")
	chairman.post(at+"/return", "from", "submitted", "reason", "other").want(409)
}

func TestAnnulling(t *testing.T) {
	d := open(t)
	at := d.signIn("canbo").submitted("Bằng")
	chairman := d.signIn("chutich")
	chairman.get(at+"/annul").want(200, "Chỉ hủy bỏ được giá trị của bản sao đã phát hành")
	d.certify(at)
	d.walk(at, certcopy.Released)
	today := d.now.In(certcopy.Vietnam).Format(time.DateOnly)
	chairman.post(at+"/annul", "number", "07/QĐ-UBND", "date", today, "text", "Bản chính giả", "password", "x").want(422, "không đúng", `value="07/QĐ-UBND"`)
	chairman.post(at+"/annul", "number", "07/QĐ-UBND", "date", "hôm qua", "text", "Bản chính giả", "password", password).want(422)
	chairman.post(at+"/annul", "number", "07/QĐ-UBND", "date", today, "text", "Bản chính giả", "password", password).want(http.StatusSeeOther)
	chairman.get(at).want(200, "Đã hủy giá trị pháp lý theo Quyết định số 07/QĐ-UBND", "Bản chính giả").never("Tải bản sao")
	d.signIn("canbo").get(at + "/pdf").want(409)
}

func TestAccounts(t *testing.T) {
	d := open(t)
	admin := d.signIn("quantri")
	fields := []string{"login", "pct", "name", "Hồ Phó Chủ Tịch", "role", "certifier", "new", "một câu dài dòng", "password", password}
	admin.post("/office/accounts", fields...).want(422, "phải có chức danh", `value="pct"`)
	admin.post("/office/accounts", append(fields, "title", "KT. CHỦ TỊCH")...).want(http.StatusSeeOther)
	admin.post("/office/accounts", append(fields, "title", "KT. CHỦ TỊCH")...).want(422, "đã có người dùng")
	page := admin.get("/office/accounts").want(200, "Hồ Phó Chủ Tịch", "Người ký chứng thực").never("argon2", "Người Xã Tây")
	path := regexp.MustCompile(`/office/accounts/[0-9a-f-]{36}">Hồ`).FindString(page.Body.String())
	path = strings.TrimSuffix(path, `">Hồ`)
	admin.post(path+"/authorisations", "scope", "certify", "number", "12/QĐ", "from", "2026-02-01", "to", "2026-01-01", "password", password).want(422, "không trước ngày bắt đầu")
	admin.post(path+"/authorisations", "scope", "certify", "number", "12/QĐ", "from", "2026-01-01", "password", password).want(http.StatusSeeOther)
	page = admin.get(path).want(200, "12/QĐ", "01/01/2026 – …")
	admin.post(regexp.MustCompile(path+`/authorisations/\d+/revoke`).FindString(page.Body.String()), "password", password).want(http.StatusSeeOther)
	admin.get(path).want(200, "Đã thu hồi")
	admin.post(path+"/password", "new", "câu khác cũng dài", "again", "câu khác cũng dài", "password", "đoán bừa").want(422, "không đúng")
	admin.post(path+"/password", "new", "câu khác cũng dài", "again", "câu khác cũng dài", "password", password).want(http.StatusSeeOther)
	b := &browser{desktop: d}
	b.post("/office/login", "login", "pct", "password", "câu khác cũng dài").want(http.StatusSeeOther)
	admin.post(path, "name", "Hồ Phó Chủ Tịch", "title", "PCT", "role", "certifier", "disabled", "yes", "password", password).want(http.StatusSeeOther)
	b.get("/office/").want(http.StatusSeeOther)
	b.post("/office/login", "login", "pct", "password", "câu khác cũng dài").want(422, "không đúng")

	a, err := d.store.AccountByLogin(t.Context(), "quantri")
	d.must(err)
	admin.post("/office/accounts/"+string(a.ID), "name", "X", "role", "admin", "disabled", "yes", "password", password).want(422, "chính mình")
	admin.post("/office/accounts/"+string(a.ID), "name", "X", "role", "clerk", "password", password).want(422, "chính mình")
}

func TestStateForScripts(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.submitted("Bằng")
	var s struct {
		State     certcopy.State
		Confirmed bool
	}
	d.must(json.Unmarshal(b.get(at+"/state").want(200).Body.Bytes(), &s))
	if s.State != certcopy.Submitted || s.Confirmed {
		t.Errorf("state is %+v", s)
	}
}

func TestBadAddresses(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.submitted("Bằng")
	for _, path := range []string{"/office/copies/x", "/office/copies/" + storagetest.UUID(), "/office/requests/1", at + "/pages/0?w=200", at + "/pages/2?w=200",
		at + "/pages/1?w=99999", at + "/pages/1", at + "/pages/x?w=200", "/office/nothing", "/office/copies/%00"} {
		b.get(path).want(404, "Không tìm thấy")
	}
	b.get("/office/?mine=garbage").want(200)
	b.get("/office").want(http.StatusMovedPermanently)
	if b.get(at + "/pages/1?w=99999"); d.flow.images != 0 {
		t.Errorf("%d pages were drawn for nothing", d.flow.images)
	}
}

func TestMounted(t *testing.T) {
	d := open(t)
	root := chi.NewRouter()
	root.Mount(Prefix, d.site)
	for path, want := range map[string]int{"/office/login": 200, "/office": 301, "/office/": 303, "/office/copies/x/pages/1": 303, "/office/x/y": 404} {
		w := httptest.NewRecorder()
		root.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s: %d, want %d", path, w.Code, want)
		}
	}
}

func FuzzNextPath(f *testing.F) {
	for _, s := range []string{"/office/seal", "//evil.example/office/", "/office/../v/x", "http://evil.example/office/", "/office/%2f%2fevil", "/office/\t//x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, asked string) {
		got := nextPath(asked)
		u, err := url.Parse(got)
		if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(got, "/office/") || strings.ContainsAny(got, "\\\r\n") {
			t.Errorf("%q leads to %q", asked, got)
		}
	})
}

func TestFileNames(t *testing.T) {
	for sent, want := range map[string]string{`C:\a\b.jpg`: "b.jpg", "../../etc/passwd": "passwd", "a\x00\nb.pdf": "ab.pdf", "\u202egpj.exe": "gpj.exe",
		"đơn xin.pdf": "đơn xin.pdf", "\xff.png": "?.png", strings.Repeat("a", 300): strings.Repeat("a", 150)} {
		if got := fileName(sent); got != want {
			t.Errorf("%q: %q, want %q", sent, got, want)
		}
	}
}

func TestPagesAreSmallAndKeepThePolicy(t *testing.T) {
	d := open(t)
	clerk, chairman, admin := d.signIn("canbo"), d.signIn("chutich"), d.signIn("quantri")
	for i := range 26 {
		clerk.submitted(fmt.Sprint("Bằng ", i))
	}
	at := clerk.submitted("Bằng tốt nghiệp")
	for path, b := range map[string]*browser{"/office/": clerk, "/office/requests/new": clerk, at: clerk, "/office/certify": chairman, at + "/review": chairman,
		"/office/accounts": admin, "/office/login": {desktop: d}} {
		r := httptest.NewRequest("GET", path, nil)
		r.Header.Set("Accept-Encoding", "gzip")
		if n := b.send(r).want(200).Body.Len(); n > 15_000 {
			t.Errorf("%s costs %d bytes on the line, want at most 15000", path, n)
		}
		page := b.get(path).want(200, "không có giá trị pháp lý")
		page.never("<style", `style="`, "onclick", "<script>", "https://")
		english := b.get(path + "?lang=en")
		english.want(200, "have no legal value")
	}
	chairman.get("/office/certify").want(200, "Xem tiếp")
}

// TestTextsAreUsedAndThere compares the keys in templates and code with the catalogue.
func TestTextsAreUsedAndThere(t *testing.T) {
	var texts map[string]string
	b, err := files.ReadFile("text/vi.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &texts); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	entries, err := files.ReadDir("pages")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		page, err := files.ReadFile("pages/" + e.Name())
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\bt "([^"]+)"`).FindAllSubmatch(page, -1) {
			used[string(m[1])] = true
		}
	}
	for _, k := range keptFields {
		used[k.key] = true
	}
	for _, p := range progress {
		used[p.key] = true
	}
	for key := range doneKeys {
		used["done."+key] = true
	}
	for _, list := range [][]string{refuseReasons, returnReasons, voidReasons, {"requester"}} {
		for _, r := range list {
			used["reason."+r] = true
		}
	}
	for _, r := range account.Roles {
		used["role."+string(r)] = true
	}
	for _, s := range append(stateOrder, certcopy.Returned, certcopy.Refused, certcopy.Withdrawn, certcopy.Void, certcopy.Annulled) {
		used["state."+string(s)] = true
	}
	for _, scope := range []string{"certify", "seal"} {
		for _, key := range []string{"queue." + scope, "queue." + scope + ".go", "confirm." + scope, "confirm." + scope + ".text", "confirm." + scope + ".go", "scope." + scope} {
			used[key] = true
		}
	}
	for key := range used {
		if _, ok := texts[key]; !ok && !strings.HasPrefix(key, "error.") {
			t.Errorf("text %q is not in the catalogue", key)
		}
	}
	for key := range texts {
		if !used[key] {
			t.Errorf("text %q is not used", key)
		}
	}
}
