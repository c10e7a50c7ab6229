package api

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// Scopes of a token.
const (
	ScopeRequests = "requests" // create, upload, submit, read
	ScopeVerify   = "verify"
	ScopeCertify  = "certify" // only together with an official's binding
	ScopeSeal     = "seal"
)

// scopes names the scope each operation needs, as x-scope does in the specification.
var scopes = map[string]string{
	"POST /requests":                ScopeRequests,
	"GET /requests/{id}":            ScopeRequests,
	"GET /copies/{id}":              ScopeRequests,
	"POST /copies/{id}/scans":       ScopeRequests,
	"POST /copies/{id}/submission":  ScopeRequests,
	"GET /copies/{id}/pages/{page}": ScopeRequests,
	"GET /copies/{id}/file":         ScopeRequests,
	"POST /certifications":          ScopeCertify,
	"POST /seals":                   ScopeSeal,
	"POST /verifications":           ScopeVerify,
}

// tokenPrefix lets people and secret scanners see what a found token is.
const tokenPrefix = "saoy_"

// NewToken makes a token of 32 bytes of rand: shown once, then only its Hash is stored.
func NewToken(rand io.Reader) (certcopy.Secret, error) {
	var b [32]byte
	if _, err := io.ReadFull(rand, b[:]); err != nil {
		return certcopy.Secret{}, fmt.Errorf("api token: %w", err)
	}
	return certcopy.NewSecret([]byte(tokenPrefix + base64.RawURLEncoding.EncodeToString(b[:]))), nil
}

// TokenHash returns what is stored of a token.
func TokenHash(token certcopy.Secret) certcopy.Digest { return certcopy.DigestOf(token.Reveal()) }

type clientKey struct{}

// client returns who asks; authenticate has put it there for every operation.
func client(ctx context.Context) storage.Client {
	c, _ := ctx.Value(clientKey{}).(storage.Client)
	return c
}

// authenticate finds the client of the bearer token and holds its scopes against the
// operation. An operation that is not in the table is nobody's.
func (a *API) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.guest(r) {
			a.serveGuest(w, r, next)
			return
		}
		scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") || token == "" {
			a.unauthenticated(w, r)
			return
		}
		c, err := a.Clients.ClientByToken(r.Context(), certcopy.DigestOf([]byte(strings.TrimSpace(token))), a.Web.Now())
		if errors.Is(err, storage.ErrNotFound) {
			a.unauthenticated(w, r)
			return
		}
		if err != nil {
			a.site.Fail(w, r, err)
			return
		}
		if need := scopes[operation(r)]; need == "" || !slices.Contains(c.Scopes, need) {
			a.site.Fail(w, r, certcopy.Errorf(certcopy.Forbidden, need, nil, certcopy.Msg(
				"Mã truy cập không có quyền này. Hãy xin quản trị viên cấp mã có quyền phù hợp.",
				"The token does not have this scope. Ask the administrator for one that has.")))
			return
		}
		// From here on, what belongs to another agency is not there.
		ctx := storage.WithActor(r.Context(), storage.Actor{Agency: c.Agency, Account: c.Account, Client: c.ID})
		next.ServeHTTP(w, r.WithContext(context.WithValue(ctx, clientKey{}, c)))
	})
}

// operation names the operation as the specification does: "POST /requests".
func operation(r *http.Request) string {
	return r.Method + " " + strings.TrimPrefix(chi.RouteContext(r.Context()).RoutePattern(), Prefix)
}

func (a *API) unauthenticated(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Bearer realm="saoy"`)
	a.site.WriteProblem(w, r, web.Problem{Type: "about:blank", Title: http.StatusText(http.StatusUnauthorized), Status: http.StatusUnauthorized,
		Code: certcopy.Forbidden, Reference: web.Reference(r.Context()),
		VI: "Thiếu mã truy cập, hoặc mã đã hết hạn hay bị thu hồi. Gửi mã trong tiêu đề Authorization: Bearer …",
		EN: "The token is missing, expired or revoked. Send it in the header Authorization: Bearer …"})
}
