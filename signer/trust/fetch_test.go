package trust

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
)

func TestCheckAddress(t *testing.T) {
	tests := map[string]bool{
		"8.8.8.8:80": true, "[2606:4700::1111]:443": true,
		"127.0.0.1:80": false, "[::1]:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false,
		"169.254.169.254:80": false, "[fe80::1]:80": false, "[fd00::1]:80": false, "0.0.0.0:80": false, "[::]:80": false,
		"100.64.0.1:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false, "240.0.0.1:80": false, "198.18.0.1:80": false,
		"[::ffff:127.0.0.1]:80": false, "[64:ff9b::7f00:1]:80": false, "[2002:7f00:1::]:80": false, "nonsense": false,
	}
	for address, want := range tests {
		if err := checkAddress(address); (err == nil) != want || (err != nil && !errors.Is(err, ErrForbiddenAddress)) {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestFetcherGuard runs a real server on loopback, which a certificate must not make us call.
func TestFetcherGuard(t *testing.T) {
	hits := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		switch r.URL.Path {
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case "/file":
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		case "/big":
			_, _ = w.Write(make([]byte, 2000))
		case "/slow":
			<-r.Context().Done()
		case "/gone":
			w.WriteHeader(http.StatusGone)
		}
	}))
	defer srv.Close()
	guarded := NewFetcher(FetcherConfig{})
	for _, address := range []string{srv.URL, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1), "file:///etc/passwd", "ftp://example.com/x",
		"http://user:pw@example.com/", "ldap://example.com/", "", "http://", "::"} {
		if _, err := guarded.Get(t.Context(), address); !errors.Is(err, ErrForbiddenAddress) {
			t.Errorf("%q: %v", address, err)
		}
	}
	if hits != 0 {
		t.Errorf("%d requests reached the loopback server", hits)
	}
	open := NewFetcher(FetcherConfig{AllowPrivate: true, MaxBytes: 1000, Timeout: 100 * time.Millisecond})
	tests := map[string]error{"/": nil, "/loop": ErrForbiddenAddress, "/file": ErrForbiddenAddress,
		"/big": signer.ErrUnavailable, "/slow": signer.ErrUnavailable, "/gone": signer.ErrUnavailable}
	for path, want := range tests {
		if _, err := open.Get(t.Context(), srv.URL+path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
	}
}
