// Package render draws the pages of a PDF as pictures, with PDFium compiled to WebAssembly.
//
// The code that reads the PDF runs in a virtual machine with bounded memory, no files and no
// network, so that a hostile PDF reaches nothing but that memory; a document that keeps the
// machine busy for ever must be ended from outside, which is why package intake uses this
// package in a child process of package confine.
package render

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"image"
	"io"
	"strings"

	"github.com/klippa-app/go-pdfium"
	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/references"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// Limits of one picture and of the machine that draws it.
const (
	MaxPixels      = 25_000_000 // of one picture: A4 at 500 dpi, A2 at 250 dpi
	maxMemoryPages = 4096       // of 64 KiB: 256 MiB for each open document
)

// Errors of Open and Page, testable with errors.Is.
var (
	ErrEncrypted = errors.New("the PDF is encrypted")
	ErrDamaged   = errors.New("the PDF cannot be read")
	ErrTooLarge  = fmt.Errorf("the picture has more than %d pixels", MaxPixels)
)

// Renderer holds the compiled machine. It is safe for concurrent use; each open document
// has a machine instance of its own.
type Renderer struct{ pool pdfium.Pool }

// New compiles the machine, or loads it from cacheDir where an earlier call left it: 3 s
// against 0.1 s. Whoever can write to cacheDir decides what runs. instances bounds the
// documents open at once. With "" nothing is kept.
func New(ctx context.Context, cacheDir string, instances int) (*Renderer, error) {
	config := wazero.NewRuntimeConfig().
		WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
		WithMemoryLimitPages(maxMemoryPages)
	if cacheDir != "" {
		cache, err := wazero.NewCompilationCacheWithDir(cacheDir)
		if err != nil {
			return nil, fmt.Errorf("render: cache: %w", err)
		}
		config = config.WithCompilationCache(cache)
	}
	pool, err := webassembly.Init(webassembly.Config{
		Context: ctx, MinIdle: 1, MaxIdle: instances, MaxTotal: instances, RuntimeConfig: config,
		FSConfig: wazero.NewFSConfig(), Stdout: io.Discard, Stderr: io.Discard, RandomSource: rand.Reader,
	})
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	return &Renderer{pool: pool}, nil
}

// Close ends all documents and frees the machine.
func (r *Renderer) Close() error { return r.pool.Close() }

// Document is an open PDF. It is not safe for concurrent use.
type Document struct {
	machine pdfium.Pdfium
	ref     references.FPDF_DOCUMENT
	pages   int
}

// Open reads a PDF held in memory; b must not change while the document is open. It waits for
// a free instance until ctx ends. Errors: ErrEncrypted (also for a PDF that opens without a
// password), ErrDamaged, ctx's error.
func (r *Renderer) Open(ctx context.Context, b []byte) (*Document, error) {
	machine, err := r.pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, fmt.Errorf("render: %w", err)
	}
	d := &Document{machine: machine}
	if err := d.open(b); err != nil {
		return nil, errors.Join(err, machine.Close())
	}
	return d, nil
}

func (d *Document) open(b []byte) error {
	doc, err := d.machine.OpenDocument(&requests.OpenDocument{File: &b})
	if err != nil {
		if strings.Contains(err.Error(), "password") || strings.Contains(err.Error(), "encryption") {
			return ErrEncrypted
		}
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d.ref = doc.Document
	security, err := d.machine.FPDF_GetSecurityHandlerRevision(&requests.FPDF_GetSecurityHandlerRevision{Document: d.ref})
	if err == nil && security.SecurityHandlerRevision >= 0 {
		return ErrEncrypted
	}
	count, err := d.machine.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: d.ref})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	d.pages = count.PageCount
	return nil
}

// Close frees the document and its machine instance.
func (d *Document) Close() error { return d.machine.Close() }

// Pages is the number of pages.
func (d *Document) Pages() int { return d.pages }

func (d *Document) page(i int) requests.Page {
	return requests.Page{ByIndex: &requests.PageByIndex{Document: d.ref, Index: i}}
}

// Size returns the size of page i, from 0, in points as it is seen.
func (d *Document) Size(i int) (width, height float64, err error) {
	s, err := d.machine.GetPageSize(&requests.GetPageSize{Page: d.page(i)})
	if err != nil {
		return 0, 0, fmt.Errorf("%w: page %d: %w", ErrDamaged, i+1, err)
	}
	return s.Width, s.Height, nil
}

// Page draws page i, from 0, width pixels wide, on white paper, with annotations and form
// fields as they look. The picture is a copy and stays valid after Close. Errors:
// ErrTooLarge, ErrDamaged.
func (d *Document) Page(i, width int) (*image.RGBA, error) {
	w, h, err := d.Size(i)
	if err != nil {
		return nil, err
	}
	height := int(h/w*float64(width) + 0.5)
	if !(w > 0 && h > 0) || width < 1 || height < 1 {
		return nil, fmt.Errorf("%w: page %d of %g × %g", ErrDamaged, i+1, w, h)
	}
	if width > MaxPixels/height {
		return nil, fmt.Errorf("page %d: %w", i+1, ErrTooLarge)
	}
	out, err := d.machine.RenderPageInPixels(&requests.RenderPageInPixels{
		Page: d.page(i), Width: width, Height: height, RenderFlags: enums.FPDF_RENDER_FLAG_ANNOT,
		Document: &d.ref, RenderForm: true,
	})
	if err != nil {
		return nil, fmt.Errorf("%w: page %d: %w", ErrDamaged, i+1, err)
	}
	defer out.Cleanup()
	src, ok := out.Result.RenderedImage.(*image.RGBA)
	if !ok {
		return nil, fmt.Errorf("render: page %d: picture of type %T", i+1, out.Result.RenderedImage)
	}
	img := &image.RGBA{Pix: append([]byte(nil), src.Pix...), Stride: src.Stride, Rect: src.Rect}
	return img, nil
}
