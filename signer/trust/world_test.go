package trust

import (
	"crypto/x509"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/signertest"
)

// world is a PKI, the validator that trusts it, and a clock that both go by.
type world struct {
	pki       *signertest.PKI
	validator Validator
	mu        sync.Mutex
	now       time.Time      // guarded by mu
	calls     map[string]int // guarded by mu; by path
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	w.mu.Lock()
	w.calls[r.URL.Path]++
	w.mu.Unlock()
	return w.pki.Transport(nil).RoundTrip(r)
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{now: time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC), calls: map[string]int{}}
	var err error
	w.pki, err = signertest.NewPKI(signertest.Config{Clock: w.clock, BaseURL: "http://pki.test", Slowness: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	w.validator = Validator{Store: NewStoreOf(w.pki.Root.Certificate), Source: w.source(false)}
	return w
}

func (w *world) source(nonce bool) *Source {
	return NewSource(NewFetcher(FetcherConfig{Transport: w, Timeout: time.Second, MaxBytes: 1 << 20}), nonce)
}

func (w *world) issue(t testing.TB, f signertest.Profile) *x509.Certificate {
	t.Helper()
	leaf, err := w.pki.Issue(f)
	if err != nil {
		t.Fatal(err)
	}
	return leaf.Certificate
}

func (w *world) official(t testing.TB) *x509.Certificate {
	t.Helper()
	return w.issue(t, signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Thử", ""))
}

func (w *world) others() []*x509.Certificate {
	return []*x509.Certificate{w.pki.Issuing.Certificate}
}

func (w *world) ask(t testing.TB, cert *x509.Certificate) Result {
	t.Helper()
	return w.validator.Validate(t.Context(), Question{Certificate: cert, Untrusted: w.others(), Purpose: PurposeOf(cert), At: w.clock(), Now: w.clock()})
}
