package intake

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// TestHEIC reads what a phone sends, or, in a binary without the decoder, says so.
func TestHEIC(t *testing.T) {
	magick := needTool(t, "convert")
	dir := t.TempDir()
	src, dst := filepath.Join(dir, "original.png"), filepath.Join(dir, "phone.heic")
	writePNG(t, src, original())
	convert(t, magick, src, "-quality 90", dst)
	b := readFile(t, dst)
	if !readsHEIC {
		if _, err := read(t, "phone.heic", b); certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "HEIC") {
			t.Errorf("got %v", err)
		}
		return
	}
	out, doc := clean(t, b)
	if len(doc.Pages) != 1 || doc.Pages[0].Width != a4Width {
		t.Errorf("%+v", doc.Pages)
	}
	if d := difference(drawn(t, out, 100)[0], original()); d > 4 {
		t.Errorf("differs by %.1f", d)
	}
	for name, bad := range map[string][]byte{"cut off": b[:len(b)/2], "header only": b[:40]} {
		if _, err := read(t, name, bad); certcopy.CodeOf(err) != certcopy.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
