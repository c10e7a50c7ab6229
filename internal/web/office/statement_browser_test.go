package office

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// TestWordingIsSeenWhileItIsTyped: the sample follows the typing, and what cannot be printed is
// said at once.
func TestWordingIsSeenWhileItIsTyped(t *testing.T) {
	ctx := chromium(t)
	d := open(t)
	server := httptest.NewServer(d.site)
	defer server.Close()
	e := eyes{t, ctx, server.URL}
	e.do(chromedp.Navigate(e.base+"/office/login?lang=vi"), chromedp.WaitVisible("#login"))
	e.signIn("quantri")
	e.do(chromedp.Navigate(e.base+"/office/statement"), chromedp.WaitVisible("#heading"))
	e.see("15-statement")
	e.do(chromedp.SendKeys("#heading", "Xin"), chromedp.WaitReady(`#sample[src*="heading=Xin"]`))
	if text := d.drawn.text(t); !strings.Contains(text, "XinChứng thực") {
		t.Errorf("the sample says %s", text)
	}
	e.do(chromedp.SendKeys("#signer", "{requester}"), chromedp.WaitVisible("#sample-wrong"))
	if s := e.text("#sample-wrong"); !strings.Contains(s, "{requester}") {
		t.Errorf("it says %q", s)
	}
}
