package softkey_test

import (
	"crypto"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/softkey"
)

var pki = sync.OnceValue(func() *signertest.PKI {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		panic(err)
	}
	return p
})

func issue(t testing.TB, change func(*signertest.Profile)) signertest.Leaf {
	t.Helper()
	f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Thử", "")
	if change != nil {
		change(&f)
	}
	leaf, err := pki().Issue(f)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

var passphrase = []byte("mật khẩu dài và khó đoán")

func save(t *testing.T, leaf signertest.Leaf) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "key.p12")
	if err := softkey.Save(path, leaf.Identity, passphrase); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKeySuite(t *testing.T) {
	for _, kind := range []signertest.KeyType{signertest.P256, signertest.P384, signertest.RSA2048, signertest.RSA4096} {
		t.Run(string(kind), func(t *testing.T) {
			path := save(t, issue(t, func(f *signertest.Profile) { f.KeyType = kind }))
			signertest.KeySuite(t, func(t *testing.T) signer.Identity {
				id, err := softkey.Load(path, passphrase, time.Now)
				if err != nil {
					t.Fatal(err)
				}
				if len(id.Chain) != 2 {
					t.Errorf("chain of %d certificates", len(id.Chain))
				}
				return id
			})
		})
	}
}

// TestRefused: what must not sign is refused before it can.
func TestRefused(t *testing.T) {
	now := time.Now()
	tests := []struct {
		name   string
		change func(*signertest.Profile)
		want   signer.Reason
	}{
		{"expired", func(f *signertest.Profile) { f.NotBefore, f.NotAfter = now.Add(-2*time.Hour), now.Add(-time.Hour) }, signer.ReasonExpired},
		{"not yet valid", func(f *signertest.Profile) { f.NotBefore = now.Add(time.Hour) }, signer.ReasonNotYetValid},
		{"encipherment", func(f *signertest.Profile) { f.KeyUsage = x509.KeyUsageKeyEncipherment }, signer.ReasonKeyUsage},
		{"time-stamping", func(f *signertest.Profile) { *f = signertest.TimeStamping("TSA") }, signer.ReasonKeyUsage},
		{"RSA-1024", func(f *signertest.Profile) { f.KeyType = signertest.RSA1024 }, signer.ReasonWeakKey},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := softkey.Load(save(t, issue(t, tt.change)), passphrase, time.Now)
			var refused *signer.RefusedError
			if !errors.As(err, &refused) || refused.Reason != tt.want || !errors.Is(err, signer.ErrKeyRefused) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}

// TestExpiresWhileLoaded: a service that runs for months must notice.
func TestExpiresWhileLoaded(t *testing.T) {
	now := time.Now()
	leaf := issue(t, nil)
	id, err := softkey.Load(save(t, leaf), passphrase, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	now = leaf.Certificate.NotAfter.Add(time.Second)
	var refused *signer.RefusedError
	if _, err := id.Key.Sign(t.Context(), make([]byte, 32), crypto.SHA256); !errors.As(err, &refused) || refused.Reason != signer.ReasonExpired {
		t.Errorf("got %v", err)
	}
	now = leaf.Certificate.NotBefore
	if _, err := id.Key.Sign(t.Context(), make([]byte, 20), crypto.SHA1); !errors.As(err, &refused) || refused.Reason != signer.ReasonDigest {
		t.Errorf("SHA-1: %v", err)
	}
}

func TestFiles(t *testing.T) {
	leaf := issue(t, nil)
	path := save(t, leaf)
	if _, err := softkey.Load(path, []byte("sai"), time.Now); !errors.Is(err, softkey.ErrPassphrase) {
		t.Errorf("wrong passphrase: %v", err)
	}
	if err := softkey.Save(path, leaf.Identity, passphrase); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting: %v", err)
	}
	if _, err := softkey.Encode(leaf.Identity, nil); !errors.Is(err, softkey.ErrPassphrase) {
		t.Errorf("no passphrase: %v", err)
	}
	other := issue(t, nil)
	if _, err := softkey.Encode(signer.Identity{Key: leaf.Key, Certificate: other.Certificate}, passphrase); !errors.Is(err, signer.ErrKeyRefused) {
		t.Errorf("another key's certificate: %v", err)
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o660, 0o644} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := softkey.Load(path, passphrase, time.Now); !errors.Is(err, softkey.ErrPermissions) {
			t.Errorf("mode %o: %v", mode, err)
		}
	}
	for name, data := range map[string]string{"empty": "", "text": "hello", "half": "0\x82\x10\x00"} {
		bad := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(bad, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := softkey.Load(bad, passphrase, time.Now); !errors.Is(err, softkey.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := softkey.Load(t.TempDir(), passphrase, time.Now); !errors.Is(err, softkey.ErrFormat) {
		t.Errorf("a directory: %v", err)
	}
}

func TestPEM(t *testing.T) {
	leaf := issue(t, nil)
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	root, issuing := block("CERTIFICATE", pki().Root.Certificate.Raw), block("CERTIFICATE", pki().Issuing.Certificate.Raw)
	key, cert := block("PRIVATE KEY", der), block("CERTIFICATE", leaf.Certificate.Raw)
	tests := []struct {
		name, data string
		want       error
	}{
		{"any order", root + issuing + cert + key, nil},
		{"no certificate", key, signer.ErrKeyRefused},
		{"no key", cert, softkey.ErrFormat},
		{"two keys", key + key + cert, softkey.ErrFormat},
		{"only the issuer's certificate", key + issuing, signer.ErrKeyRefused},
		{"encrypted", block("ENCRYPTED PRIVATE KEY", der) + cert, softkey.ErrFormat},
		{"damaged", strings.Replace(key, "M", "N", 1) + cert, softkey.ErrFormat},
	}
	for _, tt := range tests {
		id, err := softkey.Decode([]byte(tt.data), nil)
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if err == nil && (!id.Certificate.Equal(leaf.Certificate) || len(id.Chain) != 2 || !id.Chain[0].Equal(pki().Issuing.Certificate)) {
			t.Errorf("%s: %v, chain of %d", tt.name, id.Certificate.Subject, len(id.Chain))
		}
	}
}

// TestOpenSSL reads a file that OpenSSL made, in its modern and its legacy encryption, and
// has OpenSSL read ours.
func TestOpenSSL(t *testing.T) {
	if _, err := exec.LookPath("openssl"); err != nil {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatal("openssl is not installed")
		}
		t.Skip("openssl is not installed")
	}
	leaf := issue(t, func(f *signertest.Profile) { f.KeyType = signertest.RSA2048 })
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var certs string
	for _, c := range append([]*x509.Certificate{leaf.Certificate}, leaf.Chain...) {
		certs += string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	}
	in := filepath.Join(dir, "in.pem")
	if err := os.WriteFile(in, []byte(certs+string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, extra := range [][]string{nil, {"-legacy"}} {
		out := filepath.Join(dir, "out"+strings.Join(extra, "")+".p12")
		args := append([]string{"pkcs12", "-export", "-in", in, "-out", out, "-passout", "pass:" + string(passphrase)}, extra...)
		if msg, err := exec.Command("openssl", args...).CombinedOutput(); err != nil {
			t.Logf("openssl %v: %s", extra, msg)
			continue // a build without the legacy provider
		}
		if err := os.Chmod(out, 0o600); err != nil {
			t.Fatal(err)
		}
		if id, err := softkey.Load(out, passphrase, time.Now); err != nil || len(id.Chain) != 2 {
			t.Errorf("openssl %v: %v", extra, err)
		}
	}
	msg, err := exec.Command("openssl", "pkcs12", "-in", save(t, leaf), "-noout", "-passin", "pass:"+string(passphrase)).CombinedOutput()
	if err != nil {
		t.Errorf("openssl reading ours: %s", msg)
	}
}

// TestKeyIsNotPrinted: no verb of fmt, logger or encoder gives the private key away.
func TestKeyIsNotPrinted(t *testing.T) {
	leaf := issue(t, nil)
	k := softkey.New(leaf.Private)
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "key", k)
	for _, s := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%x", k), log.String()} {
		if !strings.Contains(s, "hidden") || len(s) > 200 {
			t.Errorf("printed as %q", s)
		}
	}
	if out, err := json.Marshal(k); err == nil {
		t.Errorf("marshalled as %s", out)
	}
}

func FuzzDecode(f *testing.F) {
	leaf := issue(f, nil)
	data, err := softkey.Encode(leaf.Identity, passphrase)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, in []byte) {
		if id, err := softkey.Decode(in, passphrase); err == nil && (id.Key == nil || id.Certificate == nil) {
			t.Error("an identity without key or certificate")
		}
	})
}
