package office

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// badForm tells a person that a form could not be read; too large keeps its own words.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return certcopy.Errorf(certcopy.Invalid, "", err, certcopy.Msg(
		"Không đọc được nội dung gửi lên; có thể đường truyền bị ngắt. Hãy quay lại trang trước và gửi lại.",
		"What was sent could not be read; the line may have been cut. Go back and send it again."))
}

// again shows a page with what is wrong where err is the person's to put right, with all that
// was typed; other errors pass. at is the field of page that holds the error.
func (o *Office) again(w http.ResponseWriter, r *http.Request, err error, name string, page any, at **certcopy.Error) error {
	var own *certcopy.Error
	if !errors.As(err, &own) || own.Code != certcopy.Invalid {
		return err
	}
	*at = own
	return o.site.Render(w, r, web.ProblemOf(err).Status, name, page)
}

// copyOf returns the copy an address names, if it belongs to the viewer's agency.
func (o *Office) copyOf(r *http.Request) (certcopy.Copy, error) {
	id := chi.URLParam(r, "copy")
	if !desk.IsID(id) {
		return certcopy.Copy{}, storage.ErrNotFound
	}
	c, err := o.ledger.Copy(r.Context(), certcopy.CopyID(id))
	if err == nil && c.Agency != who(r).Agency {
		return certcopy.Copy{}, storage.ErrNotFound
	}
	return c, err
}

func copyPath(id certcopy.CopyID) string { return Prefix + "/copies/" + string(id) }

func requestPath(id certcopy.RequestID) string { return Prefix + "/requests/" + string(id) }

func (o *Office) toCopy(w http.ResponseWriter, r *http.Request, id certcopy.CopyID, done string) error {
	target := copyPath(id)
	if done != "" {
		target += "?done=" + done
	}
	http.Redirect(w, r, target, http.StatusSeeOther)
	return nil
}

// number reads a form's number; 0 where there is none, which every rule refuses.
func number(f url.Values, name string) int {
	n, err := strconv.Atoi(strings.TrimSpace(f.Get(name)))
	if err != nil {
		return 0
	}
	return n
}

// conflictPage shows what a person had typed into a form that came too late, so that nothing
// is lost.
type conflictPage struct {
	Back    string
	Message certcopy.Message
	Typed   []typed
}

type typed struct{ Key, Value string }

// keptFields are the fields worth keeping, with the keys of their labels.
var keptFields = []struct{ name, key string }{
	{"title", "field.title"}, {"issuing_body", "field.issuing_body"}, {"pages", "field.pages"}, {"copies", "field.copies"},
	{"low_resolution_reason", "field.low_reason"}, {"text", "field.text"}, {"number", "field.decision_number"},
}

// tooLate answers a form whose subject has changed since it was shown.
func (o *Office) tooLate(w http.ResponseWriter, r *http.Request, err error, back string) error {
	problem := web.ProblemOf(err)
	if problem.Code != certcopy.Conflict {
		return err
	}
	page := conflictPage{Back: back, Message: certcopy.Msg(problem.VI, problem.EN)}
	for _, f := range keptFields {
		if v := r.Form.Get(f.name); v != "" {
			page.Typed = append(page.Typed, typed{f.key, v})
		}
	}
	return o.site.Render(w, r, http.StatusConflict, "conflict", page)
}

// types returns the document types in force and a way to name any of them.
func (o *Office) types(ctx context.Context) ([]desk.DocumentType, error) {
	return o.desk.DocumentTypes(ctx, o.now())
}

// typeOf returns the entry of a code; one that is out of force is shown by its code.
func typeOf(list []desk.DocumentType, code certcopy.DocumentTypeCode) desk.DocumentType {
	for _, t := range list {
		if t.Code == code {
			return t
		}
	}
	return desk.DocumentType{Code: code, Name: certcopy.Msg(string(code), string(code))}
}

// today returns the midnight at which the day began in Viet Nam.
func (o *Office) today() time.Time {
	y, m, d := o.now().In(certcopy.Vietnam).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, certcopy.Vietnam)
}

// original reads the facts of an original from a form; suffix tells several apart.
func original(f url.Values, suffix string) certcopy.Original {
	return certcopy.Original{
		Type:        certcopy.DocumentTypeCode(f.Get("type" + suffix)),
		Title:       strings.Join(strings.Fields(f.Get("title"+suffix)), " "),
		IssuingBody: strings.Join(strings.Fields(f.Get("issuing_body"+suffix)), " "),
		Pages:       number(f, "pages"+suffix),
		Copies:      number(f, "copies"+suffix),
	}
}
