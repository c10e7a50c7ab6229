package office

import (
	"errors"
	"io"
	"net/http"
	"slices"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/storage"
)

// What an upload is and what becomes of it are the flow's.
type (
	Upload       = issue.Upload
	UploadResult = issue.UploadResult
	RefusedFile  = issue.RefusedFile
)

var _ Flow = (*issue.Flow)(nil)

// addStaged lists what the viewer has on the way for the copy.
func (o *Office) addStaged(r *http.Request, page *copyPage) (err error) {
	page.Staged, err = o.staging.List(r.Context(), page.Copy.ID, who(r).ID)
	return err
}

// Arrived reports whether a file is wholly there that has not been added to the copy.
func (p *copyPage) Arrived() bool { return slices.ContainsFunc(p.Staged, staging.Upload.Complete) }

// takeArrived adds files that arrived piece by piece to the copy, in the order of the form.
func (o *Office) takeArrived(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	staged, uploads, closeAll, err := o.openStaged(r, c.ID, r.PostForm["upload"])
	defer closeAll()
	switch {
	case errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrConflict):
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID)) // a second click, or given up meanwhile
	case err != nil:
		return err
	case len(uploads) == 0:
		return o.draftAgain(w, r, c, errNoFile())
	}
	result, err := o.flow.Upload(r.Context(), c.ID, number(r.PostForm, "revision"), uploads)
	if err != nil {
		return o.draftAgain(w, r, c, err)
	}
	for _, u := range staged {
		if err := o.staging.Drop(r.Context(), u.ID); err != nil {
			return err
		}
	}
	if err := o.desk.SetRefusedFiles(r.Context(), c.ID, refusedFiles(result)); err != nil {
		return err
	}
	return o.toCopy(w, r, c.ID, "")
}

// openStaged opens complete uploads of the viewer's by their identifiers, each once.
func (o *Office) openStaged(r *http.Request, id certcopy.CopyID, ids []string) (staged []staging.Upload, uploads []Upload, closeAll func(), err error) {
	var opened []io.Closer
	closeAll = func() {
		for _, f := range opened {
			_ = f.Close() // only read
		}
	}
	for i, upload := range ids {
		if !desk.IsID(upload) || slices.Contains(ids[:i], upload) {
			return nil, nil, closeAll, storage.ErrNotFound
		}
		u, err := o.staging.Find(r.Context(), upload, id, who(r).ID)
		if err != nil {
			return nil, nil, closeAll, err
		}
		f, err := o.staging.Open(r.Context(), u)
		if err != nil {
			return nil, nil, closeAll, err
		}
		opened = append(opened, f)
		staged = append(staged, u)
		uploads = append(uploads, Upload{Name: u.FileName, Body: f})
	}
	return staged, uploads, closeAll, nil
}
