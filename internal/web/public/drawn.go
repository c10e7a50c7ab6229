package public

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Bounds of the memory for drawn pages of shared copies, and how long one is kept: as long as
// a browser keeps it too. They are never on a disk.
const (
	maxDrawnBytes = 64 << 20
	keepDrawn     = 10 * time.Minute
)

// page names one page of one file.
type page struct {
	file   certcopy.Digest
	number int
}

// drawn keeps pages as pictures, the last used ones, within a number of bytes. Who asks for a
// page that another is drawing waits for that one. Whether a page may be seen is asked before.
type drawn struct {
	now   func() time.Time
	most  int
	mu    sync.Mutex             // guards all below
	bytes int                    // of the pictures
	pages map[page]*list.Element // of *picturePage
	order *list.List             // last used first
}

// picturePage is a page that is drawn or being drawn.
type picturePage struct {
	page  page
	until time.Time
	ready chan struct{} // closed when jpeg and err are set
	jpeg  []byte
	err   error
}

func newDrawn(now func() time.Time, most int) *drawn {
	return &drawn{now: now, most: most, pages: map[page]*list.Element{}, order: list.New()}
}

// get returns a page, drawing it if need be. An error is not kept.
func (d *drawn) get(ctx context.Context, p page, draw func() ([]byte, error)) ([]byte, error) {
	for {
		e, mine := d.claim(p)
		if mine {
			e.jpeg, e.err = draw()
			d.settle(e)
			return e.jpeg, e.err
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		// If who drew it was cut off, the next one draws.
		if e.err == nil {
			return e.jpeg, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// claim finds a page, or enters one that the caller is to draw.
func (d *drawn) claim(p page) (e *picturePage, mine bool) {
	now := d.now()
	d.mu.Lock()
	defer d.mu.Unlock()
	if found, ok := d.pages[p]; ok {
		if e = found.Value.(*picturePage); now.Before(e.until) {
			d.order.MoveToFront(found)
			return e, false
		}
		d.drop(found)
	}
	e = &picturePage{page: p, until: now.Add(keepDrawn), ready: make(chan struct{})}
	d.pages[p] = d.order.PushFront(e)
	return e, true
}

// settle counts a page that is drawn, and drops those used longest ago.
func (d *drawn) settle(e *picturePage) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(e.ready)
	entry := d.pages[e.page]
	if entry == nil || entry.Value.(*picturePage) != e {
		return // dropped meanwhile
	}
	if e.err != nil {
		d.drop(entry)
		return
	}
	d.bytes += len(e.jpeg)
	for last := d.order.Back(); last != nil && d.bytes > d.most; last = d.order.Back() {
		d.drop(last)
	}
}

// drop forgets a page; the caller holds the lock.
func (d *drawn) drop(entry *list.Element) {
	e := d.order.Remove(entry).(*picturePage)
	delete(d.pages, e.page)
	select {
	case <-e.ready:
		if e.err == nil {
			d.bytes -= len(e.jpeg)
		}
	default: // still being drawn, not yet counted
	}
}
