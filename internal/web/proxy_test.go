package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func behind(t *testing.T, networks []string, peer string, header ...string) string {
	t.Helper()
	p, err := ParseProxies(networks)
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	var got string
	p.Behind(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.RemoteAddr })).ServeHTTP(nil, r)
	return got
}

func TestBehindProxies(t *testing.T) {
	const xff, fwd = "X-Forwarded-For", "Forwarded"
	proxies := []string{"10.0.0.0/8", "2001:db8:ff::1"}
	for _, c := range []struct {
		name, peer, want string
		header           []string
	}{
		{"no proxy in between", "203.0.113.7:5", "203.0.113.7:5", []string{xff, "198.51.100.1"}},
		{"one hop", "10.0.0.1:5", "198.51.100.1:0", []string{xff, "198.51.100.1"}},
		{"two proxies", "10.0.0.1:5", "198.51.100.1:0", []string{xff, "198.51.100.1, 10.9.9.9"}},
		{"the visitor wrote the left part", "10.0.0.1:5", "198.51.100.1:0", []string{xff, "1.1.1.1, 10.0.0.7, 198.51.100.1"}},
		{"in two lines", "10.0.0.1:5", "198.51.100.1:0", []string{xff, "1.1.1.1", xff, "198.51.100.1"}},
		{"proxies only", "10.0.0.1:5", "10.0.0.3:0", []string{xff, "10.0.0.3, 10.0.0.2"}},
		{"with a port", "10.0.0.1:5", "198.51.100.1:0", []string{xff, "198.51.100.1:4711"}},
		{"IPv6", "[2001:db8:ff::1]:5", "[2001:db8::9]:0", []string{xff, "2001:db8::9"}},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:5", "198.51.100.1:0", []string{xff, "::ffff:198.51.100.1"}},
		{"nonsense keeps the proxy", "10.0.0.1:5", "10.0.0.1:0", []string{xff, "198.51.100.1, <script>"}},
		{"empty", "10.0.0.1:5", "10.0.0.1:0", []string{xff, ""}},
		{"no header", "10.0.0.1:5", "10.0.0.1:5", nil},
		{"forwarded", "10.0.0.1:5", "198.51.100.1:0", []string{fwd, `for=1.1.1.1, For="198.51.100.1:80";proto=https`}},
		{"forwarded IPv6", "10.0.0.1:5", "[2001:db8::9]:0", []string{fwd, `proto=https;for="[2001:db8::9]:1"`}},
		{"forwarded, hidden", "10.0.0.1:5", "10.0.0.1:0", []string{fwd, "for=_hidden"}},
		{"both agree", "10.0.0.1:5", "198.51.100.1:0", []string{fwd, "for=198.51.100.1", xff, "198.51.100.1"}},
		{"the visitor brought the other header", "10.0.0.1:5", "10.0.0.1:5", []string{fwd, "for=1.1.1.1", xff, "198.51.100.1"}},
		{"very long", "10.0.0.1:5", "198.51.100.1:0", []string{xff, strings.Repeat("1.1.1.1,", 10_000) + "198.51.100.1"}},
	} {
		if got := behind(t, proxies, c.peer, c.header...); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if got := behind(t, nil, "10.0.0.1:5", xff, "1.1.1.1"); got != "10.0.0.1:5" {
		t.Errorf("without proxies: %s", got)
	}
	for _, bad := range []string{"0.0.0.0/0", "::/0", "proxy.example", "10.0.0.0/33", ""} {
		if _, err := ParseProxies([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

func FuzzBehindProxies(f *testing.F) {
	f.Add("198.51.100.1, 10.0.0.1", "for=\"[::1]:2\";by=x")
	f.Fuzz(func(t *testing.T, listed, named string) {
		if strings.ContainsAny(listed+named, "\r\n") {
			t.Skip()
		}
		if got := behind(t, []string{"10.0.0.0/8"}, "192.0.2.1:1", "X-Forwarded-For", listed, "Forwarded", named); got != "192.0.2.1:1" {
			t.Fatalf("a stranger became %s", got)
		}
		if got := behind(t, []string{"10.0.0.0/8"}, "10.0.0.1:1", "X-Forwarded-For", listed+",192.0.2.9"); got != "192.0.2.9:0" {
			t.Fatalf("what stands on the left made it %s", got)
		}
	})
}
