package office

import (
	"context"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// chromium starts a headless browser; the test is skipped where there is none.
func chromium(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("needs chromium")
		}
		t.Skip("needs chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU)
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// eyes drive the browser, and keep pictures in the directory SAOY_SCREENSHOTS if it is set.
type eyes struct {
	t    *testing.T
	ctx  context.Context
	base string
}

func (e eyes) do(actions ...chromedp.Action[chromedp.Void]) {
	e.t.Helper()
	if err := chromedp.Do(e.ctx, actions...); err != nil {
		e.t.Fatal(err)
	}
}

// unlabelled lists the controls that a screen reader could not name.
const unlabelled = `[...document.querySelectorAll("input:not([type=hidden]), select, textarea, button:not([aria-hidden])")]
	.filter(c => !(c.labels && c.labels.length) && !c.ariaLabel && !(c.tagName === "BUTTON" && c.textContent.trim())).map(c => c.outerHTML).join("\n")`

// see checks what every page must be, on a phone too, and keeps a picture.
func (e eyes) see(name string) {
	e.t.Helper()
	e.do(chromedp.EmulateViewport(360, 740))
	if w, err := chromedp.Run(e.ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth`)); err != nil || w > 360 {
		e.t.Errorf("%s: %d px wide on a phone of 360 (%v)", name, w, err)
	}
	if list, err := chromedp.Run(e.ctx, chromedp.Evaluate[string](unlabelled)); err != nil || list != "" {
		e.t.Errorf("%s: controls without a name (%v):\n%s", name, err, list)
	}
	e.do(chromedp.EmulateViewport(1280, 844))
	dir := os.Getenv("SAOY_SCREENSHOTS")
	if dir == "" {
		return
	}
	for _, width := range []int64{1280, 390} {
		e.do(chromedp.EmulateViewport(width, 844))
		png, err := chromedp.Run(e.ctx, chromedp.FullScreenshot(100))
		if err != nil {
			e.t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d.png", name, width)), png, 0o600); err != nil {
			e.t.Fatal(err)
		}
	}
	e.do(chromedp.EmulateViewport(1280, 844))
}

// pageObject begins each page of a PDF that the browser prints.
var pageObject = regexp.MustCompile(`/Type\s*/Page\b`)

// printed prints the page on paper and returns how many sheets it takes.
func (e eyes) printed(name string, paper chromedp.PaperSize) int {
	e.t.Helper()
	pdf, err := chromedp.Run(e.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(paper)))
	if err != nil {
		e.t.Fatal(err)
	}
	if dir := os.Getenv("SAOY_SCREENSHOTS"); dir != "" {
		if err := os.WriteFile(filepath.Join(dir, name+".pdf"), pdf, 0o600); err != nil {
			e.t.Fatal(err)
		}
	}
	return len(pageObject.FindAll(pdf, -1))
}

// sign in, out of whatever was signed in before.
func (e eyes) signIn(login string) {
	e.t.Helper()
	if out, err := chromedp.Run(e.ctx, chromedp.Evaluate[bool](`document.querySelector(".who button") !== null`)); err == nil && out {
		e.do(chromedp.Click(".who button"), chromedp.WaitVisible("#login"))
	}
	e.do(chromedp.Navigate(e.base+"/office/login"), chromedp.SendKeys("#login", login), chromedp.SendKeys("#password", password),
		chromedp.Click("main button"), chromedp.WaitVisible(".who"))
}

func (e eyes) text(selector string) string {
	e.t.Helper()
	s, err := chromedp.Run(e.ctx, chromedp.Text(selector))
	if err != nil {
		e.t.Fatalf("%s: %v", selector, err)
	}
	return s
}

func TestTheWholeWayInABrowser(t *testing.T) {
	ctx := chromium(t)
	d := open(t)
	server := httptest.NewServer(d.site)
	defer server.Close()
	e := eyes{t, ctx, server.URL}
	e.do(chromedp.Navigate(e.base+"/office/login?lang=vi"), chromedp.WaitVisible("#login"))
	e.see("01-login")
	e.signIn("canbo")
	e.do(chromedp.Click(`a.button[href="/office/requests/new"]`), chromedp.SendKeys("#name", "Phạm Thị Hường"), chromedp.SendKeys("#id_number", "052190001234"),
		chromedp.SendKeys("#type_0", "Bằng đại học"), chromedp.SendKeys("#title_0", "Bằng kỹ sư Công nghệ thông tin số 123/2019"),
		chromedp.SendKeys("#body_0", "Trường Đại học Quy Nhơn"), chromedp.Click(`button[value=add]`), chromedp.SendKeys("#type_1", "Thẻ căn cước"),
		chromedp.SendKeys("#title_1", "Căn cước công dân số 052190001234"))
	e.see("02-new-request")
	e.do(chromedp.Click(`p.end button`), chromedp.WaitVisible("td .button"))
	e.see("03-request")
	dir := t.TempDir()
	var scans []string
	for _, name := range []string{"trang 1.jpg", "trang 2 mờ.jpg", "thuyết minh.docx"} {
		path := filepath.Join(dir, name)
		d.must(os.WriteFile(path, []byte(name), 0o600))
		scans = append(scans, path)
	}
	e.do(chromedp.Click("td .button"), chromedp.SetUploadFiles("#files", scans), chromedp.Click(`form[action$="/scans"] button`), chromedp.WaitVisible(".thumbs img"))
	e.see("04-draft")
	location, err := chromedp.Run(ctx, chromedp.Location())
	d.must(err)
	at := Prefix + "/copies/" + location[len(location)-36:]
	e.do(chromedp.SendKeys("#low", "Bản chính in mờ"), chromedp.Click("input[name=checked]"), chromedp.Click(`form[action$="/submit"] button`), chromedp.WaitVisible(".notice.ok"))
	d.signIn("canbo").submitted("Giấy phép lái xe hạng A1") // another in the queue

	e.signIn("chutich")
	e.do(chromedp.Navigate(e.base+"/office/certify"), chromedp.WaitVisible("input.all"), chromedp.Click("input.all"))
	e.see("05-queue")
	e.do(chromedp.Navigate(e.base+at+"/review"), chromedp.WaitVisible(".sheet img"))
	e.see("06-review")
	e.do(chromedp.Navigate(e.base+"/office/certify"), chromedp.WaitVisible("input.all"), chromedp.Click("input.all"), chromedp.Click("main form button"),
		chromedp.SendKeys("#password", password))
	e.see("07-confirm")
	e.do(chromedp.Click("p.end button:not(.plain)"), chromedp.WaitVisible(".notice.ok"))

	e.signIn("canbo")
	e.do(chromedp.Navigate(e.base+at), chromedp.WaitVisible(".steps"))
	e.see("08-progress")
	d.walk(at, certcopy.Signed) // the page follows by itself
	e.do(chromedp.WaitVisible(`[data-seen^="signed/"]`))
	d.must(d.site.flow.Seal(ctx, d.confirmation(at)))
	d.walk(at, certcopy.Released)
	e.do(chromedp.WaitVisible(".qr"))
	e.see("09-hand-over")
	e.do(chromedp.Click(`form[action$="/links"] button`), chromedp.WaitVisible("button.copy"), chromedp.Click("button.copy"), chromedp.WaitVisible("button.copied"))
	if s := e.text("button.copy"); s != "Đã chép" {
		t.Errorf("the button says %q", s)
	}
	e.see("10-link")
	if n := e.printed("slip", chromedp.PaperSize{Width: 4.13, Height: 5.83}); n != 1 {
		t.Errorf("the slip takes %d pages of A6", n)
	}
	e.do(chromedp.Navigate(e.base+"/office/"), chromedp.WaitVisible(".tiles"))
	e.see("11-home")
	e.signIn("quantri")
	e.do(chromedp.Navigate(e.base+"/office/accounts"), chromedp.WaitVisible("table"))
	e.see("12-accounts")
	e.do(chromedp.Click("td.main a"), chromedp.WaitVisible("#scope"))
	e.see("14-account")
	e.do(chromedp.Navigate(e.base+at+"/annul"), chromedp.WaitVisible("#number"))
	e.see("13-annul")
}

// confirmation is the seal keeper's confirmation of a copy as it is.
func (d *desktop) confirmation(at string) storage.Confirmation {
	d.t.Helper()
	c, err := d.store.Copy(d.t.Context(), id(at))
	d.must(err)
	return storage.Confirmation{Agency: d.desk.Agency, By: d.desk.SealKeeper, Shown: map[certcopy.CopyID]certcopy.Digest{c.ID: c.Submission}}
}
