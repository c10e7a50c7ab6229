package intake

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"syscall"
	"testing"
)

// scannedSheet is an A4 page of text at 200 dpi with the grain of a scanner, about 400 KB as a
// JPEG.
func scannedSheet(seed uint64) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 1654, 2339))
	r := rand.New(rand.NewPCG(seed, 1))
	for y := range 2339 {
		for x := range 1654 {
			v := 235 + int(r.Uint32()%16)
			if y > 200 && y < 1600 && y/24%2 == 0 && x > 150 && x < 1500 && (x*7+y/24*13)/9%3 != 0 {
				v = 30 + int(r.Uint32()%24)
			}
			at := img.PixOffset(x, y)
			img.Pix[at], img.Pix[at+1], img.Pix[at+2], img.Pix[at+3] = uint8(v), uint8(v), uint8(v-6), 255
		}
	}
	return img
}

// BenchmarkFiftyPages is the speed promised: 50 pages, 20 MB of JPEG, to a clean document.
func BenchmarkFiftyPages(b *testing.B) {
	var uploads []Upload
	var total int64
	for i := range 5 {
		j := jpegOf(b, scannedSheet(uint64(i)), 66)
		for k := range 10 {
			uploads = append(uploads, Upload{Name: fmt.Sprintf("%d-%d.jpg", i, k), Body: bytes.NewReader(j), Size: int64(len(j))})
			total += int64(len(j))
		}
	}
	in := newIntake(b)
	b.SetBytes(total)
	b.ResetTimer()
	before := usage(syscall.RUSAGE_SELF) + usage(syscall.RUSAGE_CHILDREN)
	for b.Loop() {
		results, errs := in.ReadAll(b.Context(), uploads)
		for _, err := range errs {
			if err != nil {
				b.Fatal(err)
			}
		}
		if _, err := Assemble(io.Discard, results...); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(total)/1e6, "MB")
	b.ReportMetric((usage(syscall.RUSAGE_SELF)+usage(syscall.RUSAGE_CHILDREN)-before)/float64(b.N), "cpu-s/op")
	var self, child syscall.Rusage
	_, _ = syscall.Getrusage(syscall.RUSAGE_SELF, &self), syscall.Getrusage(syscall.RUSAGE_CHILDREN, &child)
	b.ReportMetric(float64(self.Maxrss)/1024, "MiB-parent")
	b.ReportMetric(float64(child.Maxrss)/1024, "MiB-largest-child")
}

// usage is the processor time of who, in seconds; it does not count other processes' load.
func usage(who int) float64 {
	var u syscall.Rusage
	if syscall.Getrusage(who, &u) != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// BenchmarkScannedPDF reads ten scanned pages in one PDF.
func BenchmarkScannedPDF(b *testing.B) {
	var results []*Result
	for i := range 10 {
		p, err := readJPEG("", withSegments(jpegOf(b, scannedSheet(uint64(i)), 66), jfifSegment(200)))
		if err != nil {
			b.Fatal(err)
		}
		p.settle()
		results = append(results, &Result{Pages: []Page{p}})
	}
	var file bytes.Buffer
	if _, err := Assemble(&file, results...); err != nil {
		b.Fatal(err)
	}
	in := newIntake(b)
	before := usage(syscall.RUSAGE_CHILDREN)
	for b.Loop() {
		r, err := in.Read(b.Context(), Upload{Name: "scan.pdf", Body: bytes.NewReader(file.Bytes()), Size: int64(file.Len())})
		if err != nil || !bytes.Equal(r.Pages[9].Data, results[9].Pages[0].Data) {
			b.Fatal(err)
		}
	}
	b.ReportMetric((usage(syscall.RUSAGE_CHILDREN)-before)/float64(b.N)/10, "cpu-s/page")
}
