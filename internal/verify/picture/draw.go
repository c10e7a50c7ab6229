package picture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"image"

	"github.com/saoy/saoy/internal/render"
)

// part is a piece of a Look as it is ready, so that what was drawn before a limit is not lost.
type part struct {
	Pages     *int
	Thumbnail *Picture
	Step      *Step // without changes, which follow
	Change    *Change
	// Cut: drawing goes no further, by a limit of ours or because the file cannot be drawn.
	Cut bool
}

// add puts a piece in its place.
func (l *Look) add(p part) {
	switch {
	case p.Pages != nil:
		l.Pages = *p.Pages
	case p.Thumbnail != nil:
		l.Thumbnails = append(l.Thumbnails, *p.Thumbnail)
	case p.Step != nil:
		l.Steps = append(l.Steps, *p.Step)
	case p.Change != nil && len(l.Steps) > 0:
		s := &l.Steps[len(l.Steps)-1]
		s.Changes = append(s.Changes, *p.Change)
	}
	l.Incomplete = l.Incomplete || p.Cut
}

// artist draws one file.
type artist struct {
	renderer *render.Renderer
	file     []byte
	emit     func(part) error
	shown    int
	// fingerprints of the pages of the file at a length.
	states map[int64][][sha256.Size]byte
}

// drawAll draws what was asked for. A file that cannot be drawn is no error.
func drawAll(ctx context.Context, r *render.Renderer, file []byte, a Ask, emit func(part) error) error {
	d := &artist{renderer: r, file: file, emit: emit, states: map[int64][][sha256.Size]byte{}}
	err := d.thumbnails(ctx, min(a.Thumbnails, MaxThumbnails))
	for i := 0; i < min(len(a.Steps), maxSteps) && err == nil; i++ {
		err = d.step(ctx, a.Steps[i])
	}
	if errors.Is(err, render.ErrDamaged) || errors.Is(err, render.ErrEncrypted) || errors.Is(err, render.ErrTooLarge) || ctx.Err() != nil {
		return emit(part{Cut: true})
	}
	return err
}

// at opens the file as it was at a length.
func (d *artist) at(ctx context.Context, length int64) (*render.Document, error) {
	if length < 0 || length > int64(len(d.file)) {
		return nil, render.ErrDamaged
	}
	return d.renderer.Open(ctx, d.file[:length:length])
}

func (d *artist) thumbnails(ctx context.Context, most int) error {
	doc, err := d.at(ctx, int64(len(d.file)))
	if err != nil {
		return err
	}
	defer doc.Close()
	pages := doc.Pages()
	if err := d.emit(part{Pages: &pages}); err != nil {
		return err
	}
	for i := range min(most, pages) {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		p, err := doc.Page(i, ThumbWidth)
		if err != nil {
			return err
		}
		thumbnail, err := framed(i+1, p, nil)
		if err != nil {
			return err
		}
		if err := d.emit(part{Thumbnail: &thumbnail}); err != nil {
			return err
		}
	}
	return nil
}

// step compares the pages before and after one addition by what they look like, and shows
// those that differ.
func (d *artist) step(ctx context.Context, s Span) error {
	before, allBefore, err := d.fingerprints(ctx, s.From)
	if err != nil {
		return err
	}
	after, allAfter, err := d.fingerprints(ctx, s.To)
	if err != nil {
		return err
	}
	step := Step{Span: s, Compared: min(len(before), len(after)), Total: max(allBefore, allAfter)}
	var differ []int
	for i := range max(len(before), len(after)) {
		// A page beyond what was drawn of the other state is compared with nothing, unless
		// that state has no such page.
		gone, added := i >= allAfter, i >= allBefore
		if gone || added || i < step.Compared && before[i] != after[i] {
			differ = append(differ, i)
		}
	}
	step.Differ = len(differ)
	if err := d.emit(part{Step: &step}); err != nil {
		return err
	}
	return d.changes(ctx, s, differ)
}

// fingerprints returns a digest of each drawn page of the file at a length, and its number of
// pages. Only digests are kept: the pictures of all pages would fill the memory.
func (d *artist) fingerprints(ctx context.Context, length int64) (prints [][sha256.Size]byte, pages int, err error) {
	doc, err := d.at(ctx, length)
	if err != nil {
		return nil, 0, err
	}
	defer doc.Close()
	if known, ok := d.states[length]; ok {
		return known, doc.Pages(), nil
	}
	for i := range min(doc.Pages(), MaxCompared) {
		if ctx.Err() != nil {
			return nil, 0, ctx.Err()
		}
		p, err := doc.Page(i, Width)
		if err != nil {
			return nil, 0, err
		}
		prints = append(prints, sha256.Sum256(p.Pix))
	}
	d.states[length] = prints
	return prints, doc.Pages(), nil
}

// changes shows pages before and after, as many as may still be shown.
func (d *artist) changes(ctx context.Context, s Span, pages []int) error {
	if len(pages) == 0 || d.shown >= MaxShown {
		return nil
	}
	before, err := d.at(ctx, s.From)
	if err != nil {
		return err
	}
	defer before.Close()
	after, err := d.at(ctx, s.To)
	if err != nil {
		return err
	}
	defer after.Close()
	for _, i := range pages[:min(len(pages), MaxShown-d.shown)] {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		c, err := compare(before, after, i)
		if err != nil {
			return err
		}
		if err := d.emit(part{Change: c}); err != nil {
			return err
		}
		d.shown++
	}
	return nil
}

// compare draws page i of both states and frames what differs.
func compare(before, after *render.Document, i int) (c *Change, err error) {
	var a, b *image.RGBA
	if i < before.Pages() {
		if a, err = before.Page(i, Width); err != nil {
			return nil, err
		}
	}
	if i < after.Pages() {
		if b, err = after.Page(i, Width); err != nil {
			return nil, err
		}
	}
	c = &Change{Number: i + 1}
	if a != nil && b != nil && !bytes.Equal(a.Pix, b.Pix) {
		c.Areas = areas(a, b)
	}
	if a != nil {
		if c.Before, err = framed(i+1, a, c.Areas); err != nil {
			return nil, err
		}
	}
	if b != nil {
		c.After, err = framed(i+1, b, c.Areas)
	}
	return c, err
}
