package office

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/storagetest"
)

func TestWhoMayDoWhat(t *testing.T) {
	d := open(t)
	clerk := d.signIn("canbo")
	at := clerk.submitted("Bằng")
	request := regexp.MustCompile(`/office/requests/[0-9a-f-]{36}`).FindString(clerk.get(at).Body.String())
	people := map[certcopy.Role]*browser{certcopy.Clerk: clerk, certcopy.Certifier: d.signIn("chutich"), certcopy.SealKeeper: d.signIn("vanthu"),
		certcopy.Admin: d.signIn("quantri"), certcopy.Auditor: d.signIn("kiemtra")}
	stranger, neighbour := &browser{desktop: d}, d.signIn("xatay")
	fill := strings.NewReplacer("{copy}", string(id(at)), "{request}", request[strings.LastIndex(request, "/")+1:], "{account}", string(d.desk.Clerk), "{page}", "1",
		"{link}", "1", "{authorisation}", "1", "{upload}", storagetest.UUID(),
		"{picture}", string(d.desk.Certifier))
	for _, line := range d.site.routes() {
		path := Prefix + fill.Replace(line.pattern)
		if line.roles == nil {
			continue
		}
		ask := func(b *browser) answer {
			r := httptest.NewRequest(line.method, path, nil)
			r.Header.Set("Tus-Resumable", tusVersion)
			if line.method == "POST" {
				r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			}
			return b.send(r)
		}
		if a := ask(stranger); line.method == "GET" && !strings.HasPrefix(a.Header().Get("Location"), "/office/login?next=") || line.method != "GET" && a.Code != 403 {
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
