package public

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/web"
)

// maxUpload is a file and the form around it.
const maxUpload = verify.MaxFileBytes + 64<<10

func (s *Site) check(w http.ResponseWriter, r *http.Request) error {
	return s.site.Render(w, r, http.StatusOK, "file", view{Document: s.Document})
}

func (s *Site) checkFile(w http.ResponseWriter, r *http.Request) error {
	v, status, err := s.given(w, r)
	if err != nil {
		return err
	}
	if v.Error != nil && web.WantsJSON(r) {
		return certcopy.Errorf(certcopy.Invalid, "", nil, *v.Error)
	}
	return s.answer(w, r, status, v)
}

// given answers for what the form holds: a digest, or a file, which is examined in memory and
// not kept. What is wrong with the entry is in the view.
func (s *Site) given(_ http.ResponseWriter, r *http.Request) (view, int, error) {
	if err := s.lookups.enter(r); err != nil {
		return view{}, 0, err
	}
	f, err := readForm(r)
	if err != nil {
		return view{}, 0, err
	}
	if f.file == nil {
		return s.digestGiven(r, f.digest)
	}
	s.lookups.spend(r, costUpload)
	select {
	case s.uploads <- struct{}{}:
		defer func() { <-s.uploads }()
	default:
		return view{}, 0, errBusy
	}
	rep, err := s.Verifier.File(r.Context(), f.name, bytes.NewReader(f.file), int64(len(f.file)))
	if err != nil {
		return view{}, 0, err
	}
	v := view{Report: rep, Checked: true}
	if !web.WantsJSON(r) {
		v.Look, err = s.look(r, rep, f.file)
	}
	return v, http.StatusOK, err
}

// look draws what changed after each signature, if anything could have: what is byte for byte
// as registered looks as it did.
func (s *Site) look(r *http.Request, rep *verify.Report, file []byte) (*picture.Look, error) {
	if s.Pictures == nil || rep.Origin == verify.AsIssued {
		return nil, nil
	}
	size := int64(len(file))
	return s.Pictures.Look(r.Context(), bytes.NewReader(file), size, picture.AskFor(rep.Signatures, size, 0))
}

func (s *Site) digestGiven(r *http.Request, text string) (view, int, error) {
	d, err := certcopy.ParseDigest(strings.Join(strings.FieldsFunc(text, func(c rune) bool { return c == ' ' || c == ':' || c == '-' }), ""))
	if err != nil {
		m := certcopy.Msg("Hãy chọn một tệp, hoặc dán mã SHA-256 gồm 64 ký tự (0–9, a–f).", "Choose a file, or paste a SHA-256 of 64 characters (0–9, a–f).")
		return view{Error: &m}, http.StatusUnprocessableEntity, nil
	}
	rep, err := s.Verifier.Digest(r.Context(), d)
	if err != nil {
		return view{}, 0, err
	}
	if rep.Copy == nil {
		s.lookups.spend(r, costMiss)
	} else {
		s.lookups.spend(r, costHit)
	}
	return view{Report: rep, Checked: true, ByDigest: true}, http.StatusOK, nil
}

var errBusy = certcopy.Errorf(certcopy.Unavailable, "", nil, certcopy.Msg(
	"Hệ thống đang kiểm tra nhiều tệp cùng lúc. Hãy thử lại sau ít giây, hoặc dùng mã SHA-256.",
	"Many files are being checked right now. Try again in a few seconds, or use the SHA-256."))

// entered is what the check's form held.
type entered struct {
	digest string
	name   string
	file   []byte // nil: none was chosen
}

// readForm reads the fields by hand, so that no file ever touches the disk.
func readForm(r *http.Request) (f entered, err error) {
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		if err := r.ParseForm(); err != nil {
			return f, badForm(err)
		}
		return entered{digest: r.PostForm.Get("sha256")}, nil
	}
	parts, err := r.MultipartReader()
	if err != nil {
		return f, badForm(err)
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return f, nil
		}
		if err != nil {
			return f, badForm(err)
		}
		b, err := io.ReadAll(part)
		if err != nil {
			return f, badForm(err)
		}
		switch {
		case part.FormName() == "sha256":
			f.digest = string(b)
		case part.FormName() == "file" && len(b) > 0:
			f.name, f.file = baseName(part.FileName()), b
		}
	}
}

// baseName drops the folders some browsers send along, of either kind.
func baseName(name string) string { return name[strings.LastIndexAny(name, `/\`)+1:] }

// badForm keeps "too large" as it is, for its own status.
func badForm(err error) error {
	var tooLarge *http.MaxBytesError
	if errors.As(err, &tooLarge) {
		return err
	}
	return certcopy.Errorf(certcopy.Invalid, "", err, certcopy.Msg(
		"Không đọc được nội dung gửi lên. Hãy tải lại trang và thử lại.", "What was sent could not be read. Load the page again and retry."))
}
