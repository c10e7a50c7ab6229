// Package public is the site for everyone: is this code of a copy you issued, is this file
// that copy, open the copy somebody shared with me, and let me audit the log.
//
// It needs no account, works on a phone and without script, and can only read: it has no
// key, cannot reach the flow, and the two things it writes are the count of a sharing
// link's openings and the access log, in which neither codes nor tokens stand. Without a
// file nothing on it is ever green.
package public

import (
	"context"
	"embed"
	"errors"
	"io"
	"io/fs"
	"iter"
	"net/http"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

//go:embed pages/*.html text/*.json assets/*
var files embed.FS

// Log is the public log as the site reads it; a storage.Ledger is one.
type Log interface {
	Leaf(ctx context.Context, i certcopy.LeafIndex) ([]byte, certcopy.CopyID, error)
	Leaves(ctx context.Context, from certcopy.LeafIndex) iter.Seq2[[]byte, error]
	LeavesOf(ctx context.Context, id certcopy.CopyID) ([]certcopy.LeafIndex, error)
	ReadHashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error)
	Checkpoint(ctx context.Context) (size int64, note []byte, err error)
}

// Links finds sharing links by the hash of their token and counts their openings.
type Links interface {
	OpenLink(ctx context.Context, token certcopy.Digest, network string, now time.Time, count bool) (desk.Link, error)
}

// Files opens the file of a shared copy with the key its link gave; storage.ErrNotFound once
// it was erased.
type Files interface {
	Open(ctx context.Context, key certcopy.Secret, id certcopy.CopyID, digest certcopy.Digest) ([]byte, error)
}

// Renderer draws our own PDFs.
type Renderer interface {
	// Page draws a page, from 1, as a JPEG of the given width.
	Page(ctx context.Context, pdf []byte, page, widthPx int) ([]byte, error)
	// Heights returns how high Page would draw each page of that width, in pixels.
	Heights(ctx context.Context, pdf []byte, widthPx int) ([]int, error)
}

// Pictures draws files of strangers, confined; picture.Confined is one.
type Pictures interface {
	Look(ctx context.Context, r io.ReaderAt, size int64, a picture.Ask) (*picture.Look, error)
}

// Config is what the site is made of; all of it is required but where it says otherwise.
type Config struct {
	// Web gives log, clock, randomness and demonstration; the site adds its own pages.
	Web      web.Config
	Verifier *verify.Verifier
	Register storage.Public
	Log      Log
	// LogKey is the log's origin and public key.
	LogKey   register.Log
	Links    Links
	Files    Files
	Renderer Renderer
	// Pictures draws what changed in a file; nil draws nothing.
	Pictures Pictures
	// Document is the address of the API that makes the report on a file a signed document;
	// this site has no key. Empty: it is not offered.
	Document string
	// Uploads is how many files may be examined at once; each takes up to 64 MiB here.
	Uploads int
}

// Site is the public site.
type Site struct {
	Config
	site    *web.Site
	lookups limiter
	uploads chan struct{}
	// What was found out about stored files.
	examined *kept[*verify.Examination]
	heights  *kept[[]int]
	drawn    *drawn
}

// New returns the site's handler. It lives at the root of its address: below a prefix, the
// access log would not know which paths hold codes and tokens.
func New(c Config) (http.Handler, error) {
	if c.Web.Prefix != "" {
		return nil, errors.New("public: the site must live at the root, not below " + c.Web.Prefix)
	}
	c.Web.Pages, c.Web.Texts, c.Web.Assets = sub("pages"), sub("text"), sub("assets")
	c.Web.Funcs = funcs
	site, err := web.New(c.Web)
	if err != nil {
		return nil, err
	}
	s := &Site{Config: c, site: site, lookups: limiter{web.NewLimiter(c.Web.Now, budget, perSecond)}, uploads: make(chan struct{}, max(c.Uploads, 1)),
		examined: newKept[*verify.Examination](c.Web.Now), heights: newKept[[]int](c.Web.Now), drawn: newDrawn(c.Web.Now, maxDrawnBytes)}
	return s.routes(), nil
}

func sub(dir string) fs.FS {
	f, err := fs.Sub(files, dir)
	if err != nil {
		panic(err) // the folder is embedded above
	}
	return f
}
