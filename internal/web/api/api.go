// Package api is the JSON API for the systems around an office: prepare requests, read where
// copies stand, download them, and verify; certify and seal only on behalf of one named
// official who was bound to the client.
//
// openapi.yaml is the specification and comes first; generated.go is made from it. What a
// client may see is its own: requests of its channel in its agency. Retrying with the same
// Idempotency-Key gives the same answer, also after a crash in the middle.
package api

import (
	"context"
	_ "embed"
	"errors"
	"io"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/sheet"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 --config oapi-codegen.yaml openapi.yaml

//go:embed openapi.yaml
var specification []byte

// Prefix is where the API lies below the site's root.
const Prefix = "/api/v1"

// Flow is the part of *issue.Flow that the API uses.
type Flow interface {
	Receive(ctx context.Context, r certcopy.Request, originals []certcopy.Original) (certcopy.Request, bool, error)
	Upload(ctx context.Context, id certcopy.CopyID, revision int, files []issue.Upload) (issue.UploadResult, error)
	Submit(ctx context.Context, s storage.Submission) error
	Certify(ctx context.Context, c storage.Confirmation) error
	Seal(ctx context.Context, c storage.Confirmation) error
	PageImage(ctx context.Context, id certcopy.CopyID, page, widthPx int) ([]byte, error)
	Final(ctx context.Context, id certcopy.CopyID) (io.ReadCloser, certcopy.FinalFile, error)
}

var _ Flow = (*issue.Flow)(nil)

// Ledger is what the API reads beside the flow; a storage.Ledger is one.
type Ledger interface {
	Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error)
	Request(ctx context.Context, id certcopy.RequestID) (certcopy.Request, error)
	Scans(ctx context.Context, id certcopy.CopyID) ([]certcopy.Scan, error)
}

// Config is what the API is made of; all of it is required but where it says otherwise.
type Config struct {
	// Web gives log, clock and randomness for references.
	Web      web.Config
	Flow     Flow
	Ledger   Ledger
	Clients  storage.Clients
	Verifier *verify.Verifier
	// Pictures, Results and Anchors are for results as documents; without Results there are none.
	Pictures Pictures
	Results  ResultSigner
	Anchors  []sheet.Anchor
	// Base is the public address, for the verification addresses of copies.
	Base link.Base
	// Writers is how many POSTs run at once; each may hold one connection of the ledger's pool
	// beside those it works with, and up to 64 MiB of body in memory. Keep it below a third of
	// the pool.
	Writers int
}

// API implements the generated StrictServerInterface.
type API struct {
	Config
	site      *web.Site
	writers   chan struct{}
	documents chan struct{}
	visitors  chan struct{} // guests whose file is being received
	budgets   *web.Limiter  // of verifications, by client
	guests    *web.Limiter  // of documents, by network
}

var _ StrictServerInterface = (*API)(nil)

// New returns the handler of all addresses below Prefix.
func New(c Config) (http.Handler, error) {
	site, err := web.New(c.Web)
	if err != nil {
		return nil, err
	}
	a := &API{Config: c, site: site, writers: make(chan struct{}, max(c.Writers, 1)), documents: make(chan struct{}, documentsOnce), visitors: make(chan struct{}, guestsAtOnce),
		budgets: web.NewLimiter(c.Web.Now, budget, perSecond), guests: web.NewLimiter(c.Web.Now, guestBudget, guestPerSecond)}
	r := chi.NewRouter()
	r.Use(asProgram)
	r.Use(site.Middleware()...)
	r.NotFound(site.NotFound)
	r.MethodNotAllowed(site.MethodNotAllowed)
	r.Get(Prefix+"/openapi.yaml", serveSpecification)
	strict := NewStrictHandlerWithOptions(a, nil, StrictHTTPServerOptions{RequestErrorHandlerFunc: a.badRequest, ResponseErrorHandlerFunc: a.fail})
	// The last one is the outermost: who asks, before what is asked is read.
	return HandlerWithOptions(strict, ChiServerOptions{BaseURL: Prefix, BaseRouter: r, ErrorHandlerFunc: a.badRequest,
		Middlewares: []MiddlewareFunc{a.known, a.once, a.authenticate}}), nil
}

// asProgram makes every error of the API a problem in JSON, whatever the client accepts.
func asProgram(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, wantsDocument(r))
	})
}

// fail leaves errors to the site, but for the one it has no code for.
func (a *API) fail(w http.ResponseWriter, r *http.Request, err error) {
	if errors.Is(err, errTooMany) {
		a.site.TooMany(w, r)
		return
	}
	a.site.Fail(w, r, err)
}

func serveSpecification(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	w.Header().Set("Cache-Control", "public, max-age=3600")
	_, _ = w.Write(specification) // a broken connection shows in the access log
}

// badRequest answers for what does not fit the specification.
func (a *API) badRequest(w http.ResponseWriter, r *http.Request, err error) {
	a.site.Fail(w, r, malformed(err))
}

// malformed keeps "too large" as it is, for its own status, and what has words already.
func malformed(err error) error {
	var own *certcopy.Error
	if errors.As(err, &own) || web.ProblemOf(err).Status == http.StatusRequestEntityTooLarge {
		return err
	}
	return certcopy.Errorf(certcopy.Invalid, "", err, certcopy.Msg(
		"Yêu cầu không đúng đặc tả của API. Hãy đối chiếu với openapi.yaml.",
		"The request does not follow the API's specification. Compare it with openapi.yaml."))
}
