package intake

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math"
	"path/filepath"
	"testing"
)

// photo is a picture with colours, edges and soft places.
func photo(w, h int) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			at := img.PixOffset(x, y)
			img.Pix[at] = uint8(128 + 100*math.Sin(float64(x)/90))
			img.Pix[at+1] = uint8(128 + 100*math.Cos(float64(x+y)/70))
			img.Pix[at+2] = uint8(y * 255 / h)
			if x/40%3 == 0 && y/25%2 == 0 {
				img.Pix[at], img.Pix[at+1], img.Pix[at+2] = 20, 20, 20
			}
			img.Pix[at+3] = 255
		}
	}
	return img
}

// sameSmall compares a small picture with the whole one reduced to its size; it leaves out the
// high frequencies, which the mean of an area keeps, so edges differ.
func sameSmall(t *testing.T, small, whole image.Image) {
	t.Helper()
	r := small.Bounds()
	want := reduce(whole, r.Dx(), r.Dy())
	sum := 0
	for y := range r.Dy() {
		for x := range r.Dx() {
			a, b := rgbAt(small, x, y), rgbAt(want, x, y)
			for k := range 3 {
				sum += abs(int(a[k]) - int(b[k]))
			}
		}
	}
	if mean := float64(sum) / float64(3*r.Dx()*r.Dy()); mean > 6 {
		t.Errorf("differs by %.2f", mean)
	}
}

func rgbAt(m image.Image, x, y int) [3]uint32 {
	r, g, b, _ := m.At(x, y).RGBA()
	return [3]uint32{r >> 8, g >> 8, b >> 8}
}

// The small picture is the whole one reduced, for every kind of sampling.
func TestSmallJPEGIsTheWholeOneReduced(t *testing.T) {
	magick := needTool(t, "convert")
	dir := t.TempDir()
	for i, size := range [][2]int{{1656, 304}, {208, 1400}, {2480, 160}, {3304, 80}} {
		src := filepath.Join(dir, fmt.Sprintf("%d.png", i))
		writePNG(t, src, photo(size[0], size[1]))
		for _, options := range []string{"-sampling-factor 1x1", "-sampling-factor 2x1", "-sampling-factor 1x2", "-sampling-factor 2x2", "-colorspace gray"} {
			t.Run(fmt.Sprint(size, options), func(t *testing.T) {
				out := filepath.Join(dir, "out.jpg")
				convert(t, magick, src, options+" -quality 88", out)
				j, err := openJPEG("", readFile(t, out))
				if err != nil {
					t.Fatal(err)
				}
				small, ok := j.small(true)
				if !ok {
					t.Fatal("left to image/jpeg")
				}
				whole, err := j.decode("")
				if err != nil {
					t.Fatal(err)
				}
				sameSmall(t, small, whole)
				grey, ok := j.small(false)
				if !ok {
					t.Fatal("left to image/jpeg without colours")
				}
				sameSmall(t, grey, luma(whole))
			})
		}
	}
}

// What is unusual is left to the library, and nothing is accepted that it refuses.
func TestSmallJPEGIsCareful(t *testing.T) {
	b := jpegOf(t, photo(1600, 160), 80)
	whole, err := openJPEG("", b)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := whole.small(false); !ok {
		t.Fatal("the usual kind is not read")
	}
	adobe := append([]byte{0xFF, mSOI, 0xFF, mAPP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0}, b[2:]...)
	for name, file := range map[string][]byte{"RGB": adobe, "small already": jpegOf(t, photo(900, 900), 80), "cut off": b[:len(b)*2/3]} {
		j, err := openJPEG("", file)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, ok := j.small(false); ok {
			t.Errorf("%s is not left to the library", name)
		}
	}
	accepted := 0
	for at := len(b) / 3; at < len(b); at += len(b) / 300 {
		damaged := bytes.Clone(b)
		damaged[at] ^= 0x55
		accepted += notMoreThanTheLibrary(t, damaged)
	}
	t.Logf("%d of 200 damaged files decode all the same", accepted)
}

func notMoreThanTheLibrary(t *testing.T, b []byte) int {
	t.Helper()
	j, err := openJPEG("", b)
	if err != nil {
		return 0
	}
	if _, ok := j.small(true); !ok {
		return 0
	}
	if _, err := jpeg.Decode(bytes.NewReader(j.clean)); err != nil {
		t.Errorf("read here, refused by the library: %v", err)
	}
	return 1
}

func FuzzSmallJPEG(f *testing.F) {
	f.Add(jpegOf(f, photo(1400, 32), 60))
	f.Add(jpegOf(f, image.NewGray(image.Rect(0, 0, 16, 1500)), 90))
	f.Fuzz(func(t *testing.T, b []byte) {
		if j, err := scanJPEG(b); err == nil && j.width*j.height < 1<<21 {
			notMoreThanTheLibrary(t, b)
		}
	})
}

// BenchmarkReadJPEG is what a page costs its child.
func BenchmarkReadJPEG(b *testing.B) {
	file := jpegOf(b, scannedSheet(1), 66)
	for b.Loop() {
		if _, err := readJPEG("", file); err != nil {
			b.Fatal(err)
		}
	}
}
