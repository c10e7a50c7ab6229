package issue

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/storage"
)

// Variant is what a page, from 1, would be after an edit: a preview and the bytes it would
// have. Nothing of the copy changes; the page keeps its turns and its frame. What was made is
// kept, so that looking at it again, or larger, costs little.
func (f *Flow) Variant(ctx context.Context, id certcopy.CopyID, page, widthPx int, e intake.Edit) (jpeg []byte, size int64, err error) {
	return f.look(ctx, id, page, widthPx, func(was intake.Edit) intake.Edit {
		e.Turn, e.Frame = was.Turn, was.Frame
		return e
	})
}

// Framed is what a page, from 1, would look like in another frame. Nothing of the copy changes.
func (f *Flow) Framed(ctx context.Context, id certcopy.CopyID, page, widthPx int, frame intake.Frame) (jpeg []byte, err error) {
	jpeg, _, err = f.look(ctx, id, page, widthPx, func(was intake.Edit) intake.Edit {
		was.Frame = frame
		return was
	})
	return jpeg, err
}

// FramePage straightens and crops a page, from 1; the zero Frame takes that back. No sample
// changes. storage.ErrConflict if the copy has changed since revision.
func (f *Flow) FramePage(ctx context.Context, id certcopy.CopyID, revision, page int, frame intake.Frame) (certcopy.Copy, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return c, err
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return c, err
	}
	if page < 1 || page > len(pages) {
		return c, fmt.Errorf("page %d of %d: %w", page, len(pages), storage.ErrConflict)
	}
	made, err := f.edited(ctx, pages[page-1:page], func(was intake.Edit) intake.Edit {
		was.Frame = frame
		return was
	})
	if err != nil {
		return c, err
	}
	pages[page-1] = made[0]
	return f.layPages(ctx, c, pages)
}

// look makes a page anew, not of the copy, and draws it.
func (f *Flow) look(ctx context.Context, id certcopy.CopyID, page, widthPx int, edit func(was intake.Edit) intake.Edit) (jpeg []byte, size int64, err error) {
	pages, err := f.lying(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	if page < 1 || page > len(pages) {
		return nil, 0, fmt.Errorf("page %d of %d: %w", page, len(pages), storage.ErrNotFound)
	}
	made, err := f.variant(ctx, pages[page-1], edit(pages[page-1].Edit))
	if err != nil {
		return nil, 0, err
	}
	var pdf bytes.Buffer
	if _, err := intake.Assemble(&pdf, made); err != nil {
		return nil, 0, err
	}
	picture, err := f.Render.Page(ctx, pdf.Bytes(), 1, widthPx)
	return picture, int64(len(made.Pages[0].Data)), err
}

// variant makes a page anew, or finds it made.
func (f *Flow) variant(ctx context.Context, p lyingPage, e intake.Edit) (*intake.Result, error) {
	made, err := f.edited(ctx, []lyingPage{p}, func(intake.Edit) intake.Edit { return e })
	if err != nil {
		return nil, err
	}
	return &intake.Result{Format: p.format, Pages: []intake.Page{made[0].Page}}, nil
}

// made is a page as it was uploaded after an edit. It is kept under the name of both.
func (f *Flow) made(ctx context.Context, p lyingPage, upload intake.Page, e intake.Edit) (intake.Page, error) {
	if (intake.Edit{Turn: e.Turn}) == e {
		return f.Intake.Edit(ctx, upload, e) // nothing is decoded
	}
	name, err := json.Marshal(struct {
		intake.Origin
		intake.Edit
	}{p.origin(), e})
	if err != nil {
		return upload, err
	}
	key := fmt.Sprintf("variants/%s/%s", p.scan.Copy, certcopy.DigestOf(name))
	if kept, err := f.keptVariant(ctx, key); err == nil {
		return kept, nil
	}
	page, err := f.Intake.Edit(ctx, upload, e)
	if err != nil {
		return page, err
	}
	var b bytes.Buffer
	if _, err := (&intake.Result{Format: p.format, Pages: []intake.Page{page}}).WriteTo(&b); err != nil {
		return page, err
	}
	// What cannot be kept is made again next time.
	_ = f.Scratch.Create(ctx, key, bytes.NewReader(b.Bytes()), int64(b.Len()), certcopy.DigestOf(b.Bytes()), time.Time{})
	return page, nil
}

func (f *Flow) keptVariant(ctx context.Context, key string) (intake.Page, error) {
	body, _, err := f.Scratch.Open(ctx, key)
	if err != nil {
		return intake.Page{}, err
	}
	defer body.Close()
	r, err := intake.ReadResult(body)
	if err != nil {
		return intake.Page{}, err
	}
	if len(r.Pages) != 1 {
		return intake.Page{}, fmt.Errorf("variant of %d pages: %w", len(r.Pages), storage.ErrDamaged)
	}
	return r.Pages[0], nil
}
