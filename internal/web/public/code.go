package public

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// view is what the pages about a code or a file show.
type view struct {
	Report *verify.Report
	// Code is set on a code's own page.
	Code link.Code
	// Checked: a file or its digest was compared, so that the verdicts speak of it.
	Checked bool
	// ByDigest: only a digest was given.
	ByDigest bool
	// Look is what the file looked like; nil if it was not drawn.
	Look *picture.Look
	// Document is where a file is sent for the report as a signed document; empty: nowhere.
	Document string
	// Error is about what was entered.
	Error *certcopy.Message
}

func (s *Site) home(w http.ResponseWriter, r *http.Request) error {
	return s.site.Render(w, r, http.StatusOK, "home", view{})
}

func (s *Site) aboutTrust(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "public, max-age=3600")
	return s.site.Render(w, r, http.StatusOK, "trust", struct{ Origin, Key string }{s.LogKey.Origin(), s.LogKey.Key()})
}

// codeEntered takes the code of the first page's form and goes to its page.
func (s *Site) codeEntered(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	code, err := link.FindCode(r.PostForm.Get("code"))
	if err != nil {
		m := certcopy.MessageOf(err)
		return s.site.Render(w, r, http.StatusUnprocessableEntity, "home", view{Error: &m})
	}
	http.Redirect(w, r, link.VerifyPath+code.String(), http.StatusSeeOther)
	return nil
}

// code answers for a code alone.
func (s *Site) code(w http.ResponseWriter, r *http.Request) error {
	code, rep, err := s.lookUp(w, r)
	if err != nil {
		return err
	}
	return s.answer(w, r, http.StatusOK, view{Report: rep, Code: code})
}

// codeFile answers for a file sent on a code's page. Whatever code it is of, the page shows
// that code's facts only if the file is that copy.
func (s *Site) codeFile(w http.ResponseWriter, r *http.Request) error {
	code, rep, err := s.lookUp(w, r)
	if err != nil {
		return err
	}
	v, status, err := s.given(w, r)
	if err != nil {
		return err
	}
	if v.Error != nil {
		v.Report = rep
	} else if v.Report.Copy == nil || v.Report.Copy.Leaf != rep.Copy.Leaf {
		v.Report.NotThis(rep)
	}
	v.Code = code
	return s.answer(w, r, status, v)
}

// lookUp finds the copy of the code in the address. A code that is unknown and one that is not
// yet public get the same answer after the same look-up; a mistyped one is told so without
// any. All three cost the same.
func (s *Site) lookUp(w http.ResponseWriter, r *http.Request) (link.Code, *verify.Report, error) {
	w.Header().Set("X-Robots-Tag", "noindex")
	if err := s.lookups.enter(r); err != nil {
		return link.Code{}, nil, err
	}
	code, err := link.ParseCode(chi.URLParam(r, "code"))
	if err != nil {
		s.lookups.spend(r, costMiss)
		return link.Code{}, nil, asNotFound(err)
	}
	rep, err := s.Verifier.Code(r.Context(), code)
	if errors.Is(err, storage.ErrNotFound) {
		s.lookups.spend(r, costMiss)
		return link.Code{}, nil, errUnknownCode
	}
	s.lookups.spend(r, costHit)
	return code, rep, err
}

var errUnknownCode = certcopy.Errorf(certcopy.NotFound, "", nil, certcopy.Msg(
	"Hệ thống này không có bản sao nào mang mã đó. Hãy so lại từng ký tự với mã in trên bản sao. Nếu mã đúng như vậy, đừng chấp nhận bản sao này; hãy hỏi cơ quan ghi trên đó.",
	"No copy of this system bears that code. Compare it with the printed one, character by character. If it is the same, do not accept the copy; ask the agency it names."))

// asNotFound says what is wrong with a mistyped code, as an address that does not exist.
func asNotFound(err error) error {
	return certcopy.Errorf(certcopy.NotFound, "", nil, certcopy.MessageOf(err))
}

// concluded is a report for programs, with what it comes to.
type concluded struct {
	*verify.Report
	Conclusion verify.Conclusion `json:"conclusion"`
}

// answer renders the report: JSON for programs, the page for people.
func (s *Site) answer(w http.ResponseWriter, r *http.Request, status int, v view) error {
	w.Header().Add("Vary", "Accept")
	if v.Report != nil {
		v.Report = v.Report.ForEveryone()
	}
	if web.WantsJSON(r) {
		return writeJSON(w, status, concluded{v.Report, v.Report.Conclude(v.Checked)})
	}
	v.Document = s.Document
	if v.Look != nil && v.Look.Seen() {
		web.AllowInlineImages(w.Header())
	}
	page := "copy"
	if v.Code.IsZero() {
		page = "file"
	}
	return s.site.Render(w, r, status, page, v)
}

func writeJSON(w http.ResponseWriter, status int, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n')) // a broken connection shows in the access log
	return nil
}
