package issue_test

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// photograph is a PNG of an A4 page at 240 dpi with the grain of a camera: megabytes.
func photograph(t *testing.T) []byte {
	t.Helper()
	img, r := image.NewNRGBA(image.Rect(0, 0, 1984, 2806)), rand.New(rand.NewPCG(1, 2))
	for i := range 1984 * 2806 {
		v := uint8(r.Uint32() % 24)
		img.SetNRGBA(i%1984, i/1984, color.NRGBA{220 - v, 200 - v/2, 180 + v, 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func sizes(t *testing.T, f *issue.Flow, id certcopy.CopyID) (total int64, edits []intake.Edit) {
	t.Helper()
	for _, s := range must(f.Sheets(t.Context(), id))(t) {
		total += s.Bytes
		edits = append(edits, s.Edit)
	}
	return total, edits
}

// A photograph is made small enough, or not at all, and comes back as it was. Intake is real.
func TestFitIsReversible(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	f.Intake = intake.New(confine.New(2), "")
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	c = must(f.Upload(ctx, c.ID, c.Revision, []issue.Upload{{Name: "anh.png", Body: bytes.NewReader(photograph(t))}}))(t).Copy
	c = must(f.ArrangePages(ctx, c.ID, c.Revision, []issue.PagePlace{{Page: 1, Turn: 2}}))(t)
	before, _ := sizes(t, f, c.ID)
	if before < 3<<20 {
		t.Fatalf("the photograph has %d bytes only", before)
	}
	for _, budget := range []int64{issue.StampBytes + 2<<20, issue.StampBytes + 1200<<10} {
		fitted := must(f.Fit(ctx, c.ID, c.Revision, budget))(t)
		size, edits := sizes(t, f, c.ID)
		if fitted.Clean.Size+issue.StampBytes > budget || edits[0].Turn != 2 || edits[0].Quality == 0 {
			t.Errorf("budget %d: %d bytes, %+v", budget, size, edits)
		}
		if dpi := fitted.Clean.Pages[0].DPI; dpi < certcopy.MinDPI {
			t.Errorf("budget %d: %.1f dpi", budget, dpi)
		}
		c = fitted
	}
	_, err := f.Fit(ctx, c.ID, c.Revision, issue.StampBytes+20<<10)
	if certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "200 dpi") {
		t.Errorf("an impossible budget: %v", err)
	}
	if now := w.copy(t); now.Revision != c.Revision {
		t.Error("an impossible budget changed the copy")
	}
	grey := must(f.EditPages(ctx, c.ID, c.Revision, []int{1}, intake.Edit{Colour: intake.Grey}))(t)
	if _, edits := sizes(t, f, c.ID); edits[0] != (intake.Edit{Turn: 2, Colour: intake.Grey}) {
		t.Errorf("made grey: %+v", edits)
	}
	for range 2 { // made, then found
		picture, size, err := f.Variant(ctx, c.ID, 1, 480, intake.Edit{Colour: intake.Bilevel})
		if err != nil || len(picture) == 0 || size == 0 {
			t.Errorf("in black and white: %d bytes, %v", size, err)
		}
	}
	if _, _, err := f.Variant(ctx, c.ID, 2, 480, intake.Edit{}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a variant of a page that is not there: %v", err)
	}
	c = must(f.EditPages(ctx, c.ID, grey.Revision, nil, intake.Edit{}))(t)
	if size, edits := sizes(t, f, c.ID); size != before || edits[0] != (intake.Edit{Turn: 2}) {
		t.Errorf("brought back: %d bytes of %d, %+v", size, before, edits)
	}
	if _, err := f.EditPages(ctx, c.ID, c.Revision, []int{2}, intake.Edit{}); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a page that is not there: %v", err)
	}
}

func (spelled) Edit(_ context.Context, p intake.Page, e intake.Edit) (intake.Page, error) {
	p.Edit = e
	return p, nil
}

// shrinking is issue.Reader: pages of 120 kB that shrink by the step, and a count of those made.
type shrinking struct{ made *atomic.Int64 }

func (shrinking) Read(context.Context, intake.Upload) (*intake.Result, error) {
	r, err := scanned()
	if err != nil {
		return nil, err
	}
	many := &intake.Result{Format: r.Format}
	for i := range 40 {
		p := r.Pages[0]
		p.Data = bytes.Repeat([]byte{byte(i)}, 120_000)
		many.Pages = append(many.Pages, p)
	}
	return many, nil
}

func (s shrinking) Edit(_ context.Context, p intake.Page, e intake.Edit) (intake.Page, error) {
	if e.Quality > 0 {
		s.made.Add(1)
		p.Data = p.Data[:e.Quality*e.DPI*4]
	}
	p.Edit = e
	return p, nil
}

// Fit makes all pages once, a few more often, and none twice.
func TestFitMakesFewPages(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	var made atomic.Int64
	f.Intake = shrinking{&made}
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	c = must(f.Upload(ctx, c.ID, c.Revision, []issue.Upload{{Name: "hop-dong.pdf", Body: strings.NewReader("x")}}))(t).Copy
	for _, tt := range []struct {
		budget, most int64
		quality, dpi int
	}{
		{issue.StampBytes + 2_600_000, 40 + 4*4, 75, 200}, // three steps are passed over
		{issue.StampBytes + 2_600_000, 0, 75, 200},
		{issue.StampBytes + 2_300_000, 40, 65, 200},
		{issue.StampBytes + 3_700_000, 40, 75, 300},
	} {
		made.Store(0)
		c = must(f.Fit(ctx, c.ID, c.Revision, tt.budget))(t)
		if _, edits := sizes(t, f, c.ID); edits[39].Quality != tt.quality || edits[39].DPI != tt.dpi {
			t.Errorf("budget %d: %+v", tt.budget, edits[39])
		}
		if n := made.Load(); n > tt.most {
			t.Errorf("budget %d: %d pages were made, want at most %d", tt.budget, n, tt.most)
		}
	}
	if _, err := f.Fit(ctx, c.ID, c.Revision, issue.StampBytes+1_000_000); certcopy.CodeOf(err) != certcopy.Invalid {
		t.Errorf("an impossible budget: %v", err)
	}
}

func TestBudgetsAreDated(t *testing.T) {
	day := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
	list := append(issue.DefaultBudgets(), issue.Budget{Bytes: 1, From: day.AddDate(0, 0, 1)}, issue.Budget{Bytes: 2, From: day})
	got := issue.BudgetsAt(list, day)
	if len(got) != 4 || got[0].Bytes != 2 || got[3].Bytes != 20<<20 {
		t.Errorf("%+v", got)
	}
}
