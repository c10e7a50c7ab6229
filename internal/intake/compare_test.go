package intake

import (
	"bytes"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

const scansOfAKind = 3

// scanKinds are scans as they come from the devices of an office: files of one kind, all of
// 200 dpi.
func scanKinds(t *testing.T, dir string) map[string][]string {
	t.Helper()
	magick := needTool(t, "convert")
	kinds := map[string][]string{}
	for i := range scansOfAKind {
		j := filepath.Join(dir, fmt.Sprintf("colour%d.jpg", i))
		if err := os.WriteFile(j, withSegments(jpegOf(t, scannedSheet(uint64(i)), 66), jfifSegment(200)), 0o600); err != nil {
			t.Fatal(err)
		}
		kinds["JPEG, colour"] = append(kinds["JPEG, colour"], j)
		p := filepath.Join(dir, fmt.Sprintf("grey%d.png", i))
		writePNG(t, p, image.Image(luma(textPage(uint64(i), 0, 0, 0, 8))))
		convert(t, magick, p, "-density 200 -units PixelsPerInch", p)
		kinds["PNG, grey"] = append(kinds["PNG, grey"], p)
		f := filepath.Join(dir, fmt.Sprintf("fax%d.tif", i))
		convert(t, magick, p, "-threshold 60% -type bilevel -compress Group4 -density 200 -units PixelsPerInch", f)
		kinds["TIFF, Group 4"] = append(kinds["TIFF, Group 4"], f)
	}
	return kinds
}

// TestInteropBesideOthers makes PDF of the same scans by img2pdf, which loses nothing, by OCRmyPDF,
// which at this level does, and by intake, which must not be larger than img2pdf by a tenth nor
// take a fifth of OCRmyPDF's processor time. docs/intake.md has the table it prints, and says
// what OCRmyPDF loses.
func TestInteropBesideOthers(t *testing.T) {
	if os.Getenv("SAOY_INTEROP") == "" {
		t.Skip("beside OCRmyPDF and img2pdf: set SAOY_INTEROP=1")
	}
	img2pdf, ocrmypdf := needTool(t, "img2pdf"), needTool(t, "ocrmypdf")
	for _, name := range []string{"gs", "tesseract", "pngquant"} {
		needTool(t, name) // for OCRmyPDF
	}
	dir := t.TempDir()
	in := newIntake(t)
	t.Log("| scans | img2pdf | OCRmyPDF --optimize 3 | intake | intake, reduced |")
	for kind, files := range scanKinds(t, dir) {
		plain, optimised := filepath.Join(dir, "plain.pdf"), filepath.Join(dir, "optimised.pdf")
		first := timed(t, img2pdf, append(files, "-o", plain)...)
		// No text is looked for: the pages are only optimised.
		second := first + timed(t, ocrmypdf, "--optimize", "3", "--tesseract-timeout", "0", "--skip-text", "--output-type", "pdf", "--jobs", "2", "-q", plain, optimised)
		before := childSeconds()
		var uploads []Upload
		for _, f := range files {
			b := readFile(t, f)
			uploads = append(uploads, Upload{Name: filepath.Base(f), Body: bytes.NewReader(b), Size: int64(len(b))})
		}
		results, errs := in.ReadAll(t.Context(), uploads)
		for _, err := range errs {
			if err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		if _, err := Assemble(&out, results...); err != nil {
			t.Fatal(err)
		}
		own := childSeconds() - before
		sizes := []int64{sizeOfFile(t, plain), sizeOfFile(t, optimised), int64(out.Len()), reducedSize(t, in, results)}
		t.Logf("| %s | %d kB, %.2f s | %d kB, %.2f s | %d kB, %.2f s | %d kB |", kind, sizes[0]>>10, first, sizes[1]>>10, second, sizes[2]>>10, own, sizes[3]>>10)
		if float64(sizes[2]) > 1.1*float64(sizes[0]) || sizes[3] > sizes[2] {
			t.Errorf("%s: %v bytes", kind, sizes)
		}
		if own*5 > second {
			t.Errorf("%s: %.2f s of processor time, OCRmyPDF %.2f s", kind, own, second)
		}
	}
}

// reducedSize is the size after the last step of fitting to a budget, at the same resolution.
func reducedSize(t *testing.T, in *Intake, results []*Result) int64 {
	t.Helper()
	var made []*Result
	for _, r := range results {
		p := r.Pages[0]
		if p.Encoding != G4 {
			var err error
			if p, err = in.Edit(t.Context(), p, Edit{Quality: 55, DPI: 200}); err != nil {
				t.Fatal(err)
			}
		}
		made = append(made, &Result{Pages: []Page{p}})
	}
	var out bytes.Buffer
	if _, err := Assemble(&out, made...); err != nil {
		t.Fatal(err)
	}
	return int64(out.Len())
}

// timed runs a program and returns its processor time in seconds.
func timed(t *testing.T, path string, args ...string) float64 {
	t.Helper()
	cmd := exec.Command(path, args...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %s: %v\n%s", path, strings.Join(args, " "), err, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}

func sizeOfFile(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// childSeconds is the processor time of this process and of its children that have ended.
func childSeconds() float64 { return usage(syscall.RUSAGE_SELF) + usage(syscall.RUSAGE_CHILDREN) }
