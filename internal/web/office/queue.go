package office

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
)

// act is what a certifier or a seal keeper confirms, over one copy or many.
type act struct {
	Scope account.Scope
	Path  string // of the queue
	Done  string
	state certcopy.State // of the copies that wait for it
	carry func(context.Context, storage.Confirmation) error
}

func (o *Office) certifying() act {
	return act{Scope: account.MayCertify, Path: Prefix + "/certify", Done: "certified", state: certcopy.Submitted, carry: o.flow.Certify}
}

func (o *Office) sealing() act {
	return act{Scope: account.MaySeal, Path: Prefix + "/seal", Done: "sealed", state: certcopy.Signed, carry: o.flow.Seal}
}

// confirmed reports whether a copy was confirmed by the account in this way already.
func (a act) confirmed(c certcopy.Copy, by certcopy.AccountID) bool {
	if a.Scope == account.MayCertify {
		return c.CertifiedBy.Account == by && !c.CertifiedAt.IsZero()
	}
	return c.SealedBy == by && !c.SealedAt.IsZero()
}

type queuePage struct {
	Act     act
	Rows    []row
	More    string
	Sending []row // confirmed, on their way
	Error   *certcopy.Error
}

func (o *Office) certifyQueue(w http.ResponseWriter, r *http.Request) error {
	return o.queue(w, r, o.certifying(), nil)
}

func (o *Office) sealQueue(w http.ResponseWriter, r *http.Request) error {
	return o.queue(w, r, o.sealing(), nil)
}

func (o *Office) queue(w http.ResponseWriter, r *http.Request, a act, wrong *certcopy.Error) error {
	types, err := o.types(r.Context())
	if err != nil {
		return err
	}
	page := queuePage{Act: a, Error: wrong}
	waiting := desk.Filter{Agency: who(r).Agency, States: []certcopy.State{a.state}, Unconfirmed: true}
	if page.Rows, page.More, err = o.list(r, waiting, "from", types); err != nil {
		return err
	}
	status := http.StatusOK
	if wrong != nil {
		status = http.StatusUnprocessableEntity
	}
	return o.site.Render(w, r, status, "queue", &page)
}

type confirmPage struct {
	Act  act
	Rows []row
	// Low are the reasons recorded for copies with pages below the statutory resolution, which
	// whoever certifies must know.
	Low   map[certcopy.CopyID]string
	Error *certcopy.Error
}

func (o *Office) certifyForm(w http.ResponseWriter, r *http.Request) error {
	return o.confirmForm(w, r, o.certifying())
}

func (o *Office) sealForm(w http.ResponseWriter, r *http.Request) error {
	return o.confirmForm(w, r, o.sealing())
}

// confirmForm lists what is about to be confirmed and asks for the second factor.
func (o *Office) confirmForm(w http.ResponseWriter, r *http.Request, a act) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	ids, shown := readShown(r.PostForm)
	if len(ids) == 0 || len(ids) > certcopy.MaxCopiesPerCall {
		return o.queue(w, r, a, certcopy.Errorf(certcopy.Invalid, "copies", nil, certcopy.Msg(
			"Hãy đánh dấu từ 1 đến 100 bản sao.", "Tick 1 to 100 copies.")))
	}
	page, err := o.confirmPage(r, a, ids)
	if err != nil {
		return err
	}
	if !page.unchanged(ids, shown) {
		return o.tooLate(w, r, storage.ErrConflict, a.Path)
	}
	return o.site.Render(w, r, http.StatusOK, "confirm", page)
}

func (o *Office) confirmPage(r *http.Request, a act, ids []certcopy.CopyID) (*confirmPage, error) {
	copies, err := o.desk.CopiesByID(r.Context(), who(r).Agency, ids)
	if err != nil {
		return nil, err
	}
	types, err := o.types(r.Context())
	if err != nil {
		return nil, err
	}
	page := &confirmPage{Act: a, Rows: o.rows(copies, types), Low: map[certcopy.CopyID]string{}}
	for _, c := range copies {
		if page.Low[c.ID], err = o.desk.LowResolutionReason(r.Context(), c.ID); err != nil {
			return nil, err
		}
	}
	return page, nil
}

// unchanged reports whether every copy still waits for the act as it was shown.
func (p *confirmPage) unchanged(ids []certcopy.CopyID, shown map[certcopy.CopyID]certcopy.Digest) bool {
	for _, row := range p.Rows {
		if row.State != p.Act.state || row.Submission != shown[row.ID] ||
			p.Act.Scope == account.MayCertify && !row.CertifiedAt.IsZero() || p.Act.Scope == account.MaySeal && !row.SealedAt.IsZero() {
			return false
		}
	}
	return len(p.Rows) == len(ids)
}

// readShown reads the ticked copies, each with the digest of what was shown of it:
// "copy=ID DIGEST". What is not of this form was not made by our page and is left out.
func readShown(f url.Values) ([]certcopy.CopyID, map[certcopy.CopyID]certcopy.Digest) {
	var ids []certcopy.CopyID
	shown := make(map[certcopy.CopyID]certcopy.Digest)
	for _, v := range f["copy"] {
		id, hex, _ := strings.Cut(v, " ")
		d, err := certcopy.ParseDigest(hex)
		if err != nil || !desk.IsID(id) {
			continue
		}
		if _, twice := shown[certcopy.CopyID(id)]; !twice {
			ids = append(ids, certcopy.CopyID(id))
		}
		shown[certcopy.CopyID(id)] = d
	}
	return ids, shown
}

func (o *Office) certify(w http.ResponseWriter, r *http.Request) error {
	return o.confirm(w, r, o.certifying())
}

func (o *Office) seal(w http.ResponseWriter, r *http.Request) error {
	return o.confirm(w, r, o.sealing())
}

// confirm carries out the act over all the copies or none, after the second factor.
func (o *Office) confirm(w http.ResponseWriter, r *http.Request, a act) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	ids, shown := readShown(r.PostForm)
	if err := o.prove(r, account.ActDigest(a.Scope, shown)); err != nil {
		page, pageErr := o.confirmPage(r, a, ids)
		if pageErr != nil {
			return pageErr
		}
		if !page.unchanged(ids, shown) {
			return o.tooLate(w, r, storage.ErrConflict, a.Path)
		}
		return o.again(w, r, err, "confirm", page, &page.Error)
	}
	me := who(r)
	err := a.carry(r.Context(), storage.Confirmation{Agency: me.Agency, By: me.ID, Shown: shown})
	if err != nil && !o.already(r, a, ids, shown) {
		return o.tooLate(w, r, err, a.Path)
	}
	http.Redirect(w, r, a.Path+"?done="+a.Done, http.StatusSeeOther)
	return nil
}

// already reports whether this very confirmation was carried out before: a second click, or a
// reply that was lost.
func (o *Office) already(r *http.Request, a act, ids []certcopy.CopyID, shown map[certcopy.CopyID]certcopy.Digest) bool {
	copies, err := o.desk.CopiesByID(r.Context(), who(r).Agency, ids)
	if err != nil || len(copies) != len(ids) || len(ids) == 0 {
		return false
	}
	for _, c := range copies {
		if !a.confirmed(c, who(r).ID) || c.Submission != shown[c.ID] {
			return false
		}
	}
	return true
}
