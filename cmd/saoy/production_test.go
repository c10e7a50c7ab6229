package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/storage/s3/s3test"
)

// TestProduction goes the whole way of a province: an office founded from the command line,
// four kinds of processes under logins of their own, keys in a token, files in S3, time-stamps
// and revocation over HTTP. Then each of the parts around it is taken away in turn: copies wait,
// say why, and go on by themselves.
func TestProduction(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts seven processes; not with -short")
	}
	p := newProduction(t)
	c := &client{token: p.found(), dir: t.TempDir()}
	var err error
	if c.scan, err = encodeScan(".jpg", 9); err != nil {
		t.Fatal(err)
	}
	logins := map[string]string{}
	for _, role := range []string{"office", "public", "worker"} {
		logins[role] = p.login(role)
	}
	office, public := p.serve("office", logins["office"]), p.serve("public", logins["public"])
	api, worker := p.serve("api", logins["office"]), p.serve("worker", logins["worker"])
	second := p.serve("worker", logins["worker"])
	c.base = "http://" + api.address + "/api/v1"
	p.eachServesItsPart(map[string]string{
		office.address + "/office/login": "200", office.address + "/api/v1/openapi.yaml": "404", office.address + "/check": "404",
		public.address + "/check": "200", public.address + "/office/login": "404", public.address + "/api/v1/openapi.yaml": "404",
		api.address + "/api/v1/openapi.yaml": "200", api.address + "/office/login": "404",
		worker.address + "/healthz": "200", worker.address + "/": "404",
	})
	copies := 0
	certify := func(what string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
		defer cancel()
		copies++
		if n, err := c.whole(ctx, fmt.Sprintf("%02d-%s", copies, what)); err != nil || n != int64(copies) {
			t.Fatalf("%s: number %d: %v", what, n, err)
		}
	}
	certify("first")
	certify("killed-worker-before")
	_ = p.stop(worker, syscall.SIGKILL)
	certify("one-worker-killed")
	for _, fault := range []struct {
		name       string
		away, back func()
		says       string
	}{
		{"tsa", func() { p.pki.SetFault(signertest.TSAService, signertest.Unavailable) }, func() { p.pki.SetFault(signertest.TSAService, signertest.Honest) }, "dấu thời gian"},
		{"token", func() { p.must(os.Rename(p.tokens, p.tokens+"-away")) }, func() { p.must(os.Rename(p.tokens+"-away", p.tokens)) }, "Khóa ký"},
		{"s3", p.store.Stop, func() { p.store = s3test.Start(t, p.storeDir, p.store.Address) }, "Kho lưu trữ"},
	} {
		copies++
		p.waitsAndGoesOn(c, fmt.Sprintf("%02d-%s", copies, fault.name), fault.away, fault.back, fault.says)
	}
	certify("last")
	p.filesPass(c, copies)
	for s, says := range map[*process]string{second: `saoy_call_seconds_count{call="key-pkcs11"}`, office: `saoy_store_up{store="vault"} 1`, public: "saoy_checkpoint_age_seconds"} {
		if got := p.get("http://" + s.metrics + "/metrics"); !strings.Contains(got, says) {
			t.Errorf("metrics of %s lack %s:\n%s", s.role, says, got)
		}
	}
	if out, err := p.try(p.binary, "fsck", "--deep"); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
}

// eachServesItsPart asks processes for pages of their own part and of others.
func (p *production) eachServesItsPart(want map[string]string) {
	p.t.Helper()
	for at, status := range want {
		res, err := http.Get("http://" + at)
		p.must(err)
		res.Body.Close()
		if got := fmt.Sprint(res.StatusCode); got != status {
			p.t.Errorf("%s: %s, want %s", at, got, status)
		}
	}
}

// waitsAndGoesOn takes a part away in the middle of a copy's way, expects it to wait with words, gives the part
// back and expects it to finish.
func (p *production) waitsAndGoesOn(c *client, key string, away, back func(), says string) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 5*time.Minute)
	defer cancel()
	id, err := c.untilSubmitted(ctx, key)
	p.must(err)
	away()
	confirmed := make(chan error, 1)
	go func() {
		n, err := c.whole(ctx, key)
		if err == nil && n == 0 {
			err = fmt.Errorf("no number")
		}
		confirmed <- err
	}()
	trouble := ""
	for deadline := time.Now().Add(90 * time.Second); !strings.Contains(trouble, says); time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.t.Fatalf("%s: the copy says %q, not %q", key, trouble, says)
		}
		trouble = p.trouble(id)
	}
	p.t.Logf("%s: %s", key, trouble)
	back()
	if err := <-confirmed; err != nil {
		p.t.Fatalf("%s does not go on: %v", key, err)
	}
}

func (p *production) get(address string) string {
	p.t.Helper()
	res, err := http.Get(address)
	p.must(err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	p.must(err)
	return string(b)
}

// filesPass has every file judged by our validator with the dated anchors, by Poppler, and asks
// that it be B-LT.
func (p *production) filesPass(c *client, copies int) {
	p.t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "*.pdf"))
	p.must(err)
	if len(files) != copies {
		p.t.Fatalf("%d files, want %d", len(files), copies)
	}
	for _, f := range files {
		out := p.saoy("verify", "--json", "--trust", p.path("anchors.json"), f)
		if !strings.Contains(out, "TOTAL-PASSED") || strings.Count(out, `"B-LT"`) < 2 {
			p.t.Errorf("%s: %s", f, out)
		}
	}
	if _, err := exec.LookPath("pdfsig"); err != nil {
		p.t.Log("no pdfsig: files were examined by our own validator only")
		return
	}
	if out := p.run("pdfsig", "-nocert", files[0]); strings.Count(out, "Signature is Valid") != 2 {
		p.t.Errorf("pdfsig: %s", out)
	}
}
