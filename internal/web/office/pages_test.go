package office

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/storagetest"
)

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
	if b.get(at + "/pages/1?w=99999"); d.flow.images.Load() != 0 {
		t.Errorf("%d pages were drawn for nothing", d.flow.images.Load())
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
	for _, k := range auditKinds {
		used["audit.kind."+string(k)] = true
	}
	for _, p := range []storage.AuditPhase{storage.AuditBefore, storage.AuditRefused, storage.AuditFailed} {
		used["audit.phase."+string(p)] = true
	}
	for _, s := range new(framePage).Sides() {
		used["frame."+s.Name] = true
	}
	for _, v := range variants {
		used["variants."+v.Name] = true
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
