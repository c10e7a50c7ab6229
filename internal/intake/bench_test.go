package intake

import (
	"bytes"
	"fmt"
	"image"
	"io"
	"math/rand/v2"
	"os"
	"strings"
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
	if s, err := os.ReadFile("/proc/self/status"); err == nil {
		for _, line := range strings.Split(string(s), "\n") {
			var kib float64
			if n, _ := fmt.Sscanf(line, "VmHWM: %f kB", &kib); n == 1 {
				b.ReportMetric(kib/1024, "MiB-peak-parent")
			}
		}
	}
}
