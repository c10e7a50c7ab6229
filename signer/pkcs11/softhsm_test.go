//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/miekg/pkcs11"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

const testPIN = "123456"

// hsm is a SoftHSM token for the whole run: a module reads its configuration once a process.
type hsm struct {
	dir, module string
	pki         *signertest.PKI
	keys        atomic.Int64
}

var theHSM = sync.OnceValues(func() (*hsm, error) {
	h := &hsm{}
	for _, path := range []string{"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib64/pkcs11/libsofthsm2.so", "/opt/homebrew/lib/softhsm/libsofthsm2.so"} {
		if _, err := os.Stat(path); err == nil {
			h.module = path
		}
	}
	if _, err := exec.LookPath("softhsm2-util"); err != nil || h.module == "" {
		return nil, errors.New("SoftHSM (softhsm2) is not installed")
	}
	var err error
	if h.dir, err = os.MkdirTemp("", "softhsm"); err != nil {
		return nil, err
	}
	conf := filepath.Join(h.dir, "softhsm2.conf")
	if err := errors.Join(os.Mkdir(filepath.Join(h.dir, "tokens"), 0o700),
		os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n", h.dir), 0o600),
		os.Setenv("SOFTHSM2_CONF", conf),
		h.util("--init-token", "--free", "--label", "saoy", "--pin", testPIN, "--so-pin", "12345678")); err != nil {
		return nil, err
	}
	h.pki, err = signertest.NewPKI(signertest.Config{Clock: time.Now})
	return h, err
})

func TestMain(m *testing.M) {
	code := m.Run()
	if h, err := theHSM(); err == nil {
		_ = os.RemoveAll(h.dir)
	}
	os.Exit(code)
}

func (h *hsm) util(args ...string) error {
	if out, err := exec.Command("softhsm2-util", args...).CombinedOutput(); err != nil {
		return fmt.Errorf("softhsm2-util %s: %w: %s", args[0], err, out)
	}
	return nil
}

func softHSM(t testing.TB) *hsm {
	t.Helper()
	h, err := theHSM()
	if err != nil && os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return h
}

// put imports a key into the token under a name of its own and returns how to open it.
func (h *hsm) put(t testing.TB, change func(*signertest.Profile)) (Config, signertest.Leaf) {
	t.Helper()
	f := signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Thử", "")
	if change != nil {
		change(&f)
	}
	leaf, err := h.pki.Issue(f)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		t.Fatal(err)
	}
	n := h.keys.Add(1)
	label := fmt.Sprintf("key %d", n)
	file := filepath.Join(t.TempDir(), "key.pem")
	if err := errors.Join(os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600),
		h.util("--import", file, "--token", "saoy", "--label", label, "--id", fmt.Sprintf("%04x", n), "--pin", testPIN)); err != nil {
		t.Fatal(err)
	}
	u, err := ParseURI("pkcs11:token=saoy;object=" + escape(label) + "?module-path=" + h.module)
	if err != nil {
		t.Fatal(err)
	}
	return Config{URI: u, PIN: []byte(testPIN), Certificate: leaf.Certificate, Chain: leaf.Chain, Clock: time.Now}, leaf
}

func open(t testing.TB, cfg Config) *Token {
	t.Helper()
	token, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = token.Close() })
	return token
}

func sign(t testing.TB, token *Token) error {
	t.Helper()
	_, err := token.Identity().Key.Sign(t.Context(), make([]byte, 32), crypto.SHA256)
	return err
}

func TestKeySuite(t *testing.T) {
	h := softHSM(t)
	for _, kind := range []signertest.KeyType{signertest.RSA2048, signertest.RSA4096, signertest.P256, signertest.P384} {
		t.Run(string(kind), func(t *testing.T) {
			cfg, _ := h.put(t, func(f *signertest.Profile) { f.KeyType = kind })
			token := open(t, cfg)
			if len(token.Identity().Chain) != 2 {
				t.Errorf("chain of %d", len(token.Identity().Chain))
			}
			signertest.KeySuite(t, func(*testing.T) signer.Identity { return token.Identity() })
		})
	}
}

// TestCertificateFromToken: without a certificate given, the newest with the key's CKA_ID is
// taken, and the issuers that are in the token.
func TestCertificateFromToken(t *testing.T) {
	h := softHSM(t)
	cfg, leaf := h.put(t, nil)
	older, err := h.pki.Issue(signertest.Profile{Subject: leaf.Certificate.Subject, Private: leaf.Private, KeyUsage: leaf.Certificate.KeyUsage, NotAfter: leaf.Certificate.NotAfter.AddDate(-1, 0, 0)})
	if err != nil {
		t.Fatal(err)
	}
	token := open(t, cfg)
	id, err := token.module.GetAttributeValue(token.link.anchor, token.link.key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
	if err != nil {
		t.Fatal(err)
	}
	session, err := token.module.OpenSession(token.link.slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []*x509.Certificate{leaf.Certificate, older.Certificate, h.pki.Issuing.Certificate} {
		_, err := token.module.CreateObject(session, []*pkcs11.Attribute{
			pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_CERTIFICATE_TYPE, pkcs11.CKC_X_509),
			pkcs11.NewAttribute(pkcs11.CKA_TOKEN, true), pkcs11.NewAttribute(pkcs11.CKA_SUBJECT, c.RawSubject),
			pkcs11.NewAttribute(pkcs11.CKA_ID, [][]byte{id[0].Value, id[0].Value, {0xca}}[i]), pkcs11.NewAttribute(pkcs11.CKA_VALUE, c.Raw)})
		if err != nil {
			t.Fatal(err)
		}
	}
	cfg.Certificate, cfg.Chain = nil, nil
	found := open(t, cfg).Identity()
	if !found.Certificate.Equal(leaf.Certificate) || len(found.Chain) != 1 {
		t.Errorf("%v until %v, chain of %d", found.Certificate.Subject, found.Certificate.NotAfter, len(found.Chain))
	}
}

func TestOpenErrors(t *testing.T) {
	h := softHSM(t)
	cfg, _ := h.put(t, nil)
	other, _ := h.put(t, nil)
	expired, _ := h.put(t, func(f *signertest.Profile) {
		f.NotBefore, f.NotAfter = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	})
	tests := []struct {
		name   string
		change func(*Config)
		want   error
	}{
		{"no such module", func(c *Config) { c.URI.Module = "/nonexistent.so" }, signer.ErrUnavailable},
		{"no such token", func(c *Config) { c.URI.Token = "khác" }, signer.ErrUnavailable},
		{"no such key", func(c *Config) { c.URI.Object = "khác" }, ErrNoKey},
		{"no certificate", func(c *Config) { c.Certificate = nil }, ErrNoKey},
		{"another key's certificate", func(c *Config) { c.Certificate = other.Certificate }, signer.ErrKeyRefused},
		{"expired", func(c *Config) { *c = expired }, signer.ErrKeyRefused},
		{"PIN file is open to others", func(c *Config) { c.PIN, c.URI.PINFile = nil, pinFile(t, 0o644) }, ErrPIN},
		{"PIN from a file", func(c *Config) { c.PIN, c.URI.PINFile = nil, pinFile(t, 0o600) }, nil},
	}
	for _, tt := range tests {
		c := cfg
		tt.change(&c)
		token, err := Open(c)
		if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
			t.Errorf("%s: %v", tt.name, err)
		}
		if token != nil {
			_ = token.Close()
		}
	}
}

func pinFile(t *testing.T, mode os.FileMode) string {
	path := filepath.Join(t.TempDir(), "pin")
	if err := errors.Join(os.WriteFile(path, []byte(testPIN+"\n"), mode), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWrongPINIsTriedOnce: the token counts wrong tries.
func TestWrongPINIsTriedOnce(t *testing.T) {
	h := softHSM(t)
	cfg, _ := h.put(t, nil)
	token := open(t, cfg)
	// somebody else ends the login, and the PIN was changed meanwhile
	if err := token.module.CloseAllSessions(token.link.slot); err != nil {
		t.Fatal(err)
	}
	token.pin = []byte("000000")
	if err := sign(t, token); !errors.Is(err, ErrPIN) {
		t.Errorf("wrong PIN: %v", err)
	}
	if token.pin != nil {
		t.Error("a refused PIN is kept for another try")
	}
	if err := sign(t, token); !errors.Is(err, ErrPIN) {
		t.Errorf("after a wrong PIN: %v", err)
	}
}

// TestTokenLoss: sessions end, the module is finalised, the token is away and comes back.
func TestTokenLoss(t *testing.T) {
	h := softHSM(t)
	cfg, _ := h.put(t, nil)
	var later atomic.Int64
	cfg.Clock = func() time.Time { return time.Now().Add(time.Duration(later.Load())) }
	token, other := open(t, cfg), open(t, cfg)
	slot := token.link.slot
	for name, lose := range map[string]func() error{
		"sessions closed": func() error { return token.module.CloseAllSessions(slot) },
		"logged out":      func() error { return token.module.Logout(token.link.anchor) },
		"finalised":       func() error { return token.module.Finalize() },
	} {
		if err := lose(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := sign(t, token); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	tokens, away := filepath.Join(h.dir, "tokens"), filepath.Join(h.dir, "away")
	if err := errors.Join(token.module.Finalize(), os.Rename(tokens, away), os.Mkdir(tokens, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := sign(t, token); !errors.Is(err, signer.ErrUnavailable) {
		t.Errorf("pulled out: %v", err)
	}
	if err := errors.Join(os.Remove(tokens), os.Rename(away, tokens)); err != nil {
		t.Fatal(err)
	}
	later.Store(int64(restartPause))
	if err := sign(t, token); err != nil {
		t.Errorf("put back: %v", err)
	}
	// The module was restarted for the one; what the other knew of it means nothing any more.
	if err := sign(t, other); err != nil {
		t.Errorf("another login of the same module: %v", err)
	}
}

// TestLossUnderLoad: all signatures asked for come out although the sessions are torn down
// while they wait. No call is in the module at that moment: SoftHSM frees sessions that are in use.
func TestLossUnderLoad(t *testing.T) {
	h := softHSM(t)
	cfg, _ := h.put(t, nil)
	token := open(t, cfg)
	for name, lose := range map[string]func(slot uint) error{
		"sessions closed": func(slot uint) error { return token.module.CloseAllSessions(slot) },
		"finalised":       func(uint) error { return token.module.Finalize() },
	} {
		loseUnderLoad(t, token, name, lose)
	}
}

func loseUnderLoad(t *testing.T, token *Token, name string, lose func(slot uint) error) {
	t.Helper()
	const n = 200
	errs := make(chan error, n)
	hold := func() {
		for range cap(token.slots) {
			token.slots <- struct{}{}
		}
	}
	release := func() {
		for range cap(token.slots) {
			<-token.slots
		}
	}
	for range n {
		go func() { errs <- sign(t, token) }()
	}
	hold() // some are done, the others wait
	if err := lose(token.link.slot); err != nil {
		t.Error(err)
	}
	release()
	for range n {
		if err := <-errs; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	token.link.mu.Lock()
	defer token.link.mu.Unlock()
	if kept := len(token.link.idle); kept > cap(token.slots) {
		t.Errorf("%s: %d sessions are kept", name, kept)
	}
}

func TestClosed(t *testing.T) {
	h := softHSM(t)
	cfg, _ := h.put(t, nil)
	token := open(t, cfg)
	if err := token.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sign(t, token); err == nil {
		t.Error("signed after Close")
	}
}
