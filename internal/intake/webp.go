package intake

import (
	"bytes"
	"encoding/binary"
	"image"

	"github.com/saoy/saoy/internal/certcopy"
	"golang.org/x/image/webp"
)

// readWebP makes the page of a WebP file: a lossless one stays so, a lossy one becomes a JPEG.
func readWebP(name string, b []byte) (Page, error) {
	c, err := webp.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return Page{}, pngError(name, noEOF(err))
	}
	if int64(c.Width)*int64(c.Height) > certcopy.MaxImagePixels {
		return Page{}, errPixels(name, int64(c.Width), int64(c.Height))
	}
	img, err := webp.Decode(bytes.NewReader(b))
	if err != nil {
		return Page{}, pngError(name, noEOF(err))
	}
	chunks := webpChunks(b)
	p := Page{Image: Image{Width: c.Width, Height: c.Height, Orientation: 1}}
	if exif, ok := chunks["EXIF"]; ok {
		p.Orientation, p.DPIX, p.DPIY = exifClaims(bytes.TrimPrefix(exif, []byte("Exif\x00\x00")))
	}
	convert := colorsOf(chunks["ICCP"], 3)
	switch v := img.(type) {
	case *image.YCbCr:
		fullRange(v)
		return p, p.reencode(img, orIdentity(convert))
	case *image.NYCbCrA:
		fullRange(&v.YCbCr)
		return p, p.reencode(img, orIdentity(convert))
	}
	return p, p.lossless(img, convert)
}

// fullRange stretches samples of 16 to 235 and 16 to 240, which VP8 has (RFC 6386 §9.2), to
// those of 0 to 255 that the image package means.
func fullRange(m *image.YCbCr) {
	var luma, chroma [256]uint8
	for i := range 256 {
		luma[i] = uint8(min(255, max(0, ((i-16)*255+109)/219)))
		chroma[i] = uint8(min(255, max(0, 128+(i-128)*255/224)))
	}
	for i, v := range m.Y {
		m.Y[i] = luma[v]
	}
	for _, plane := range [][]uint8{m.Cb, m.Cr} {
		for i, v := range plane {
			plane[i] = chroma[v]
		}
	}
}

// webpChunks finds the metadata chunks of a RIFF container.
func webpChunks(b []byte) map[string][]byte {
	chunks := map[string][]byte{}
	for at := uint64(12); at+8 <= uint64(len(b)); {
		n := uint64(binary.LittleEndian.Uint32(b[at+4:]))
		if n > uint64(len(b))-at-8 {
			break
		}
		chunks[string(b[at:at+4])] = b[at+8 : at+8+n]
		at += 8 + n + n&1
	}
	return chunks
}
