package pades

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// zeros is an endless source of stream data.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// writeLarge writes a file of pages, each with one stream of pageBytes, and of more objects.
func writeLarge(t testing.TB, path string, pages int, pageBytes int64, more int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := pdf.NewWriter(f, "1.7")
	root, tree := w.Alloc(), w.Alloc()
	kids := pdf.Array{}
	for range pages {
		content := w.Alloc()
		if err := w.PutStream(content, nil, zeros{}, pageBytes); err != nil {
			t.Fatal(err)
		}
		ref, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("Contents", content), pdf.E("Resources", pdf.Dict{})})
		if err != nil {
			t.Fatal(err)
		}
		kids = append(kids, ref)
	}
	for i := range more {
		if _, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("StructElem")), pdf.E("K", pdf.Array{pdf.Integer(i), tree}), pdf.E("Alt", pdf.Text("ảnh"))}); err != nil {
			t.Fatal(err)
		}
	}
	for _, err := range []error{
		w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(pages)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))}),
		w.Put(root, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}),
		w.Close(pdf.Dict{pdf.E("Root", root)}),
		f.Sync(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// peakMemory returns the high-water mark of resident memory in bytes.
func peakMemory(t testing.TB) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc/self/status on this system")
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "VmHWM:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Skip("no VmHWM in /proc/self/status")
	return 0
}

// TestMemoryDoesNotGrowWithTheFile signs and extends 500 MB in a process of its own, whose
// high-water mark is then that of the work.
func TestMemoryDoesNotGrowWithTheFile(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 1 GB")
	}
	const variable = "SAOY_TEST_LARGE"
	if path := os.Getenv(variable); path != "" {
		signLarge(t, path)
		return
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "large.pdf")
	writeLarge(t, path, 250, 2<<20, 0)
	out := runSelf(t, "TestMemoryDoesNotGrowWithTheFile", variable+"="+path)
	t.Logf("%s", out)
}

func signLarge(t *testing.T, path string) {
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		t.Fatal(err)
	}
	out, err := os.Create(path + ".signed")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	res, err := Sign(t.Context(), in, info.Size(), out, official(), options(), Means{TimeStamper: pki()})
	if err != nil {
		t.Fatal(err)
	}
	if err := Extend(t.Context(), out, res.Size, io.Discard, ExtendOptions{Level: BLTA, TimeStamper: pki(), Collector: collector}); err != nil {
		t.Fatal(err)
	}
	peak := peakMemory(t)
	fmt.Printf("%d MB signed and extended, peak %d MB\n", info.Size()>>20, peak>>20)
	if peak > 64<<20 {
		t.Errorf("peak memory %d MB, at most 64 MB is the promise", peak>>20)
	}
}

// TestAllocationsDoNotGrowWithTheFile compares signing a small file with a large one, and with
// one of many objects.
func TestAllocationsDoNotGrowWithTheFile(t *testing.T) {
	small := signingCost(t, 1, 1<<20, 0)
	for name, large := range map[string]cost{
		"32 MB":                 signingCost(t, 1, 32<<20, 0),
		"5,000 objects more":    signingCost(t, 1, 1<<20, 5_000),
		"10 pages of 1 MB more": signingCost(t, 11, 1<<20, 0),
	} {
		if large.count > small.count+150 { // ten pages have their own
			t.Errorf("%s: %d allocations, %d for a small file", name, large.count, small.count)
		}
		const entry = 16                                        // of a cross-reference section, in bytes
		if large.bytes > small.bytes+5_000*entry+2*copyBuffer { // the pool may have lost its buffer
			t.Errorf("%s: %d bytes allocated, %d for a small file", name, large.bytes, small.bytes)
		}
	}
}

type cost struct{ count, bytes uint64 }

// signingCost is what signing a file allocates.
func signingCost(t *testing.T, pages int, pageBytes int64, objects int) cost {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.pdf")
	writeLarge(t, path, pages, pageBytes, objects)
	base := read(t, path)
	var before, after runtime.MemStats
	for range 2 { // the first warms up
		runtime.ReadMemStats(&before)
		if _, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), io.Discard, official(), options(), Means{}); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
	}
	return cost{after.Mallocs - before.Mallocs, after.TotalAlloc - before.TotalAlloc}
}
