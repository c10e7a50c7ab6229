package office

import (
	"bytes"
	"context"
	"errors"
	"html"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
)

// drawn keeps the last sample that was to be drawn.
type drawn struct{ pdf []byte }

func (d *drawn) Page(_ context.Context, pdf []byte, page, _ int) ([]byte, error) {
	if page != 1 {
		return nil, errors.New("a sample is one page")
	}
	d.pdf = pdf
	var b bytes.Buffer
	err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, 91, 129)), nil)
	return b.Bytes(), err
}

// text returns the text on the sample drawn last.
func (d *drawn) text(t *testing.T) string {
	t.Helper()
	if _, err := exec.LookPath("pdftotext"); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("pdftotext is not installed")
		}
		t.Skip("pdftotext is not installed")
	}
	path := filepath.Join(t.TempDir(), "sample.pdf")
	if err := os.WriteFile(path, d.pdf, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("pdftotext", "-layout", path, "-").CombinedOutput()
	if err != nil {
		t.Fatal(err, string(out))
	}
	return strings.Join(strings.Fields(string(out)), " ")
}

// wordingForm is the form with the wording of the law, changed.
func wordingForm(changes ...string) []string {
	law := stamp.Statutory()[0]
	f := []string{"name", law.Name, "heading", law.Heading, "lines", strings.Join(law.Lines, "\r\n"), "signer", law.Signer, "letterhead", law.Letterhead,
		"code_line", law.CodeLine, "conversion_mark", law.ConversionMark, "decision", "QĐ 12", "password", password, "act", "save"}
	for i := 0; i+1 < len(changes); i += 2 {
		for k := 0; k+1 < len(f); k += 2 {
			if f[k] == changes[i] {
				f[k+1] = changes[i+1]
			}
		}
		if changes[i] == "from" {
			f = append(f, "from", changes[i+1])
		}
	}
	return f
}

// TestWordingIsDecidedAndDated: seen before it is recorded, from tomorrow on, with a decision and
// the password again; and it can be taken back until its day.
func TestWordingIsDecidedAndDated(t *testing.T) {
	d := open(t)
	b := d.signIn("quantri")
	page := b.get("/office/statement").want(200, "NĐ 280/2025, Mẫu số 01", "Chứng thực bản sao đúng với bản chính", "Chưa có mẫu riêng")
	address := regexp.MustCompile(`id="sample" class="sample" src="([^"]+)"`).FindStringSubmatch(page.Body.String())
	if address == nil {
		t.Fatal("no sample")
	}
	b.get(html.UnescapeString(address[1])).want(200)
	if text := d.drawn.text(t); !strings.Contains(text, "Chứng thực bản sao đúng với bản chính") || !strings.Contains(text, "XEM THỬ") {
		t.Errorf("the sample says %s", text)
	}
	day := func(n int) string { return certcopy.Day(d.now).AddDate(0, 0, n).Format(time.DateOnly) }
	const heading = "Chứng thực bản sao này đúng với bản chính"
	b.post("/office/statement", wordingForm("heading", heading, "from", day(2), "act", "look", "password", "")...).want(200, heading, "Chưa có mẫu riêng")
	for name, c := range map[string]struct {
		form []string
		says string
	}{
		"today":           {wordingForm("from", day(0)), "sớm nhất từ ngày mai"},
		"no day":          {wordingForm(), "sớm nhất từ ngày mai"},
		"no decision":     {wordingForm("from", day(2), "decision", " "), "Thiếu số văn bản"},
		"no password":     {wordingForm("from", day(2), "password", ""), "Mật khẩu"},
		"no number":       {wordingForm("from", day(2), "lines", "Ngày {day} tháng {month} năm {year}"), "Mẫu lời chứng không dùng được"},
		"no such field":   {wordingForm("from", day(2), "signer", "{requester}"), "Mẫu lời chứng không dùng được"},
		"no such letters": {wordingForm("from", day(2), "heading", "證"), "Mẫu lời chứng không dùng được"},
		"too long":        {wordingForm("from", day(2), "heading", strings.Repeat("dài ", 70)), "Không đủ chỗ"},
	} {
		if a := b.post("/office/statement", c.form...); a.Code != 422 || !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %d, no %q", name, a.Code, c.says)
		}
	}
	b.post("/office/statement", wordingForm("heading", heading, "from", day(2))...).to()
	b.get("/office/statement").want(200, heading, "QĐ 12", "Rút lại")
	list, err := d.store.WordingsInForce(t.Context(), d.desk.Agency)
	d.must(err)
	if len(list) != 1 {
		t.Fatalf("%d wordings", len(list))
	}
	if got, err := stamp.ReadTemplate(list[0].Body); err != nil || got.Heading != heading {
		t.Errorf("%+v, %v", got, err)
	}
	d.signIn("xatay").get("/office/statement").want(200).never(heading)

	d.now = d.now.AddDate(0, 0, 2)
	b = d.signIn("quantri")
	page = b.get("/office/statement").want(200, "của cơ quan").never("Rút lại</summary>")
	if !strings.Contains(page.Body.String(), `name="heading" value="`+heading+`"`) {
		t.Error("the form does not begin with what is in force")
	}
	d.now = d.now.AddDate(0, 0, -2)
	b = d.signIn("quantri")
	b.post("/office/statement", "from", day(2), "decision", "QĐ 13", "password", password, "act", "take-back").to()
	if list, err = d.store.WordingsInForce(t.Context(), d.desk.Agency); err != nil || len(list) != 0 {
		t.Errorf("%d wordings after it was taken back, %v", len(list), err)
	}
}

// sendPicture posts the form with an image.
func (b *browser) sendPicture(path, act, secret string, image []byte) answer {
	b.t.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	b.must(m.WriteField("act", act))
	b.must(m.WriteField("password", secret))
	if image != nil {
		w, err := m.CreateFormFile("png", "hình.png")
		b.must(err)
		_, err = w.Write(image)
		b.must(err)
	}
	b.must(m.Close())
	r := httptest.NewRequest("POST", path, &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

func picture(t *testing.T, width, height int, ink color.NRGBA) []byte {
	t.Helper()
	p := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height / 4 {
		p.SetNRGBA(i%width, i/width, ink)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, p); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestPicturesAreChecked: an image is looked at, of its kind, and confirmed, before copies bear it.
func TestPicturesAreChecked(t *testing.T) {
	d := open(t)
	b := d.signIn("quantri")
	red, blue := color.NRGBA{R: 200, A: 255}, color.NRGBA{B: 200, A: 255}
	seal, signature := picture(t, 400, 400, red), picture(t, 400, 200, blue)
	sealAt, signatureAt := "/office/statement/pictures/seal", "/office/statement/pictures/"+url.PathEscape(string(d.desk.Certifier))
	for name, c := range map[string]struct {
		at    string
		image []byte
		says  string
	}{
		"a blue seal":     {sealAt, picture(t, 400, 400, blue), "mực phải màu đỏ"},
		"no square":       {sealAt, picture(t, 400, 200, red), "không vuông"},
		"a red signature": {signatureAt, picture(t, 400, 200, red), "mực phải màu xanh"},
		"no PNG":          {signatureAt, []byte("GIF89a"), "không phải tệp PNG"},
		"nothing":         {sealAt, nil, "Chưa chọn tệp"},
		"large":           {sealAt, append(bytes.Clone(seal), make([]byte, 1<<20)...), "lớn hơn 1 MiB"},
	} {
		if a := b.sendPicture(c.at, "save", password, c.image); a.Code != 422 || !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %d, no %q", name, a.Code, c.says)
		}
	}
	before, err := d.store.Pictures(t.Context(), d.desk.Agency)
	d.must(err)
	if a := b.sendPicture(sealAt, "look", "", seal).want(200); a.Header().Get("Content-Type") != "image/jpeg" {
		t.Error("no sample is drawn")
	}
	b.sendPicture(sealAt, "save", "wrong", seal).want(422)
	if after, err := d.store.Pictures(t.Context(), d.desk.Agency); err != nil || len(after) != len(before) {
		t.Errorf("looking has recorded something: %d, %v", len(after), err)
	}
	b.sendPicture(sealAt, "save", password, seal).to()
	b.sendPicture(signatureAt, "save", password, signature).to()
	if got := b.get(sealAt + ".png").want(200).Body.Bytes(); !bytes.Equal(got, seal) {
		t.Error("another seal is shown")
	}
	if got := b.get(signatureAt + ".png").want(200).Body.Bytes(); !bytes.Equal(got, signature) {
		t.Error("another signature is shown")
	}
	b.get("/office/statement/pictures/none.png").want(404)
}
