package timestamp_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/timestamp"
)

// TestOpenSSLTokens verifies time-stamps made by OpenSSL: with ESS v2, with ESS v1 as RFC 3161
// wrote it, and one signed with SHA-1.
func TestOpenSSLTokens(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now, KeyType: signertest.RSA2048})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	key, err := x509.MarshalPKCS8PrivateKey(p.TSA.Private)
	if err != nil {
		t.Fatal(err)
	}
	keyFile := write("tsa.key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	certFile := write("tsa.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.TSA.Certificate.Raw}))
	chainFile := write("chain.pem", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.Issuing.Certificate.Raw}))
	data := write("data", []byte("bản sao"))
	for _, tt := range []struct {
		ess, digest, md string
		version         int
		want            error
	}{
		{"sha256", "sha256", "-sha256", 2, nil},
		{"sha512", "sha384", "-sha512", 2, nil},
		{"sha1", "sha256", "-sha256", 1, nil},
		{"sha256", "sha1", "-sha256", 2, timestamp.ErrInvalid},
	} {
		conf := write("ts.cnf", fmt.Appendf(nil, `[tsa]
default_tsa = t
[t]
serial = %s
crypto_device = builtin
signer_cert = %s
certs = %s
signer_key = %s
signer_digest = %s
default_policy = 1.2.3.4.1
digests = sha1, sha256, sha384, sha512
accuracy = secs:1, millisecs:500, microsecs:100
ordering = yes
ess_cert_id_chain = no
ess_cert_id_alg = %s
`, write("serial", []byte("01\n")), certFile, chainFile, keyFile, tt.digest, tt.ess))
		query, reply := filepath.Join(dir, "q.tsq"), filepath.Join(dir, "r.tsr")
		for _, args := range [][]string{
			{"ts", "-query", "-data", data, tt.md, "-cert", "-out", query},
			{"ts", "-reply", "-config", conf, "-queryfile", query, "-out", reply},
		} {
			if out, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
				t.Fatalf("openssl %v: %s", args, out)
			}
		}
		der, err := os.ReadFile(reply)
		if err != nil {
			t.Fatal(err)
		}
		tok, err := timestamp.ParseReply(der)
		if err != nil {
			t.Fatalf("%+v: %v", tt, err)
		}
		if v := tok.VerifySignature(); v.ESSVersion != tt.version {
			t.Errorf("%+v: ESS v%d", tt, v.ESSVersion)
		}
		_, err = tok.Verify(timestamp.Verification{Content: cms.BytesOf([]byte("bản sao")), Roots: p.Anchors()})
		if !errors.Is(err, tt.want) {
			t.Errorf("%+v: %v", tt, err)
		}
		if tok.Accuracy != 1500*time.Millisecond+100*time.Microsecond || !tok.Ordering {
			t.Errorf("%+v: accuracy %v, ordering %v", tt, tok.Accuracy, tok.Ordering)
		}
	}
}
