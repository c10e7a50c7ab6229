package web

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"time"
)

// Config is what a Site is made of. Log, Now and Rand are required.
type Config struct {
	// Demonstration puts the banner on every page: what this installation issues has no
	// legal value.
	Demonstration bool
	// Secure says that people reach the site by https; cookies then carry Secure and pages
	// ask for https for a year.
	Secure bool
	Log    *slog.Logger
	Now    func() time.Time
	// Rand gives the reference numbers; crypto/rand.Reader outside tests.
	Rand io.Reader

	// Prefix is where the site's own addresses begin: "/office", or empty for the root. Its
	// assets are below it, and its first page is Prefix + "/".
	Prefix string
	// Pages holds the site's templates at its root: NAME.html defines "title" and "main" and
	// may define "head"; files whose name begins with "_" are shared by all pages and may
	// define "nav".
	Pages fs.FS
	// Texts holds vi.json and en.json, added to the texts of this package.
	Texts fs.FS
	// Assets holds further assets, added to those of this package; may be nil.
	Assets fs.FS
	// Funcs are further template functions; may be nil.
	Funcs template.FuncMap
	// Viewer returns who looks, for "nav"; may be nil.
	Viewer func(*http.Request) any
}

// Site renders pages and errors in the one layout. It is safe for concurrent use and never
// changes after New.
type Site struct {
	config Config
	texts  map[Lang]Catalogue
	assets *assets
	pages  map[Lang]map[string]*template.Template
}

// New parses every template and text; an error names the file. What it returns does not
// read the file systems again.
func New(c Config) (*Site, error) {
	s := &Site{config: c}
	var err error
	if s.texts, err = loadTexts(c.Texts); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if s.assets, err = loadAssets(c.Prefix, c.Assets); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	s.pages = make(map[Lang]map[string]*template.Template, len(Langs))
	for _, lang := range Langs {
		if s.pages[lang], err = s.parse(lang); err != nil {
			return nil, fmt.Errorf("web: %w", err)
		}
	}
	return s, nil
}

// Text returns the text of a key in the request's language.
func (s *Site) Text(r *http.Request, key string, args ...any) string {
	return s.texts[LangOf(r)].Text(key, args...)
}

// Asset returns the address of an asset, with its checksum in it.
func (s *Site) Asset(name string) (string, error) { return s.assets.address(name) }

// HandlerFunc is a handler that leaves its errors to the site.
type HandlerFunc func(w http.ResponseWriter, r *http.Request) error

// Handle makes an http.Handler of h: an error becomes the page or problem of Fail.
func (s *Site) Handle(h HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := h(w, r); err != nil {
			s.Fail(w, r, err)
		}
	}
}
