package issue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/storage"
)

// StampBytes is what stamping and both signatures with their validation data add to a clean
// document: 170 KB were measured with one OCSP answer for each certificate; the rest is for
// lists of revoked certificates.
const StampBytes = 256 << 10

// Budget is the largest file that a destination takes, from a day on.
type Budget struct {
	Name  certcopy.Message
	Bytes int64
	From  time.Time
}

// DefaultBudgets are the sizes that portals and mail systems commonly take; an installation
// lists its own.
func DefaultBudgets() []Budget {
	var list []Budget
	for _, mb := range []int64{5, 10, 20} {
		list = append(list, Budget{Bytes: mb << 20, Name: certcopy.Msg(
			fmt.Sprintf("Nơi nhận tối đa %d MB", mb), fmt.Sprintf("Destination that takes %d MB", mb))})
	}
	return list
}

// BudgetsAt returns the budgets that hold on a day, the smallest first.
func BudgetsAt(list []Budget, day time.Time) []Budget {
	now := slices.DeleteFunc(slices.Clone(list), func(b Budget) bool { return b.From.After(day) })
	slices.SortFunc(now, func(a, b Budget) int { return int(a.Bytes - b.Bytes) })
	return now
}

// fitSteps are tried in order until the copy is small enough. None has less than the statutory
// 200 dpi, and none takes colour away: that is the clerk's choice.
var fitSteps = []intake.Edit{
	{Quality: 85, DPI: 300}, {Quality: 75, DPI: 300}, {Quality: 75, DPI: 250},
	{Quality: 75, DPI: 200}, {Quality: 65, DPI: 200}, {Quality: 55, DPI: 200},
}

// Fit makes the pages anew from what was uploaded, with the least loss that lets the signed copy
// keep to so many bytes; a page that would not become smaller stays as it was uploaded. If no
// step is small enough it changes nothing and returns *certcopy.Error with code Invalid that says
// what size can be reached. Pages that were made are kept, so that another size costs little.
func (f *Flow) Fit(ctx context.Context, id certcopy.CopyID, revision int, budget int64) (certcopy.Copy, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return c, err
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return c, err
	}
	base, err := f.remake(ctx, pages, intake.Edit{})
	if err != nil {
		return c, err
	}
	best := base
	if sizeOf(base) > budget {
		if best, err = f.reduced(ctx, base, budget); err != nil {
			return c, err
		}
	}
	if size := sizeOf(best); size > budget {
		return c, errBudget(size, budget)
	}
	return f.layPages(ctx, c, best)
}

// reduced takes the steps in order until the pages are small enough, and passes over those that
// a few of the pages show to be far too large.
func (f *Flow) reduced(ctx context.Context, base []lyingPage, budget int64) ([]lyingPage, error) {
	best := base
	for i, step := range fitSteps {
		if i < len(fitSteps)-1 {
			likely, err := f.likely(ctx, base, step)
			if err != nil {
				return nil, err
			}
			if likely > budget+budget/20 {
				continue
			}
		}
		smaller, err := f.remake(ctx, base, step)
		if err != nil {
			return nil, err
		}
		if best = smallest(base, smaller); sizeOf(best) <= budget {
			break
		}
	}
	return best, nil
}

// sampled is how many pages are made anew to see what a step would do to all.
const sampled = 4

// likely estimates the signed copy after a step from pages spread over the copy.
func (f *Flow) likely(ctx context.Context, base []lyingPage, step intake.Edit) (int64, error) {
	var some []lyingPage
	for i := range min(sampled, len(base)) {
		some = append(some, base[i*len(base)/min(sampled, len(base))])
	}
	smaller, err := f.remake(ctx, some, step)
	if err != nil {
		return 0, err
	}
	ratio := float64(sizeOf(smallest(some, smaller))-StampBytes) / float64(sizeOf(some)-StampBytes)
	return StampBytes + int64(ratio*float64(sizeOf(base)-StampBytes)), nil
}

func errBudget(size, budget int64) error {
	mb := func(n int64) float64 { return float64(n) / (1 << 20) }
	return certcopy.Errorf(certcopy.Invalid, "budget", nil, certcopy.Msg(
		fmt.Sprintf("Không thể giảm xuống %.1f MB mà vẫn giữ 200 dpi và màu: nhỏ nhất là %.1f MB. Hãy chuyển trang chữ sang đen trắng hoặc xám, hoặc tách bản chính thành nhiều bản sao.", mb(budget), mb(size)),
		fmt.Sprintf("The copy cannot be reduced to %.1f MB at 200 dpi in its colours: %.1f MB is the least. Make pages of text black and white or grey, or split the original into several copies.", mb(budget), mb(size))))
}

// sizeOf estimates the signed copy, in which a picture that occurs twice is stored once.
func sizeOf(pages []lyingPage) int64 {
	size, seen := int64(StampBytes), map[certcopy.Digest]bool{}
	for _, p := range pages {
		size += 1024
		if d := certcopy.DigestOf(p.Data); !seen[d] {
			seen[d] = true
			size += int64(len(p.Data))
		}
	}
	return size
}

// smallest takes of each page what has fewer bytes.
func smallest(base, smaller []lyingPage) []lyingPage {
	best := slices.Clone(base)
	for i, p := range smaller {
		if len(p.Data) < len(best[i].Data) {
			best[i] = p
		}
	}
	return best
}

// EditPages makes pages, by their numbers from 1, anew from what was uploaded, as e asks; how
// they are turned and framed stays, and e.Turn and e.Frame are not looked at. The zero Edit
// brings back the samples that were uploaded. No pages means all.
func (f *Flow) EditPages(ctx context.Context, id certcopy.CopyID, revision int, numbers []int, e intake.Edit) (certcopy.Copy, error) {
	c, err := f.editable(ctx, id, revision)
	if err != nil {
		return c, err
	}
	pages, err := f.lying(ctx, id)
	if err != nil {
		return c, err
	}
	chosen := pages
	if len(numbers) > 0 {
		chosen = nil
	}
	for _, n := range numbers {
		if n < 1 || n > len(pages) {
			return c, fmt.Errorf("page %d of %d: %w", n, len(pages), storage.ErrConflict)
		}
		chosen = append(chosen, pages[n-1])
	}
	made, err := f.edited(ctx, chosen, func(was intake.Edit) intake.Edit {
		e.Frame = was.Frame
		return e
	})
	if err != nil {
		return c, err
	}
	if len(numbers) == 0 {
		return f.layPages(ctx, c, made)
	}
	for i, n := range numbers {
		pages[n-1] = made[i]
	}
	return f.layPages(ctx, c, pages)
}

// remake makes pages anew with another quality and resolution, in the colours they were given.
func (f *Flow) remake(ctx context.Context, pages []lyingPage, step intake.Edit) ([]lyingPage, error) {
	return f.edited(ctx, pages, func(was intake.Edit) intake.Edit {
		e := step
		e.Frame = was.Frame
		if e.Colour = was.Colour; e.Colour == intake.Bilevel {
			e.Quality, e.DPI = 0, 0
		}
		return e
	})
}

// edited makes pages anew from what was uploaded, side by side, or finds them made.
func (f *Flow) edited(ctx context.Context, pages []lyingPage, edit func(was intake.Edit) intake.Edit) ([]lyingPage, error) {
	uploads, err := f.uploaded(ctx, pages)
	if err != nil {
		return nil, err
	}
	out, errs := slices.Clone(pages), make([]error, len(pages))
	var wait sync.WaitGroup
	for i, p := range pages {
		e := edit(p.Edit)
		e.Turn = p.Edit.Turn
		if e == p.Edit {
			continue
		}
		wait.Go(func() {
			origin := p.origin()
			out[i].changed = true
			out[i].Page, errs[i] = f.made(ctx, p, uploads[origin.Scan].Pages[origin.Page], e)
			out[i].Origin = &origin
		})
	}
	wait.Wait()
	return out, errors.Join(errs...)
}

// uploaded returns the uploads that pages came from, by their scans.
func (f *Flow) uploaded(ctx context.Context, pages []lyingPage) (map[string]*intake.Result, error) {
	uploads := map[string]*intake.Result{}
	for _, p := range pages {
		origin := p.origin()
		if uploads[origin.Scan] == nil {
			r, err := f.scanned(ctx, p.scan.Copy, certcopy.ScanID(origin.Scan))
			if err != nil {
				return nil, err
			}
			uploads[origin.Scan] = r
		}
		if n := len(uploads[origin.Scan].Pages); origin.Page < 0 || origin.Page >= n {
			return nil, fmt.Errorf("scan %s: page %d of %d: %w", origin.Scan, origin.Page, n, storage.ErrDamaged)
		}
	}
	return uploads, nil
}
