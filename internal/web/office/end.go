package office

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
)

// endPage is the form that voids or annuls a copy.
type endPage struct {
	*copyPage
	Void         bool
	Reasons      []string
	Chosen, Text string
	Number, Date string
	WrongPlace   bool // the copy's state does not allow it
}

func (o *Office) voidForm(w http.ResponseWriter, r *http.Request) error { return o.endForm(w, r, true) }

func (o *Office) annulForm(w http.ResponseWriter, r *http.Request) error {
	return o.endForm(w, r, false)
}

func (o *Office) endForm(w http.ResponseWriter, r *http.Request, void bool) error {
	page, err := o.endPage(r, void)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "end", page)
}

func (o *Office) endPage(r *http.Request, void bool) (*endPage, error) {
	c, err := o.copyPage(r)
	if err != nil {
		return nil, err
	}
	to := certcopy.Annulled
	if void {
		to = certcopy.Void
	}
	return &endPage{copyPage: c, Void: void, Reasons: voidReasons, Chosen: r.PostForm.Get("reason"), Text: strings.TrimSpace(r.PostForm.Get("text")),
		Number: strings.TrimSpace(r.PostForm.Get("number")), Date: r.PostForm.Get("date"), WrongPlace: !c.Copy.State.MayBecome(to)}, nil
}

// void ends a numbered copy that was never issued.
func (o *Office) void(w http.ResponseWriter, r *http.Request) error {
	return o.end(w, r, true, certcopy.Void, "voided", func(page *endPage) error {
		if !slices.Contains(voidReasons, page.Chosen) {
			page.Chosen = "" // the flow says what is missing
		}
		return o.flow.Void(r.Context(), page.Copy.ID, who(r).ID, page.Chosen, page.Text)
	})
}

// annul declares an issued copy without legal value, by a decision.
func (o *Office) annul(w http.ResponseWriter, r *http.Request) error {
	return o.end(w, r, false, certcopy.Annulled, "annulled", func(page *endPage) error {
		date, err := time.Parse(time.DateOnly, page.Date)
		if err != nil {
			date = time.Time{} // the flow says what is wrong
		}
		return o.flow.Annul(r.Context(), page.Copy.ID, certcopy.Decision{Number: page.Number, Date: date, Reason: page.Text, By: who(r).ID, At: o.now()})
	})
}

// end carries out an act that cannot be taken back, after the second factor.
func (o *Office) end(w http.ResponseWriter, r *http.Request, void bool, to certcopy.State, done string, carry func(*endPage) error) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page, err := o.endPage(r, void)
	if err != nil {
		return err
	}
	if page.Copy.State == to {
		return o.toCopy(w, r, page.Copy.ID, done) // a second click
	}
	shown := map[certcopy.CopyID]certcopy.Digest{page.Copy.ID: page.Copy.Submission}
	if err = o.prove(r, account.ActDigest(account.Scope(to), shown)); err == nil {
		err = carry(page)
	}
	if err == nil {
		return o.toCopy(w, r, page.Copy.ID, done)
	}
	if err := o.again(w, r, err, "end", page, &page.Error); err != nil {
		return o.tooLate(w, r, err, copyPath(page.Copy.ID))
	}
	return nil
}
