package public

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/saoy/saoy/internal/certcopy"
)

// layoutFaults is an expression: what is wrong with the page as it is shown now. It asks for no
// sideways scrolling, no picture without a place, and contrast of 4.5 (WCAG 2.2 §1.4.3) for
// every text.
const layoutFaults = `(() => {
  const faults = [], de = document.documentElement;
  if (de.scrollWidth > innerWidth) faults.push("wider than the window by " + (de.scrollWidth - innerWidth));
  for (const i of document.images) if (i.offsetParent && i.offsetHeight < 8) faults.push("flat picture " + i.getAttribute("src"));
  const rgb = (s) => { const m = s.match(/[\d.]+/g).map(Number); return m.length < 4 ? [...m, 1] : m; };
  const lum = (c) => { const f = (v) => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4; return .2126 * f(c[0]) + .7152 * f(c[1]) + .0722 * f(c[2]); };
  const ground = (e) => { for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 1) return c; } return [255, 255, 255]; };
  for (const e of document.querySelectorAll("body *")) {
    if (!e.checkVisibility() || ![...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim())) continue;
    const [a, b] = [lum(rgb(getComputedStyle(e).color)), lum(ground(e))].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faults.push("contrast " + ratio.toFixed(2) + " of " + e.textContent.trim().slice(0, 40));
  }
  return faults.join("\n");
})()`

// TestEveryPageFits shows every page on a phone and on a desk, in both languages.
func TestEveryPageFits(t *testing.T) {
	ctx := browser(t)
	files := vault{}
	w := newWorld(t, func(c *Config) { c.Files, c.Web.Demonstration = files, true })
	released, annulled, void := w.issue(certcopy.Released), w.issue(certcopy.Annulled), w.issue(certcopy.Void)
	for _, i := range []issuedCopy{released, annulled} {
		files[certcopy.DigestOf(i.file)] = i.file
	}
	server := httptest.NewServer(w.h)
	defer server.Close()
	pages := map[string]string{
		"home": "/", "check": "/check", "trust": "/about/trust", "code": "/v/" + released.code.String(), "annulled": "/v/" + annulled.code.String(),
		"void": "/v/" + void.code.String(), "unknown": "/v/0000-0000-0000-0000-0", "shared": "/s/" + w.share(released, 30).Reveal(),
		"shared-annulled": "/s/" + w.share(annulled, 30).Reveal(),
	}
	for name, path := range pages {
		for _, width := range []int64{320, 390, 1280} {
			for _, lang := range []string{"vi", "en"} {
				w.wait(60e9) // the limiter's, not ours
				faults := facing(ctx, t, server.URL+path+"?lang="+lang, width, name+"-"+lang)
				if faults != "" {
					t.Errorf("%s, %d px, %s:\n%s", name, width, lang, faults)
				}
			}
		}
	}
}

// facing opens a page and returns its faults. SAOY_SHOTS names a directory for pictures.
func facing(ctx context.Context, t *testing.T, address string, width int64, name string) string {
	t.Helper()
	err := chromedp.Do(ctx, chromedp.EmulateViewport(width, 844), chromedp.Navigate(address),
		chromedp.Evaluate[chromedp.Void](`document.querySelectorAll("details").forEach((d) => { d.open = true; })`))
	if err != nil {
		t.Fatal(err)
	}
	faults, err := chromedp.Run(ctx, chromedp.Evaluate[string](layoutFaults))
	if err != nil {
		t.Fatal(err)
	}
	if dir := os.Getenv("SAOY_SHOTS"); dir != "" && width != 320 {
		picture, err := chromedp.Run(ctx, chromedp.FullScreenshot(90))
		if err != nil {
			t.Fatal(err)
		}
		size := map[int64]string{390: "390", 1280: "1280"}[width]
		if err := os.WriteFile(filepath.Join(dir, strings.Join([]string{"public", name, size}, "-")+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return faults
}
