package public

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
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
