package office

import (
	"fmt"
	"html/template"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/storage"
)

// framePage shows one page as it is and as it would be straightened and cropped.
type framePage struct {
	Copy          certcopy.Copy
	Page          int
	Width, Height int
	Version       string
	// Frame is the one looked at, as the page is seen; Query asks for its picture.
	Frame     intake.Frame
	Query     template.URL
	Suggested bool // it is the program's proposal
	Framed    bool // the page has a frame now
	Error     *certcopy.Error
}

// Degrees is the angle for people: "-1,8".
func (p *framePage) Degrees() string { return degrees(p.Frame.Tilt) }

// Sides are the parts cut from the sides, in percent, by the names of their fields.
func (p *framePage) Sides() []frameSide {
	f := p.Frame
	return []frameSide{{"left", percents(f.Left)}, {"top", percents(f.Top)}, {"right", percents(f.Right)}, {"bottom", percents(f.Bottom)}}
}

type frameSide struct{ Name, Percent string }

func degrees(tilt int) string { return comma(float64(tilt) / 100) }

func percents(part int) string { return comma(float64(part) / 100) }

func comma(v float64) string {
	return strings.ReplaceAll(strconv.FormatFloat(v, 'f', -1, 64), ".", ",")
}

// frameOf reads a frame from a form or an address: degrees and percents, with a comma or a
// point. What is no number makes a frame that Check refuses.
func frameOf(v url.Values) intake.Frame {
	read := func(name string) int {
		s := strings.TrimSpace(strings.ReplaceAll(strings.ReplaceAll(v.Get(name), ",", "."), "−", "-"))
		if s == "" {
			return 0
		}
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || math.Abs(n) > 1000 || math.IsNaN(n) {
			return intake.MaxTilt + whole
		}
		return int(math.Round(n * 100))
	}
	return intake.Frame{Tilt: read("tilt"), Left: read("left"), Top: read("top"), Right: read("right"), Bottom: read("bottom")}
}

// whole is all of a side, in hundredths of a percent.
const whole = 10_000

func frameQuery(f intake.Frame) template.URL {
	return template.URL(fmt.Sprintf("tilt=%s&left=%s&top=%s&right=%s&bottom=%s", point(f.Tilt), point(f.Left), point(f.Top), point(f.Right), point(f.Bottom))) //nolint:gosec // numbers
}

func point(hundredths int) string { return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64) }

// chooseFrame shows what is suggested, or what the clerk typed.
func (o *Office) chooseFrame(w http.ResponseWriter, r *http.Request) error {
	view, err := o.frameView(r)
	if err != nil {
		return err
	}
	if err := view.Frame.Check(); err != nil {
		return o.again(w, r, err, "frame", view, &view.Error)
	}
	return o.site.Render(w, r, http.StatusOK, "frame", view)
}

func (o *Office) frameView(r *http.Request) (*framePage, error) {
	if err := r.ParseForm(); err != nil {
		return nil, badForm(err)
	}
	page, n, err := o.draftPage(r)
	if err != nil {
		return nil, err
	}
	seen := page.Pages[n-1]
	now := seen.Sheet.Edit
	view := &framePage{Copy: page.Copy, Page: n, Width: seen.Width, Height: seen.Height, Version: seen.Version,
		Framed: now.Frame != intake.Frame{}}
	switch {
	case r.Form.Has("tilt"):
		view.Frame = frameOf(r.Form)
	case view.Framed:
		view.Frame = now.Frame.Turned(now.Turn)
	default:
		view.Frame, view.Suggested = seen.Sheet.Suggest.Turned(now.Turn), seen.Sheet.Suggest != intake.Frame{}
	}
	view.Query = frameQuery(view.Frame)
	return view, nil
}

// framed is the frame that a form or an address asks for, as the page was uploaded.
func (o *Office) framed(r *http.Request, v url.Values) (page *copyPage, n int, f intake.Frame, err error) {
	page, n, err = o.draftPage(r)
	if err != nil {
		return nil, 0, f, err
	}
	return page, n, frameOf(v).Turned(-page.Pages[n-1].Sheet.Edit.Turn), nil
}

func (o *Office) frameImage(w http.ResponseWriter, r *http.Request) error {
	page, n, f, err := o.framed(r, r.URL.Query())
	if err != nil {
		return err
	}
	jpeg, err := o.flow.Framed(r.Context(), page.Copy.ID, n, variantWidth, f)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "image/jpeg")
	w.Header().Set("Cache-Control", "private, max-age=600")
	_, _ = w.Write(jpeg) // a broken connection shows in the access log
	return nil
}

func (o *Office) setFrame(w http.ResponseWriter, r *http.Request) error {
	if err := r.ParseForm(); err != nil {
		return badForm(err)
	}
	n, err := strconv.Atoi(chi.URLParam(r, "page"))
	if err != nil {
		return storage.ErrNotFound
	}
	c, err := o.copyOf(r)
	if err != nil {
		return err
	}
	revision := number(r.PostForm, "revision")
	if c.Revision != revision || !isDraft(c.State) {
		return o.tooLate(w, r, storage.ErrConflict, copyPath(c.ID))
	}
	_, _, f, err := o.framed(r, r.PostForm)
	if err != nil {
		return err
	}
	if r.PostForm.Get("act") == "back" {
		f = intake.Frame{}
	}
	if _, err := o.flow.FramePage(r.Context(), c.ID, revision, n, f); err != nil {
		return o.frameAgain(w, r, c, err)
	}
	return o.toPages(w, r, c.ID)
}

// frameAgain shows the page with what is wrong with the numbers.
func (o *Office) frameAgain(w http.ResponseWriter, r *http.Request, c certcopy.Copy, err error) error {
	view, viewErr := o.frameView(r)
	if viewErr != nil {
		return viewErr
	}
	if err := o.again(w, r, err, "frame", view, &view.Error); err != nil {
		return o.tooLate(w, r, err, copyPath(c.ID))
	}
	return nil
}
