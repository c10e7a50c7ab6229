package office

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/storage/disk"
)

func (d *desktop) staging() *staging.Area {
	d.t.Helper()
	scratch, err := disk.Open(d.t.TempDir(), time.Now)
	d.must(err)
	return &staging.Area{Blobs: scratch, Ledger: d.store, Now: func() time.Time { return d.now }, Rand: rand.Reader}
}

// tus sends a request of the protocol: method, path, then header names and values.
func (b *browser) tus(method, path string, body string, headers ...string) answer {
	b.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Tus-Resumable", "1.0.0")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	return b.send(r)
}

func (a answer) header(name, want string) answer {
	a.t.Helper()
	if got := a.Header().Get(name); got != want {
		a.t.Errorf("%s: %s is %q, want %q", a.path, name, got, want)
	}
	return a
}

func metadata(name string) string {
	return "filename " + base64.StdEncoding.EncodeToString([]byte(name)) + ",modified MTc="
}

const piece = "application/offset+octet-stream"

// The protocol as its text has it, https://tus.io/protocols/resumable-upload.
func TestTusProtocol(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at := b.received("Bằng")
	b.tus("OPTIONS", at+"/uploads", "", "Tus-Resumable", "").want(204).header("Tus-Version", "1.0.0").header("Tus-Extension", tusExtensions).
		header("Tus-Max-Size", strconv.Itoa(certcopy.MaxUploadBytes)).header("Tus-Resumable", "1.0.0")
	for name, a := range map[string]answer{
		"412 version":  b.tus("POST", at+"/uploads", "", "Tus-Resumable", "0.2.2", "Upload-Length", "4").header("Tus-Version", "1.0.0"),
		"400 length":   b.tus("POST", at+"/uploads", ""),
		"400 negative": b.tus("POST", at+"/uploads", "", "Upload-Length", "-1"),
		"400 deferred": b.tus("POST", at+"/uploads", "", "Upload-Defer-Length", "1"),
		"400 metadata": b.tus("POST", at+"/uploads", "", "Upload-Length", "4", "Upload-Metadata", "filename ???"),
		"413 large":    b.tus("POST", at+"/uploads", "", "Upload-Length", strconv.Itoa(certcopy.MaxUploadBytes+1)),
		"403 origin":   b.tus("POST", at+"/uploads", "", "Upload-Length", "4", "Sec-Fetch-Site", "cross-site"),
	} {
		if want, _ := strconv.Atoi(name[:3]); a.Code != want {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	made := b.tus("POST", at+"/uploads", "", "Upload-Length", "11", "Upload-Metadata", metadata("trang 1.jpg")).want(201)
	up := made.Header().Get("Location")
	if expires, err := http.ParseTime(made.Header().Get("Upload-Expires")); err != nil || expires.Before(d.now.Add(23*time.Hour)) {
		t.Errorf("expires %v, %v", expires, err)
	}
	b.tus("HEAD", up, "").want(200).header("Upload-Offset", "0").header("Upload-Length", "11").header("Cache-Control", "no-store").header("Upload-Metadata", metadata("trang 1.jpg"))
	b.tus("PATCH", up, "hello", "Upload-Offset", "0", "Content-Type", "text/plain").want(415)
	b.tus("PATCH", up, "hello", "Content-Type", piece).want(400)
	b.tus("PATCH", up, "hello", "Upload-Offset", "3", "Content-Type", piece).want(409)
	b.tus("PATCH", up, "hello, hello, hello", "Upload-Offset", "0", "Content-Type", piece).want(413)
	b.tus("PATCH", up, "hello", "Upload-Offset", "0", "Content-Type", piece).want(204).header("Upload-Offset", "5")
	b.get(at).want(200, "trang 1.jpg", "Mới đến 45 %").never("Upload-Offset")
	// A network that lets no PATCH through.
	b.tus("POST", up, " world", "X-HTTP-Method-Override", "PATCH", "Upload-Offset", "5", "Content-Type", piece).want(204).header("Upload-Offset", "11").header("Upload-Expires", "")
	b.tus("POST", up, "", "X-HTTP-Method-Override", "PUT").want(400)
	if list := d.files(at); len(list) != 0 {
		t.Errorf("added before it was asked for: %v", list)
	}
	page := b.get(at).want(200, "Đưa các tệp đã đến vào bản sao")
	b.post(at+"/scans/arrived", "revision", page.value("revision"), "upload", page.value("upload")).want(http.StatusSeeOther)
	scans, err := d.store.Scans(t.Context(), id(at))
	d.must(err)
	if len(scans) != 1 || scans[0].FileName != "trang 1.jpg" || scans[0].Digest != certcopy.DigestOf([]byte("hello world")) {
		t.Errorf("scans are %+v", scans)
	}
	b.tus("HEAD", up, "").want(404)
	b.post(at+"/scans/arrived", "revision", "9", "upload", page.value("upload")).want(409) // a second click
}

func TestUploadsAreGivenUpAndKeptApart(t *testing.T) {
	d := open(t)
	b := d.signIn("canbo")
	at, other := b.received("Bằng"), b.received("Giấy khai sinh")
	start := func() string {
		return b.tus("POST", at+"/uploads", "ab", "Upload-Length", "4", "Content-Type", piece, "Upload-Metadata", metadata("a.jpg")).want(201).header("Upload-Offset", "2").Header().Get("Location")
	}
	up := start()
	b.tus("HEAD", strings.Replace(up, string(id(at)), string(id(other)), 1), "").want(404)
	b.tus("HEAD", at+"/uploads/1", "").want(404)
	page := b.get(at)
	unfinished := up[strings.LastIndex(up, "/")+1:]
	b.post(at+"/scans/arrived", "revision", page.value("revision"), "upload", unfinished).want(409)
	b.post(at+"/scans/arrived", "revision", page.value("revision")).want(422, "Chưa chọn tệp")
	b.post(up).want(http.StatusSeeOther) // the form of a page without scripts
	b.tus("HEAD", up, "").want(404)
	up = start()
	b.tus("DELETE", up, "").want(204)
	b.tus("PATCH", up, "cd", "Upload-Offset", "2", "Content-Type", piece).want(404)
	up = start()
	d.now = d.now.Add(staging.Lifetime)
	b = d.signIn("canbo")
	b.tus("HEAD", up, "").want(404)
	b.get(at).never("a.jpg")
	done := b.submitted("Chứng chỉ")
	b.tus("POST", done+"/uploads", "", "Upload-Length", "4").want(409)
}

func FuzzTusMetadata(f *testing.F) {
	for _, s := range []string{"", "filename YQ==", "filename YQ==,modified MTc=", "is_confidential", "a YQ==,a YQ==", "a ?", ",", " a  YQ=="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		meta, ok := tusMetadata(header)
		if !ok && meta != nil {
			t.Error("a map for what is refused")
		}
		fileName(meta["filename"])
	})
}

// badLine passes a server's connections on and cuts each after some bytes of the sender.
type badLine struct {
	net.Listener
	to   string
	cuts atomic.Int64
	off  atomic.Bool // the line is good
}

func newBadLine(t *testing.T, server *httptest.Server) *badLine {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &badLine{Listener: l, to: server.Listener.Addr().String()}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.carry(c)
		}
	}()
	return p
}

func (p *badLine) carry(c net.Conn) {
	defer c.Close()
	s, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer s.Close()
	go func() { _, _ = io.Copy(c, s); _ = c.Close() }()
	n, _ := rand.Int(rand.Reader, big.NewInt(3<<20))
	if p.off.Load() {
		_, _ = io.Copy(s, c)
		return
	}
	if _, err := io.CopyN(s, c, 200_000+n.Int64()); err == nil {
		p.cuts.Add(1)
	}
}

// A file of 40 MiB and two small ones arrive over a line that is cut more than twenty times,
// and over a reload of the page in between, in a real browser with the client of the protocol's
// authors.
func TestUploadOverABadLine(t *testing.T) {
	ctx := chromium(t)
	d := open(t)
	server := httptest.NewServer(d.site)
	defer server.Close()
	line := newBadLine(t, server)
	e := eyes{t, ctx, "http://" + line.Addr().String()}
	at := d.signIn("canbo").received("Bằng kỹ sư")
	e.signIn("canbo")
	dir := t.TempDir()
	big := make([]byte, 40<<20)
	_, _ = rand.Read(big)
	var paths []string
	for name, b := range map[string][]byte{"bản lớn.jpg": big, "a.jpg": []byte("a"), "b.jpg": []byte("b")} {
		paths = append(paths, filepath.Join(dir, name))
		d.must(os.WriteFile(paths[len(paths)-1], b, 0o600))
	}
	large := filepath.Join(dir, "bản lớn.jpg")
	e.do(chromedp.Navigate(e.base+at), chromedp.SetUploadFiles("#files", []string{large}), chromedp.Click("#upload button"))
	wait(t, func() bool { return d.received(at) > 12<<20 })
	e.see("20-uploading")
	e.do(chromedp.Reload(), chromedp.WaitVisible("li[data-state=stopped]"))
	was, cuts := d.received(at), line.cuts.Load()
	if was < 12<<20 || was == 40<<20 {
		t.Fatalf("%d bytes before the reload", was)
	}
	e.see("21-stopped")
	e.do(chromedp.SetUploadFiles("#files", paths), chromedp.Click("#upload button"), chromedp.WaitVisible(".thumbs img"))
	scans, err := d.store.Scans(ctx, id(at))
	d.must(err)
	sizes := map[int64]certcopy.Digest{}
	for _, s := range scans {
		sizes[s.Size] = s.Digest
	}
	if len(scans) != 3 || sizes[40<<20] != certcopy.DigestOf(big) {
		t.Errorf("arrived: %+v", scans)
	}
	if list, err := d.site.staging.List(ctx, id(at), d.desk.Clerk); err != nil || len(list) != 0 {
		t.Errorf("left on the way: %v, %v", list, err)
	}
	t.Logf("%d cuts, %d of them before the reload at %d bytes", line.cuts.Load(), cuts, was)
	if line.cuts.Load() < 20 {
		t.Errorf("%d cuts prove little", line.cuts.Load())
	}
}

// received is how much has arrived for a copy.
func (d *desktop) received(at string) (n int64) {
	d.t.Helper()
	list, err := d.store.StagedUploads(context.Background(), id(at), d.desk.Clerk)
	d.must(err)
	for _, u := range list {
		n += u.Received
	}
	return n
}

func wait(t *testing.T, until func() bool) {
	t.Helper()
	for range 1200 {
		if until() {
			return
		}
		time.Sleep(50 * time.Millisecond) // a browser tells nothing
	}
	t.Fatal("it did not come")
}

// drag lets the third page fall on the first, as a hand does.
const drag = `(() => {
	const [to, , held] = document.querySelectorAll("[data-lay] > li"), data = new DataTransfer();
	for (const [on, kind] of [[held, "dragstart"], [to, "dragover"], [to, "drop"], [held, "dragend"]])
		on.dispatchEvent(new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: data }));
	return true;
})()`

func TestPagesAreDraggedInABrowser(t *testing.T) {
	ctx := chromium(t)
	d := open(t)
	server := httptest.NewServer(d.site)
	defer server.Close()
	e := eyes{t, ctx, server.URL}
	b := d.signIn("canbo")
	at := b.received("Hợp đồng")
	b.upload(at+"/scans", b.get(at).value("revision"), "a.jpg", "b.jpg", "c.jpg").want(http.StatusSeeOther)
	e.signIn("canbo")
	e.do(chromedp.Navigate(e.base+at), chromedp.WaitVisible("#drag"))
	if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](drag)); err != nil {
		t.Fatal(err)
	}
	wait(t, func() bool { return slices.Equal(d.files(at), []string{"c.jpg", "a.jpg", "b.jpg"}) })
	// A phone offers its camera, a desk does not.
	e.do(chromedp.WaitNotVisible("#camera"))
	if a, err := chromedp.Run(ctx, chromedp.Evaluate[string](`["capture", "accept"].map((a) => document.getElementById("camera").getAttribute(a)).join(" ")`)); err != nil || a != "environment image/*" {
		t.Errorf("the camera is %q, %v", a, err)
	}
}
