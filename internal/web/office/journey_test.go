package office

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

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

	clerk.get(at).want(200, "Trả kết quả", "Tải bản sao (PDF)", "Tạo đường dẫn chia sẻ", "http://127.0.0.1:8080/v/")
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
