package stamp

import (
	"bytes"
	"errors"
	"image"
	"image/png"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/intake"
)

func TestMain(m *testing.M) {
	confine.Main(intake.Tasks())
	os.Exit(m.Run())
}

// corpus returns the scans of the shared corpora that match a pattern.
func corpus(t testing.TB, pattern string) []string {
	t.Helper()
	root := os.Getenv("SAOY_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	files, err := filepath.Glob(filepath.Join(root, "scans", pattern))
	if err != nil || len(files) == 0 {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatalf("no scans in %s", root)
		}
		t.Skipf("no scans in %s (SAOY_CORPORA names another place)", root)
	}
	return files
}

// read takes a file through intake, in its child process.
func read(t testing.TB, name string) ([]byte, certcopy.CleanDocument) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	result, err := intake.New(confine.New(2), "").Read(t.Context(), intake.Upload{Name: filepath.Base(name), Body: f, Size: info.Size()})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var clean bytes.Buffer
	doc, err := intake.Assemble(&clean, result)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return clean.Bytes(), doc
}

// Real scans, photographs with every orientation and bilevel ones, go from upload to a page
// that is PDF/A-2b.
func TestInteropRealScans(t *testing.T) {
	vera := tool(t, "verapdf")
	dir := t.TempDir()
	written := 0
	for _, name := range append(corpus(t, "*.jpg"), append(corpus(t, "*.png"), corpus(t, "*.tif")...)...) {
		clean, doc := read(t, name)
		s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(name)+".pdf"), s.PDF, 0o600); err != nil {
			t.Fatal(err)
		}
		written++
	}
	out, err := exec.Command(vera, "-f", "2b", "--format", "text", "-r", dir).CombinedOutput()
	if passed := strings.Count(string(out), "PASS "); err != nil || passed != written {
		t.Errorf("%d of %d files are PDF/A-2b (%v)\n%s", passed, written, err, out)
	}
}

// Nothing is drawn outside the statement: there each page looks like the clean one, pixel for
// pixel.
func TestNothingElseIsDrawn(t *testing.T) {
	clean, doc := cleanOf(t, a4, a4Half)
	s, err := Stamp(bytes.NewReader(clean), int64(len(clean)), doc, someFacts(t))
	if err != nil {
		t.Fatal(err)
	}
	before, after := render(t, clean), render(t, s.PDF)
	if len(before) != 2 || len(after) != 2 {
		t.Fatalf("%d and %d pages", len(before), len(after))
	}
	free := int(math.Floor(a4Half.height * (1 - a4Half.free)))
	for i, rows := range []int{before[0].Bounds().Dy(), free} {
		size := before[i].Bounds().Size()
		if after[i].Bounds().Size() != size {
			t.Fatalf("page %d: sizes %v and %v", i+1, size, after[i].Bounds().Size())
		}
		for y := range rows {
			for x := range size.X {
				if before[i].At(x, y) != after[i].At(x, y) {
					t.Fatalf("page %d: differs at %d, %d", i+1, x, y)
				}
			}
		}
	}
}

// The seal is red and the signature blue where the fields are.
func TestInksOnThePage(t *testing.T) {
	s := mustStamp(t, someFacts(t), a4Half)
	page := render(t, s.PDF)[0]
	for i, isInk := range []func(r, g, b int) bool{
		func(r, g, b int) bool { return b > r+60 && b > g+60 },
		func(r, g, b int) bool { return r > b+60 && r > g+60 },
	} {
		r := open(t, s.PDF)
		box, err := r.Box(fieldsOf(t, r)[i].Get("Rect"))
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for y := int(a4.height - box[3]); y < int(a4.height-box[1]); y++ {
			for x := int(box[0]); x < int(box[2]); x++ {
				r, g, b, _ := page.At(x, y).RGBA()
				if isInk(int(r>>8), int(g>>8), int(b>>8)) {
					found++
				}
			}
		}
		if found < 200 {
			t.Errorf("field %d: %d pixels of its ink", i, found)
		}
	}
}

// render draws all pages with one pixel a point.
func render(t testing.TB, b []byte) []image.Image {
	t.Helper()
	dir := t.TempDir()
	run(t, "pdftoppm", "-r", "72", "-png", file(t, "render.pdf", b), filepath.Join(dir, "page"))
	var pages []image.Image
	for n := 1; ; n++ {
		f, err := os.Open(filepath.Join(dir, "page-"+string(rune('0'+n))+".png"))
		if errors.Is(err, fs.ErrNotExist) {
			return pages
		}
		if err != nil {
			t.Fatal(err)
		}
		m, err := png.Decode(f)
		f.Close()
		if err != nil {
			t.Fatal(err)
		}
		pages = append(pages, m)
	}
}
