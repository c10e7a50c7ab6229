package intake

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// original is a picture of a sheet at 100 dpi that looks different whichever way it is turned
// or mirrored: A4, with colour in its upper half and an empty lower third.
func original() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 827, 1169))
	for y := range 1169 {
		for x := range 827 {
			c := color.RGBA{255, 255, 255, 255}
			switch {
			case y > 100 && y < 300 && x > 80 && x < 700:
				c = color.RGBA{uint8(x / 4), uint8(255 - y/2), 160, 255}
			case y > 350 && y < 700 && y/20%2 == 0 && x > 80 && x < 300+y/2:
				c = color.RGBA{20, 20, 20, 255}
			case x > 720 && x < 760 && y > 400 && y < 600:
				c = color.RGBA{200, 10, 10, 255}
			}
			img.SetRGBA(x, y, c)
		}
	}
	return img
}

// drawn renders the pages of a PDF with an independent program.
func drawn(t testing.TB, pdf []byte, dpi int) (pages []image.Image) {
	t.Helper()
	tool, dir := needTool(t, "pdftoppm"), t.TempDir()
	run(t, tool, "-r", fmt.Sprint(dpi), "-png", save(t, "in.pdf", pdf), filepath.Join(dir, "p"))
	files, err := filepath.Glob(filepath.Join(dir, "p*.png")) // in order: numbers have leading zeros
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		pages = append(pages, decodeFile(t, f))
	}
	return pages
}

// difference is the mean difference, of 255, of two pictures at 40 × 56 places, each the mean
// of its surroundings, so that half a pixel of displacement does not count.
func difference(a, b image.Image) float64 {
	var sum float64
	for j := range 56 {
		for i := range 40 {
			p, q := meanAt(a, i, j), meanAt(b, i, j)
			for k := range 3 {
				d := p[k] - q[k]
				sum += max(d, -d)
			}
		}
	}
	return sum / (40 * 56 * 3)
}

func meanAt(m image.Image, i, j int) (mean [3]float64) {
	r := m.Bounds()
	n := 0.0
	for y := r.Dy() * j / 56; y < r.Dy()*(j+1)/56; y += 2 {
		for x := r.Dx() * i / 40; x < r.Dx()*(i+1)/40; x += 2 {
			cr, cg, cb, _ := m.At(r.Min.X+x, r.Min.Y+y).RGBA()
			mean[0] += float64(cr >> 8)
			mean[1] += float64(cg >> 8)
			mean[2] += float64(cb >> 8)
			n++
		}
	}
	for k := range mean {
		mean[k] /= n
	}
	return mean
}

// TestFormats has other programs write the original in every kind of file, and compares the
// clean document, drawn by a third, with the original drawn by the standard library.
func TestFormats(t *testing.T) {
	magick, tiffcp, qpdf := needTool(t, "convert"), needTool(t, "tiffcp"), needTool(t, "qpdf")
	dir := t.TempDir()
	src := filepath.Join(dir, "original.png")
	writePNG(t, src, original())
	const grey, bilevel = "-colorspace Gray", "-colorspace Gray -threshold 60% -type bilevel"
	tests := []struct {
		file, options string
		like          string // options that make of the original what should be seen
		tiffcp        string
		encoding      Encoding
		bits          int
	}{
		{"rgb.jpg", "-quality 95", "", "", DCT, 8},
		{"grey.jpg", "-quality 95 " + grey, grey, "", DCT, 8},
		{"progressive.jpg", "-quality 95 -interlace JPEG", "", "", DCT, 8},
		{"cmyk.jpg", "-quality 95 -colorspace CMYK", "", "", DCT, 8},
		{"444.jpg", "-quality 95 -sampling-factor 1x1", "", "", DCT, 8},
		{"rgb.png", "", "", "", Flate, 8},
		{"grey.png", grey + " -define png:color-type=0", grey, "", Flate, 8},
		{"grey16.png", grey + " -define png:color-type=0 -define png:bit-depth=16", grey, "", Flate, 8},
		{"rgb16.png", "-define png:color-type=2 -define png:bit-depth=16", "", "", Flate, 8},
		{"alpha.png", "-transparent white -define png:color-type=6", "", "", Flate, 8},
		{"greyalpha.png", grey + " -transparent white -define png:color-type=4", grey, "", Flate, 8},
		{"palette.png", "-colors 200 -define png:color-type=3", "", "", Flate, 8},
		{"palette4.png", "-colors 12 +dither -define png:color-type=3", "-colors 12 +dither", "", Flate, 4},
		{"grey2.png", grey + " -posterize 4 -define png:color-type=0 -define png:bit-depth=2", grey + " -posterize 4", "", Flate, 2},
		{"interlaced.png", "-interlace PNG", "", "", Flate, 8},
		{"bilevel.png", bilevel + " -define png:color-type=0 -define png:bit-depth=1", bilevel, "", G4, 1},
		{"gamma.png", "-gamma 0.55 -set gamma 1.0 -define png:include-chunk=gAMA", "", "", Flate, 8},
		{"none.tif", "-compress None", "", "", Flate, 8},
		{"lzw.tif", "-compress LZW", "", "", Flate, 8},
		{"zip.tif", "-compress Zip", "", "", Flate, 8},
		{"packbits.tif", "-compress RLE", "", "", Flate, 8},
		{"jpeg.tif", "-compress JPEG -quality 95 -define tiff:rows-per-strip=64", "", "", Flate, 8},
		{"jpegone.tif", "-compress JPEG -quality 95 -define tiff:rows-per-strip=1169", "", "", DCT, 8},
		{"greyjpeg.tif", "-compress JPEG -quality 95 -define tiff:rows-per-strip=64 " + grey, grey, "", Flate, 8},
		{"16bit.tif", "-compress LZW -depth 16", "", "", Flate, 8},
		{"cmyk.tif", "-compress LZW -colorspace CMYK", "", "", Flate, 8},
		{"palette.tif", "-compress LZW -colors 200 -type Palette", "", "", Flate, 8},
		{"grey4.tif", grey + " -depth 4 -compress None -type Grayscale", grey + " -depth 4", "", Flate, 8},
		{"alpha.tif", "-compress LZW -transparent white", "", "", Flate, 8},
		{"g4.tif", bilevel + " -compress Group4", bilevel, "", G4, 1},
		{"g3.tif", bilevel + " -compress Fax", bilevel, "", G4, 1},
		{"1bit.tif", bilevel + " -depth 1 -compress None", bilevel, "", G4, 1},
		{"1bitlzw.tif", bilevel + " -depth 1 -compress LZW", bilevel, "", G4, 1},
		{"g32d.tif", bilevel + " -compress Group4", bilevel, "-c g3:2d", G4, 1},
		{"g31dfill.tif", bilevel + " -compress Group4", bilevel, "-c g3:1d:fill", G4, 1},
		{"lsbfirst.tif", bilevel + " -compress Group4", bilevel, "-c g4 -f lsb2msb", G4, 1},
		{"strips.tif", bilevel + " -compress Group4", bilevel, "-c g4 -r 100", G4, 1},
		{"bilevelpackbits.tif", bilevel + " -compress Group4", bilevel, "-c packbits", G4, 1},
		{"big.tif", "-compress None", "", "-8 -c lzw", Flate, 8},
		{"bigendian.tif", "-compress None -depth 16", "", "-B -c lzw:2", Flate, 8},
		{"predictor.tif", "-compress None", "", "-c zip:2", Flate, 8},
		{"planes.tif", "-compress None", "", "-p separate -c lzw", Flate, 8},
		{"tiles.tif", "-compress None", "", "-t -w 128 -l 256 -c zip", Flate, 8},
		{"jpegtiles.tif", "-compress None", "", "-t -w 128 -l 256 -c jpeg:95", Flate, 8},
		{"jpegrgb.tif", "-compress None", "", "-c jpeg:95:r -r 64", Flate, 8},
		{"lossy.webp", "-quality 95", "", "", DCT, 8},
		{"lossless.webp", "-define webp:lossless=true", "", "", Flate, 8},
	}
	likes := map[string]image.Image{}
	var results []*Result
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			results = append(results, &Result{})
			path := filepath.Join(dir, tt.file)
			convert(t, magick, src, tt.options, path)
			if tt.tiffcp != "" {
				if out, err := exec.Command(tiffcp, append(strings.Fields(tt.tiffcp), path, path+".2")...).CombinedOutput(); err != nil {
					t.Fatalf("tiffcp: %v\n%s", err, out)
				}
				path += ".2"
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			r, err := read(t, tt.file, b)
			if err != nil {
				t.Fatal(err)
			}
			results[len(results)-1] = r
			p := r.Pages[0]
			if len(r.Pages) != 1 || p.Encoding != tt.encoding || p.Bits != tt.bits {
				t.Errorf("%d pages, the first %s in %d bits", len(r.Pages), p.Encoding, p.Bits)
			}
			if strings.HasSuffix(tt.file, ".webp") == (p.Sheet.DPI > 99 && p.Sheet.DPI < 101 && p.DPIX > 0) {
				t.Errorf("drawn at %g dpi; the file says %g × %g", p.Sheet.DPI, p.DPIX, p.DPIY)
			}
			if f := p.Sheet.FreeBottom / p.Sheet.Height; f < 0.38 || f > 0.405 {
				t.Errorf("%.3f of the height is free at the bottom, want 0.40", f)
			}
			if likes[tt.like] == nil {
				like := filepath.Join(dir, "like.png")
				convert(t, magick, src, tt.like, like)
				likes[tt.like] = decodeFile(t, like)
			}
		})
	}
	if t.Failed() {
		return
	}
	var out bytes.Buffer
	if _, err := Assemble(&out, results...); err != nil {
		t.Fatal(err)
	}
	run(t, qpdf, "--check", save(t, "out.pdf", out.Bytes()))
	pages := drawn(t, out.Bytes(), 100)
	for i, tt := range tests {
		if d := difference(pages[i], likes[tt.like]); d > 3 {
			t.Errorf("%s differs by %.1f", tt.file, d)
		}
	}
}

func convert(t testing.TB, magick, src, options, dst string) {
	t.Helper()
	args := append([]string{src}, strings.Fields(options)...)
	run(t, magick, append(args, "-density", "100", "-units", "PixelsPerInch", dst)...)
}

func writePNG(t testing.TB, path string, img image.Image) {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

func decodeFile(t testing.TB, path string) image.Image {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

func jpegOf(t testing.TB, img image.Image, quality int) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
