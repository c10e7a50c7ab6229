package demo

import (
	"net/http"
	"net/http/httptest"
	"strings"
)

// local answers requests below prefix with handler and leaves the rest to next.
type local struct {
	prefix  string
	handler http.Handler
	next    http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (l local) RoundTrip(r *http.Request) (*http.Response, error) {
	if !strings.HasPrefix(r.URL.String(), l.prefix) {
		return l.next.RoundTrip(r)
	}
	w := httptest.NewRecorder()
	l.handler.ServeHTTP(w, r)
	res := w.Result()
	res.Request = r
	return res, r.Context().Err()
}
