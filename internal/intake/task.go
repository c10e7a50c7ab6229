package intake

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
)

const taskName = "intake"

type taskArgs struct {
	Name   string
	Format string
	Cache  string
}

// Tasks are what confine.Main must serve in a program that uses the package.
func Tasks() map[string]confine.Task {
	return map[string]confine.Task{taskName: {Prepare: prepare, Run: decode}}
}

// prepare makes ready what a decoder needs from the disk.
func prepare(args []byte) error {
	var a taskArgs
	if err := json.Unmarshal(args, &a); err != nil {
		return err
	}
	return nil
}

// decode is the child's work: the file in, pages out, each written as soon as it is ready.
func decode(_ context.Context, j confine.Job) error {
	var a taskArgs
	if err := json.Unmarshal(j.Args, &a); err != nil {
		return err
	}
	b := make([]byte, j.Size)
	if _, err := j.Input.ReadAt(b, 0); err != nil && err != io.EOF { //nolint:errorlint // as io.ReaderAt documents
		return err
	}
	if _, err := writeBlock(j.Output, []byte(a.Format)); err != nil {
		return err
	}
	n := 0
	return decodePages(a.Name, a.Format, b, func(p Page) error {
		if n++; n > certcopy.MaxPages {
			return errPages(a.Name, n)
		}
		_, err := writePage(j.Output, &p)
		return err
	})
}

// decodePages calls emit with each page of a file.
func decodePages(name, format string, b []byte, emit func(Page) error) error {
	one := func(p Page, err error) error {
		if err != nil {
			return err
		}
		return emit(p)
	}
	switch format {
	case "jpeg":
		return one(readJPEG(name, b))
	case "png":
		return one(readPNG(name, b))
	}
	return fmt.Errorf("no decoder for %q", format)
}
