package public

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// pageWidth is that of the page images, in pixels: A4 at about 120 dpi.
const pageWidth = 1000

// sharedView is what a sharing link shows.
type sharedView struct {
	Report *verify.Report
	Link   desk.Link
	// Base is the link's own address, below which pages and file lie.
	Base  string
	Pages []sheet
	// Checked: the stored file was examined for this page, or for one shortly before it.
	Checked bool
	// Look is nil: what is registered looks as it did.
	Look *picture.Look
	// Gone: the file was erased; the facts remain.
	Gone bool
}

// shared shows the copy a sharing link opens.
func (s *Site) shared(w http.ResponseWriter, r *http.Request) error {
	l, c, err := s.openLink(w, r, true)
	if err != nil {
		return s.closed(w, r, err)
	}
	v, err := s.sharedCopy(r, l, c)
	if err != nil {
		return err
	}
	v.Link, v.Base = l.Link, r.URL.Path
	w.Header().Add("Vary", "Accept")
	if web.WantsJSON(r) {
		return writeJSON(w, http.StatusOK, v.Report)
	}
	return s.site.Render(w, r, http.StatusOK, "shared", v)
}

// sharedCopy examines the copy's stored file and says what the register knows of it.
func (s *Site) sharedCopy(r *http.Request, l opened, c storage.PublicCopy) (sharedView, error) {
	if !c.ErasedAt.IsZero() || c.File.Digest.IsZero() {
		return sharedView{Report: s.Verifier.Copy(c), Gone: true}, nil
	}
	file, err := s.Files.Open(r.Context(), l.key, c.ID, c.File.Digest)
	if errors.Is(err, storage.ErrNotFound) {
		// The link is good, the store is not: ours to answer for.
		return sharedView{}, fmt.Errorf("a released file is not in the store: %w", storage.ErrDamaged)
	}
	if err != nil {
		return sharedView{}, err
	}
	rep, err := s.storedReport(r.Context(), c, file)
	if err != nil {
		return sharedView{}, err
	}
	if rep.Copy == nil || rep.Copy.Leaf != c.Leaf {
		return sharedView{}, fmt.Errorf("the register does not know the stored file: %w", storage.ErrDamaged)
	}
	return sharedView{Report: s.withoutNames(rep), Checked: true, Pages: s.sheets(r.Context(), c, file)}, nil
}

// sharedBytes opens the file of a shared copy; storage.ErrNotFound from the moment it is erased.
func (s *Site) sharedBytes(r *http.Request, l opened, c storage.PublicCopy) ([]byte, error) {
	if !c.ErasedAt.IsZero() {
		return nil, storage.ErrNotFound
	}
	return s.Files.Open(r.Context(), l.key, c.ID, c.File.Digest)
}

func (s *Site) sharedPage(w http.ResponseWriter, r *http.Request) error {
	l, c, err := s.openLink(w, r, false)
	if err != nil {
		return s.closed(w, r, err)
	}
	n, err := strconv.Atoi(chi.URLParam(r, "page"))
	if err != nil || n < 1 || n > c.File.Pages {
		return storage.ErrNotFound
	}
	if !c.ErasedAt.IsZero() {
		return storage.ErrNotFound // whatever is still in memory
	}
	image, err := s.drawn.get(r.Context(), page{c.File.Digest, n}, func() ([]byte, error) {
		file, err := s.sharedBytes(r, l, c)
		if err != nil {
			return nil, err
		}
		return s.Renderer.Page(r.Context(), file, n, pageWidth)
	})
	if err != nil {
		return fmt.Errorf("draw page %d: %w", n, err)
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(image) // a broken connection shows in the access log
	return nil
}

func (s *Site) sharedFile(w http.ResponseWriter, r *http.Request) error {
	// Who comes from the link's page was counted there.
	l, c, err := s.openLink(w, r, r.Header.Get("Sec-Fetch-Site") != "same-origin")
	if err != nil {
		return s.closed(w, r, err)
	}
	file, err := s.sharedBytes(r, l, c)
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", "application/pdf")
	h.Set("Content-Length", strconv.Itoa(len(file)))
	h.Set("Content-Disposition", fmt.Sprintf(`attachment; filename="ban-sao-%d-%d.pdf"`, c.Number.Seq, c.Number.Year))
	h.Set("Cache-Control", "private, no-store")
	_, _ = w.Write(file) // a broken connection shows in the access log
	return nil
}

var (
	errUnknownLink = certcopy.Errorf(certcopy.NotFound, "", nil, certcopy.Msg(
		"Không có liên kết chia sẻ này. Hãy kiểm tra xem địa chỉ đã được dán đủ chưa.", "There is no such sharing link. Check that the whole address was pasted."))
	errClosedLink = errors.New("the link is closed")
)

// opened is a link with what its token decrypts.
type opened struct {
	desk.Link
	key certcopy.Secret // of the copy's file; empty once that was erased
}

// openLink finds the copy of the token in the address. An opening counts if a person came:
// not for HEAD, previews and robots.
func (s *Site) openLink(w http.ResponseWriter, r *http.Request, count bool) (opened, storage.PublicCopy, error) {
	w.Header().Set("X-Robots-Tag", "noindex, nofollow, noarchive")
	if err := s.lookups.enter(r); err != nil {
		return opened{}, storage.PublicCopy{}, err
	}
	token, err := link.ParseToken(chi.URLParam(r, "token"))
	if err != nil {
		s.lookups.spend(r, costMiss)
		return opened{}, storage.PublicCopy{}, errUnknownLink
	}
	now := s.Web.Now()
	l, err := s.Links.OpenLink(r.Context(), token.Hash(), web.TruncatedIP(r.RemoteAddr), now, count && byPerson(r))
	if errors.Is(err, storage.ErrNotFound) {
		s.lookups.spend(r, costMiss)
		return opened{}, storage.PublicCopy{}, errUnknownLink
	}
	if err != nil {
		return opened{}, storage.PublicCopy{}, err
	}
	if !l.Opens(now) {
		return opened{}, storage.PublicCopy{}, errClosedLink
	}
	c, err := s.Register.PublicByID(r.Context(), l.Copy)
	if err != nil || !c.ErasedAt.IsZero() || c.File.Digest.IsZero() {
		return opened{Link: l}, c, err
	}
	return unlocked(token, l, c)
}

// unlocked decrypts the file's key with the token. A link from before links carried one opens
// nothing any more.
func unlocked(token link.Token, l desk.Link, c storage.PublicCopy) (opened, storage.PublicCopy, error) {
	if len(l.FileKey) == 0 {
		return opened{}, c, errClosedLink
	}
	key, err := token.Unwrap(l.Copy, l.FileKey)
	if err != nil {
		return opened{}, c, fmt.Errorf("sharing link: %w: %w", storage.ErrDamaged, err)
	}
	return opened{l, key}, c, nil
}

// closed answers for a link that no longer opens; other errors pass.
func (s *Site) closed(w http.ResponseWriter, r *http.Request, err error) error {
	if !errors.Is(err, errClosedLink) {
		return err
	}
	p := web.Problem{Type: "about:blank", Title: http.StatusText(http.StatusGone), Status: http.StatusGone, Code: certcopy.NotFound, Reference: web.Reference(r.Context()),
		VI: "Liên kết này đã hết hạn hoặc đã bị thu hồi. Hãy xin người gửi một liên kết mới; bản sao và mã xác minh của nó không bị ảnh hưởng.",
		EN: "This link has expired or was revoked. Ask the sender for a new one; the copy and its verification code are not affected."}
	s.site.WriteProblem(w, r, p)
	return nil
}

// robots names the programs that fetch links nobody opened: crawlers and the previews of
// messengers. A browser inside a messenger is a person.
var robotNames = regexp.MustCompile(`(?i)bot\b|crawl|spider|slurp|preview|facebookexternalhit|whatsapp|curl/|wget/|python-|go-http-client`)

func byPerson(r *http.Request) bool {
	purpose := r.Header.Get("Sec-Purpose") + r.Header.Get("Purpose")
	return r.Method == http.MethodGet && purpose == "" && !robotNames.MatchString(r.UserAgent())
}

// robots keeps honest crawlers away from all that names a copy.
func (s *Site) robots(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, err := fmt.Fprint(w, "User-agent: *\nDisallow: /v/\nDisallow: /s/\nDisallow: /check\nDisallow: /log/\n")
	return err
}
