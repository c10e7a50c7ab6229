package office

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/calendar"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
)

// maxOriginals bounds what one form may hold; more are added on the request's page.
const maxOriginals = 20

type requestForm struct {
	Key       string // makes a second click the same request
	Requester certcopy.Requester
	Originals []certcopy.Original
	Types     []desk.DocumentType
	Error     *certcopy.Error
}

func (o *Office) requestForm(w http.ResponseWriter, r *http.Request) error {
	key, err := o.formKey()
	if err != nil {
		return err
	}
	types, err := o.types(r.Context())
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "request_new", &requestForm{Types: types, Key: key,
		Originals: []certcopy.Original{{Pages: 1, Copies: 1}}})
}

func (o *Office) formKey() (string, error) {
	var key [12]byte
	if _, err := io.ReadFull(o.rand, key[:]); err != nil {
		return "", fmt.Errorf("form key: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(key[:]), nil
}

// receive opens the request, or shows the form again with one original more or less.
func (o *Office) receive(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	types, err := o.types(r.Context())
	if err != nil {
		return err
	}
	form := readRequest(r.PostForm)
	form.Types = types
	switch act := r.PostForm.Get("act"); {
	case act == "add" && len(form.Originals) < maxOriginals:
		form.Originals = append(form.Originals, certcopy.Original{Pages: 1, Copies: 1})
		return o.site.Render(w, r, http.StatusOK, "request_new", form)
	case act == "remove" && len(form.Originals) > 1:
		form.Originals = form.Originals[:len(form.Originals)-1]
		return o.site.Render(w, r, http.StatusOK, "request_new", form)
	}
	me := who(r)
	stored, created, err := o.flow.Receive(r.Context(), certcopy.Request{Agency: me.Agency, Requester: form.Requester,
		Channel: "counter", ExternalID: form.Key, CreatedBy: me.ID, CreatedAt: o.now()}, form.Originals)
	if err != nil {
		return o.again(w, r, err, "request_new", form, &form.Error)
	}
	if !created {
		if err := o.sameAsSent(r, stored, form); err != nil {
			return o.again(w, r, err, "request_new", form, &form.Error)
		}
	}
	http.Redirect(w, r, requestPath(stored.ID)+"?done=received", http.StatusSeeOther)
	return nil
}

// sameAsSent tells a second click, which is no error, from an old form that was gone back to
// and filled in anew: that one gets a key of its own and must be sent again.
func (o *Office) sameAsSent(r *http.Request, stored certcopy.Request, form *requestForm) error {
	copies, err := o.desk.RequestCopies(r.Context(), stored.ID)
	if err != nil {
		return err
	}
	same := stored.Requester == form.Requester && len(copies) >= len(form.Originals)
	for i := 0; same && i < len(form.Originals); i++ {
		same = copies[i].Original == form.Originals[i]
	}
	if same {
		return nil
	}
	if form.Key, err = o.formKey(); err != nil {
		return err
	}
	return certcopy.Errorf(certcopy.Invalid, "", nil, certcopy.Msg(
		"Biểu mẫu này đã được dùng cho một yêu cầu trước. Nếu đây là yêu cầu mới, hãy bấm Tiếp nhận lần nữa.",
		"This form was used for an earlier request. If this is a new one, press Receive again."))
}

func readRequest(f url.Values) *requestForm {
	form := &requestForm{Key: f.Get("key"), Requester: certcopy.Requester{
		Name:     strings.Join(strings.Fields(f.Get("name")), " "),
		IDNumber: strings.TrimSpace(f.Get("id_number")),
		Phone:    strings.TrimSpace(f.Get("phone")),
		Email:    strings.TrimSpace(f.Get("email")),
	}}
	for i := range min(max(number(f, "originals"), 1), maxOriginals) {
		form.Originals = append(form.Originals, original(f, fmt.Sprint("_", i)))
	}
	return form
}

type requestPage struct {
	Request certcopy.Request
	Rows    []row
	Fee     int64
	Due     calendar.Deadline
	VNeID   []row // whose papers should be looked up instead of asked for
	MayAdd  bool
	New     certcopy.Original
	Types   []desk.DocumentType
	Error   *certcopy.Error
}

// row is a copy in a list.
type row struct {
	certcopy.Copy
	Type desk.DocumentType
	Fee  int64
}

func (o *Office) rows(copies []certcopy.Copy, types []desk.DocumentType) []row {
	rows := make([]row, len(copies))
	for i, c := range copies {
		rows[i] = row{Copy: c, Type: typeOf(types, c.Original.Type), Fee: o.fee(c.Original.Pages, c.Original.Copies, c.CreatedAt)}
	}
	return rows
}

func (o *Office) showRequest(w http.ResponseWriter, r *http.Request) error {
	page, err := o.requestPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "request", page)
}

func (o *Office) requestPage(r *http.Request) (*requestPage, error) {
	id := chi.URLParam(r, "request")
	if !desk.IsID(id) {
		return nil, storage.ErrNotFound
	}
	ctx := r.Context()
	request, err := o.ledger.Request(ctx, certcopy.RequestID(id))
	if err != nil {
		return nil, err
	}
	if request.Agency != who(r).Agency {
		return nil, storage.ErrNotFound
	}
	copies, err := o.desk.RequestCopies(ctx, request.ID)
	if err != nil {
		return nil, err
	}
	types, err := o.types(ctx)
	if err != nil {
		return nil, err
	}
	page := &requestPage{Request: request, Rows: o.rows(copies, types), Types: types, MayAdd: who(r).Has(certcopy.Clerk),
		New: certcopy.Original{Pages: 1, Copies: 1}}
	if page.Due, err = o.days.Deadline(request.CreatedAt, 0); err != nil {
		return nil, err
	}
	for _, row := range page.Rows {
		if row.State != certcopy.Refused && row.State != certcopy.Withdrawn {
			page.Fee += row.Fee
		}
		if row.Type.InVNeID && isDraft(row.State) {
			page.VNeID = append(page.VNeID, row)
		}
		page.MayAdd = page.MayAdd && (isDraft(row.State) || row.State == certcopy.Refused || row.State == certcopy.Withdrawn)
	}
	return page, nil
}

// isDraft reports whether a copy is still the clerk's.
func isDraft(s certcopy.State) bool {
	return slices.Contains([]certcopy.State{certcopy.Received, certcopy.Scanned, certcopy.Returned}, s)
}

// addOriginal adds one to the request; the form says how many it saw, so that a second click
// adds none.
func (o *Office) addOriginal(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page, err := o.requestPage(r)
	if err != nil {
		return err
	}
	back := requestPath(page.Request.ID)
	if len(page.Rows) != number(r.PostForm, "seen") || !page.MayAdd {
		return o.tooLate(w, r, storage.ErrConflict, back)
	}
	page.New = original(r.PostForm, "")
	if _, err := o.flow.AddOriginal(r.Context(), page.Request.ID, page.New); err != nil {
		if err := o.again(w, r, err, "request", page, &page.Error); err != nil {
			return o.tooLate(w, r, err, back)
		}
		return nil
	}
	http.Redirect(w, r, back, http.StatusSeeOther)
	return nil
}
