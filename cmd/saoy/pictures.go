package main

import (
	"context"
	"io"

	"github.com/saoy/saoy/internal/verify/picture"
)

// lookers draw files of strangers in confined children, which load the compiled machine from
// the cache and could not write it there: it is compiled before the first of them.
type lookers struct {
	picture.Confined
	previews *previews
}

// Look implements public.Pictures and api.Pictures.
func (l lookers) Look(ctx context.Context, r io.ReaderAt, size int64, a picture.Ask) (*picture.Look, error) {
	l.previews.warm(ctx)
	return l.Confined.Look(ctx, r, size, a)
}

// Codes implements verify.Reader.
func (l lookers) Codes(ctx context.Context, r io.ReaderAt, size int64) ([]string, error) {
	l.previews.warm(ctx)
	return l.Confined.Codes(ctx, r, size)
}
