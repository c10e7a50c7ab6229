package issue_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

// spelled is issue.Reader: the upload "abc" has three pages, of which a, b and c are known
// again by the length of their samples.
type spelled struct{}

func (spelled) Read(_ context.Context, u intake.Upload) (*intake.Result, error) {
	one, err := scanned()
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(u.Name, "hỏng") {
		return nil, certcopy.Errorf(certcopy.Invalid, u.Name, nil, certcopy.Msg("Tệp hỏng.", "Damaged."))
	}
	b, err := io.ReadAll(io.NewSectionReader(u.Body, 0, u.Size))
	r := &intake.Result{Format: "tiff"}
	for _, letter := range b {
		p := one.Pages[0]
		p.Data = []byte(strings.Repeat(string(letter), int(letter)))
		r.Pages = append(r.Pages, p)
	}
	return r, err
}

// spell reads a draft back: a letter for each page, with its turns, and the files it is in.
func spell(t *testing.T, f *issue.Flow, id certcopy.CopyID) string {
	t.Helper()
	var b strings.Builder
	for _, s := range must(f.Sheets(t.Context(), id))(t) {
		b.WriteByte(byte(s.Bytes))
		if s.Edit.Turn > 0 {
			fmt.Fprint(&b, s.Edit.Turn)
		}
	}
	return b.String()
}

func upload(names ...string) (files []issue.Upload) {
	for _, n := range names {
		files = append(files, issue.Upload{Name: n, Body: strings.NewReader(n)})
	}
	return files
}

func TestArrangePages(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	f.Intake = spelled{}
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	c = must(f.Upload(ctx, c.ID, c.Revision, upload("abc", "de")))(t).Copy
	original := must(w.store.Scans(ctx, c.ID))(t)
	at := func(pages ...int) (order []issue.PagePlace) {
		for _, p := range pages {
			order = append(order, issue.PagePlace{Page: p % 10, Turn: p / 10})
		}
		return order
	}
	for _, step := range []struct {
		order []issue.PagePlace
		want  string
		scans int
	}{
		{at(1, 4, 2, 5, 3), "adbec", 5},   // fronts and backs from two files
		{at(1, 3, 5, 2, 4), "abcde", 2},   // and back
		{at(1, 12, 3, 4, 5), "ab1cde", 2}, // turned in place
		{at(1, 32, 3, 5), "abce", 2},      // turned back, one dropped
		{at(4, 3, 22, 1), "ecb2a", 4},
	} {
		c = must(f.ArrangePages(ctx, c.ID, c.Revision, step.order))(t)
		scans := must(w.store.Scans(ctx, c.ID))(t)
		if got := spell(t, f, c.ID); got != step.want || len(scans) != step.scans || len(c.Clean.Pages) != len(step.order) {
			t.Errorf("%v: %s in %d scans, %d pages; want %s in %d", step.order, got, len(scans), len(c.Clean.Pages), step.want, step.scans)
		}
	}
	for _, s := range original {
		if _, _, err := w.scratch.Open(ctx, "scans/"+string(c.ID)+"/"+string(s.ID)); err != nil {
			t.Errorf("the upload %s is gone: %v", s.FileName, err)
		}
	}
	for name, order := range map[string][]issue.PagePlace{"no such page": at(5), "page 0": at(0), "a page twice": at(1, 1)} {
		if _, err := f.ArrangePages(ctx, c.ID, c.Revision, order); !errors.Is(err, storage.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.ArrangePages(ctx, c.ID, c.Revision-1, at(1)); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("an old revision: %v", err)
	}
	if c = must(f.ArrangePages(ctx, c.ID, c.Revision, nil))(t); c.State != certcopy.Received {
		t.Errorf("without pages the copy is %s", c.State)
	}
}

// What has not changed is not written again, and a turn changes the document that is signed.
func TestArrangePagesKeepsWhatIsSame(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	f.Intake = spelled{}
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	c = must(f.Upload(ctx, c.ID, c.Revision, upload("abc", "de")))(t).Copy
	before := must(w.store.Scans(ctx, c.ID))(t)
	turned := must(f.ArrangePages(ctx, c.ID, c.Revision, []issue.PagePlace{{Page: 4}, {Page: 5}, {Page: 1}, {Page: 2}, {Page: 3, Turn: 1}}))(t)
	after := must(w.store.Scans(ctx, c.ID))(t)
	if after[0].ID != before[1].ID || after[1].ID == before[0].ID || after[1].Digest != before[0].Digest {
		t.Errorf("scans %+v became %+v", before, after)
	}
	if turned.Clean.Digest == c.Clean.Digest || turned.Clean.Pages[4].Width < turned.Clean.Pages[4].Height {
		t.Errorf("the clean document did not turn: %+v", turned.Clean.Pages)
	}
}

func TestReplacePage(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	f.Intake = spelled{}
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	c = must(f.Upload(ctx, c.ID, c.Revision, upload("abc")))(t).Copy
	refused := must(f.ReplacePage(ctx, c.ID, c.Revision, 2, upload("hỏng")[0]))(t)
	if len(refused.Refused) != 1 || spell(t, f, c.ID) != "abc" {
		t.Errorf("a refused replacement: %+v, %s", refused.Refused, spell(t, f, c.ID))
	}
	c = must(f.ReplacePage(ctx, c.ID, c.Revision, 2, upload("xy")[0]))(t).Copy
	if got := spell(t, f, c.ID); got != "axyc" || len(c.Clean.Pages) != 4 {
		t.Errorf("after the replacement: %s", got)
	}
	if _, err := f.ReplacePage(ctx, c.ID, c.Revision, 5, upload("z")[0]); !errors.Is(err, storage.ErrConflict) {
		t.Errorf("a page that is not there: %v", err)
	}
}

// A page that was scanned twice is found among all files.
func TestSheetsFindDuplicates(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	c := w.bring(t, f, certcopy.Received)
	c = must(f.Upload(t.Context(), c.ID, c.Revision, []issue.Upload{page("mot.jpg"), page("hai.jpg")}))(t).Copy
	for range 2 { // found out, then kept
		sheets := must(f.Sheets(t.Context(), c.ID))(t)
		if len(sheets) != 2 || len(sheets[0].Warnings) != 0 || len(sheets[1].Warnings) != 1 || sheets[1].Warnings[0].Code != intake.DuplicatePage {
			t.Fatalf("%+v", sheets)
		}
	}
}
