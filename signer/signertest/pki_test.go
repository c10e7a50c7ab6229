package signertest_test

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

// newPKI makes a PKI served on a loopback port.
func newPKI(t *testing.T, cfg signertest.Config) *signertest.PKI {
	t.Helper()
	mux := http.NewServeMux()
	srv := httptest.NewServer(mux)
	t.Cleanup(srv.Close)
	cfg.BaseURL = srv.URL
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	p, err := signertest.NewPKI(cfg)
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle("/", p.Handler())
	return p
}

func issue(t *testing.T, p *signertest.PKI, f signertest.Profile) signertest.Leaf {
	t.Helper()
	leaf, err := p.Issue(f)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func openssl(t *testing.T, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	out, err := exec.Command("openssl", args...).CombinedOutput()
	if err != nil {
		t.Errorf("openssl %s: %v", args[0], err)
	}
	return string(out)
}

func writePEM(t *testing.T, certs ...*x509.Certificate) string {
	t.Helper()
	var buf bytes.Buffer
	for _, c := range certs {
		if err := pem.Encode(&buf, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			t.Fatal(err)
		}
	}
	return writeFile(t, "certs-*.pem", buf.Bytes())
}

func writeFile(t *testing.T, pattern string, data []byte) string {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), pattern)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return f.Name()
}

func TestKeySuite(t *testing.T) {
	p := newPKI(t, signertest.Config{})
	for _, kind := range []signertest.KeyType{signertest.P256, signertest.P384, signertest.P521, signertest.RSA2048} {
		t.Run(string(kind), func(t *testing.T) {
			f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Thử", "CCCD:001080000001")
			f.KeyType = kind
			leaf := issue(t, p, f)
			signertest.KeySuite(t, func(*testing.T) signer.Identity { return leaf.Identity })
		})
	}
}

// TestOpenSSLAcceptsOCSP asks the service with OpenSSL, another implementation.
func TestOpenSSLAcceptsOCSP(t *testing.T) {
	p := newPKI(t, signertest.Config{})
	official := issue(t, p, signertest.Official("Nguyễn Văn An", "", "", ""))
	ask := func(issuer, cert *x509.Certificate) string {
		return openssl(t, "ocsp", "-issuer", writePEM(t, issuer), "-cert", writePEM(t, cert),
			"-CAfile", writePEM(t, p.Root.Certificate), "-url", cert.OCSPServer[0])
	}
	expect := func(got, want string) {
		t.Helper()
		if !strings.Contains(got, "Response verify OK") || !strings.Contains(got, want) || strings.Contains(got, "WARNING") {
			t.Errorf("want %q, got\n%s", want, got)
		}
	}
	expect(ask(p.Issuing.Certificate, official.Certificate), ": good")
	expect(ask(p.Root.Certificate, p.Issuing.Certificate), ": good")
	if err := p.Revoke(official.Certificate, time.Now().Add(-time.Minute), 1); err != nil {
		t.Fatal(err)
	}
	expect(ask(p.Issuing.Certificate, official.Certificate), "Reason: keyCompromise")
	if err := p.Forget(official.Certificate); err != nil {
		t.Fatal(err)
	}
	expect(ask(p.Issuing.Certificate, official.Certificate), ": unknown")
}

func TestOpenSSLAcceptsTimeStamps(t *testing.T) {
	for _, kind := range []signertest.KeyType{signertest.P256, signertest.RSA2048} {
		t.Run(string(kind), func(t *testing.T) {
			p := newPKI(t, signertest.Config{KeyType: kind})
			data := writeFile(t, "data-*", []byte("bản sao"))
			query := filepath.Join(t.TempDir(), "query.tsq")
			openssl(t, "ts", "-query", "-data", data, "-sha256", "-cert", "-out", query)
			request, err := os.ReadFile(query)
			if err != nil {
				t.Fatal(err)
			}
			reply, err := p.TimeStampReply(t.Context(), request)
			if err != nil {
				t.Fatal(err)
			}
			out := openssl(t, "ts", "-verify", "-queryfile", query, "-in", writeFile(t, "reply-*", reply),
				"-CAfile", writePEM(t, p.Root.Certificate), "-untrusted", writePEM(t, p.Issuing.Certificate))
			if !strings.Contains(out, "Verification: OK") {
				t.Error(out)
			}
			p.SetFault(signertest.TSAService, signertest.WrongNonce)
			if reply, err = p.TimeStampReply(t.Context(), request); err != nil {
				t.Fatal(err)
			}
			if out, _ := exec.Command("openssl", "ts", "-verify", "-queryfile", query, "-in", writeFile(t, "reply-*", reply),
				"-CAfile", writePEM(t, p.Root.Certificate), "-untrusted", writePEM(t, p.Issuing.Certificate)).CombinedOutput(); !strings.Contains(string(out), "FAILED") {
				t.Errorf("a wrong nonce was accepted: %s", out)
			}
		})
	}
}

func TestCRLListsTheRevoked(t *testing.T) {
	p := newPKI(t, signertest.Config{})
	official := issue(t, p, signertest.Official("Trần Thị Bình", "", "", ""))
	if err := p.Revoke(official.Certificate, time.Now(), 4); err != nil {
		t.Fatal(err)
	}
	resp, err := http.Get(official.Certificate.CRLDistributionPoints[0])
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	der, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(p.Issuing.Certificate); err != nil {
		t.Error(err)
	}
	if len(list.RevokedCertificateEntries) != 1 || list.RevokedCertificateEntries[0].SerialNumber.Cmp(official.Certificate.SerialNumber) != 0 {
		t.Errorf("entries: %v", list.RevokedCertificateEntries)
	}
}

// TestOpenKeepsEverything opens one directory twice, as two starts of a service do.
func TestOpenKeepsEverything(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	cfg := signertest.Config{Clock: time.Now, BaseURL: "http://127.0.0.1:1"}
	first, err := signertest.Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	good := issue(t, first, signertest.Official("Lê Văn Cường", "", "", ""))
	bad := issue(t, first, signertest.Agency("UBND xã Thử", "MST:0100000001"))
	if err := first.Revoke(bad.Certificate, time.Now(), 1); err != nil {
		t.Fatal(err)
	}
	second, err := signertest.Open(dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if !second.Root.Certificate.Equal(first.Root.Certificate) || !second.TSA.Certificate.Equal(first.TSA.Certificate) {
		t.Error("the second start made other authorities")
	}
	for _, leaf := range []signertest.Leaf{good, bad} {
		a, errA := first.OCSPAnswer(leaf.Certificate)
		b, errB := second.OCSPAnswer(leaf.Certificate)
		if errA != nil || errB != nil || len(a) == 0 || len(a)-len(b) > 8 || len(b)-len(a) > 8 {
			t.Errorf("answers of %d and %d bytes, errors %v, %v", len(a), len(b), errA, errB)
		}
	}
	digest := sha256.Sum256([]byte("x"))
	if _, err := second.TimeStamp(t.Context(), digest[:], 5); err != nil {
		t.Errorf("time-stamp after reopening: %v", err)
	}
	for _, key := range []string{"root.key", "issuing.key", "tsa.key", "ocsp.key", "status.json"} {
		info, err := os.Stat(filepath.Join(dir, key))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", key, info, err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "root.key"), []byte("damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := signertest.Open(dir, cfg); err == nil {
		t.Error("a damaged key was replaced or ignored")
	}
}
