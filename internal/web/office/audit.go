package office

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// unseen are the pages that show nothing of anybody.
var unseen = map[string]bool{"/login": true, "/password": true, "/copies/{copy}/state": true}

// taken are the pages that hand a file out.
var taken = map[string]bool{"/copies/{copy}/pdf": true}

// noted writes down who sees what: before a page is shown, and that it was refused. What is
// changed needs no line here, the ledger takes it down with the change.
func (o *Office) noted(line route, h web.HandlerFunc) web.HandlerFunc {
	guarded := o.guard(line.roles, h)
	if line.roles == nil || unseen[line.pattern] {
		return guarded
	}
	return func(w http.ResponseWriter, r *http.Request) error {
		me := who(r)
		e := storage.AuditEvent{Kind: storage.AuditView, Action: line.method + " " + line.pattern, Phase: storage.AuditDone}
		if taken[line.pattern] {
			e.Kind = storage.AuditExport
		}
		if id := chi.URLParam(r, "copy"); desk.IsID(id) {
			e.Copy = certcopy.CopyID(id)
		}
		switch allowed := me.Has(line.roles...); {
		case me.ID == "" || allowed && r.Method != http.MethodGet:
			return guarded(w, r)
		case !allowed:
			e.Phase = storage.AuditRefused
		}
		if err := o.desk.Record(r.Context(), e); err != nil {
			return err
		}
		return guarded(w, r)
	}
}

// auditKinds are the kinds of events, as a person chooses among them.
var auditKinds = []storage.AuditKind{storage.AuditKey, storage.AuditView, storage.AuditChange, storage.AuditExport, storage.AuditSignIn}

// auditRows is how many events a page shows.
const auditRows = 100

type auditPage struct {
	From, Till, Kind, Account, Code string // as they were asked for
	Kinds                           []storage.AuditKind
	Accounts                        []account.Account
	Rows                            []auditRow
	Next                            int64 // identifier below which the next page begins; 0: there is none
	Error                           *certcopy.Error
}

type auditRow struct {
	storage.AuditEvent
	Who  string
	Says certcopy.Message
}

// audit shows the agency's events, the newest first, narrowed by what the address asks for.
func (o *Office) audit(w http.ResponseWriter, r *http.Request) error {
	page, f, err := o.auditAsked(r)
	if err != nil {
		return o.again(w, r, err, "audit", page, &page.Error)
	}
	events, err := o.desk.AuditEvents(r.Context(), f, auditRows+1)
	if err != nil {
		return err
	}
	if len(events) > auditRows {
		events = events[:auditRows]
		page.Next = events[auditRows-1].ID
	}
	names := map[certcopy.AccountID]string{}
	for _, a := range page.Accounts {
		names[a.ID] = a.Name
	}
	for _, e := range events {
		page.Rows = append(page.Rows, auditRow{e, auditWho(e, names), auditSays(e)})
	}
	return o.site.Render(w, r, http.StatusOK, "audit", page)
}

func auditWho(e storage.AuditEvent, names map[certcopy.AccountID]string) string {
	switch name := names[e.Account]; {
	case e.Client != "" && name != "":
		return name + " (" + e.Client + ")"
	case name != "":
		return name
	case e.Client != "":
		return e.Client
	}
	return string(e.Account)
}

// auditAsked reads the filters of the address.
func (o *Office) auditAsked(r *http.Request) (*auditPage, storage.AuditFilter, error) {
	q := r.URL.Query()
	page := &auditPage{From: q.Get("from"), Till: q.Get("till"), Kind: q.Get("kind"), Account: q.Get("account"), Code: strings.TrimSpace(q.Get("code")),
		Kinds: auditKinds}
	f := storage.AuditFilter{Agency: who(r).Agency, Kind: storage.AuditKind(page.Kind)}
	f.Before, _ = strconv.ParseInt(q.Get("before"), 10, 64) // a mangled address shows the beginning
	var err error
	if page.Accounts, err = o.desk.Accounts(r.Context(), f.Agency); err != nil {
		return page, f, err
	}
	if desk.IsID(page.Account) {
		f.Account = certcopy.AccountID(page.Account)
	}
	if f.Since, err = auditDay("from", page.From); err != nil {
		return page, f, err
	}
	if f.Till, err = auditDay("till", page.Till); err != nil {
		return page, f, err
	}
	if !f.Till.IsZero() {
		f.Till = f.Till.AddDate(0, 0, 1) // to the end of that day
	}
	if page.Code == "" {
		return page, f, nil
	}
	code, err := link.FindCode(page.Code)
	if err != nil {
		return page, f, err
	}
	f.Copy, err = o.desk.CopyByCode(r.Context(), code.Hash())
	return page, f, err
}

func auditDay(field, typed string) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	day, err := time.ParseInLocation(time.DateOnly, typed, certcopy.Vietnam)
	if err != nil {
		return day, certcopy.Errorf(certcopy.Invalid, field, nil, certcopy.Msg("Ngày không hợp lệ. Hãy chọn lại.", "The date is not valid. Choose it again."))
	}
	return day, nil
}
