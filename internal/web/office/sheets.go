package office

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// PagePlace and Sheet are the flow's.
type (
	PagePlace = issue.PagePlace
	Sheet     = issue.Sheet
)

// addSheets puts beside each page what is known of its scan.
func (o *Office) addSheets(ctx context.Context, page *copyPage) error {
	sheets, err := o.flow.Sheets(ctx, page.Copy.ID)
	if err != nil {
		return err
	}
	for i := range page.Pages {
		if i < len(sheets) {
			page.Pages[i].Sheet = sheets[i]
		}
	}
	return nil
}

// arrangePages turns, moves or drops a page, as the button says ("left 3"), or takes the whole
// order that was made by dragging ("3,1,2").
func (o *Office) arrangePages(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	order, ok := laid(len(c.Clean.Pages), r.PostForm.Get("act"), r.PostForm.Get("order"))
	if !ok {
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID))
	}
	if _, err := o.flow.ArrangePages(r.Context(), c.ID, number(r.PostForm, "revision"), order); err != nil {
		return o.draftAgain(w, r, c, err)
	}
	return o.toPages(w, r, c.ID)
}

// toPages goes back to where the pages are shown.
func (o *Office) toPages(w http.ResponseWriter, r *http.Request, id certcopy.CopyID) error {
	http.Redirect(w, r, copyPath(id)+"#sheets", http.StatusSeeOther)
	return nil
}

// turns are the buttons that turn a page, in quarters clockwise.
var turns = map[string]int{"left": 3, "right": 1, "half": 2}

// laid makes an arrangement of n pages of a button, or of an order; false if it is neither.
func laid(n int, act, order string) ([]PagePlace, bool) {
	if act == "" {
		return ordered(order)
	}
	pages := make([]PagePlace, n)
	for i := range pages {
		pages[i].Page = i + 1
	}
	verb, number, _ := strings.Cut(act, " ")
	i, err := strconv.Atoi(number)
	if i--; err != nil || i < 0 || i >= n {
		return nil, false
	}
	turn, turned := turns[verb]
	switch {
	case turned:
		pages[i].Turn = turn
	case verb == "remove":
		return slices.Delete(pages, i, i+1), true
	case verb == "earlier" && i > 0:
		pages[i-1], pages[i] = pages[i], pages[i-1]
	case verb == "later" && i < n-1:
		pages[i+1], pages[i] = pages[i], pages[i+1]
	}
	return pages, turned || verb == "earlier" || verb == "later"
}

func ordered(list string) (pages []PagePlace, ok bool) {
	for _, s := range strings.Split(list, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || len(pages) == certcopy.MaxPages {
			return nil, false
		}
		pages = append(pages, PagePlace{Page: n})
	}
	return pages, true
}

// replacePage puts an uploaded file where one page is.
func (o *Office) replacePage(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	if err := r.ParseMultipartForm(uploadMemory); err != nil {
		return badForm(err)
	}
	defer func() { _ = r.MultipartForm.RemoveAll() }()
	page, err := strconv.Atoi(chi.URLParam(r, "page"))
	headers := r.MultipartForm.File["files"]
	if err != nil {
		return storage.ErrNotFound
	}
	if len(headers) != 1 || headers[0].Filename == "" {
		return o.draftAgain(w, r, c, errNoFile())
	}
	uploads, closeAll, err := openUploads(headers)
	defer closeAll()
	if err != nil {
		return badForm(err)
	}
	result, err := o.flow.ReplacePage(r.Context(), c.ID, number(r.MultipartForm.Value, "revision"), page, uploads[0])
	if err != nil {
		return o.draftAgain(w, r, c, err)
	}
	if err := o.desk.SetRefusedFiles(r.Context(), c.ID, refusedFiles(result)); err != nil {
		return err
	}
	if len(result.Refused) > 0 {
		return o.toCopy(w, r, c.ID, "")
	}
	return o.toPages(w, r, c.ID)
}

func errNoFile() error {
	return certcopy.Errorf(certcopy.Invalid, "files", nil, certcopy.Msg(
		"Chưa chọn tệp nào. Hãy chọn một hay nhiều tệp quét rồi tải lên.", "No file was chosen. Choose one or more scans, then upload."))
}

func refusedFiles(result UploadResult) []desk.RefusedFile {
	refused := make([]desk.RefusedFile, len(result.Refused))
	for i, f := range result.Refused {
		refused[i] = desk.RefusedFile(f)
	}
	return refused
}
