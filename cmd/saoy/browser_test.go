package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/saoy/saoy/internal/demo"
)

// TestWholeWayInABrowser goes the way of a copy as its people do: the clerk receives, scans and
// submits, the certifier certifies, the seal keeper seals, the clerk hands over a link, and a
// receiver opens it, checks the file, and is told when the file is not the one.
func TestWholeWayInABrowser(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	b := newBrowser(t)
	s.start()
	b.site, b.password = "http://"+s.address, s.password()
	scans := []string{filepath.Join(t.TempDir(), "Bằng tốt nghiệp.jpg"), filepath.Join(t.TempDir(), "mặt sau.png")}
	for _, name := range scans {
		if err := writeScan(name); err != nil {
			t.Fatal(err)
		}
	}

	b.signIn(demo.ClerkLogin)
	b.open("/office/requests/new")
	b.fill("#name", "Nguyễn Thị Đức Hường")
	b.choose("#type_0", "bang-dai-hoc")
	b.fill("#title_0", "Bằng cử nhân Luật")
	b.choose("#pages_0", "2")
	b.click("button[name=act][value=save]:not(.enter)")
	b.see("Bằng cử nhân Luật")
	b.follow("Bằng cử nhân Luật")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#files"), scans))
	b.click("form[action$='/scans'] button")
	b.do(chromedp.WaitVisible(chromedp.CSS("input[name=checked]")))
	b.shot("submit")
	b.click("input[name=checked]")
	b.click("form[action$='/submit'] button")
	b.do(chromedp.WaitVisible(chromedp.CSS(".notice.ok"))) // the page that follows, not the one that is left
	b.signOut()

	b.signIn(demo.CertifierLogin)
	b.confirm("certify")
	b.signOut()
	b.signIn(demo.SealKeeperLogin)
	b.awaitRow("/office/seal")
	b.confirm("seal")
	b.signOut()

	b.signIn(demo.ClerkLogin)
	b.open("/office/")
	b.awaitReleased()
	b.shot("handover")
	code := b.href("a[href*='/v/']")
	b.click("form[action$='/links'] button")
	link := b.sharingLink()
	b.signOut()

	b.open(strings.TrimPrefix(link, b.site))
	b.see("Ủy ban nhân dân xã Ân Tường Đông")
	b.seeVerdicts()
	b.shot("shared")
	b.phoneShot("shared-phone")
	pdf := b.download(b.href("a[href$='/file']"))
	b.checkFile(code, pdf)
	if strings.Contains(s.output.String(), link[strings.LastIndex(link, "/")+1:]) {
		t.Error("the sharing token stands in the log")
	}
}

// browser drives one tab.
type browser struct {
	t              *testing.T
	ctx            context.Context
	site, password string
}

func newBrowser(t *testing.T) *browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("chromium is required")
		}
		t.Skip("no chromium: the way through the browser is not tested; install the package chromium")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox,
		chromedp.Flag("lang", "vi"), chromedp.Flag("accept-lang", "vi"), chromedp.WindowSize(1280, 900))
	ctx, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return &browser{t: t, ctx: ctx}
}

const patience2 = 45 * time.Second

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience2)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		where, _ := chromedp.Run(b.ctx, chromedp.Location())
		text, _ := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("body")))
		b.shot("failure")
		b.t.Fatalf("at %s: %v\n%.1500s", where, err, text)
	}
}

func (b *browser) open(path string) { b.t.Helper(); b.do(chromedp.Navigate(b.site + path)) }

func (b *browser) click(css string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(css)), chromedp.Click(chromedp.CSS(css)))
}

func (b *browser) fill(css, text string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(css)), chromedp.SendKeys(chromedp.CSS(css), text))
}

func (b *browser) choose(css, value string) {
	b.t.Helper()
	b.do(chromedp.WaitVisible(chromedp.CSS(css)), chromedp.SetValue(chromedp.CSS(css), value))
}

// eval runs an expression in the page.
func eval[T any](b *browser, expression string) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience2)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		b.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

func (b *browser) text() string {
	b.t.Helper()
	return eval[string](b, "document.body ? document.body.innerText : ''")
}

// see waits until the page shows a text.
func (b *browser) see(want string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience2); !strings.Contains(b.text(), want); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			b.shot("failure")
			b.t.Fatalf("the page never showed %q:\n%.1500s", want, b.text())
		}
	}
}

func (b *browser) href(css string) string {
	b.t.Helper()
	return eval[string](b, "document.querySelector(\""+css+"\").href")
}

// follow clicks the link with a text.
func (b *browser) follow(text string) {
	b.t.Helper()
	b.do(chromedp.Navigate(eval[string](b, "[...document.querySelectorAll('main a')].find(a => a.textContent.includes('"+text+"')).href")))
}

func (b *browser) signIn(login string) {
	b.t.Helper()
	b.open("/office/login")
	b.fill("#login", login)
	b.fill("#password", b.password)
	b.click("main form button")
	b.do(chromedp.WaitVisible(chromedp.CSS("form[action$='/logout']")))
}

func (b *browser) signOut() {
	b.t.Helper()
	b.click("form[action$='/logout'] button")
	b.do(chromedp.WaitVisible(chromedp.CSS("#password")))
}

// confirm ticks the first copy of a queue and confirms it with the password.
func (b *browser) confirm(act string) {
	b.t.Helper()
	b.open("/office/" + act)
	b.shot(act + "-queue")
	b.click("tbody input[name=copy]")
	b.click("form[action$='/confirm'] p button")
	b.fill("#password", b.password)
	b.shot(act + "-confirm")
	b.click("form.once button")
	b.awaitAddress("done=")
}

// awaitAddress waits until the page's address holds a text and the page is complete: what is
// clicked before that may belong to the page before.
func (b *browser) awaitAddress(part string) {
	b.t.Helper()
	ready := "document.readyState === 'complete' && location.href.includes('" + part + "')"
	for deadline := time.Now().Add(patience2); ; time.Sleep(50 * time.Millisecond) {
		// An error is the moment between two pages.
		if there, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](ready)); err == nil && there {
			return
		}
		if time.Now().After(deadline) {
			b.shot("failure")
			b.t.Fatalf("the address never held %q:\n%.1500s", part, b.text())
		}
	}
}

// awaitRow opens a queue until it has a row: the jobs before it may take a moment.
func (b *browser) awaitRow(path string) {
	b.t.Helper()
	for deadline := time.Now().Add(patience2); ; time.Sleep(200 * time.Millisecond) {
		b.open(path)
		if eval[bool](b, "document.querySelector('tbody input[name=copy]') !== null") {
			return
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("%s stays empty:\n%.1000s", path, b.text())
		}
	}
}

// awaitReleased opens the newest copy until it can be handed over.
func (b *browser) awaitReleased() {
	b.t.Helper()
	b.follow("Bằng cử nhân Luật")
	for deadline := time.Now().Add(patience2); ; time.Sleep(200 * time.Millisecond) {
		if eval[bool](b, "document.querySelector(\"form[action$='/links']\") !== null") {
			return
		}
		if time.Now().After(deadline) {
			b.shot("failure")
			b.t.Fatalf("the copy is not released:\n%.1500s", b.text())
		}
		b.do(chromedp.Reload())
	}
}

// sharingLink reads the link that is shown once.
func (b *browser) sharingLink() string {
	b.t.Helper()
	const script = `(document.querySelector("input[value*='/s/']") || {}).value || ((document.body || {innerText: ''}).innerText.match(/http\S+\/s\/\S+/) || [''])[0]`
	for deadline := time.Now().Add(patience2); ; time.Sleep(100 * time.Millisecond) {
		if link := eval[string](b, script); link != "" {
			b.shot("link")
			return link
		}
		if time.Now().After(deadline) {
			b.t.Fatalf("no sharing link is shown:\n%.1500s", b.text())
		}
	}
}

// checkFile: the code alone is never green; the genuine file is; the same file with one byte
// changed is told to be another.
func (b *browser) checkFile(code string, pdf []byte) {
	b.t.Helper()
	b.do(chromedp.Navigate(code))
	b.see("CHƯA kiểm tra tệp")
	b.phoneShot("code-phone")
	if eval[int](b, "document.querySelectorAll('.notice.ok:not([hidden]), .verdict.ok').length") != 0 {
		b.t.Error("the page of a code alone shows something green")
	}
	dir := b.t.TempDir()
	genuine, altered := filepath.Join(dir, "genuine.pdf"), filepath.Join(dir, "altered.pdf")
	changed := append([]byte(nil), pdf...)
	changed[len(changed)/2] ^= 1
	for name, bytes := range map[string][]byte{genuine: pdf, altered: changed} {
		if err := os.WriteFile(name, bytes, 0o600); err != nil {
			b.t.Fatal(err)
		}
	}
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{genuine}), chromedp.WaitVisible(chromedp.CSS("[data-result=same]")))
	b.shot("genuine")
	b.do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{altered}), chromedp.WaitVisible(chromedp.CSS("[data-result=different]")))
	if eval[bool](b, "document.querySelector('[data-result=same]').checkVisibility()") {
		b.t.Error("the altered file is still called the same")
	}
	b.shot("altered")
}

// download fetches an address in the page.
func (b *browser) download(address string) []byte {
	b.t.Helper()
	out := filepath.Join(b.t.TempDir(), "file.pdf")
	if msg, err := exec.Command("curl", "-sSf", "-o", out, address).CombinedOutput(); err != nil {
		b.t.Fatalf("download: %v %s", err, msg)
	}
	pdf, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(pdf), "%PDF-") {
		b.t.Fatalf("download: %v, %d bytes", err, len(pdf))
	}
	return pdf
}

// seeVerdicts: the page of a sharing link shows three good verdicts, computed of the real file.
func (b *browser) seeVerdicts() {
	b.t.Helper()
	const wrong = "!document.querySelector('.notice.ok.head') || document.querySelectorAll('.verdict.ok').length !== 3"
	if eval[bool](b, wrong) {
		b.t.Errorf("the shared copy is not shown as good:\n%.1500s", b.text())
	}
	if strings.Contains(b.text(), "CCCD") {
		b.t.Error("the shared page shows an identity number")
	}
	const flat = "[...document.querySelectorAll('.sheet img')].filter(i => i.offsetHeight < i.offsetWidth / 2).length"
	if n := eval[int](b, flat); n != 0 {
		b.t.Errorf("%d pages have no place of their own", n)
	}
}

// phoneShot keeps a picture of the page as a phone shows it.
func (b *browser) phoneShot(name string) {
	b.t.Helper()
	b.do(chromedp.EmulateViewport(390, 844))
	if over := eval[int](b, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
		b.t.Errorf("%s is %d px too wide for a phone", name, over)
	}
	b.shot(name)
	b.do(chromedp.EmulateViewport(1280, 900))
}

// shot keeps a picture of the page where SAOY_SHOTS names a directory.
func (b *browser) shot(name string) {
	dir := os.Getenv("SAOY_SHOTS")
	if dir == "" {
		return
	}
	const arrived = "[...document.images].map(i => { i.loading = 'eager'; return i.complete; }).every(Boolean)"
	for range 300 {
		if all, err := chromedp.Run(b.ctx, chromedp.Evaluate[bool](arrived)); err != nil || all {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	picture, err := chromedp.Run(b.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o600)
	}
	if err != nil {
		b.t.Logf("screenshot %s: %v", name, err)
	}
}
