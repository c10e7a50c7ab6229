package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/render"
)

const taskName = "intake"

type taskArgs struct {
	Name   string
	Format string
	Cache  string
}

// Tasks are what confine.Main must serve in a program that uses the package.
func Tasks() map[string]confine.Task {
	d := &decoder{}
	return map[string]confine.Task{taskName: {Prepare: d.prepare, Run: d.run}, editTask: {Run: runEdit}}
}

// decoder is what lives in the child.
type decoder struct{ renderer *render.Renderer }

// prepare makes ready what a decoder needs from the disk.
func (d *decoder) prepare(args []byte) error {
	var a taskArgs
	err := json.Unmarshal(args, &a)
	if err != nil {
		return err
	}
	switch a.Format {
	case "pdf":
		d.renderer, err = render.New(context.Background(), a.Cache, 1)
	case "heic":
		err = prepareHEIC()
	}
	return err
}

// run is the child's work: the file in, pages out, each written as soon as it is ready.
func (d *decoder) run(ctx context.Context, j confine.Job) error {
	var a taskArgs
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return err
	}
	b := make([]byte, j.Size)
	if _, err := j.Input.ReadAt(b, 0); err != nil && err != io.EOF { // as io.ReaderAt documents
		return err
	}
	if _, err := writeBlock(j.Output, []byte(a.Format)); err != nil {
		return err
	}
	n := 0
	return d.pages(ctx, a, b, func(p Page) error {
		if n++; n > certcopy.MaxPages {
			return errPages(a.Name, n)
		}
		_, err := writePage(j.Output, &p)
		return err
	})
}

// pages calls emit with each page of a file.
func (d *decoder) pages(ctx context.Context, a taskArgs, b []byte, emit func(Page) error) error {
	one := func(p Page, err error) error {
		if err != nil {
			return err
		}
		return emit(p)
	}
	switch a.Format {
	case "jpeg":
		return one(readJPEG(a.Name, b))
	case "png":
		return one(readPNG(a.Name, b))
	case "heic":
		return one(readHEIC(a.Name, b))
	case "webp":
		return one(readWebP(a.Name, b))
	case "tiff":
		return readTIFF(a.Name, b, emit)
	case "pdf":
		return readPDF(ctx, a.Name, d.renderer, b, emit)
	}
	return fmt.Errorf("no decoder for %q", a.Format)
}
