package office

import (
	"net/http"
	"slices"
	"testing"
)

func (d *desktop) files(at string) (names []string) {
	d.t.Helper()
	scans, err := d.store.Scans(d.t.Context(), id(at))
	d.must(err)
	for _, s := range scans {
		names = append(names, s.FileName)
	}
	return names
}

func TestPagesAreArrangedWithoutScripts(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "b.jpg", "c.jpg").want(http.StatusSeeOther)
	for _, step := range []struct {
		field, value string
		want         []string
	}{
		{"act", "earlier 2", []string{"b.jpg", "a.jpg", "c.jpg"}},
		{"act", "later 3", []string{"b.jpg", "a.jpg", "c.jpg"}},
		{"order", "3,1,2", []string{"c.jpg", "b.jpg", "a.jpg"}},
		{"act", "right 1", []string{"c.jpg (1)", "b.jpg", "a.jpg"}},
		{"act", "remove 2", []string{"c.jpg (1)", "a.jpg"}},
		{"act", "left 2", []string{"c.jpg (1)", "a.jpg (3)"}},
	} {
		page := b.get(at)
		b.post(at+"/pages", "revision", page.value("revision"), step.field, step.value).want(http.StatusSeeOther)
		if got := d.files(at); !slices.Equal(got, step.want) {
			t.Errorf("%s %s: %v, want %v", step.field, step.value, got, step.want)
		}
	}
	revision := b.get(at).value("revision")
	for _, bad := range []string{"right 3", "right 0", "right", "spin 1", ""} {
		b.post(at+"/pages", "revision", revision, "act", bad).want(409)
	}
	b.post(at+"/pages", "revision", revision, "order", "1,9").want(409)
	b.post(at+"/pages", "revision", revision, "order", "1;2").want(409)
	b.post(at+"/pages", "revision", "1", "act", "right 1").want(409)
	d.signIn("chutich").post(at+"/pages", "revision", revision, "act", "right 1").want(403)
}

func TestPageIsReplaced(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "b.jpg").want(http.StatusSeeOther)
	b.upload(at+"/pages/1/replace", b.get(at).value("revision"), "rõ hơn.jpg").want(http.StatusSeeOther)
	if got := d.files(at); !slices.Equal(got, []string{"rõ hơn.jpg", "b.jpg"}) {
		t.Errorf("files are %v", got)
	}
	b.upload(at+"/pages/1/replace", b.get(at).value("revision"), "đơn.docx").want(http.StatusSeeOther)
	b.get(at).want(200, "đơn.docx", "Không phải ảnh hay PDF.", "rõ hơn.jpg")
	b.upload(at+"/pages/1/replace", b.get(at).value("revision")).want(422, "Chưa chọn tệp")
	b.upload(at+"/pages/x/replace", b.get(at).value("revision"), "a.jpg").want(404)
}

// The clerk sees what to look at beside the page, and so does the certifier.
func TestWarningsAreShownBesideThePage(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "a.jpg", "mờ.jpg").want(http.StatusSeeOther)
	page := b.get(at).want(200, "Trang giống trang 1", `<b class="lowdpi">150 dpi</b>`)
	b.post(at+"/submit", "revision", page.value("revision"), "checked", "yes", "low_resolution_reason", "Bản chính in mờ").want(http.StatusSeeOther)
	chairman := d.signIn("chutich")
	review := chairman.get(at+"/review").want(200, "Trang giống trang 1", `<b class="lowdpi">150 dpi</b>`, "Bản chính in mờ")
	chairman.post("/office/certify/confirm", "copy", review.value("copy")).want(200, "Có trang dưới 200 dpi; lý do: Bản chính in mờ")
}

func TestSizeIsShownAndReduced(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "b.jpg").want(http.StatusSeeOther)
	page := b.get(at).want(200, "Bản sao ký xong khoảng 15,2 MB", "Giảm xuống dưới 5,0 MB", "Giảm xuống dưới 10,0 MB").never("Giảm xuống dưới 20,0 MB", "Lấy lại trang")
	b.post(at+"/fit", "revision", page.value("revision"), "budget", "5242880").want(422, "Không thể giảm.")
	b.post(at+"/fit", "revision", page.value("revision"), "budget", "7").want(409)
	b.post(at+"/fit", "revision", page.value("revision"), "budget", "10485760").want(http.StatusSeeOther)
	page = b.get(at).want(200, "Lấy lại trang như đã tải lên")
	b.post(at+"/fit", "revision", page.value("revision"), "budget", "uploads").want(http.StatusSeeOther)
	if got := d.files(at); !slices.Equal(got, []string{"a.jpg", "b.jpg"}) {
		t.Errorf("brought back: %v", got)
	}
}

func TestColourIsChosenByLooking(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "b.jpg").want(http.StatusSeeOther)
	page := b.get(at+"/pages/2/form").want(200, "Màu và dung lượng của trang 2", "Xám · 4,9 kB", "Đen trắng", "form.jpg?form=bilevel", "Đang dùng")
	b.get(at + "/pages/2/form.jpg?form=grey").want(200)
	b.get(at + "/pages/2/form.jpg?form=sepia").want(404)
	b.get(at + "/pages/3/form").want(404)
	b.post(at+"/pages/2/form", "revision", page.value("revision"), "form", "sepia").want(409)
	b.post(at+"/pages/2/form", "revision", page.value("revision"), "form", "grey").want(http.StatusSeeOther)
	if got := d.files(at); !slices.Equal(got, []string{"a.jpg", "b.jpg → grey 85"}) {
		t.Errorf("files are %v", got)
	}
	d.signIn("chutich").get(at + "/pages/2/form").want(403)
}

// What is suggested is looked at first, typed otherwise, taken, and taken back.
func TestPageIsStraightenedByLooking(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "thẳng.jpg", "nghiêng.jpg").want(http.StatusSeeOther)
	b.get(at).want(200, at+"/pages/2/frame")
	page := b.get(at+"/pages/2/frame").want(200, "Đề xuất", `name="tilt" value="-1,8"`, `name="left" value="2,5"`).never("Trả lại như cũ")
	b.get(at+"/pages/1/frame").want(200, `name="tilt" value="0"`).never("Đề xuất")
	b.get(at+"/pages/2/frame?tilt=0,5&top=10").want(200, `name="tilt" value="0,5"`, `name="top" value="10"`, "tilt=0.5&left=0&top=10")
	b.get(at + "/pages/2/frame.jpg?tilt=-1.8&left=2.5").want(200)
	b.get(at + "/pages/2/frame.jpg?tilt=99").want(422)
	b.get(at+"/pages/2/frame?tilt=99").want(422, "từ −15° đến 15°", `value="99"`)
	b.get(at + "/pages/3/frame").want(404)
	b.post(at+"/pages/2/frame", "revision", page.value("revision"), "tilt", "nghiêng", "act", "take").want(422, "Góc không hợp lệ")
	b.post(at+"/pages/2/frame", "revision", "1", "tilt", "1", "act", "take").want(409)
	b.post(at+"/pages/2/frame", "revision", page.value("revision"), "tilt", "−1,8", "left", "2,5", "act", "take").want(http.StatusSeeOther)
	if got := d.files(at); !slices.Equal(got, []string{"thẳng.jpg", "nghiêng.jpg @ {-180 250 0 0 0}"}) {
		t.Errorf("files are %v", got)
	}
	b.post(at+"/pages/2/frame", "revision", b.get(at).value("revision"), "tilt", "5", "act", "back").want(http.StatusSeeOther)
	if got := d.files(at); !slices.Equal(got, []string{"thẳng.jpg", "nghiêng.jpg"}) {
		t.Errorf("files are %v", got)
	}
	d.signIn("chutich").get(at + "/pages/2/frame").want(403)
}
