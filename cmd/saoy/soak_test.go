package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// TestClientsWhileServeIsKilled: clients of the API ask for copies, each retrying with its
// Idempotency-Key, while the server is killed and started again. In the end there is one copy
// per request, numbers without a gap, fsck is clean and every file is valid. SAOY_SOAK=1 is the
// long form.
func TestClientsWhileServeIsKilled(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("kills a server again and again; not with -short")
	}
	clients, copies, kills := 4, 24, 6
	if os.Getenv("SAOY_SOAK") != "" {
		clients, copies, kills = 8, 200, 30
	}
	s := newServer(t)
	s.start()
	out, err := exec.Command(s.binary, "token", "--data", s.dir, "--scopes", "requests,verify,certify,seal", "soak").Output()
	if err != nil {
		t.Fatalf("token: %v %s", err, stderrOf(err))
	}
	scan, err := encodeScan(".jpg", 9)
	if err != nil {
		t.Fatal(err)
	}
	c := &client{base: "http://" + s.address + "/api/v1", token: strings.TrimSpace(string(out)), scan: scan, dir: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()

	work := make(chan int)
	var numbers sync.Map
	var workers sync.WaitGroup
	for range clients {
		workers.Go(func() {
			for i := range work {
				n, err := c.whole(ctx, fmt.Sprintf("soak-%04d", i))
				if err != nil {
					t.Errorf("request %d: %v", i, err)
					continue
				}
				numbers.Store(i, n)
			}
		})
	}
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		r := rand.New(rand.NewPCG(3, 5))
		for range kills {
			time.Sleep(300*time.Millisecond + time.Duration(r.IntN(2500))*time.Millisecond)
			s.kill(syscall.SIGKILL)
			s.start()
		}
	}()
	for i := range copies {
		work <- i
	}
	close(work)
	workers.Wait()
	<-stopped

	var got []int64
	numbers.Range(func(_, v any) bool { got = append(got, v.(int64)); return true })
	slices.Sort(got)
	for i, n := range got {
		if n != int64(i+1) {
			t.Fatalf("numbers are %v, want 1 to %d", got, copies)
		}
	}
	if len(got) != copies {
		t.Fatalf("%d copies, want %d", len(got), copies)
	}
	c.check(t, s, copies)
}

func stderrOf(err error) string {
	if e, ok := err.(*exec.ExitError); ok { //nolint:errorlint // straight from exec
		return string(e.Stderr)
	}
	return ""
}

// client is a system around the office.
type client struct {
	base, token, dir string
	scan             []byte
}

// copyState is what the client reads of a copy.
type copyState struct {
	ID         string `json:"id"`
	State      string `json:"state"`
	Revision   int    `json:"revision"`
	Submission string `json:"submission"`
	Number     int64  `json:"number"`
}

// whole takes one copy from nothing to its file, retrying every call until it is answered.
func (c *client) whole(ctx context.Context, key string) (int64, error) {
	var r struct {
		ID     string      `json:"id"`
		Copies []copyState `json:"copies"`
	}
	if err := c.call(ctx, "POST", "/requests", key+"-create", "application/json", requestBody(key), &r); err != nil {
		return 0, err
	}
	id := r.Copies[0].ID
	for {
		var now copyState
		if err := c.call(ctx, "GET", "/copies/"+id, "", "", nil, &now); err != nil {
			return 0, err
		}
		if now.State == "released" {
			return now.Number, c.download(ctx, id, key)
		}
		if err := c.next(ctx, key, now); err != nil {
			return 0, err
		}
	}
}

// requestBody asks for one copy of one original.
func requestBody(key string) []byte {
	return fmt.Appendf(nil, `{"external_id":%q,"requester":{"name":"Người yêu cầu %s"},"originals":[{"type":"khac","title":"Giấy %s","pages":1}]}`, key, key, key)
}

// next does what is due; a conflict means that an earlier try of ours was done after all.
func (c *client) next(ctx context.Context, key string, now copyState) (err error) {
	confirmation := []byte(fmt.Sprintf(`{"copies":[{"id":%q,"submission":%q}]}`, now.ID, now.Submission))
	switch now.State {
	case "received":
		contentType, body := c.form()
		err = c.call(ctx, "POST", fmt.Sprintf("/copies/%s/scans?revision=%d", now.ID, now.Revision), fmt.Sprint(key, "-scan-", now.Revision), contentType, body, nil)
	case "scanned":
		err = c.call(ctx, "POST", "/copies/"+now.ID+"/submission", fmt.Sprint(key, "-submit-", now.Revision), "application/json",
			[]byte(fmt.Sprintf(`{"revision":%d,"checked":true}`, now.Revision)), nil)
	case "submitted":
		err = c.call(ctx, "POST", "/certifications", key+"-certify", "application/json", confirmation, nil)
		time.Sleep(30 * time.Millisecond)
	case "numbered", "stamped", "signed":
		err = c.call(ctx, "POST", "/seals", key+"-seal", "application/json", confirmation, nil)
		time.Sleep(30 * time.Millisecond)
	default:
		time.Sleep(50 * time.Millisecond)
	}
	if s, ok := err.(statusError); ok && s.status == http.StatusConflict { //nolint:errorlint // of ours
		return nil
	}
	return err
}

func (c *client) form() (contentType string, body []byte) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.SetBoundary("the-same-for-every-try") // the digest of the body belongs to the key
	part, _ := w.CreateFormFile("file", "scan.jpg")
	_, _ = part.Write(c.scan)
	_ = w.Close()
	return w.FormDataContentType(), b.Bytes()
}

type statusError struct {
	status int
	body   string
}

func (e statusError) Error() string { return fmt.Sprintf("status %d: %s", e.status, e.body) }

// call repeats a request with its key until somebody answers it.
func (c *client) call(ctx context.Context, method, path, key, contentType string, body []byte, into any) error {
	for {
		status, answer, err := c.once(ctx, method, path, key, contentType, body)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil || status >= 500 || status == http.StatusTooManyRequests || status == http.StatusConflict && strings.Contains(string(answer), "Idempotency"):
			time.Sleep(100 * time.Millisecond)
			continue
		case status >= 400:
			return statusError{status, string(answer)}
		case into == nil:
			return nil
		}
		return json.Unmarshal(answer, into)
	}
}

func (c *client) once(ctx context.Context, method, path, key, contentType string, body []byte) (int, []byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	if key != "" {
		r.Header.Set("Idempotency-Key", key)
	}
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

func (c *client) download(ctx context.Context, id, key string) error {
	for {
		status, file, err := c.once(ctx, "GET", "/copies/"+id+"/file", "", "", nil)
		if err == nil && status == http.StatusOK {
			return os.WriteFile(filepath.Join(c.dir, key+".pdf"), file, 0o600)
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// check asks fsck, our validator, and pdfsig where it is installed.
func (c *client) check(t *testing.T, s *server, copies int) {
	t.Helper()
	out, err := exec.Command(s.binary, "fsck", "--deep", "--data", s.dir).CombinedOutput()
	if err != nil || !strings.Contains(string(out), fmt.Sprintf("%d bản sao / copies, %d số / numbers, %d lá / leaves", copies, copies, copies)) {
		t.Errorf("fsck: %v\n%s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(c.dir, "*.pdf"))
	if err != nil || len(files) != copies {
		t.Fatalf("%d files, want %d (%v)", len(files), copies, err)
	}
	args := append([]string{"verify", "--trust", filepath.Join(s.dir, "demo", "ca.pem")}, files...)
	if out, err := exec.Command(s.binary, args...).CombinedOutput(); err != nil {
		t.Errorf("verify: %v\n%s", err, out)
	}
	if _, err := exec.LookPath("pdfsig"); err != nil {
		t.Log("no pdfsig: files were examined by our own validator only")
		return
	}
	for _, f := range files {
		out, err := exec.Command("pdfsig", "-nocert", f).CombinedOutput()
		if n := strings.Count(string(out), "Signature is Valid"); err != nil || n != 2 {
			t.Errorf("pdfsig finds %d valid signatures in %s: %v\n%s", n, f, err, out)
		}
	}
}
