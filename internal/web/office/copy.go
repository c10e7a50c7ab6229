package office

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/storage"
)

// copyPage is everything a page about one copy may show.
type copyPage struct {
	Copy    certcopy.Copy
	Type    desk.DocumentType
	Types   []desk.DocumentType
	Fee     int64
	Scans   []certcopy.Scan
	Refused []desk.RefusedFile
	Pages   []pageView
	Low     []int // pages below the statutory resolution, from 1
	Budgets []budgetView
	// Staged are the viewer's files on the way.
	Staged  []staging.Upload
	Wait    certcopy.Message // how long the jobs will take; empty when none is at work on it
	Changed bool             // a page is not as it was uploaded, turns aside
	Steps   []step
	Links   []linkView
	Code    string // grouped for reading aloud
	Verify  string // address of the verification page

	Draft, MayLook, MayCertify, MaySeal, MayEnd bool
	// Reason is what the clerk wrote about the low resolution.
	Reason string
	Error  *certcopy.Error
}

// pageView is one page as people see it. Version changes with what is shown, so that a browser
// may keep an image.
type pageView struct {
	Number int
	// Width and Height are the page's proportions, so that nothing moves when its image comes.
	Width, Height int
	Low           bool
	DPI           int
	Version       string
	Sheet         Sheet // while the copy can still be sent back
}

// A4 in points, the smallest a page appended for the statement can be.
const a4Width, a4Height = 595, 842

// linkView is a sharing link and whether it opens now.
type linkView struct {
	desk.Link
	Open bool
}

// showCopy is the clerk's working page while the copy is a draft, and the page of its
// progress and hand-over afterwards.
func (o *Office) showCopy(w http.ResponseWriter, r *http.Request) error {
	page, err := o.copyPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, page.template(), page)
}

func (p *copyPage) template() string {
	if p.Draft {
		return "draft"
	}
	return "copy"
}

func (o *Office) copyPage(r *http.Request) (*copyPage, error) {
	c, err := o.copyOf(r)
	if err != nil {
		return nil, err
	}
	ctx, me := r.Context(), who(r)
	types, err := o.types(ctx)
	if err != nil {
		return nil, err
	}
	page := &copyPage{Copy: c, Types: types, Type: typeOf(types, c.Original.Type), Steps: steps(c),
		Fee:        o.fee(c.Original.Pages, c.Original.Copies, c.CreatedAt),
		Draft:      isDraft(c.State) && me.Has(certcopy.Clerk),
		MayLook:    me.Has(certcopy.Clerk, certcopy.Certifier, certcopy.SealKeeper),
		MayCertify: c.State == certcopy.Submitted && c.CertifiedAt.IsZero() && me.Has(certcopy.Certifier),
		MaySeal:    c.State == certcopy.Signed && c.SealedAt.IsZero() && me.Has(certcopy.SealKeeper),
		MayEnd:     me.Has(certcopy.Certifier, certcopy.Admin)}
	page.showPages()
	code, err := link.ParseCode(c.Code)
	if err != nil {
		return nil, err
	}
	page.Code, page.Verify = code.Grouped(), link.VerifyURL(o.base, code)
	return page, o.addDetails(r, page)
}

// addDetails reads what only one of the two pages shows.
func (o *Office) addDetails(r *http.Request, page *copyPage) (err error) {
	ctx, id := r.Context(), page.Copy.ID
	if inWork(page.Copy) {
		wait, err := o.desk.Waiting(ctx, page.Copy.Agency)
		if err != nil {
			return err
		}
		page.Wait = wait.Says()
	}
	if page.Draft {
		if page.Scans, err = o.ledger.Scans(ctx, id); err != nil {
			return err
		}
		if page.Refused, err = o.desk.RefusedFiles(ctx, id); err != nil {
			return err
		}
		if err = o.addSheets(ctx, page); err != nil {
			return err
		}
		o.addBudgets(page)
		return o.addStaged(r, page)
	}
	if page.MayCertify {
		if err := o.addSheets(ctx, page); err != nil {
			return err
		}
	}
	if len(page.Low) > 0 {
		if page.Reason, err = o.desk.LowResolutionReason(ctx, id); err != nil {
			return err
		}
	}
	if page.Copy.State != certcopy.Released {
		return nil
	}
	links, err := o.desk.Links(ctx, id)
	for _, l := range links {
		page.Links = append(page.Links, linkView{Link: l, Open: l.Opens(o.now())})
	}
	return err
}

// showPages lists the pages that can be looked at: of the clean document, then of the stamped
// one, then of the final one.
func (p *copyPage) showPages() {
	version := p.Copy.Clean.Digest.String()[:12] + "-" + string(p.Copy.State)
	for i, page := range p.Copy.Clean.Pages {
		low := page.LowResolution()
		p.Pages = append(p.Pages, pageView{Number: i + 1, Width: int(page.Width), Height: int(page.Height), Low: low, DPI: int(page.DPI), Version: version})
		if low {
			p.Low = append(p.Low, i+1)
		}
	}
	for n := len(p.Pages) + 1; n <= p.Copy.Final.Pages; n++ { // the page appended for the statement
		p.Pages = append(p.Pages, pageView{Number: n, Width: a4Width, Height: a4Height, Version: version})
	}
}

// step is one line of the progress.
type step struct {
	Key, Class string
}

// progress are the steps people wait for, each with the state that ends it.
var progress = []struct {
	key  string
	done certcopy.State
}{
	{"step.submitted", certcopy.Submitted}, {"step.numbered", certcopy.Numbered}, {"step.signed", certcopy.Signed},
	{"step.sealed", certcopy.Sealed}, {"step.registered", certcopy.Registered}, {"step.released", certcopy.Released},
}

// stateOrder is the way of a copy that nothing stops.
var stateOrder = []certcopy.State{certcopy.Received, certcopy.Scanned, certcopy.Submitted, certcopy.Numbered, certcopy.Stamped,
	certcopy.Signed, certcopy.Sealed, certcopy.Registered, certcopy.Released}

func steps(c certcopy.Copy) []step {
	at := slices.Index(stateOrder, c.State)
	if c.State == certcopy.Annulled {
		at = len(stateOrder)
	}
	list := make([]step, len(progress))
	for i, p := range progress {
		list[i].Key = p.key
		switch end := slices.Index(stateOrder, p.done); {
		case at >= end:
			list[i].Class = "done"
		case at >= 0 && (i == 0 || list[i-1].Class == "done"):
			list[i].Class = "now"
		case at < 0 && i == 0:
			list[i].Class = "stop"
		}
	}
	return list
}

// copyState is what the progress page asks for again and again.
func (o *Office) copyState(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	return json.NewEncoder(w).Encode(map[string]any{"state": c.State, "revision": c.Revision, "confirmed": !c.CertifiedAt.IsZero(),
		"sealing": !c.SealedAt.IsZero(), "trouble": c.Trouble})
}

// review shows all pages full size to whoever examines them.
func (o *Office) review(w http.ResponseWriter, r *http.Request) error {
	page, err := o.copyPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "review", page)
}

// imageWidths are the widths, in pixels, in which pages are drawn: a thumbnail, a phone, a
// screen, and A4 at 300 dpi.
var imageWidths = []int{200, 960, 1600, 2480}

func (o *Office) pageImage(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	page, err := strconv.Atoi(chi.URLParam(r, "page"))
	width, widthErr := strconv.Atoi(r.URL.Query().Get("w"))
	if err != nil || widthErr != nil || page < 1 || page > certcopy.MaxPages+1 || !slices.Contains(imageWidths, width) {
		return storage.ErrNotFound
	}
	jpeg, err := o.flow.PageImage(r.Context(), c.ID, page, width)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(jpeg) // a broken connection shows in the access log
	return nil
}

// inWork reports whether jobs, not people, are to go on with the copy.
func inWork(c certcopy.Copy) bool {
	switch c.State {
	case certcopy.Submitted:
		return !c.CertifiedAt.IsZero()
	case certcopy.Numbered, certcopy.Stamped, certcopy.Sealed:
		return true
	case certcopy.Signed:
		return !c.SealedAt.IsZero()
	}
	return false
}
