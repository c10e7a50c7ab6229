package web

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"

	"github.com/go-chi/chi/v5"
	"github.com/go-chi/chi/v5/middleware"

	"github.com/saoy/saoy/internal/certcopy"
)

// MaxFormBytes bounds the body of an ordinary form.
const MaxFormBytes = 1 << 20

// Middleware is what every request of a site passes, outermost first: reference number,
// access log, panic, security headers, cross-origin protection, language, compression.
// Bodies are bounded per route with LimitBody.
func (s *Site) Middleware() chi.Middlewares {
	return chi.Middlewares{s.reference, s.accessLog, s.recoverPanic, s.securityHeaders,
		s.sameOrigin, s.chooseLang, middleware.Compress(5, "text/html", "application/json", "text/plain")}
}

type referenceKey struct{}

// Reference returns the request's reference number: "7F3K-92QD", by which a person can name
// it to the administrator and the log can be searched.
func Reference(ctx context.Context) string {
	s, _ := ctx.Value(referenceKey{}).(string)
	return s
}

// referenceAlphabet leaves out the letters that are mistaken for digits.
var referenceAlphabet = base32.NewEncoding("0123456789ABCDEFGHJKMNPQRSTVWXYZ").WithPadding(base32.NoPadding)

// reference never takes the number a client sends: it would let anyone write into the log.
func (s *Site) reference(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var b [5]byte
		if _, err := io.ReadFull(s.config.Rand, b[:]); err != nil {
			http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
			return
		}
		ref := referenceAlphabet.EncodeToString(b[:])
		ref = ref[:4] + "-" + ref[4:]
		w.Header().Set("X-Request-Id", ref)
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), referenceKey{}, ref)))
	})
}

// accessLog writes one line a request, without query strings, secrets in paths, bodies, or
// the visitor's whole address.
func (s *Site) accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.config.Now()
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			s.config.Log.LogAttrs(r.Context(), slog.LevelInfo, "request",
				slog.String("method", r.Method), slog.String("path", loggedPath(r.URL.Path)),
				slog.Int("status", ww.Status()), slog.Int("bytes", ww.BytesWritten()),
				slog.Duration("took", s.config.Now().Sub(start)), slog.String("from", TruncatedIP(r.RemoteAddr)),
				slog.String("reference", Reference(r.Context())))
		}()
		next.ServeHTTP(ww, r)
	})
}

// secretPaths are the prefixes after which a path names a secret or what a person looked up.
var secretPaths = []string{"/s/", "/v/", "/api/v1/copies/by-code/"}

func loggedPath(p string) string {
	for _, prefix := range secretPaths {
		if strings.HasPrefix(p, prefix) {
			return prefix + "…"
		}
	}
	return p
}

// TruncatedIP returns the network of a remote address, "203.0.113.0/24" or "2001:db8::/48":
// enough to see abuse, too little to name a person. Empty if addr is none.
func TruncatedIP(addr string) string {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return ""
	}
	ip, bits := ap.Addr().Unmap().WithZone(""), 48
	if ip.Is4() {
		bits = 24
	}
	p, err := ip.Prefix(bits)
	if err != nil {
		return ""
	}
	return p.String()
}

// recoverPanic turns a panic into the error page with its reference number. The stack goes
// to the log. What was sent already cannot be taken back, so then the connection is cut.
func (s *Site) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ww := middleware.NewWrapResponseWriter(w, r.ProtoMajor)
		defer func() {
			v := recover()
			if v == nil {
				return
			}
			if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(v)
			}
			s.config.Log.LogAttrs(r.Context(), slog.LevelError, "panic",
				slog.String("reference", Reference(r.Context())), slog.String("path", loggedPath(r.URL.Path)),
				slog.Any("panic", v), slog.String("stack", string(debug.Stack())))
			if ww.Status() != 0 {
				panic(http.ErrAbortHandler)
			}
			s.Fail(ww, r, certcopy.Errorf(certcopy.Internal, "", fmt.Errorf("panic"), certcopy.Message{}))
		}()
		next.ServeHTTP(ww, r)
	})
}

// contentSecurityPolicy allows nothing but our own files: no inline script or style, no
// frame, no plug-in, no other origin.
const contentSecurityPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; " +
	"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// AllowInlineImages lets a page show pictures that it holds itself, which are not kept
// anywhere they could be fetched from. Call it before the page is rendered.
func AllowInlineImages(h http.Header) {
	h.Set("Content-Security-Policy", strings.Replace(contentSecurityPolicy, "img-src", "img-src data:", 1))
}

func (s *Site) securityHeaders(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentSecurityPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()")
		if s.config.Secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// sameOrigin refuses requests that change something and come from another site's page
// (Sec-Fetch-Site, else Origin against Host). Programs send neither and pass.
func (s *Site) sameOrigin(next http.Handler) http.Handler {
	p := http.NewCrossOriginProtection()
	p.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.Fail(w, r, certcopy.Errorf(certcopy.Forbidden, "", nil, certcopy.Msg(
			"Yêu cầu này đến từ một trang khác nên không được thực hiện. Hãy làm lại trên trang của hệ thống.",
			"This request came from another site and was not carried out. Do it again on this site.")))
	}))
	return p.Handler(next)
}

// LimitBody bounds the bodies of a route; reading beyond fails and becomes status 413.
func LimitBody(maxBytes int64) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(w, r.Body, maxBytes)
			next.ServeHTTP(w, r)
		})
	}
}
