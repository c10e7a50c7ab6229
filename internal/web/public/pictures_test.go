package public

import (
	"context"
	"image"
	"io"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/verify/picture"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// drawer shows one changed page of every file.
type drawer struct {
	asked *int
	err   error
}

func (d drawer) Look(context.Context, io.ReaderAt, int64, picture.Ask) (*picture.Look, error) {
	*d.asked++
	p := picture.Picture{Number: 3, JPEG: []byte{0xff, 0xd8, 0xff, 0xd9}, Width: 10, Height: 20}
	return &picture.Look{Steps: []picture.Step{{Span: picture.Span{Field: "<b>A", Class: validation.ChangesDisallowed}, Compared: 3, Differ: 2, Total: 4,
		Changes: []picture.Change{{Number: 3, Before: p, After: p, Areas: make([]image.Rectangle, 2)}, {Number: 4, After: p}}}}}, d.err
}

// TestChangesAreShown: pages before and after are in the page itself, with words for who cannot
// see them, and only there does the policy let a page hold pictures.
func TestChangesAreShown(t *testing.T) {
	asked := 0
	w := newWorld(t, func(c *Config) { c.Pictures, c.Document = drawer{asked: &asked}, "/api/v1/verifications?format=pdf" })
	i := w.issue(certcopy.Released)
	stranger := w.send("/check", []byte("signed by a stranger"))
	w.expect(stranger, 200, []string{`src="data:image/jpeg;base64,/9j/2Q=="`, "Trang 3 – trước (như khi ký)", "2 chỗ khác được đóng khung đỏ", "Không có trang này",
		"Có thay đổi KHÔNG được phép", "&lt;b&gt;A", `formaction="/api/v1/verifications?format=pdf"`}, "<b>A")
	if policy := stranger.Header().Get("Content-Security-Policy"); !strings.Contains(policy, "img-src data: 'self'") || strings.Contains(policy, "script-src data:") {
		t.Errorf("policy %q", policy)
	}
	ours := w.send("/check", i.file)
	if asked != 1 || strings.Contains(ours.Header().Get("Content-Security-Policy"), "data:") {
		t.Errorf("asked %d times; policy %q", asked, ours.Header().Get("Content-Security-Policy"))
	}
	w = newWorld(t, func(c *Config) { c.Pictures = drawer{&asked, storage.ErrUnavailable} })
	if rec := w.send("/check", []byte("signed by a stranger")); rec.Code != 503 {
		t.Errorf("a machine that cannot draw: %d", rec.Code)
	}
}
