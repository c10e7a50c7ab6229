package office

import (
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// draftAgain shows the clerk's page with what is wrong, or that the form came too late.
func (o *Office) draftAgain(w http.ResponseWriter, r *http.Request, c certcopy.Copy, err error) error {
	page, pageErr := o.copyPage(r)
	if pageErr != nil {
		return errors.Join(err, pageErr)
	}
	page.Reason = r.Form.Get("low_resolution_reason")
	if err := o.again(w, r, err, page.template(), page, &page.Error); err != nil {
		return o.tooLate(w, r, err, copyPath(c.ID))
	}
	return nil
}

func (o *Office) editOriginal(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	if err := o.flow.EditOriginal(r.Context(), c.ID, number(r.PostForm, "revision"), original(r.PostForm, "")); err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toCopy(w, r, c.ID, "saved")
}

// uploadMemory is how much of an upload is kept in memory; the rest goes to temporary files,
// which are removed before the answer.
const uploadMemory = 8 << 20

// uploadScans takes several files. Those that cannot be used are listed with the reason; the
// others are kept.
func (o *Office) uploadScans(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseMultipartForm(uploadMemory); err != nil {
		return badForm(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	headers := r.MultipartForm.File["files"]
	headers = slices.DeleteFunc(headers, func(h *multipart.FileHeader) bool { return h.Filename == "" && h.Size == 0 })
	if len(headers) == 0 {
		return o.draftAgain(w, r, c, errNoFile())
	}
	uploads, closeAll, err := openUploads(headers)
	defer closeAll()
	if err != nil {
		return badForm(err)
	}
	result, err := o.flow.Upload(r.Context(), c.ID, number(r.MultipartForm.Value, "revision"), uploads)
	if err != nil {
		return o.draftAgain(w, r, c, err)
	}
	if err := o.desk.SetRefusedFiles(r.Context(), c.ID, refusedFiles(result)); err != nil {
		return err
	}
	return o.toCopy(w, r, c.ID, "")
}

func openUploads(headers []*multipart.FileHeader) (uploads []Upload, closeAll func(), err error) {
	var opened []io.Closer
	closeAll = func() {
		for _, f := range opened {
			_ = f.Close() // only read
		}
	}
	for _, h := range headers {
		f, err := h.Open()
		if err != nil {
			return nil, closeAll, err
		}
		opened = append(opened, f)
		uploads = append(uploads, Upload{Name: fileName(h.Filename), Body: f})
	}
	return uploads, closeAll, nil
}

// maxFileNameRunes bounds a file name that is kept for people.
const maxFileNameRunes = 150

// fileName returns the last element of what a browser calls a file, without controls.
func fileName(sent string) string {
	name := filepath.Base(strings.ReplaceAll(strings.ToValidUTF8(sent, "?"), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) {
			return -1
		}
		return r
	}, name)
	if runes := []rune(name); len(runes) > maxFileNameRunes {
		name = string(runes[:maxFileNameRunes])
	}
	return name
}

// arrange moves a file up or down or takes it out; the button says which.
func (o *Office) arrange(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	scans, err := o.ledger.Scans(r.Context(), c.ID)
	if err != nil {
		return err
	}
	order, ok := rearranged(scans, r.PostForm.Get("act"))
	if !ok {
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID))
	}
	if _, err := o.flow.Arrange(r.Context(), c.ID, number(r.PostForm, "revision"), order); err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toCopy(w, r, c.ID, "")
}

// rearranged applies "up ID", "down ID" or "remove ID"; false if there is no such file.
func rearranged(scans []certcopy.Scan, act string) ([]certcopy.ScanID, bool) {
	order := make([]certcopy.ScanID, len(scans))
	for i, s := range scans {
		order[i] = s.ID
	}
	verb, id, _ := strings.Cut(act, " ")
	i := slices.Index(order, certcopy.ScanID(id))
	switch {
	case i < 0:
		return nil, false
	case verb == "remove":
		return slices.Delete(order, i, i+1), true
	case verb == "up" && i > 0:
		order[i-1], order[i] = order[i], order[i-1]
	case verb == "down" && i < len(order)-1:
		order[i+1], order[i] = order[i], order[i+1]
	}
	return order, verb == "up" || verb == "down"
}

// submit freezes the copy for the certifier. A second click finds it submitted and is told so.
func (o *Office) submit(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	err = o.flow.Submit(r.Context(), storage.Submission{Copy: c.ID, Revision: number(r.PostForm, "revision"), By: who(r).ID,
		Checked: r.PostForm.Get("checked") == "yes", LowResolutionReason: strings.TrimSpace(r.PostForm.Get("low_resolution_reason"))})
	if err != nil {
		if now, readErr := o.copyOf(r); readErr == nil && now.State == certcopy.Submitted && errors.Is(err, storage.ErrConflict) {
			return o.toCopy(w, r, c.ID, "")
		}
		return o.draftAgain(w, r, c, err)
	}
	if err := o.desk.SetRefusedFiles(r.Context(), c.ID, nil); err != nil {
		return err
	}
	http.Redirect(w, r, requestPath(c.Request)+"?done=submitted", http.StatusSeeOther)
	return nil
}

// Coded reasons. Refusals are those of NĐ 23/2015 Điều 22, and two of practice.
var (
	refuseReasons = []string{"altered", "damaged", "secret", "unlawful", "not-legalised", "self-made", "not-original", "other"}
	returnReasons = []string{"unreadable", "missing-pages", "wrong-facts", "wrong-order", "low-resolution", "other"}
	voidReasons   = []string{"rescan", "wrong-facts", "technical", "other"}
)

func (o *Office) withdraw(w http.ResponseWriter, r *http.Request) error {
	return o.leave(w, r, certcopy.Withdrawn, []string{"requester"}, "withdrawn")
}

func (o *Office) sendBack(w http.ResponseWriter, r *http.Request) error {
	return o.leave(w, r, certcopy.Returned, returnReasons, "returned")
}

func (o *Office) refuse(w http.ResponseWriter, r *http.Request) error {
	return o.leave(w, r, certcopy.Refused, refuseReasons, "refused")
}

// leave takes a copy out of the state that the form saw.
func (o *Office) leave(w http.ResponseWriter, r *http.Request, to certcopy.State, reasons []string, done string) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	l := storage.Leaving{Copy: c.ID, From: certcopy.State(r.PostForm.Get("from")), To: to, By: who(r).ID,
		Reason: r.PostForm.Get("reason"), Text: strings.TrimSpace(r.PostForm.Get("text"))}
	if !slices.Contains(reasons, l.Reason) {
		l.Reason = "" // the flow says what is missing
	}
	if c.State == l.To && c.Reason == l.Reason && c.ReasonText == l.Text {
		return o.toCopy(w, r, c.ID, done) // a second click
	}
	if err := o.flow.Leave(r.Context(), l); err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toCopy(w, r, c.ID, done)
}
