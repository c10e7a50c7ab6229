package office

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/stamp"
)

// wordingView is one wording in the list of all.
type wordingView struct {
	desk.Wording
	Template stamp.Template
	Taken    bool // it takes back an earlier one for its day
	Begun    bool
}

type statementPage struct {
	Now      stamp.Template // in force today
	Own      bool           // Now is the agency's, not the law's
	List     []wordingView
	Typed    stamp.Template // the form
	From     string
	Decision string
	Tomorrow string
	Sample   string // address of the picture of what is typed
	Pictures []pictureView
	Error    *certcopy.Error
}

func (o *Office) statement(w http.ResponseWriter, r *http.Request) error {
	page, err := o.statementPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "statement", page)
}

// statementPage shows what copies say today and are to say; the form begins with what they say.
func (o *Office) statementPage(r *http.Request) (*statementPage, error) {
	list, err := o.desk.Wordings(r.Context(), who(r).Agency)
	if err != nil {
		return nil, err
	}
	today := certcopy.Day(o.now())
	page := &statementPage{Tomorrow: today.AddDate(0, 0, 1).Format(time.DateOnly)}
	for _, w := range list {
		v := wordingView{Wording: w, Taken: len(w.Body) == 0, Begun: !w.From.After(today)}
		if !v.Taken {
			if v.Template, err = stamp.ReadTemplate(w.Body); err != nil {
				return nil, err
			}
			v.Template.From = w.From
		}
		page.List = append(page.List, v)
	}
	if page.Now, page.Own, err = inForce(page.List, today); err != nil {
		return nil, err
	}
	page.Typed, page.From = page.Now, page.Tomorrow
	page.Sample = sampleAddress(page.Typed)
	page.Pictures, err = o.pictureViews(r)
	return page, err
}

// inForce returns what copies of the day say; list is newest first.
func inForce(list []wordingView, day time.Time) (t stamp.Template, own bool, err error) {
	all := stamp.Statutory()
	seen := map[time.Time]bool{}
	for _, w := range list {
		if !seen[w.From] && !w.Taken {
			all = append(all, w.Template)
		}
		seen[w.From] = true
	}
	t, err = stamp.TemplateAt(all, day)
	return t, !slices.ContainsFunc(stamp.Statutory(), func(law stamp.Template) bool { return law.From.Equal(t.From) }), err
}

// readWording reads the form's wording.
func readWording(f url.Values) stamp.Template {
	one := func(name string) string { return strings.Join(strings.Fields(f.Get(name)), " ") }
	t := stamp.Template{Name: one("name"), Heading: one("heading"), Signer: one("signer"), Letterhead: one("letterhead"),
		CodeLine: one("code_line"), ConversionMark: one("conversion_mark"), OwnPage: f.Get("own_page") == "yes"}
	for line := range strings.Lines(f.Get("lines")) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			t.Lines = append(t.Lines, line)
		}
	}
	t.BodySize, _ = strconv.ParseFloat(f.Get("body_size"), 64) // what is no number fails Validate or is the usual size
	return t
}

// sampleAddress is where the picture of a wording is drawn. A wording is no secret.
func sampleAddress(t stamp.Template) string {
	q := url.Values{"name": {t.Name}, "heading": {t.Heading}, "lines": {strings.Join(t.Lines, "\n")}, "signer": {t.Signer},
		"letterhead": {t.Letterhead}, "code_line": {t.CodeLine}, "conversion_mark": {t.ConversionMark}}
	if t.BodySize != 0 {
		q.Set("body_size", strconv.FormatFloat(t.BodySize, 'g', -1, 64))
	}
	return Prefix + "/statement/sample.jpg?" + q.Encode()
}

// saveWording records a wording from a day on, takes one back, or only shows what is typed.
func (o *Office) saveWording(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	page, err := o.statementPage(r)
	if err != nil {
		return err
	}
	f := r.PostForm
	page.Typed, page.From, page.Decision = readWording(f), f.Get("from"), strings.TrimSpace(f.Get("decision"))
	page.Sample = sampleAddress(page.Typed)
	entry := desk.Wording{Decision: page.Decision, By: who(r).ID}
	if entry.From, err = time.Parse(time.DateOnly, page.From); err != nil || !entry.From.After(certcopy.Day(o.now())) {
		err = certcopy.Errorf(certcopy.Invalid, "from", err, certcopy.Msg(
			"Mẫu mới có hiệu lực sớm nhất từ ngày mai, vì bản sao của hôm nay đã mang mẫu cũ. Hãy chọn ngày khác.",
			"A new wording begins tomorrow at the earliest, because today's copies bear the old one. Choose another day."))
	}
	switch act := f.Get("act"); {
	case err == nil && act == "take-back":
		page.Typed, page.Sample = page.Now, sampleAddress(page.Now)
		err = o.storeWording(r, entry)
	case act == "look":
		if _, err = o.sample(r, page.Typed, nil); err == nil {
			return o.site.Render(w, r, http.StatusOK, "statement", page)
		}
	case err == nil:
		if _, err = o.sample(r, page.Typed, nil); err == nil {
			entry.Body, err = json.Marshal(page.Typed)
		}
		if err == nil {
			err = o.storeWording(r, entry)
		}
	}
	if err != nil {
		return o.again(w, r, err, "statement", page, &page.Error)
	}
	http.Redirect(w, r, Prefix+"/statement?done=saved", http.StatusSeeOther)
	return nil
}

// storeWording asks for the second factor and records.
func (o *Office) storeWording(r *http.Request, w desk.Wording) error {
	if w.Decision == "" || len(w.Decision) > 200 {
		return certcopy.Errorf(certcopy.Invalid, "decision", nil, certcopy.Msg(
			"Thiếu số văn bản làm căn cứ, hoặc dài quá 200 byte. Hãy nhập lại.",
			"The number of the decision is missing or longer than 200 bytes. Enter it again."))
	}
	if err := o.prove(r, actOn("wording "+w.From.Format(time.DateOnly)+" "+string(w.Body))); err != nil {
		return err
	}
	return o.desk.AddWording(r.Context(), who(r).Agency, w)
}

// actOn identifies what an administrator confirms about the statement and its pictures.
func actOn(what string) certcopy.Digest {
	return certcopy.DigestOf([]byte("saoy act v1 statement " + what))
}

// sampleImage draws what is typed.
func (o *Office) sampleImage(w http.ResponseWriter, r *http.Request) error {
	pdf, err := o.sample(r, readWording(r.URL.Query()), nil)
	if err != nil {
		return err
	}
	return o.drawSample(w, r, pdf)
}

// sampleWidth is that of the picture: an A4 page at 110 dpi.
const sampleWidth = 910

func (o *Office) drawSample(w http.ResponseWriter, r *http.Request, pdf []byte) error {
	jpeg, err := o.draw.Page(r.Context(), pdf, 1, sampleWidth)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=60")
	_, _ = w.Write(jpeg) //nolint:gosec // a picture; a broken connection shows in the access log
	return nil
}

// sample makes a page with a wording as the agency's copies would bear it; change may put other
// pictures into the facts.
func (o *Office) sample(r *http.Request, t stamp.Template, change func(*stamp.Facts)) ([]byte, error) {
	ctx, me := r.Context(), who(r)
	agency, err := o.ledger.Agency(ctx, me.Agency)
	if err != nil {
		return nil, err
	}
	people, err := o.desk.Accounts(ctx, me.Agency)
	if err != nil {
		return nil, err
	}
	pictures, err := o.desk.Pictures(ctx, me.Agency)
	if err != nil {
		return nil, err
	}
	code, err := link.NewCode(o.rand)
	if err != nil {
		return nil, err
	}
	official := officialOf(people)
	f := stamp.Facts{Template: t, Agency: agency, Official: certcopy.Official{Name: official.Name, Title: official.Title},
		Code: code.String(), VerifyURL: link.VerifyURL(o.base, code)}
	for _, p := range pictures {
		switch p.Account {
		case "":
			f.Seal = p.PNG
		case official.ID:
			f.Signature = p.PNG
		}
	}
	if change != nil {
		change(&f)
	}
	return stamp.Sample(f)
}

// officialOf returns the first who certifies; without one a name to look at.
func officialOf(people []account.Account) account.Account {
	for _, a := range people {
		if a.Has(certcopy.Certifier) {
			return a
		}
	}
	return account.Account{Name: "Nguyễn Văn A", Title: "CHỦ TỊCH"}
}
