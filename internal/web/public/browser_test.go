package public

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/saoy/saoy/internal/certcopy"
)

// browser opens a headless Chromium of its own.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("chromium is not installed")
		}
		t.Skip("chromium is not installed")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Flag("lang", "vi"))
	ctx, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 90*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// visible counts the elements of a selector that a person sees.
func visible(ctx context.Context, t *testing.T, selector string) int {
	t.Helper()
	n, err := chromedp.Run(ctx, chromedp.Evaluate[int](`[...document.querySelectorAll("`+selector+`")].filter(e => e.offsetParent).length`))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestFileIsComparedInTheBrowser: on the page of a genuine code, the genuine file is
// recognised and an altered one is refused, and neither leaves the visitor's device.
func TestFileIsComparedInTheBrowser(t *testing.T) {
	ctx := browser(t)
	w := newWorld(t, nil)
	i := w.issue(certcopy.Released)
	var posts atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			posts.Add(1)
		}
		w.h.ServeHTTP(rw, r)
	}))
	defer server.Close()

	altered := append([]byte(nil), i.file...)
	altered[len(altered)-1] ^= 1
	longer := append(append([]byte(nil), i.file...), "and more"...)
	if err := chromedp.Do(ctx, chromedp.Navigate(server.URL+"/v/"+i.code.String())); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, result string
		file         []byte
	}{{"genuine", "same", i.file}, {"altered", "different", altered}, {"longer", "longer", longer}, {"shorter", "different", i.file[:9]}, {"empty", "different", nil}} {
		path := filepath.Join(t.TempDir(), c.name+".pdf")
		if err := os.WriteFile(path, c.file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}), chromedp.WaitVisible(chromedp.CSS(`[data-result="`+c.result+`"]`))); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		green, shown := visible(ctx, t, ".ok"), visible(ctx, t, "[data-result].notice")
		if (green > 0) != (c.result == "same") || shown != 1 {
			t.Errorf("%s: %d green elements, %d results", c.name, green, shown)
		}
	}
	if posts.Load() != 0 {
		t.Errorf("%d requests sent a file or its digest", posts.Load())
	}

	// What is asked for is sent, and the answer is the server's.
	path := filepath.Join(t.TempDir(), "x.pdf")
	if err := os.WriteFile(path, altered, 0o600); err != nil {
		t.Fatal(err)
	}
	err := chromedp.Do(ctx, chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{path}), chromedp.Click(chromedp.CSS("[data-send]")), chromedp.WaitVisible(chromedp.CSS(".notice.bad.head")))
	if err != nil || posts.Load() != 1 {
		t.Errorf("full check: %v, %d posts", err, posts.Load())
	}
}

// TestDigestIsLookedUpInTheBrowser: a file chosen or dropped on "Kiểm tra tệp" is looked up by
// its digest alone; the file itself is sent only when asked for.
func TestDigestIsLookedUpInTheBrowser(t *testing.T) {
	ctx := browser(t)
	w := newWorld(t, func(c *Config) { c.Document = "/document" })
	i := w.issue(certcopy.Released)
	var digests, files atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if kind := r.Header.Get("Content-Type"); strings.HasPrefix(kind, "multipart/") {
			files.Add(1)
		} else if r.Method == http.MethodPost {
			digests.Add(1)
		}
		w.h.ServeHTTP(rw, r)
	}))
	defer server.Close()
	do := func(actions ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, actions...); err != nil {
			t.Fatal(err)
		}
	}
	file := func(name string, b []byte) string {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	says := func(tone string) string {
		t.Helper()
		do(chromedp.WaitVisible(chromedp.CSS(`[data-result=found].` + tone)))
		text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`document.querySelector("[data-says]").textContent`))
		if err != nil {
			t.Fatal(err)
		}
		return text
	}

	do(chromedp.Navigate(server.URL+"/check?lang=vi"), chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file("a.pdf", i.file)}))
	if text := says("ok"); !strings.Contains(text, "Mã SHA-256 này là của bản sao do") {
		t.Errorf("the genuine file: %q", text)
	}
	do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file("b.pdf", []byte("a stranger's"))}))
	if text := says("bad"); !strings.Contains(text, "Không có tệp này trong sổ") {
		t.Errorf("a stranger's file: %q", text)
	}
	if digests.Load() != 2 || files.Load() != 0 {
		t.Errorf("%d digests and %d files were sent", digests.Load(), files.Load())
	}
	// Dropped: as if chosen.
	do(chromedp.Navigate(server.URL + "/check?lang=vi"))
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`(() => { const d = new DataTransfer(); d.items.add(new File(["a stranger's"], "c.pdf", { type: "application/pdf" }));
		document.querySelector("form.filecheck").dispatchEvent(new DragEvent("drop", { dataTransfer: d, bubbles: true, cancelable: true })); return true; })()`)); err != nil {
		t.Fatal(err)
	}
	if text := says("bad"); !strings.Contains(text, "Không có tệp này trong sổ") || files.Load() != 0 {
		t.Errorf("a dropped file: %q, %d files sent", text, files.Load())
	}
	// What is asked for is sent, once, and is the file.
	do(chromedp.SetUploadFiles(chromedp.CSS("#file"), []string{file("d.pdf", i.file)}))
	says("ok")
	do(chromedp.Click(chromedp.CSS("[data-send]:not([data-document])")), chromedp.WaitVisible(chromedp.CSS(".notice.ok.head")))
	if files.Load() != 1 || visible(ctx, t, ".timeline li") == 0 || visible(ctx, t, ".signature") != 2 {
		t.Errorf("%d files sent, %d events, %d signatures", files.Load(), visible(ctx, t, ".timeline li"), visible(ctx, t, ".signature"))
	}
	wide, err := chromedp.Run(ctx, chromedp.Evaluate[int](`document.documentElement.scrollWidth - document.documentElement.clientWidth`))
	if err != nil || wide > 0 {
		t.Errorf("the page scrolls sideways by %d: %v", wide, err)
	}
}
