package issue_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/storage"
)

func page(name string) issue.Upload {
	return issue.Upload{Name: name, Body: strings.NewReader(name)}
}

// A file that cannot be read is named; the others of the upload are kept. Here intake is real.
func TestRefusedFilesKeepTheOthers(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	f.Intake = intake.New(confine.New(2), "")
	c := w.bring(t, w.honest(t), certcopy.Received)
	scan := must(scanOf(827, 1169))(t)
	got, err := f.Upload(t.Context(), c.ID, c.Revision, []issue.Upload{
		{Name: "thu.txt", Body: strings.NewReader("không phải ảnh")},
		{Name: "trang.jpg", Body: bytes.NewReader(scan)},
		{Name: "hong.jpg", Body: bytes.NewReader(scan[:300])},
		{Name: "rong.png", Body: strings.NewReader("")},
	})
	if err != nil {
		t.Fatal(err)
	}
	var refused []string
	for _, r := range got.Refused {
		refused = append(refused, r.Name)
		if r.Message.VI == "" || r.Message.EN == "" {
			t.Errorf("%s is refused without a word", r.Name)
		}
	}
	if !slices.Equal(refused, []string{"thu.txt", "hong.jpg", "rong.png"}) {
		t.Errorf("refused %v", refused)
	}
	if got.Copy.State != certcopy.Scanned || len(got.Copy.Clean.Pages) != 1 {
		t.Errorf("%s, %d pages", got.Copy.State, len(got.Copy.Clean.Pages))
	}
	again, err := f.Upload(t.Context(), c.ID, got.Copy.Revision, []issue.Upload{{Name: "thu.txt", Body: strings.NewReader("x")}})
	if err != nil || len(again.Refused) != 1 || again.Copy.Revision != got.Copy.Revision {
		t.Errorf("nothing but a refused file: %+v, %v", again, err)
	}

	// The page has some 100 dpi: submitting it asks for the reason.
	low := storage.Submission{Copy: c.ID, Revision: got.Copy.Revision, By: w.Clerk, Checked: true}
	if err := f.Submit(t.Context(), low); certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "dpi") {
		t.Errorf("below the resolution without a reason: %v", err)
	}
	low.LowResolutionReason = "Bản chính chỉ còn bản chụp mờ"
	if err := f.Submit(t.Context(), low); err != nil {
		t.Error(err)
	}
}

// Whoever saw an older revision, or names what is not there, changes nothing.
func TestOfficeConflicts(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	ctx := t.Context()
	c := w.bring(t, f, certcopy.Received)
	first := must(f.Upload(ctx, c.ID, c.Revision, []issue.Upload{page("mot.jpg"), page("hai.jpg")}))(t).Copy
	scans := must(w.store.Scans(ctx, c.ID))(t)
	a, b := scans[0].ID, scans[1].ID
	submit := func(revision int, checked bool) error {
		return f.Submit(ctx, storage.Submission{Copy: c.ID, Revision: revision, By: w.Clerk, Checked: checked})
	}
	arrange := func(revision int, order ...certcopy.ScanID) error {
		_, err := f.Arrange(ctx, c.ID, revision, order)
		return err
	}
	_, uploadErr := f.Upload(ctx, c.ID, c.Revision, []issue.Upload{page("ba.jpg")})
	for name, err := range map[string]error{
		"upload":                   uploadErr,
		"arrange":                  arrange(c.Revision, b, a),
		"arrange an unknown scan":  arrange(first.Revision, a, "00000000-0000-4000-8000-000000000000"),
		"arrange a scan twice":     arrange(first.Revision, a, a),
		"submit":                   submit(c.Revision, true),
		"edit":                     f.EditOriginal(ctx, c.ID, c.Revision, original()),
		"upload after a newer one": uploadErr,
	} {
		if !errors.Is(err, storage.ErrConflict) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := submit(first.Revision, false); certcopy.CodeOf(err) != certcopy.Invalid {
		t.Errorf("not compared with the paper: %v", err)
	}
	if now := w.copy(t); now.Revision != first.Revision || len(now.Clean.Pages) != 2 {
		t.Fatalf("something changed: %+v", now)
	}
	turned := must(f.Arrange(ctx, c.ID, first.Revision, []certcopy.ScanID{b}))(t)
	if len(turned.Clean.Pages) != 1 || turned.State != certcopy.Scanned || len(must(w.store.Scans(ctx, c.ID))(t)) != 1 {
		t.Errorf("after one scan was dropped: %+v", turned)
	}
	empty := must(f.Arrange(ctx, c.ID, turned.Revision, nil))(t)
	if empty.State != certcopy.Received || !empty.Clean.Digest.IsZero() {
		t.Errorf("after all were dropped: %s", empty.State)
	}
	if err := submit(empty.Revision, true); certcopy.CodeOf(err) != certcopy.Invalid {
		t.Errorf("without a page: %v", err)
	}
}

// Two browsers submit the same draft: one copy is submitted, once.
func TestSubmitTwice(t *testing.T) {
	w := newWorld(t, true)
	c := w.bring(t, w.honest(t), certcopy.Scanned)
	errs := together(6, func(int) error {
		return w.honest(t).Submit(context.Background(), storage.Submission{Copy: c.ID, Revision: c.Revision, By: w.Clerk, Checked: true})
	})
	succeeded := 0
	for _, err := range errs {
		if err == nil {
			succeeded++
		} else if !errors.Is(err, storage.ErrConflict) {
			t.Error(err)
		}
	}
	if now := w.copy(t); succeeded != 1 || now.State != certcopy.Submitted || now.Submission != issue.SubmissionDigest(now) {
		t.Errorf("%d succeeded, the copy is %s", succeeded, now.State)
	}
}

// What is not valid never reaches the ledger.
func TestReceiveRefuses(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	long := strings.Repeat("ă", certcopy.MaxTitleRunes+1)
	for name, change := range map[string]func(*certcopy.Request, *certcopy.Original){
		"no name":           func(r *certcopy.Request, _ *certcopy.Original) { r.Requester.Name = "  " },
		"a long name":       func(r *certcopy.Request, _ *certcopy.Original) { r.Requester.Name = long },
		"a line break":      func(r *certcopy.Request, _ *certcopy.Original) { r.Requester.Name = "An\nBình" },
		"broken text":       func(r *certcopy.Request, _ *certcopy.Original) { r.Requester.Name = "\xff" },
		"a bad address":     func(r *certcopy.Request, _ *certcopy.Original) { r.Requester.Email = "ai đó" },
		"no type":           func(_ *certcopy.Request, o *certcopy.Original) { o.Type = "" },
		"an unlisted type":  func(_ *certcopy.Request, o *certcopy.Original) { o.Type = "khong-co" },
		"no title":          func(_ *certcopy.Request, o *certcopy.Original) { o.Title = "" },
		"a long body":       func(_ *certcopy.Request, o *certcopy.Original) { o.IssuingBody = long },
		"no pages":          func(_ *certcopy.Request, o *certcopy.Original) { o.Pages = 0 },
		"too many pages":    func(_ *certcopy.Request, o *certcopy.Original) { o.Pages = certcopy.MaxPages + 1 },
		"no copies":         func(_ *certcopy.Request, o *certcopy.Original) { o.Copies = 0 },
		"too many copies":   func(_ *certcopy.Request, o *certcopy.Original) { o.Copies = certcopy.MaxCopiesOfBook + 1 },
		"a control in text": func(_ *certcopy.Request, o *certcopy.Original) { o.Title = "a\x00b" },
	} {
		r, o := w.visit().request(), original()
		change(&r, &o)
		if _, _, err := f.Receive(t.Context(), r, []certcopy.Original{o}); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A request is made once, however often it is sent and by how many at once.
func TestReceiveTwice(t *testing.T) {
	w := newWorld(t, true)
	v := w.visit()
	ids := make([]certcopy.RequestID, 8)
	for _, err := range together(len(ids), func(i int) error {
		r, _, err := w.honest(t).Receive(context.Background(), v.request(), []certcopy.Original{original()})
		ids[i] = r.ID
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	if ids = slices.Compact(ids); len(ids) != 1 {
		t.Errorf("%d requests", len(ids))
	}
	if more, err := w.honest(t).AddOriginal(t.Context(), ids[0], original()); err != nil || len(must(w.store.Request(t.Context(), ids[0]))(t).Copies) != 2 {
		t.Errorf("add %s: %v", more, err)
	}
}

// counted is a renderer that counts.
type counted struct {
	drawing
	pages int
}

func (c *counted) Page(ctx context.Context, pdf []byte, page, widthPx int) ([]byte, error) {
	c.pages++
	return c.drawing.Page(ctx, pdf, page, widthPx)
}

// Pictures are drawn once per document, page and width, and again when they were damaged or
// the document is another.
func TestPageImages(t *testing.T) {
	w := newWorld(t, true)
	f := w.honest(t)
	r := &counted{}
	f.Render = r
	ctx := t.Context()
	c := w.bring(t, w.honest(t), certcopy.Received)
	if _, err := f.PageImage(ctx, c.ID, 1, 200); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("before a scan: %v", err)
	}
	c = w.bring(t, w.honest(t), certcopy.Scanned)
	want := func(page, width, drawn int) []byte {
		t.Helper()
		b := must(f.PageImage(ctx, c.ID, page, width))(t)
		if r.pages != drawn {
			t.Errorf("page %d at %d px: %d drawn so far, want %d", page, width, r.pages, drawn)
		}
		return b
	}
	first := want(1, 300, 1)
	if again := want(1, 480, 1); !bytes.Equal(first, again) { // the next larger width is the same
		t.Error("another picture")
	}
	want(1, 481, 2)
	want(1, 99_999, 3)
	for info, err := range w.scratch.List(ctx, "previews/"+string(c.ID)) {
		if err != nil {
			t.Fatal(err)
		}
		if err := w.scratch.Delete(ctx, info.Key); err != nil {
			t.Fatal(err)
		}
	}
	want(1, 480, 4)
	f.Scratch = broken{w.scratch}
	want(1, 480, 5) // what is kept cannot be read: drawn again
	f.Scratch = w.scratch
	if err := f.Submit(ctx, storage.Submission{Copy: c.ID, Revision: c.Revision, By: w.Clerk, Checked: true}); err != nil {
		t.Fatal(err)
	}
	want(1, 480, 5) // the same document
	c = w.copy(t)
	if err := (&visit{w: w}).next(ctx, f, c); err != nil { // certify
		t.Fatal(err)
	}
	for drawn, last := 5, c.State; ; {
		now := w.copy(t)
		// Each step makes a document of its own, but numbering and releasing.
		if now.State != last && slices.Contains([]certcopy.State{certcopy.Stamped, certcopy.Signed, certcopy.Sealed, certcopy.Registered}, now.State) {
			drawn++
		}
		last = now.State
		want(1, 480, drawn)
		if now.State == certcopy.Released {
			break
		}
		if err := (&visit{w: w}).next(ctx, f, now); err != nil {
			t.Fatal(err)
		}
	}
}

// broken is a store whose pictures do not read to their end.
type broken struct{ storage.Blobs }

type brokenBody struct{}

func (brokenBody) Read([]byte) (int, error) { return 0, storage.ErrDamaged }
func (brokenBody) Close() error             { return nil }

func (b broken) Open(ctx context.Context, key string) (r io.ReadCloser, i storage.BlobInfo, err error) {
	if strings.HasPrefix(key, "previews/") {
		return brokenBody{}, i, nil
	}
	return b.Blobs.Open(ctx, key)
}

// A confirmation is of everything that was shown: another fact, another digest.
func TestSubmissionDigestCoversEveryFact(t *testing.T) {
	c := certcopy.Copy{ID: "id", Agency: "agency", Requester: "Hường", Original: original(), Code: "code",
		Clean: certcopy.CleanDocument{Digest: certcopy.DigestOf([]byte("x")), Size: 7}}
	seen := map[certcopy.Digest]string{issue.SubmissionDigest(c): "the copy"}
	for name, change := range map[string]func(*certcopy.Copy){
		"id":           func(c *certcopy.Copy) { c.ID = "other" },
		"agency":       func(c *certcopy.Copy) { c.Agency = "other" },
		"requester":    func(c *certcopy.Copy) { c.Requester = "Hưởng" },
		"code":         func(c *certcopy.Copy) { c.Code = "other" },
		"pages":        func(c *certcopy.Copy) { c.Clean.Digest = certcopy.DigestOf([]byte("y")) },
		"length":       func(c *certcopy.Copy) { c.Clean.Size++ },
		"type":         func(c *certcopy.Copy) { c.Original.Type = "khac" },
		"title":        func(c *certcopy.Copy) { c.Original.Title += "." },
		"issuing body": func(c *certcopy.Copy) { c.Original.IssuingBody += "." },
		"paper pages":  func(c *certcopy.Copy) { c.Original.Pages++ },
		"copies":       func(c *certcopy.Copy) { c.Original.Copies++ },
	} {
		changed := c
		change(&changed)
		d := issue.SubmissionDigest(changed)
		if other, ok := seen[d]; ok {
			t.Errorf("another %s has the digest of %s", name, other)
		}
		seen[d] = "another " + name
	}
	same := c
	same.State, same.Revision, same.CreatedAt, same.Trouble = certcopy.Submitted, 9, time.Unix(1, 0), certcopy.Msg("a", "b")
	if issue.SubmissionDigest(same) != issue.SubmissionDigest(c) {
		t.Error("what is not shown changes the digest")
	}
}

// A confirmation of what is no longer so is refused.
func TestConfirmationOfAnotherSubmission(t *testing.T) {
	w := newWorld(t, true)
	c := w.bring(t, w.honest(t), certcopy.Submitted)
	shown := c
	shown.Requester += " "
	err := w.honest(t).Certify(t.Context(), storage.Confirmation{Agency: c.Agency, By: w.Certifier,
		Shown: map[certcopy.CopyID]certcopy.Digest{c.ID: issue.SubmissionDigest(shown)}})
	if !errors.Is(err, storage.ErrConflict) || !w.copy(t).CertifiedAt.IsZero() {
		t.Errorf("%v", err)
	}
}
