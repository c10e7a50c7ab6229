package signertest

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Transport answers requests to Config.BaseURL in the process, without a network, and
// passes all others on to base; with a nil base they are refused.
func (p *PKI) Transport(base http.RoundTripper) http.RoundTripper {
	return &inProcess{base: p.cfg.BaseURL, handler: p.Handler(), next: base}
}

type inProcess struct {
	base    string
	handler http.Handler
	next    http.RoundTripper
}

// RoundTrip runs the handler; its answer is streamed, so an endless one can be cut off.
func (t *inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	path, ours := strings.CutPrefix(r.URL.String(), t.base)
	if !ours || !strings.HasPrefix(path, "/") {
		if t.next == nil {
			return nil, http.ErrNotSupported
		}
		return t.next.RoundTrip(r)
	}
	inner := r.Clone(r.Context())
	var err error
	if inner.URL, err = url.Parse(path); err != nil {
		return nil, err
	}
	if inner.Body == nil {
		inner.Body = http.NoBody
	}
	body, sink := io.Pipe()
	context.AfterFunc(r.Context(), func() { _ = body.CloseWithError(r.Context().Err()) })
	w := &pipeWriter{header: http.Header{}, sink: sink, ready: make(chan struct{})}
	go func() {
		t.handler.ServeHTTP(w, inner)
		w.WriteHeader(http.StatusOK)
		_ = sink.Close()
	}()
	select {
	case <-w.ready:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return &http.Response{
		StatusCode: w.status, Status: http.StatusText(w.status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: body, ContentLength: -1, Request: r,
	}, nil
}

// pipeWriter is an http.ResponseWriter whose body is read at the other end of a pipe.
type pipeWriter struct {
	header http.Header
	sink   *io.PipeWriter
	once   sync.Once
	ready  chan struct{} // closed when status and sent are set
	status int
	sent   http.Header
}

func (w *pipeWriter) Header() http.Header { return w.header }

func (w *pipeWriter) WriteHeader(status int) {
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.ready)
	})
}

func (w *pipeWriter) Write(p []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.sink.Write(p)
}
