package main

import (
	"bytes"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/pdf"
)

// send posts a file as a browser's form or a program does.
func (s *server) send(path, accept string, file []byte) (int, []byte) {
	s.t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	part, err := form.CreateFormFile("file", "tệp.pdf")
	if err == nil {
		_, err = part.Write(file)
	}
	if err != nil || form.Close() != nil {
		s.t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(s.t.Context(), http.MethodPost, "http://"+s.address+path, &b)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Accept", accept)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, body
}

// check asks the public site what a file is.
func (s *server) check(file []byte) (r struct {
	verify.Report
	Conclusion verify.Conclusion `json:"conclusion"`
}) {
	s.t.Helper()
	status, body := s.send("/check", "application/json", file)
	if err := json.Unmarshal(body, &r); status != http.StatusOK || err != nil {
		s.t.Fatalf("check: %d %v\n%.300s", status, err, body)
	}
	return r
}

// run runs the program and returns what it printed and its exit status.
func (s *server) run(args ...string) (string, int) {
	s.t.Helper()
	cmd := exec.Command(s.binary, args...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func (s *server) get(path string) []byte {
	s.t.Helper()
	res, err := http.Get("http://" + s.address + path)
	if err != nil {
		s.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		s.t.Fatalf("%s: %d %v", path, res.StatusCode, err)
	}
	return b
}

// drawOver appends an update that puts a box on the first page.
func drawOver(t *testing.T, file []byte) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(file), int64(len(file)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	u := pdf.NewUpdate(r)
	for page, err := range r.Pages() {
		if err != nil {
			t.Fatal(err)
		}
		dict := page.Dict.Clone()
		box := u.Add(pdf.NewStream(nil, []byte("q 0 0 1 rg 100 500 200 60 re f Q")))
		dict.Set("Contents", pdf.Array{dict.Get("Contents"), box})
		u.Set(page.Ref, dict)
		break
	}
	increment, err := u.Increment()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(file), increment.Bytes...)
}

// TestResultsAndProofs: the report people hold, of a genuine and of an altered copy, is signed,
// conforms, shows what changed and is called what it is; the proof people keep is checked
// without the service, also after the copy was annulled.
func TestResultsAndProofs(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.start()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	keep := func(name string, b []byte) string {
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
		return at(name)
	}
	if err := writeScan(at("scan.jpg")); err != nil {
		t.Fatal(err)
	}
	out, status := s.run("certify", "--data", s.dir, "--json", "-o", at("copy.pdf"), at("scan.jpg"))
	if status != 0 {
		t.Fatalf("certify: %s", out)
	}
	var made struct{ Code string }
	if err := json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &made); err != nil {
		t.Fatal(err)
	}
	genuine, err := os.ReadFile(at("copy.pdf"))
	if err != nil {
		t.Fatal(err)
	}
	altered := drawOver(t, genuine)

	for name, c := range map[string]struct {
		file  []byte
		words []string
	}{
		"genuine.pdf": {genuine, []string{"Tệp này đúng là bản sao do Ủy ban nhân dân xã Ân Tường Đông cấp", "TOTAL-PASSED"}},
		"altered.pdf": {altered, []string{"ĐÃ BỊ THÊM nội dung không được phép", "TRƯỚC (như khi ký)", "1 trang trông khác trước"}},
	} {
		status, result := s.send("/api/v1/verifications?format=pdf", "text/html,*/*", c.file)
		if status != http.StatusOK {
			t.Fatalf("%s: %d\n%.300s", name, status, result)
		}
		s.looksRight(keep(name, result), c.words)
		if r := s.check(result); r.Origin != verify.Result || r.Good() || r.Conclusion.Key != "result" || r.Integrity != "intact" {
			t.Errorf("%s: the result is called %q, %s", name, r.Origin, r.Conclusion.Key)
		}
		if r := s.check(drawOver(t, result)); r.Origin != verify.Result || r.Conclusion.Key != "result_altered" {
			t.Errorf("%s: a changed result is called %q, %s", name, r.Origin, r.Conclusion.Key)
		}
		// Who trusts the authority of copies does not take a result for one.
		if out, status := s.run("verify", "--json", "--trust", filepath.Join(s.dir, "demo", "ca.pem"), at(name)); status != 1 || !strings.Contains(out, `"issuer":"untrusted"`) {
			t.Errorf("%s: %d %s", name, status, out)
		}
		if out, status := s.run("verify", "--trust", filepath.Join(s.dir, "demo", "ca.pem"), "--trust", filepath.Join(s.dir, "demo", "results-ca.pem"), at(name)); status != 0 || !strings.Contains(out, verify.ResultField) {
			t.Errorf("%s: %d %s", name, status, out)
		}
	}
	page, body := s.send("/check", "text/html", altered)
	if page != http.StatusOK || strings.Count(string(body), `<img src="data:image/jpeg;base64,`) != 2 || !strings.Contains(string(body), "Trang 1 – trước") {
		t.Errorf("the page does not show what changed: %d", page)
	}
	s.proofs(made.Code, keep)
}

// looksRight asks programs that know nothing of us, where they are.
func (s *server) looksRight(path string, words []string) {
	t := s.t
	t.Helper()
	verapdf := filepath.Join(os.Getenv("SAOY_TOOLS"), "bin", "verapdf")
	if os.Getenv("SAOY_TOOLS") == "" {
		verapdf = "verapdf"
	}
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"pdftotext": {[]string{"-raw", path, "-"}, append(words, "Kết quả kiểm tra chữ ký số", "Saoy trình diễn")},
		"pdfsig":    {[]string{"-nocert", path}, []string{"Signature is Valid", "ETSI.CAdES.detached"}},
		verapdf:     {[]string{"--flavour", "2b", "--format", "text", path}, []string{"PASS"}},
	} {
		if _, err := exec.LookPath(name); err != nil {
			if os.Getenv("SAOY_REQUIRE") == "all" {
				t.Errorf("%s is missing", name)
			}
			t.Logf("%s is missing: not asked", name)
			continue
		}
		out, err := exec.Command(name, c.args...).CombinedOutput()
		text := strings.Join(strings.Fields(string(out)), " ")
		for _, w := range c.words {
			if !strings.Contains(text, w) {
				t.Errorf("%s: no %q (%v)\n%.500s", name, w, err, out)
			}
		}
	}
}

// proofs checks the proof of a copy before and after its annulment.
func (s *server) proofs(code string, keep func(string, []byte) string) {
	t := s.t
	t.Helper()
	key := keep("log.key", s.get("/log/key"))
	copyFile := filepath.Join(filepath.Dir(key), "copy.pdf")
	early := s.get("/v/" + code + "/proof")
	proof := keep("proof", early)
	if out, status := s.run("verify", "--proof", proof, "--log-key", key, copyFile); status != 0 || !strings.Contains(out, "từng bit") {
		t.Errorf("proof: %d %s", status, out)
	}
	if out, status := s.run("verify", "--proof", proof, "--log-key", key, "--json", filepath.Join(filepath.Dir(key), "altered.pdf")); status != 1 || !strings.Contains(out, `"match":"different"`) {
		t.Errorf("proof of another file: %d %s", status, out)
	}
	forged := bytes.Replace(early, []byte("extra c2"), []byte("extra c3"), 1)
	if out, status := s.run("verify", "--proof", keep("forged", forged), "--log-key", key); status != 1 || !strings.Contains(out, "KHÔNG đúng") {
		t.Errorf("forged proof: %d %s", status, out)
	}
	if out, status := s.run("verify", "--proof", proof, "--log-key", "no key"); status != 2 {
		t.Errorf("no key: %d %s", status, out)
	}
	if out, status := s.run("annul", "--data", s.dir, "--decision", "45/QĐ-UBND", "--date", time.Now().In(certcopy.Vietnam).Format(time.DateOnly), "--reason", "sai bản chính", "--by", demo.CertifierLogin, code); status != 0 {
		t.Fatalf("annul: %s", out)
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(200 * time.Millisecond) { // until a checkpoint covers the leaf
		res, err := http.Get("http://" + s.address + "/v/" + code + "/proof")
		if err != nil {
			t.Fatal(err)
		}
		late, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode == http.StatusOK && bytes.Count(late, []byte("tlog-proof@v1")) == 2 {
			keep("proof", late)
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("no proof of the annulment: %d", res.StatusCode)
		}
	}
	if out, status := s.run("verify", "--proof", proof, "--log-key", key, copyFile); status != 1 || !strings.Contains(out, "HỦY BỎ") || !strings.Contains(out, "45/QĐ-UBND") {
		t.Errorf("proof of an annulled copy: %d %s", status, out)
	}
}
