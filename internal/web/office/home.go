package office

import (
	"net/http"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
)

// pageRows is how many rows a list shows at once.
const pageRows = 25

// handOverDays is how long a released copy stays among those to be handed over.
const handOverDays = 7

type homePage struct {
	Counts            desk.Counts
	Mine, Ready       []row
	MoreMine, MoreOut string
}

// home shows the clerk what is in hand and what is ready, and everybody the day's figures.
func (o *Office) home(w http.ResponseWriter, r *http.Request) error {
	ctx, me := r.Context(), who(r)
	var page homePage
	var err error
	if page.Counts, err = o.desk.Counts(ctx, me.Agency, o.today()); err != nil {
		return err
	}
	if !me.Has(certcopy.Clerk) {
		return o.site.Render(w, r, http.StatusOK, "home", &page)
	}
	types, err := o.types(ctx)
	if err != nil {
		return err
	}
	mine := desk.Filter{Agency: me.Agency, CreatedBy: me.ID, Newest: true, States: []certcopy.State{certcopy.Received, certcopy.Scanned,
		certcopy.Returned, certcopy.Submitted, certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Sealed, certcopy.Registered}}
	if page.Mine, page.MoreMine, err = o.list(r, mine, "mine", types); err != nil {
		return err
	}
	ready := desk.Filter{Agency: me.Agency, Newest: true, States: []certcopy.State{certcopy.Released}, Since: o.today().AddDate(0, 0, -handOverDays)}
	if page.Ready, page.MoreOut, err = o.list(r, ready, "ready", types); err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "home", &page)
}

// list reads the page of a list that the address asks for under a name.
func (o *Office) list(r *http.Request, f desk.Filter, name string, types []desk.DocumentType) ([]row, string, error) {
	at, err := desk.ParseCursor(r.URL.Query().Get(name))
	if err != nil {
		at = desk.Cursor{} // a mangled address shows the beginning
	}
	l, err := o.desk.CopyList(r.Context(), f, at, pageRows)
	if err != nil {
		return nil, "", err
	}
	return o.rows(l.Copies, types), l.Next.String(), nil
}

type searchPage struct {
	Query string
	Rows  []row
}

func (o *Office) search(w http.ResponseWriter, r *http.Request) error {
	page := searchPage{Query: strings.TrimSpace(r.URL.Query().Get("q"))}
	if runes := []rune(page.Query); len(runes) > certcopy.MaxNameRunes {
		page.Query = string(runes[:certcopy.MaxNameRunes])
	}
	found, err := o.desk.Search(r.Context(), who(r).Agency, page.Query)
	if err != nil {
		return err
	}
	types, err := o.types(r.Context())
	if err != nil {
		return err
	}
	page.Rows = o.rows(found, types)
	return o.site.Render(w, r, http.StatusOK, "search", &page)
}
