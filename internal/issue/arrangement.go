package issue

import (
	"context"
	"fmt"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/storage"
)

// PagePlace says which page of the copy, from 1 as it is now, comes next in a new
// arrangement, and what is done to it.
type PagePlace struct {
	Page int
	Turn int // quarter turns clockwise
}

// ArrangePages puts the copy's pages in the given order, turns them and drops those that are
// not in it. No sample changes, and pages of different files may be mixed. revision is the one
// the clerk saw: storage.ErrConflict if the copy has changed since, or if a page is not there
// or named twice.
func (f *Flow) ArrangePages(ctx context.Context, id certcopy.CopyID, revision int, order []PagePlace) (certcopy.Copy, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return c, err
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return c, err
	}
	var arranged []lyingPage
	seen := map[int]bool{}
	for _, place := range order {
		if place.Page < 1 || place.Page > len(pages) || seen[place.Page] {
			return c, fmt.Errorf("page %d of %d: %w", place.Page, len(pages), storage.ErrConflict)
		}
		seen[place.Page] = true
		arranged = append(arranged, pages[place.Page-1].turned(place.Turn))
	}
	return f.layPages(ctx, c, arranged)
}

// ReplacePage puts the pages of a file where one page, from 1, is now. A file that is refused
// leaves the copy as it was.
func (f *Flow) ReplacePage(ctx context.Context, id certcopy.CopyID, revision, page int, file Upload) (UploadResult, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return UploadResult{}, err
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return UploadResult{}, err
	}
	if page < 1 || page > len(pages) {
		return UploadResult{}, fmt.Errorf("page %d of %d: %w", page, len(pages), storage.ErrConflict)
	}
	scan, refused, err := f.takeScan(ctx, id, file)
	if err != nil || refused != nil {
		return UploadResult{Copy: c, Refused: refused}, err
	}
	added, err := f.lyingOf(ctx, scan)
	if err != nil {
		return UploadResult{}, err
	}
	c, err = f.layPages(ctx, c, slices.Replace(pages, page-1, page, added...))
	return UploadResult{Copy: c}, err
}

// lyingPage is a page and where it lies now.
type lyingPage struct {
	intake.Page
	scan    certcopy.Scan
	format  string
	index   int // in scan, from 0
	changed bool
}

func (p lyingPage) turned(quarters int) lyingPage {
	if quarters&3 != 0 {
		p.Page, p.changed = p.Turned(quarters), true
	}
	return p
}

// origin is where the page lies as it was uploaded.
func (p lyingPage) origin() intake.Origin {
	if p.Origin != nil {
		return *p.Origin
	}
	return intake.Origin{Scan: string(p.scan.ID), Page: p.index}
}

// lying returns the pages of a copy in their order.
func (f *Flow) lying(ctx context.Context, id certcopy.CopyID) (pages []lyingPage, err error) {
	scans, err := f.Ledger.Scans(ctx, id)
	if err != nil {
		return nil, err
	}
	for _, s := range scans {
		of, err := f.lyingOf(ctx, s)
		if err != nil {
			return nil, err
		}
		pages = append(pages, of...)
	}
	return pages, nil
}

func (f *Flow) lyingOf(ctx context.Context, s certcopy.Scan) (pages []lyingPage, err error) {
	r, err := f.scanned(ctx, s.Copy, s.ID)
	if err != nil {
		return nil, err
	}
	for i, p := range r.Pages {
		pages = append(pages, lyingPage{Page: p, scan: s, format: r.Format, index: i})
	}
	return pages, nil
}

// layPages records the pages as the copy's. Pages that followed one another in an upload stay
// together as one scan; a scan of which nothing has changed stays itself, any other is written
// anew, and the upload it came from is kept, so that what was done can be undone.
func (f *Flow) layPages(ctx context.Context, c certcopy.Copy, pages []lyingPage) (certcopy.Copy, error) {
	var scans []certcopy.Scan
	for len(pages) > 0 {
		n := together(pages)
		scan, err := f.layScan(ctx, pages[:n])
		if err != nil {
			return c, err
		}
		scans, pages = append(scans, scan), pages[n:]
	}
	return f.arrange(ctx, c, scans)
}

// together is the number of pages at the front that follow one another in one upload.
func together(pages []lyingPage) int {
	first := pages[0].origin()
	for n := 1; n < len(pages); n++ {
		if next := pages[n].origin(); next.Scan != first.Scan || next.Page != first.Page+n {
			return n
		}
	}
	return len(pages)
}

func (f *Flow) layScan(ctx context.Context, pages []lyingPage) (certcopy.Scan, error) {
	scan := pages[0].scan
	same := len(pages) == scan.Pages
	r := &intake.Result{Format: pages[0].format}
	for i, p := range pages {
		same = same && !p.changed && p.scan.ID == scan.ID && p.index == i
		origin := p.origin()
		p.Origin = &origin
		r.Pages = append(r.Pages, p.Page)
	}
	if same {
		return scan, nil
	}
	scan.Pages = len(pages)
	return f.keepScan(ctx, scan, r)
}
