package timestamp_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/timestamp"
)

var digest = sha256.Sum256([]byte("bản sao"))

// world has two authorities behind one transport, and counts their calls.
type world struct {
	first, second *signertest.PKI
	calls         [2]atomic.Int64
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	for i, p := range []**signertest.PKI{&w.first, &w.second} {
		var err error
		url := []string{"http://first.test", "http://second.test"}[i]
		if *p, err = signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: url, Slowness: 131 * time.Second}); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *world) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Host == "first.test" {
		w.calls[0].Add(1)
		return w.first.Transport(nil).RoundTrip(r)
	}
	w.calls[1].Add(1)
	return w.second.Transport(nil).RoundTrip(r)
}

func (w *world) client(t *testing.T, n int, change func(*timestamp.Config)) *timestamp.Client {
	t.Helper()
	cfg := timestamp.Config{
		Authorities: []timestamp.Authority{
			{URL: "http://first.test/tsa", Roots: w.first.Anchors()},
			{URL: "http://second.test/tsa", Roots: w.second.Anchors()},
		}[:n],
		Clock: time.Now, HTTPClient: &http.Client{Transport: w},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := timestamp.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestFaults: what each fault of the only, or of the first of two authorities comes to.
func TestFaults(t *testing.T) {
	tests := []struct {
		fault signertest.Fault
		alone error         // with one authority; nil is success
		calls int64         // to it
		took  time.Duration // at least
		both  int64         // calls to the second authority, if there is one
	}{
		{signertest.Honest, nil, 1, 0, 0},
		{signertest.Slow, nil, 1, 131 * time.Second, 0},
		{signertest.Unavailable, signer.ErrUnavailable, 3, 6 * time.Second, 1},
		{signertest.Throttled, signer.ErrUnavailable, 1, 0, 1},
		{signertest.Garbage, signer.ErrUnavailable, 3, 6 * time.Second, 1},
		{signertest.Endless, signer.ErrUnavailable, 3, 6 * time.Second, 1},
		{signertest.Rejecting, signer.ErrUnavailable, 3, 6 * time.Second, 1},
		{signertest.WrongNonce, timestamp.ErrInvalid, 1, 0, 1},
		{signertest.NoNonce, timestamp.ErrInvalid, 1, 0, 1},
		{signertest.WrongImprint, timestamp.ErrImprint, 1, 0, 1},
		{signertest.WrongSigner, timestamp.ErrInvalid, 1, 0, 1},
		{signertest.Forged, timestamp.ErrInvalid, 1, 0, 1},
		{signertest.Future, timestamp.ErrInvalid, 1, 0, 1},
	}
	for _, tt := range tests {
		t.Run("fault "+string(tt.fault), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.first.SetFault(signertest.TSAService, tt.fault)
				start := time.Now()
				_, err := w.client(t, 1, nil).TimeStamp(t.Context(), digest[:], crypto.SHA256)
				if !errors.Is(err, tt.alone) || w.calls[0].Load() != tt.calls || time.Since(start) < tt.took {
					t.Errorf("alone: %v after %d calls and %v", err, w.calls[0].Load(), time.Since(start))
				}
				der, err := w.client(t, 2, nil).TimeStamp(t.Context(), digest[:], crypto.SHA256)
				if err != nil || w.calls[1].Load() != tt.both {
					t.Fatalf("with a second authority: %v after %d calls to it", err, w.calls[1].Load())
				}
				if _, err := timestamp.ParseToken(der); err != nil {
					t.Error(err)
				}
			})
		})
	}
}

// TestThrottledIsLeftAlone: an authority that said 429 with Retry-After is not called before
// that time, and is called again after it.
func TestThrottledIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 1, nil)
		w.first.SetFault(signertest.TSAService, signertest.Throttled)
		for range 20 {
			_, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256)
			var throttled *timestamp.ThrottledError
			if !errors.As(err, &throttled) || time.Until(throttled.Until) != 1200*time.Second {
				t.Fatalf("got %v", err)
			}
		}
		if n := w.calls[0].Load(); n != 1 {
			t.Errorf("%d calls to an authority that throttles", n)
		}
		w.first.SetFault(signertest.TSAService, signertest.Honest)
		time.Sleep(1200 * time.Second)
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); err != nil {
			t.Errorf("after Retry-After: %v", err)
		}
	})
}

// TestGrantedRequests: the calls an authority grants (20 in 20 minutes) are not exceeded; who
// comes then is served by another, and by the first again as its time passes.
func TestGrantedRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		limited := func(cfg *timestamp.Config) { cfg.Authorities[0].Requests, cfg.Authorities[0].Per = 20, 20*time.Minute }
		c := w.client(t, 2, limited)
		for range 25 {
			if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Second)
		}
		if w.calls[0].Load() != 20 || w.calls[1].Load() != 5 {
			t.Errorf("%d and %d calls", w.calls[0].Load(), w.calls[1].Load())
		}
		time.Sleep(20*time.Minute - 25*time.Second) // the first call is as old as the window
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); err != nil || w.calls[0].Load() != 21 {
			t.Errorf("%v, %d calls when the first has passed", err, w.calls[0].Load())
		}
		alone := w.client(t, 1, limited)
		for i := range 21 {
			_, err := alone.TimeStamp(t.Context(), digest[:], crypto.SHA256)
			var throttled *timestamp.ThrottledError
			if i < 20 && err != nil || i == 20 && (!errors.As(err, &throttled) || time.Until(throttled.Until) != 20*time.Minute) {
				t.Errorf("call %d: %v", i, err)
			}
		}
		if _, err := timestamp.New(timestamp.Config{Clock: time.Now, Authorities: []timestamp.Authority{{URL: "http://a.test", Roots: w.first.Anchors(), Requests: 5}}}); err == nil {
			t.Error("five requests per nothing were accepted")
		}
	})
}

// TestFailedRests: after a time-out others are asked first, so that only one document waits;
// later the authority gets its place back.
func TestFailedRests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 2, func(cfg *timestamp.Config) { cfg.Authorities[0].Timeout = 100 * time.Second })
		w.first.SetFault(signertest.TSAService, signertest.Slow) // 131 s
		var waits []time.Duration
		for range 5 {
			start := time.Now()
			if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); err != nil {
				t.Fatal(err)
			}
			waits = append(waits, time.Since(start))
		}
		if waits[0] != 100*time.Second || waits[1]+waits[2]+waits[3]+waits[4] != 0 || w.calls[0].Load() != 1 {
			t.Errorf("waited %v, %d calls to what hangs", waits, w.calls[0].Load())
		}
		w.first.SetFault(signertest.TSAService, signertest.Honest)
		time.Sleep(time.Minute)
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); err != nil || w.calls[0].Load() != 2 {
			t.Errorf("a minute later: %v, %d calls", err, w.calls[0].Load())
		}
		w.second.SetFault(signertest.TSAService, signertest.Unavailable)
		w.first.SetFault(signertest.TSAService, signertest.Unavailable)
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); !errors.Is(err, signer.ErrUnavailable) || w.calls[0].Load() != 5 {
			t.Errorf("both down: %v, %d calls: who rests is asked all the same", err, w.calls[0].Load())
		}
	})
}

// TestHangingDoesNotStopOthers: the first authority hangs on all its slots; who comes then
// gets the second one's answer at once.
func TestHangingDoesNotStopOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 2, nil)
		w.first.SetFault(signertest.TSAService, signertest.Slow)
		done := make(chan error, 10)
		stamp := func() {
			_, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256)
			done <- err
		}
		for range 4 {
			go stamp()
		}
		synctest.Wait()
		start := time.Now()
		for range 6 {
			stamp()
		}
		if time.Since(start) != 0 || w.calls[0].Load() != 4 || w.calls[1].Load() != 6 {
			t.Errorf("six stamps took %v beside a hanging authority; %d and %d calls", time.Since(start), w.calls[0].Load(), w.calls[1].Load())
		}
		for range 10 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

// TestConcurrencyCap: an authority never sees more calls at a time than allowed.
func TestConcurrencyCap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 1, func(cfg *timestamp.Config) { cfg.Authorities[0].Concurrency = 3 })
		w.first.SetFault(signertest.TSAService, signertest.Slow)
		done := make(chan error, 9)
		for range 9 {
			go func() {
				_, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256)
				done <- err
			}()
		}
		for i := range 3 {
			synctest.Wait()
			if n := w.calls[0].Load(); n != int64(3*(i+1)) {
				t.Errorf("%d calls after %d turns", n, i)
			}
			time.Sleep(131 * time.Second)
		}
		for range 9 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	})
}

func TestTimeoutAndCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.first.SetFault(signertest.TSAService, signertest.Slow)
		c := w.client(t, 1, func(cfg *timestamp.Config) { cfg.Authorities[0].Timeout = 10 * time.Second; cfg.Retries = -1 })
		start := time.Now()
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); !errors.Is(err, signer.ErrUnavailable) || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		start = time.Now()
		if _, err := c.TimeStamp(ctx, digest[:], crypto.SHA256); !errors.Is(err, signer.ErrUnavailable) || time.Since(start) != 3*time.Second {
			t.Errorf("cancelled: %v after %v", err, time.Since(start))
		}
	})
}

func TestUntrustedAuthority(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 1, func(cfg *timestamp.Config) { cfg.Authorities[0].Roots = w.second.Anchors() })
		if _, err := c.TimeStamp(t.Context(), digest[:], crypto.SHA256); !errors.Is(err, timestamp.ErrInvalid) {
			t.Errorf("another root: %v", err)
		}
	})
	if _, err := timestamp.New(timestamp.Config{Clock: time.Now, Authorities: []timestamp.Authority{{URL: "http://a.test"}}}); err == nil {
		t.Error("an authority without a root was accepted")
	}
}

func TestTokenFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.client(t, 1, func(cfg *timestamp.Config) { cfg.Authorities[0].Policy = signertest.TSAPolicy })
		tok, err := c.Stamp(t.Context(), digest[:], crypto.SHA256)
		if err != nil {
			t.Fatal(err)
		}
		if !tok.Time.Equal(time.Now().Truncate(time.Second)) || tok.Accuracy != 500*time.Millisecond || !tok.HasAccuracy || !tok.Policy.Equal(signertest.TSAPolicy) || tok.Hash != crypto.SHA256 {
			t.Errorf("%+v", tok)
		}
		if err := tok.Covers(cms.BytesOf([]byte("bản sao"))); err != nil {
			t.Error(err)
		}
		if err := tok.Covers(cms.BytesOf([]byte("bản khác"))); !errors.Is(err, timestamp.ErrImprint) {
			t.Error(err)
		}
		if _, err := c.TimeStamp(t.Context(), digest[:31], crypto.SHA256); err == nil {
			t.Error("31 bytes were taken for a digest")
		}
	})
}

// FuzzParseReply: no reply of an authority, however malformed, does harm or is accepted
// as a token over something it is not over.
func FuzzParseReply(f *testing.F) {
	p, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		f.Fatal(err)
	}
	// nonce, SHA-256, no policy, certReq
	request := append([]byte{0x30, 0x39, 0x02, 0x01, 0x01, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20}, digest[:]...)
	request = append(request, 0x01, 0x01, 0xff)
	request[1] = byte(len(request) - 2)
	for _, fault := range []signertest.Fault{signertest.Honest, signertest.Rejecting} {
		p.SetFault(signertest.TSAService, fault)
		reply, err := p.TimeStampReply(f.Context(), request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(reply)
	}
	seeds, _ := filepath.Glob("testdata/*.tsr")
	for _, s := range seeds {
		data, err := os.ReadFile(s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		tok, err := timestamp.ParseReply(in)
		if err != nil {
			return
		}
		if _, err := tok.Verify(timestamp.Verification{Content: cms.BytesOf([]byte("x")), Roots: p.Anchors()}); err == nil {
			t.Error("a token over other data was accepted")
		}
	})
}
