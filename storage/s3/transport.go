package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"time"
)

// newTransport speaks HTTP/1.1 only: over HTTP/2 the library may send a request again after the
// server has gone away.
func newTransport(timeout time.Duration, t *tls.Config) *http.Transport {
	dialer := net.Dialer{Timeout: timeout, KeepAlive: 15 * time.Second}
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return watch(c, timeout), nil
		},
		TLSClientConfig:     t,
		TLSHandshakeTimeout: timeout,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 64,
		IdleConnTimeout:     timeout / 2, // before the watch ends it
		DisableCompression:  true,
	}
}

// watched is a connection that ends when nothing has passed over it for the timeout. A total
// bound would end long transfers that go well; the library has none for single waits.
type watched struct {
	net.Conn
	timeout time.Duration
	timer   *time.Timer
}

var errStalled = errors.New("the store has stalled")

func watch(c net.Conn, timeout time.Duration) *watched {
	return &watched{c, timeout, time.AfterFunc(timeout, func() { _ = c.Close() })}
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	return n, w.passed(n, err)
}

func (w *watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	return n, w.passed(n, err)
}

func (w *watched) passed(n int, err error) error {
	if n > 0 && w.timer.Stop() { // once fired it is not set again
		w.timer.Reset(w.timeout)
	}
	if errors.Is(err, net.ErrClosed) {
		return errStalled
	}
	return err
}

// Close closes the connection.
func (w *watched) Close() error {
	w.timer.Stop()
	return w.Conn.Close()
}
