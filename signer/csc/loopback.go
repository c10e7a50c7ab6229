package csc

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// Loopback returns a Page for programs on the official's own machine (RFC 8252 §7.3): show
// displays the address, in a browser for example, and a server of ours at redirect, an http address
// with a port on this machine, takes the callback. It listens only while a login is under way, and
// lets every request but that login's callback go unanswered.
func Loopback(redirect string, show func(address string) error) Page {
	return func(ctx context.Context, address string) (url.Values, error) {
		at, err := url.Parse(redirect)
		if err != nil || at.Scheme != "http" || !loopback(at.Hostname()) || at.Port() == "" {
			return nil, fmt.Errorf("%q is no http address with a port on this machine", redirect)
		}
		login, err := url.Parse(address)
		if err != nil {
			return nil, err
		}
		listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.Host)
		if err != nil {
			return nil, err
		}
		back := make(chan url.Values, 1)
		server := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: callback(at.Path, login.Query().Get("state"), back)}
		go func() { _ = server.Serve(listener) }() // until stop
		defer stop(ctx, server)
		if err := show(address); err != nil {
			return nil, err
		}
		select {
		case q := <-back:
			return q, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// stop lets the answer to the callback be written.
func stop(ctx context.Context, server *http.Server) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	if server.Shutdown(ctx) != nil {
		_ = server.Close()
	}
}

const returned = "Đã nhận trả lời của dịch vụ ký. Hãy đóng trang này và quay lại chương trình.\n" +
	"The signing service has answered. Close this page and return to the program.\n"

func callback(path, state string, back chan<- url.Values) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if q := r.URL.Query(); r.Method == http.MethodGet && (r.URL.Path == path || path == "") && q.Get("state") == state {
			select {
			case back <- q:
				w.Header().Set("Content-Type", "text/plain; charset=utf-8")
				_, _ = io.WriteString(w, returned)
				return
			default: // answered already
			}
		}
		http.NotFound(w, r)
	})
}
