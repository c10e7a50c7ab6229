package office

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// Resumable uploads by the tus protocol, version 1.0.0, with the extensions creation,
// creation-with-upload, termination and expiration (https://tus.io/protocols/resumable-upload).
const (
	tusVersion    = "1.0.0"
	tusExtensions = "creation,creation-with-upload,termination,expiration"
	tusPiece      = "application/offset+octet-stream"
)

// lineSilence is how long a line may be silent before it counts as broken.
const lineSilence = time.Minute

// tus wraps what the requests of the protocol share: its version, and no cache.
func (o *Office) tus(h web.HandlerFunc) web.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) error {
		w.Header().Set("Tus-Resumable", tusVersion)
		w.Header().Set("Cache-Control", "no-store")
		if r.Method != http.MethodOptions && r.Header.Get("Tus-Resumable") != tusVersion {
			w.Header().Set("Tus-Version", tusVersion)
			return o.tusRefuse(w, r, http.StatusPreconditionFailed)
		}
		return h(w, r)
	}
}

// tusRefuse answers what only a program that does not keep to the protocol gets.
func (o *Office) tusRefuse(w http.ResponseWriter, r *http.Request, status int) error {
	o.site.WriteProblem(w, r, web.Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Code: certcopy.Invalid,
		Reference: web.Reference(r.Context()),
		VI:        "Yêu cầu tải lên không đúng giao thức tus 1.0.0.", EN: "The upload request does not keep to the protocol tus 1.0.0."})
	return nil
}

func (o *Office) tusOptions(w http.ResponseWriter, r *http.Request) error {
	if _, err := o.copyOf(r); err != nil {
		return err
	}
	h := w.Header()
	h.Set("Tus-Version", tusVersion)
	h.Set("Tus-Extension", tusExtensions)
	h.Set("Tus-Max-Size", strconv.FormatInt(certcopy.MaxUploadBytes, 10))
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tusCreate makes room for a file, and takes its beginning if the request brings it.
func (o *Office) tusCreate(w http.ResponseWriter, r *http.Request) error {
	c, err := o.editableCopy(r)
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(r.Header.Get("Upload-Length"), 10, 64)
	meta, ok := tusMetadata(r.Header.Get("Upload-Metadata"))
	if err != nil || size < 0 || !ok {
		return o.tusRefuse(w, r, http.StatusBadRequest)
	}
	if size > certcopy.MaxUploadBytes {
		return o.tusRefuse(w, r, http.StatusRequestEntityTooLarge)
	}
	modified, _ := strconv.ParseInt(meta["modified"], 10, 64) // only helps to find the file again
	u, err := o.staging.Start(r.Context(), staging.Upload{Copy: c.ID, Account: who(r).ID, FileName: fileName(meta["filename"]), Modified: modified, Size: size})
	if err != nil {
		return err
	}
	if r.Header.Get("Content-Type") == tusPiece {
		if u, err = o.staging.Append(r.Context(), u, 0, o.patient(w, r)); err != nil {
			return err
		}
	}
	w.Header().Set("Location", copyPath(c.ID)+"/uploads/"+u.ID)
	tusProgress(w, u)
	w.WriteHeader(http.StatusCreated)
	return nil
}

// editableCopy returns the copy of the address while files may be added to it.
func (o *Office) editableCopy(r *http.Request) (certcopy.Copy, error) {
	c, err := o.copyOf(r)
	if err == nil && !isDraft(c.State) {
		err = storage.ErrConflict
	}
	return c, err
}

func tusProgress(w http.ResponseWriter, u staging.Upload) {
	w.Header().Set("Upload-Offset", strconv.FormatInt(u.Received, 10))
	if !u.Complete() {
		w.Header().Set("Upload-Expires", u.Expires().UTC().Format(http.TimeFormat))
	}
}

// stagedOf returns the upload that the address names, if it is the viewer's own.
func (o *Office) stagedOf(r *http.Request) (staging.Upload, error) {
	c, err := o.copyOf(r)
	if err != nil {
		return staging.Upload{}, err
	}
	id := chi.URLParam(r, "upload")
	if !desk.IsID(id) {
		return staging.Upload{}, storage.ErrNotFound
	}
	return o.staging.Find(r.Context(), id, c.ID, who(r).ID)
}

func (o *Office) tusHead(w http.ResponseWriter, r *http.Request) error {
	u, err := o.stagedOf(r)
	if err != nil {
		return err
	}
	w.Header().Set("Upload-Length", strconv.FormatInt(u.Size, 10))
	w.Header().Set("Upload-Metadata", "filename "+base64.StdEncoding.EncodeToString([]byte(u.FileName))+
		",modified "+base64.StdEncoding.EncodeToString(strconv.AppendInt(nil, u.Modified, 10)))
	tusProgress(w, u)
	w.WriteHeader(http.StatusOK)
	return nil
}

// tusPatch adds to an upload. What arrived before the line broke is kept.
func (o *Office) tusPatch(w http.ResponseWriter, r *http.Request) error {
	u, err := o.stagedOf(r)
	if err != nil {
		return err
	}
	if r.Header.Get("Content-Type") != tusPiece {
		return o.tusRefuse(w, r, http.StatusUnsupportedMediaType)
	}
	at, err := strconv.ParseInt(r.Header.Get("Upload-Offset"), 10, 64)
	if err != nil || at < 0 {
		return o.tusRefuse(w, r, http.StatusBadRequest)
	}
	if at == u.Received && r.ContentLength > u.Size-at {
		return o.tusRefuse(w, r, http.StatusRequestEntityTooLarge)
	}
	if u, err = o.staging.Append(r.Context(), u, at, o.patient(w, r)); err != nil {
		return err
	}
	tusProgress(w, u)
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tusDrop gives an upload up. A page without scripts sends a form and is sent back.
func (o *Office) tusDrop(w http.ResponseWriter, r *http.Request) error {
	u, err := o.stagedOf(r)
	if err != nil {
		return err
	}
	if err := o.staging.Drop(r.Context(), u.ID); err != nil {
		return err
	}
	if r.Method == http.MethodPost && r.Header.Get("Tus-Resumable") == "" {
		return o.toCopy(w, r, u.Copy, "")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// tusOverridden serves networks that let no other method than POST through: the method that is
// meant stands in a header. Without it the request is the form that gives an upload up.
func (o *Office) tusOverridden(w http.ResponseWriter, r *http.Request) error {
	switch r.Header.Get("X-HTTP-Method-Override") {
	case http.MethodPatch:
		return o.tus(o.tusPatch)(w, r)
	case http.MethodDelete:
		return o.tus(o.tusDrop)(w, r)
	case "":
		return o.tusDrop(w, r)
	}
	return o.tusRefuse(w, r, http.StatusBadRequest)
}

// patient returns the request's body, which ends when the line has been silent for long.
func (o *Office) patient(w http.ResponseWriter, r *http.Request) io.Reader {
	return &patientBody{r.Body, http.NewResponseController(w), o.now}
}

type patientBody struct {
	body io.Reader
	line *http.ResponseController
	now  func() time.Time
}

func (p *patientBody) Read(b []byte) (int, error) {
	err := p.line.SetReadDeadline(p.now().Add(lineSilence))
	if err != nil && !errors.Is(err, http.ErrNotSupported) {
		return 0, err
	}
	return p.body.Read(b)
}

// maxMetadata bounds what is read of a file's description.
const maxMetadata = 8 << 10

// tusMetadata reads an Upload-Metadata header: pairs of a key and a value in Base64, which may be
// missing. ok is false if it is not one.
func tusMetadata(header string) (meta map[string]string, ok bool) {
	meta = map[string]string{}
	if header == "" {
		return meta, true
	}
	if len(header) > maxMetadata {
		return nil, false
	}
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		b, err := base64.StdEncoding.DecodeString(value)
		if _, twice := meta[key]; key == "" || twice || err != nil {
			return nil, false
		}
		meta[key] = string(b)
	}
	return meta, true
}
