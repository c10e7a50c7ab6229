package main

import (
	"bytes"
	"context"
	"errors"
	"image/jpeg"
	"math"
	"runtime"
	"sync"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/render"
)

// previews draws pages of our own documents. The machine is compiled at first use and then
// kept. It implements issue.Renderer.
type previews struct {
	cache string

	once     sync.Once
	renderer *render.Renderer
	err      error
}

// jpegQuality of a preview: text stays legible, a page of 960 pixels is about 100 KB.
const jpegQuality = 80

// Page implements issue.Renderer.
func (p *previews) Page(ctx context.Context, pdf []byte, page, widthPx int) ([]byte, error) {
	p.warm(ctx)
	if p.err != nil {
		return nil, p.err
	}
	doc, err := p.renderer.Open(ctx, pdf)
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	if page < 1 || page > doc.Pages() {
		return nil, certcopy.Errorf(certcopy.NotFound, "page", nil, certcopy.Msg("Không có trang này.", "There is no such page."))
	}
	picture, err := doc.Page(page-1, widthPx)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = jpeg.Encode(&b, picture, &jpeg.Options{Quality: jpegQuality})
	return b.Bytes(), err
}

// Heights implements public.Renderer. It rounds as Page does.
func (p *previews) Heights(ctx context.Context, pdf []byte, widthPx int) ([]int, error) {
	p.warm(ctx)
	if p.err != nil {
		return nil, p.err
	}
	doc, err := p.renderer.Open(ctx, pdf)
	if err != nil {
		return nil, err
	}
	defer doc.Close()
	heights := make([]int, doc.Pages())
	for i := range heights {
		width, height, err := doc.Size(i)
		if err != nil {
			return nil, err
		}
		heights[i] = int(math.Round(float64(widthPx) * height / width))
	}
	return heights, nil
}

// warm compiles the machine, once; serve calls it early, so that the first visitor need not wait.
func (p *previews) warm(ctx context.Context) {
	p.once.Do(func() {
		p.renderer, p.err = render.New(context.WithoutCancel(ctx), p.cache, runtime.GOMAXPROCS(0))
	})
}

// scans reads uploads. Children that read a PDF load the compiled machine from the cache and
// could not write it there, so it is compiled before the first of them. It implements
// issue.Reader.
type scans struct {
	*intake.Intake
	previews *previews
}

// Read implements issue.Reader.
func (s scans) Read(ctx context.Context, u intake.Upload) (*intake.Result, error) {
	head := make([]byte, 1024) // where a PDF must begin
	n, _ := u.Body.ReadAt(head, 0)
	if bytes.Contains(head[:n], []byte("%PDF-")) {
		s.previews.warm(ctx)
	}
	return s.Intake.Read(ctx, u)
}

// close frees the machine, after waiting for its compilation if that is under way.
func (p *previews) close() {
	p.once.Do(func() { p.err = errClosed })
	if p.renderer != nil {
		_ = p.renderer.Close() // it held memory only
	}
}

var errClosed = errors.New("the page renderer is closed")
