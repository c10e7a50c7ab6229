package public

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// How long what was found out about a stored file is believed. The bytes of a digest never
// change, but certificates expire; what did not pass may have been the machine's fault.
const (
	keepPassed = time.Hour
	keepOther  = time.Minute
	// maxKept bounds the memory: a report takes some 20 KB.
	maxKept = 512
)

// kept remembers answers about files of our own, by digest. Each process keeps its own.
type kept[V any] struct {
	now func() time.Time

	mu      sync.Mutex
	answers map[certcopy.Digest]answer[V] // guarded by mu
}

type answer[V any] struct {
	value V
	until time.Time
}

func newKept[V any](now func() time.Time) *kept[V] {
	return &kept[V]{now: now, answers: make(map[certcopy.Digest]answer[V])}
}

func (k *kept[V]) get(d certcopy.Digest) (V, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	a, ok := k.answers[d]
	if !ok || !k.now().Before(a.until) {
		var none V
		return none, false
	}
	return a.value, true
}

func (k *kept[V]) put(d certcopy.Digest, v V, keep time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.answers) >= maxKept {
		k.forget()
	}
	k.answers[d] = answer[V]{v, k.now().Add(keep)}
}

// forget drops what is no longer believed or, if that is nothing, any one answer.
func (k *kept[V]) forget() {
	now := k.now()
	for d, a := range k.answers {
		if !now.Before(a.until) {
			delete(k.answers, d)
		}
	}
	for d := range k.answers {
		if len(k.answers) < maxKept {
			return
		}
		delete(k.answers, d)
	}
}

// storedReport examines a file of our vault as a receiver's would be, and compares it with the
// register. Only the examination is remembered; the register is asked every time.
func (s *Site) storedReport(ctx context.Context, c storage.PublicCopy, file []byte) (*verify.Report, error) {
	v := *s.Verifier
	v.Examiner = remembered{of: c.File.Digest, by: s.Verifier.Examiner, in: s.examined}
	return v.File(ctx, "", bytes.NewReader(file), int64(len(file)))
}

// remembered examines one stored file, whose digest the vault has checked.
type remembered struct {
	of certcopy.Digest
	by verify.Examiner
	in *kept[*verify.Examination]
}

// Examine implements verify.Examiner. Each caller gets a report of its own to add to.
func (r remembered) Examine(ctx context.Context, name string, file io.ReaderAt, size int64) (*verify.Examination, error) {
	e, ok := r.in.get(r.of)
	if !ok {
		var err error
		if e, err = r.by.Examine(ctx, name, file, size); err != nil {
			return nil, err
		}
		keep := keepOther
		if e.Report.Indication == validation.TotalPassed {
			keep = keepPassed
		}
		r.in.put(r.of, e, keep)
	}
	own, report := *e, *e.Report
	report.Checks, report.Signatures = slices.Clone(report.Checks), slices.Clone(report.Signatures)
	own.Report = &report
	return &own, nil
}

// sheets are the pages of a stored file with the size each will be drawn in, so that the page
// keeps their places before they arrive.
func (s *Site) sheets(ctx context.Context, c storage.PublicCopy, file []byte) []sheet {
	heights, ok := s.heights.get(c.File.Digest)
	if !ok {
		var err error
		// A file that cannot be measured is shown all the same: its verdicts and download matter
		// more, and the pages' own requests log the error.
		if heights, err = s.Renderer.Heights(ctx, file, pageWidth); err == nil {
			s.heights.put(c.File.Digest, heights, keepPassed)
		}
	}
	sheets := make([]sheet, c.File.Pages)
	for i := range sheets {
		sheets[i] = sheet{Number: i + 1, Width: pageWidth, Height: pageWidth * 297 / 210}
		if i < len(heights) && heights[i] > 0 {
			sheets[i].Height = heights[i]
		}
	}
	return sheets
}

// sheet is one page of a shared copy, in pixels.
type sheet struct{ Number, Width, Height int }
