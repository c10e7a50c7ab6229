package office

import (
	"net/http"
	"slices"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// budgetView is a size that a destination takes and whether the signed copy will keep to it.
type budgetView struct {
	issue.Budget
	Fits bool
}

// SignedBytes is the size the copy will have once it is signed and sealed.
func (p *copyPage) SignedBytes() int64 { return p.Copy.Clean.Size + issue.StampBytes }

func (o *Office) addBudgets(p *copyPage) {
	for _, b := range issue.BudgetsAt(o.budgets, o.now()) {
		p.Budgets = append(p.Budgets, budgetView{b, p.SignedBytes() <= b.Bytes})
	}
	for _, page := range p.Pages {
		e := page.Sheet.Edit
		e.Turn = 0
		p.Changed = p.Changed || e != intake.Edit{}
	}
}

// fit makes the copy small enough for one of the listed destinations, or brings back what was
// uploaded.
func (o *Office) fit(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	revision, budget := number(r.PostForm, "revision"), int64(number(r.PostForm, "budget"))
	known := slices.ContainsFunc(issue.BudgetsAt(o.budgets, o.now()), func(b issue.Budget) bool { return b.Bytes == budget })
	switch {
	case r.PostForm.Get("budget") == "uploads":
		_, err = o.flow.EditPages(r.Context(), c.ID, revision, nil, intake.Edit{})
	case known:
		_, err = o.flow.Fit(r.Context(), c.ID, revision, budget)
	default:
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID))
	}
	if err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toPages(w, r, c.ID)
}

// variants are the forms in which a page can be had, by the names in addresses and forms.
var variants = []struct {
	Name string
	Edit intake.Edit
}{
	{"upload", intake.Edit{}},
	{"jpeg", intake.Edit{Quality: 90}},
	{"grey", intake.Edit{Colour: intake.Grey, Quality: 85}},
	{"bilevel", intake.Edit{Colour: intake.Bilevel}},
}

func variantOf(name string) (intake.Edit, bool) {
	for _, v := range variants {
		if v.Name == name {
			return v.Edit, true
		}
	}
	return intake.Edit{}, false
}

// variantsPage shows one page in all its forms, each with its size.
type variantsPage struct {
	Copy    certcopy.Copy
	Page    int
	Width   int
	Height  int
	Version string
	Forms   []variantView
	Error   *certcopy.Error
}

type variantView struct {
	Name    string
	Bytes   int64
	Present bool
}

// draftPage returns the copy and the page that the address names, while it can be changed.
func (o *Office) draftPage(r *http.Request) (*copyPage, int, error) {
	page, err := o.copyPage(r)
	if err != nil {
		return nil, 0, err
	}
	n, err := strconv.Atoi(chi.URLParam(r, "page"))
	if err != nil || !page.Draft || n < 1 || n > len(page.Pages) {
		return nil, 0, storage.ErrNotFound
	}
	return page, n, nil
}

func (o *Office) chooseVariant(w http.ResponseWriter, r *http.Request) error {
	page, n, err := o.draftPage(r)
	if err != nil {
		return err
	}
	seen := page.Pages[n-1]
	view := variantsPage{Copy: page.Copy, Page: n, Width: seen.Width, Height: seen.Height, Version: seen.Version}
	now := seen.Sheet.Edit
	now.Turn = 0
	for _, v := range variants {
		_, size, err := o.flow.Variant(r.Context(), page.Copy.ID, n, variantWidth, v.Edit)
		if err != nil {
			return err
		}
		view.Forms = append(view.Forms, variantView{Name: v.Name, Bytes: size, Present: v.Edit == now})
	}
	return o.site.Render(w, r, http.StatusOK, "variants", &view)
}

// variantWidth is that of the pictures that are compared.
const variantWidth = 960

func (o *Office) variantImage(w http.ResponseWriter, r *http.Request) error {
	page, n, err := o.draftPage(r)
	if err != nil {
		return err
	}
	e, ok := variantOf(r.URL.Query().Get("form"))
	if !ok {
		return storage.ErrNotFound
	}
	jpeg, _, err := o.flow.Variant(r.Context(), page.Copy.ID, n, variantWidth, e)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(jpeg) // a broken connection shows in the access log
	return nil
}

func (o *Office) setVariant(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	e, ok := variantOf(r.PostForm.Get("form"))
	n, err := strconv.Atoi(chi.URLParam(r, "page"))
	if err != nil || !ok {
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID))
	}
	if _, err := o.flow.EditPages(r.Context(), c.ID, number(r.PostForm, "revision"), []int{n}, e); err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toPages(w, r, c.ID)
}
