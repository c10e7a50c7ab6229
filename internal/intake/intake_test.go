package intake

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
)

func TestMain(m *testing.M) {
	confine.Main(Tasks())
	os.Exit(m.Run())
}

// need skips a test whose tool or data is absent, or fails it where everything must run.
func need(t testing.TB, what string, present bool) {
	t.Helper()
	switch {
	case present:
	case os.Getenv("SAOY_REQUIRE") == "all":
		t.Fatalf("%s is absent", what)
	default:
		t.Skipf("%s is absent", what)
	}
}

func needTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	need(t, name, err == nil)
	return path
}

func corpus(t testing.TB, name string) []byte {
	t.Helper()
	dir := os.Getenv("SAOY_CORPORA")
	if dir == "" {
		dir = "../../../shared/corpora"
	}
	b, err := os.ReadFile(filepath.Join(dir, name))
	need(t, name, err == nil)
	return b
}

func newIntake(t testing.TB) *Intake {
	dir := filepath.Join(os.TempDir(), "saoy-test-wasm")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	return New(confine.New(2), dir)
}

func read(t testing.TB, name string, b []byte) (*Result, error) {
	t.Helper()
	return newIntake(t).Read(t.Context(), Upload{Name: name, Body: bytes.NewReader(b), Size: int64(len(b))})
}

// clean reads files and assembles them, and has independent programs look at the PDF.
func clean(t testing.TB, files ...[]byte) ([]byte, certcopy.CleanDocument) {
	t.Helper()
	var results []*Result
	for _, f := range files {
		r, err := read(t, "scan", f)
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, r)
	}
	var out bytes.Buffer
	doc, err := Assemble(&out, results...)
	if err != nil {
		t.Fatal(err)
	}
	if doc.Size != int64(out.Len()) || doc.Digest != certcopy.DigestOf(out.Bytes()) {
		t.Errorf("the description says %d bytes %v, the file has %d bytes %v", doc.Size, doc.Digest, out.Len(), certcopy.DigestOf(out.Bytes()))
	}
	return out.Bytes(), doc
}

func run(t testing.TB, name string, args ...string) []byte {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return out
}

func save(t testing.TB, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestExifUpright(t *testing.T) {
	qpdf := needTool(t, "qpdf")
	var files [][]byte
	for o := range 9 {
		files = append(files, corpus(t, fmt.Sprintf("scans/exif_Portrait_%d.jpg", o)))
	}
	b, doc := clean(t, files...)
	run(t, qpdf, "--check", save(t, "out.pdf", b))
	if bytes.Contains(b, []byte("Exif")) || bytes.Contains(b, []byte("Photoshop")) {
		t.Error("metadata survived")
	}
	pages := drawn(t, b, 50)
	for o, p := range pages {
		// The pictures differ in the number written on them only.
		if d := difference(p, pages[1]); d > 2 {
			t.Errorf("orientation %d differs by %.1f from orientation 1", o, d)
		}
		if doc.Pages[o].Width != a4Width || doc.Pages[o].Height != a4Height {
			t.Errorf("orientation %d: page %v", o, doc.Pages[o])
		}
	}
	if turned := mirror(pages[1]); difference(turned, pages[1]) < 8 {
		t.Error("the comparison would not see a mirrored picture")
	}
}

func mirror(img image.Image) image.Image {
	r := img.Bounds()
	out := image.NewRGBA(r)
	for y := r.Min.Y; y < r.Max.Y; y++ {
		for x := r.Min.X; x < r.Max.X; x++ {
			out.Set(r.Max.X-1-(x-r.Min.X), y, img.At(x, y))
		}
	}
	return out
}

func readFile(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
