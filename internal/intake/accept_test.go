package intake

import (
	"debug/buildinfo"
	"os"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
)

// What the file picker offers is what can be read, and what is not linked is not offered.
func TestAcceptIsWhatTheBuildReads(t *testing.T) {
	offered := strings.Contains(Accept(), "heic") || strings.Contains(Names(), "HEIC")
	if offered != readsHEIC {
		t.Errorf("offers HEIC: %v, reads it: %v", offered, readsHEIC)
	}
	info, err := buildinfo.ReadFile(os.Args[0])
	if err != nil {
		t.Fatal(err)
	}
	linked := false
	for _, m := range info.Deps {
		linked = linked || m.Path == "github.com/gen2brain/heic"
	}
	if linked != readsHEIC {
		t.Errorf("the decoder is linked: %v, wanted: %v", linked, readsHEIC)
	}
	for _, ending := range []string{".jpg", ".png", ".tif", ".webp", ".pdf"} {
		if !strings.Contains(Accept(), ending) {
			t.Errorf("%s is not offered", ending)
		}
	}
}

// A phone's picture is refused with what to do instead.
func TestHEICHeaderWithoutDecoder(t *testing.T) {
	if readsHEIC {
		t.Skip("this build reads HEIC")
	}
	_, err := read(t, "IMG_0001.HEIC", append([]byte("\x00\x00\x00\x18ftypheic"), make([]byte, 64)...))
	if certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "JPEG") || !strings.Contains(err.Error(), "HEIC") {
		t.Errorf("%v", err)
	}
}
