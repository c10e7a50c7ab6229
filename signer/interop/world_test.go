package interop

import (
	"bytes"
	"encoding/pem"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/trust"
)

const pass = "interop"

// world is a public key infrastructure at a loopback address, so that other programs can ask
// its services too, and a directory that everything is written to.
type world struct {
	dir       string
	url       string
	pki       *signertest.PKI
	collector *trust.Collector

	mu   sync.Mutex
	keys map[key]signer.Identity // guarded by mu
}

// newWorld starts the services. Other programs use the machine's clock, so all do.
func newWorld(t testing.TB) *world {
	t.Helper()
	server := httptest.NewUnstartedServer(nil)
	url := "http://" + server.Listener.Addr().String()
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: url})
	if err != nil {
		t.Fatal(err)
	}
	server.Config.Handler = pki.Handler()
	server.Start()
	t.Cleanup(server.Close)
	w := &world{dir: t.TempDir(), url: url, pki: pki, keys: map[key]signer.Identity{}}
	fetcher := trust.NewFetcher(trust.FetcherConfig{AllowPrivate: true})
	w.collector = &trust.Collector{Clock: time.Now,
		Validator: trust.Validator{Store: trust.NewStoreOf(pki.Root.Certificate), Source: trust.NewSource(fetcher, true)}}
	write(t, w.path("root.pem"), certificatePEM(pki.Root.Certificate.Raw))
	write(t, w.path("chain.pem"), append(certificatePEM(pki.Issuing.Certificate.Raw), certificatePEM(pki.TSA.Certificate.Raw)...))
	return w
}

func certificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func (w *world) path(name string) string { return filepath.Join(w.dir, name) }

// key is a kind of key and how it signs.
type key struct {
	name string
	kind signertest.KeyType
	pss  bool
}

var keys = []key{
	{"RSA-2048", signertest.RSA2048, false},
	{"RSA-3072 PSS", signertest.RSA3072, true},
	{"P-256", signertest.P256, false},
	{"P-384", signertest.P384, false},
	{"RSA-4096", signertest.RSA4096, false},
	{"RSA-4096 PSS", signertest.RSA4096, true},
}

// identity returns the official's key of a kind; it is made once, as a soft key.
func (w *world) identity(t testing.TB, k key) signer.Identity {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if id, ok := w.keys[k]; ok {
		return id
	}
	profile := signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "Ủy ban nhân dân xã Ân Tường Đông", "CCCD:012345678901")
	profile.KeyType = k.kind
	leaf, err := w.pki.Issue(profile)
	if err != nil {
		t.Fatal(err)
	}
	id := leaf.Identity
	id.Key = softkey.New(leaf.Private)
	w.keys[k] = id
	return id
}

// p12 writes a key file for other programs to sign with.
func (w *world) p12(t testing.TB, k key) string {
	t.Helper()
	data, err := softkey.Encode(w.identity(t, k), []byte(pass))
	if err != nil {
		t.Fatal(err)
	}
	path := w.path(k.name + ".p12")
	write(t, path, data)
	return path
}

// sign signs in memory, to a level, with the services over HTTP but the time-stamps.
func (w *world) sign(t testing.TB, base []byte, k key, level pades.Level, o pades.Options) []byte {
	t.Helper()
	o.SigningTime = time.Now()
	o.Reason = "Chứng thực bản sao đúng với bản chính"
	m := pades.Means{Level: level, Collector: w.collector, PSS: k.pss}
	if level > pades.BB {
		m.TimeStamper = w.pki
	}
	var out bytes.Buffer
	if _, err := pades.Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, w.identity(t, k), o, m); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), base) {
		t.Fatal("a byte of the base changed")
	}
	return out.Bytes()
}

// extend lifts a file to a level.
func (w *world) extend(t testing.TB, base []byte, level pades.Level) []byte {
	t.Helper()
	var out bytes.Buffer
	o := pades.ExtendOptions{Level: level, TimeStamper: w.pki, Collector: w.collector}
	if err := pades.Extend(t.Context(), bytes.NewReader(base), int64(len(base)), &out, o); err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(out.Bytes(), base) {
		t.Fatal("a byte of the base changed")
	}
	return out.Bytes()
}
