package office

import (
	"fmt"
	"html/template"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"
	"rsc.io/qr"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
)

// released returns the copy an address names, if it may leave the office.
func (o *Office) released(r *http.Request) (certcopy.Copy, error) {
	c, err := o.copyOf(r)
	if err == nil && c.State != certcopy.Released {
		return certcopy.Copy{}, certcopy.Errorf(certcopy.Conflict, "", nil, certcopy.Msg(
			"Bản sao này chưa phát hành hoặc đã hết giá trị nên không giao được. Hãy xem trang tiến trình.",
			"This copy is not released, or no longer valid, and cannot be handed over. Look at its progress."))
	}
	return c, err
}

// download sends the final PDF.
func (o *Office) download(w http.ResponseWriter, r *http.Request) error {
	c, err := o.released(r)
	if err != nil {
		return err
	}
	body, f, err := o.flow.Final(r.Context(), c.ID)
	if err != nil {
		return err
	}
	defer body.Close()
	w.Header().Set("Content-Type", "application/pdf")
	w.Header().Set("Content-Length", strconv.FormatInt(f.Size, 10))
	w.Header().Set("Content-Disposition", fmt.Sprintf(`attachment; filename="chung-thuc-%d-%d.pdf"`, c.Number.Seq, c.Number.Year))
	w.Header().Set("Cache-Control", "no-store")
	if _, err := io.Copy(w, body); err != nil {
		// The file is sent in part: only a cut connection keeps it from being taken for whole.
		panic(http.ErrAbortHandler)
	}
	return nil
}

// qrImage is the QR of the verification page, which anyone may see.
func (o *Office) qrImage(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	code, err := link.ParseCode(c.Code)
	if err != nil {
		return err
	}
	svg, err := qrSVG(link.VerifyURL(o.base, code))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/svg+xml")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = io.WriteString(w, svg) // a broken connection shows in the access log
	return nil
}

// qrSVG draws a QR (level M) with its quiet zone of four modules (ISO/IEC 18004 §9.1).
func qrSVG(text string) (string, error) {
	code, err := qr.Encode(text, qr.M)
	if err != nil {
		return "", fmt.Errorf("qr: %w", err)
	}
	var path strings.Builder
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			run := 0
			for code.Black(x+run, y) {
				run++
			}
			if run > 0 {
				fmt.Fprintf(&path, "M%d %dh%dv1h-%dz", x+4, y+4, run, run)
				x += run
			}
		}
	}
	n := code.Size + 8
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" shape-rendering="crispEdges"><path fill="#fff" d="M0 0h%dv%dH0z"/><path d="%s"/></svg>`,
		n, n, n, n, path.String()), nil
}

// slipPage is what the citizen takes home. With a link it is shown once, because the token is
// not kept.
type slipPage struct {
	*copyPage
	Agency  certcopy.Agency
	URL     string        // the sharing link; empty on a slip without one
	QR      template.HTML // of the sharing link
	Expires desk.Link
}

func (o *Office) slip(w http.ResponseWriter, r *http.Request) error {
	page, err := o.slipPage(r)
	if err != nil {
		return err
	}
	return o.site.Render(w, r, http.StatusOK, "slip", page)
}

func (o *Office) slipPage(r *http.Request) (*slipPage, error) {
	if _, err := o.released(r); err != nil {
		return nil, err
	}
	page, err := o.copyPage(r)
	if err != nil {
		return nil, err
	}
	agency, err := o.ledger.Agency(r.Context(), page.Copy.Agency)
	return &slipPage{copyPage: page, Agency: agency}, err
}

// createLink makes a sharing link and shows it once.
func (o *Office) createLink(w http.ResponseWriter, r *http.Request) error {
	page, err := o.slipPage(r)
	if err != nil {
		return err
	}
	token, err := link.NewToken(o.rand)
	if err != nil {
		return err
	}
	now := o.now()
	l := desk.Link{Copy: page.Copy.ID, CreatedBy: who(r).ID, CreatedAt: now, Expires: now.AddDate(0, 0, desk.LinkDays)}
	// The public site has no key of the vault: the link brings this file's.
	key, err := o.flow.SharedKey(r.Context(), page.Copy.ID)
	if err != nil {
		return err
	}
	if l.FileKey, err = token.Wrap(page.Copy.ID, key); err != nil {
		return err
	}
	if err := o.desk.CreateLink(r.Context(), token.Hash(), l); err != nil {
		return err
	}
	page.URL, page.Expires = link.ShareURL(o.base, token), l
	svg, err := qrSVG(page.URL)
	if err != nil {
		return err
	}
	page.QR = template.HTML(svg) //nolint:gosec // made above of numbers only
	return o.site.Render(w, r, http.StatusCreated, "slip", page)
}

func (o *Office) revokeLink(w http.ResponseWriter, r *http.Request) error {
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(chi.URLParam(r, "link"), 10, 64)
	if err != nil {
		return storage.ErrNotFound
	}
	if err := o.desk.RevokeLink(r.Context(), c.ID, id, who(r).ID, o.now()); err != nil {
		return err
	}
	return o.toCopy(w, r, c.ID, "revoked")
}
