package public

import (
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/web"
)

func (s *Site) routes() http.Handler {
	r := chi.NewRouter()
	r.Use(s.site.Middleware()...)
	r.NotFound(s.site.NotFound)
	r.MethodNotAllowed(s.site.MethodNotAllowed)

	page := func(pattern string, h web.HandlerFunc) {
		r.Get(pattern, s.handle(h))
		r.Head(pattern, s.handle(h))
	}
	form := r.With(web.LimitBody(maxUpload))

	page("/", s.home)
	page("/about/trust", s.aboutTrust)
	page("/robots.txt", s.robots)
	r.Handle(web.AssetPrefix+"*", s.site.Assets())

	// Is this code yours? Is this file?
	r.With(web.LimitBody(web.MaxFormBytes)).Post("/", s.handle(s.codeEntered))
	page("/v/{code}", s.code)
	form.Post("/v/{code}", s.handle(s.codeFile))
	page("/check", s.check)
	form.Post("/check", s.handle(s.checkFile))

	// A copy somebody shared.
	page("/s/{token}", s.shared)
	page("/s/{token}/page/{page}", s.sharedPage)
	page("/s/{token}/file", s.sharedFile)

	// The log, for whoever audits it.
	page("/v/{code}/proof", s.proof)
	page("/checkpoint", s.checkpoint)
	page("/log/checkpoint", s.checkpoint)
	page("/log/key", s.logKey)
	page("/log/tile/*", s.tile)
	return r
}
