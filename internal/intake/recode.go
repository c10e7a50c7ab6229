package intake

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"math"

	"github.com/saoy/saoy/internal/intake/ccitt"
)

// decode returns the samples of a clean page.
func (m *Image) decode() (image.Image, error) {
	switch m.Encoding {
	case DCT:
		img, err := jpeg.Decode(bytes.NewReader(m.Data))
		if err == nil && (img.Bounds().Dx() != m.Width || img.Bounds().Dy() != m.Height) {
			err = errors.New("the JPEG has another size")
		}
		return img, err
	case G4:
		return m.decodeG4()
	}
	return m.decodeFlate()
}

func (m *Image) decodeG4() (image.Image, error) {
	d, err := ccitt.NewDecoder(m.Data, ccitt.Options{Width: m.Width, Group4: true})
	if err != nil {
		return nil, err
	}
	img := image.NewGray(image.Rect(0, 0, m.Width, m.Height))
	row := make([]byte, (m.Width+7)/8)
	for y := range m.Height {
		if err := d.Next(row); err != nil {
			return nil, fmt.Errorf("row %d: %w", y, err)
		}
		invertBits(row)
		out := img.Pix[y*img.Stride:][:m.Width]
		unpack(out, row, 1)
		for x := range out {
			out[x] *= 255
		}
	}
	return img, nil
}

func (m *Image) decodeFlate() (image.Image, error) {
	z, err := zlib.NewReader(bytes.NewReader(m.Data))
	if err != nil {
		return nil, err
	}
	step := max(1, m.Components*m.Bits/8)
	row, prior := make([]byte, 1+(m.Width*m.Components*m.Bits+7)/8), make([]byte, (m.Width*m.Components*m.Bits+7)/8)
	put, img := m.rowWriter()
	for y := range m.Height {
		if _, err := io.ReadFull(z, row); err != nil {
			return nil, fmt.Errorf("row %d: %w", y, noEOF(err))
		}
		if !unfilter(row[0], row[1:], prior, step) {
			return nil, fmt.Errorf("row %d: filter %d", y, row[0])
		}
		put(y, row[1:])
		copy(prior, row[1:])
	}
	return img, nil
}

// rowWriter returns an empty image and a function that fills a row of it with stored samples.
func (m *Image) rowWriter() (put func(y int, row []byte), img image.Image) {
	r := image.Rect(0, 0, m.Width, m.Height)
	if m.Components == 1 && m.Palette == nil {
		g := image.NewGray(r)
		return func(y int, row []byte) {
			out := g.Pix[y*g.Stride:][:m.Width]
			unpack(out, row, m.Bits)
			for x := range out {
				out[x] = uint8(int(out[x]) * 255 / (1<<m.Bits - 1))
			}
		}, g
	}
	rgba := image.NewRGBA(r)
	index := make([]byte, m.Width)
	return func(y int, row []byte) {
		out := rgba.Pix[y*rgba.Stride:][:4*m.Width]
		if m.Components == 1 {
			unpack(index, row, m.Bits)
		}
		for x := range m.Width {
			px := out[4*x : 4*x+4]
			px[3] = 255
			if m.Components == 3 {
				copy(px, row[3*x:3*x+3])
			} else if at := 3 * int(index[x]); at < len(m.Palette) {
				copy(px, m.Palette[at:at+3])
			}
		}
	}, rgba
}

// scaled rounds up, so that a page that is reduced to a resolution has no less.
func scaled(n int, by float64) int { return int(math.Ceil(float64(n)*by - 1e-6)) }

// reduce makes a picture smaller; each new sample is the mean of the area it covers.
func reduce(img image.Image, w, h int) image.Image {
	r := img.Bounds()
	_, grey := img.(*image.Gray)
	across, acc, sum := newSpan(r.Dx(), w), make([]float32, 4*w), make([]float32, 4*w)
	rgba := make([]byte, 4*r.Dx())
	out := image.NewRGBA(image.Rect(0, 0, w, h))
	last := -1
	for y := range h {
		clear(acc)
		y0, y1 := float64(y)*float64(r.Dy())/float64(h), float64(y+1)*float64(r.Dy())/float64(h)
		for sy := int(y0); sy < r.Dy() && float64(sy) < y1; sy++ {
			if sy != last {
				opaqueRow(rgba, img, r.Min.Y+sy)
				across.mean(sum, rgba)
				last = sy
			}
			weight := float32((math.Min(float64(sy+1), y1) - math.Max(float64(sy), y0)) / (y1 - y0))
			for i, v := range sum {
				acc[i] += weight * v
			}
		}
		for i, v := range acc {
			out.Pix[y*out.Stride+i] = uint8(v + 0.5)
		}
	}
	if grey {
		return luma(out)
	}
	return out
}

// span averages a row of samples over fewer ones.
type span struct{ from, to int }

func newSpan(from, to int) span { return span{from, to} }

func (s span) mean(dst []float32, row []byte) {
	clear(dst)
	for x := range s.to {
		x0, x1 := float64(x)*float64(s.from)/float64(s.to), float64(x+1)*float64(s.from)/float64(s.to)
		for sx := int(x0); sx < s.from && float64(sx) < x1; sx++ {
			weight := float32((math.Min(float64(sx+1), x1) - math.Max(float64(sx), x0)) / (x1 - x0))
			for k := range 4 {
				dst[4*x+k] += weight * float32(row[4*sx+k])
			}
		}
	}
}

// luma returns the brightness of a picture.
func luma(img image.Image) *image.Gray {
	if g, ok := img.(*image.Gray); ok {
		return g
	}
	r := img.Bounds()
	g := image.NewGray(image.Rect(0, 0, r.Dx(), r.Dy()))
	row := make([]byte, 4*r.Dx())
	for y := range r.Dy() {
		opaqueRow(row, img, r.Min.Y+y)
		lumaOf(g.Pix[y*g.Stride:][:r.Dx()], row, 4)
	}
	return g
}

// encodeAs writes img with the colours and the quality that were asked for.
func (p *Page) encodeAs(img image.Image, e Edit) error {
	if e.Colour != AsScanned {
		img = luma(img)
	}
	p.see(inkOf(img))
	if e.Colour == Bilevel {
		p.Components, p.Bits, p.Encoding, p.Data = 1, 1, G4, fax(blackAndWhite(img.(*image.Gray), p.Sheet.DPI))
		return nil
	}
	p.Components, p.Bits, p.Encoding = 3, 8, DCT
	if _, grey := img.(*image.Gray); grey {
		p.Components = 1
	}
	quality := e.Quality
	if quality == 0 {
		quality = reencodeQuality
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, img, &jpeg.Options{Quality: quality})
	p.Data = b.Bytes()
	return err
}

// otsu returns the brightness that parts ink from paper best (Otsu 1979): the one between
// whose sides the variance is greatest.
func otsu(g *image.Gray) uint8 {
	var hist [256]float64
	total, sum := 0.0, 0.0
	for _, v := range g.Pix {
		hist[v]++
		total++
		sum += float64(v)
	}
	best, at, below, belowSum := 0.0, 127, 0.0, 0.0
	for v, n := range hist {
		below += n
		belowSum += n * float64(v)
		if below == 0 || below == total {
			continue
		}
		d := belowSum/below - (sum-belowSum)/(total-below)
		if between := below * (total - below) * d * d; between > best {
			best, at = between, v
		}
	}
	return uint8(at)
}
