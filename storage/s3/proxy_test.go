package s3_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/storage/s3"
	"github.com/saoy/saoy/storage/s3/s3test"
)

// proxy stands between store and server and does to requests what its fault says. Without a
// fault it passes everything on.
type proxy struct {
	server   string
	listener *httptest.Server
	mu       sync.Mutex
	fault    fault          // guarded by mu
	seen     map[string]int // requests by method; guarded by mu
	gone     chan struct{}  // closed when the test ends
}

// fault handles one request in place of passing it on.
type fault func(p *proxy, w http.ResponseWriter, r *http.Request)

// behind opens a vault through a proxy.
func behind(t testing.TB, timeout time.Duration) (*s3.Store, *proxy, s3.Config) {
	t.Helper()
	server := s3test.Shared(t)
	p := &proxy{server: server.Address, gone: make(chan struct{}), seen: map[string]int{}}
	p.listener = httptest.NewServer(p)
	t.Cleanup(func() {
		close(p.gone)
		p.listener.CloseClientConnections()
		p.listener.Close()
	})
	c := server.Config(server.Bucket(t, true))
	c.Endpoint, c.Timeout = p.listener.URL, timeout
	return open(t, c), p, c
}

// set arms a fault for requests of one method, or of all for "".
func (p *proxy) set(method string, f fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = map[string]int{}
	p.fault = func(p *proxy, w http.ResponseWriter, r *http.Request) {
		if f == nil || method != "" && r.Method != method {
			p.pass(w, r)
			return
		}
		f(p, w, r)
	}
}

func (p *proxy) requests(method string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[method]
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	f := p.fault
	p.seen[r.Method]++
	p.mu.Unlock()
	if f == nil {
		f = (*proxy).pass
	}
	f(p, w, r)
}

// forward sends the request to the server, whatever becomes of the client.
func (p *proxy) forward(r *http.Request) (*http.Response, error) {
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", p.server, ""
	return http.DefaultTransport.RoundTrip(out) // keeps the Host header, which is signed
}

func (p *proxy) pass(w http.ResponseWriter, r *http.Request) {
	res, err := p.forward(r)
	if err != nil {
		cut(w)
		return
	}
	defer res.Body.Close()
	copyHeader(w, res)
	_, _ = io.Copy(w, res.Body)
}

func copyHeader(w http.ResponseWriter, res *http.Response) {
	for name, values := range res.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(res.StatusCode)
}

// cut ends the connection with what has been written to it.
func cut(w http.ResponseWriter) {
	if c, _, err := w.(http.Hijacker).Hijack(); err == nil {
		_ = c.Close()
	}
}

// Faults before the server has the request.

func cutAtOnce(_ *proxy, w http.ResponseWriter, _ *http.Request) { cut(w) }

func cutInTheMiddle(_ *proxy, w http.ResponseWriter, r *http.Request) {
	_, _ = io.CopyN(io.Discard, r.Body, min(1<<20, r.ContentLength/2))
	cut(w)
}

// cutServer passes half of the body on, then cuts both sides.
func cutServer(p *proxy, w http.ResponseWriter, r *http.Request) {
	half, end := io.Pipe()
	whole := r.Body
	go func() {
		_, _ = io.CopyN(end, whole, r.ContentLength/2)
		_ = end.CloseWithError(io.ErrUnexpectedEOF)
	}()
	r.Body = half
	if res, err := p.forward(r); err == nil {
		_ = res.Body.Close()
	}
	cut(w)
}

// deaf reads nothing more and answers nothing.
func deaf(p *proxy, w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	go func() {
		<-p.gone
		_ = c.Close()
	}()
}

func answers(status int, body string) fault {
	return func(_ *proxy, w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

func flipsRequest(p *proxy, w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	b[len(b)/2] ^= 1
	r.Body = io.NopCloser(bytes.NewReader(b))
	p.pass(w, r)
}

// Faults after the server has done it.

// after passes the request on and does something else in place of the answer.
func after(then fault) fault {
	return func(p *proxy, w http.ResponseWriter, r *http.Request) {
		if res, err := p.forward(r); err == nil {
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
		then(p, w, r)
	}
}

func cutReply(_ *proxy, w http.ResponseWriter, _ *http.Request) {
	c, _, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Le")
	_ = c.Close()
}

// Faults of the answer's body.

// body passes an answer whose body it sends itself.
func body(send func(w http.ResponseWriter, b []byte)) fault {
	return func(p *proxy, w http.ResponseWriter, r *http.Request) {
		res, err := p.forward(r)
		if err != nil {
			cut(w)
			return
		}
		b, _ := io.ReadAll(res.Body)
		_ = res.Body.Close()
		copyHeader(w, res)
		send(w, b)
	}
}

var (
	cutBody = body(func(w http.ResponseWriter, b []byte) {
		_, _ = w.Write(b[:len(b)/2])
		_ = http.NewResponseController(w).Flush()
		cut(w)
	})
	flipBody = body(func(w http.ResponseWriter, b []byte) {
		b[len(b)/2] ^= 1
		_, _ = w.Write(b)
	})
	// trickle takes longer than the timeout, but never waits as long.
	trickle = body(func(w http.ResponseWriter, b []byte) {
		for len(b) > 0 {
			n := min(len(b), 4000)
			_, _ = w.Write(b[:n])
			_ = http.NewResponseController(w).Flush()
			b = b[n:]
			time.Sleep(50 * time.Millisecond)
		}
	})
)

// refusing is an address at which nobody listens.
func refusing(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}
