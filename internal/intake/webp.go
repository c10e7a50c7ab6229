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
	if _, lossy := img.(*image.YCbCr); lossy {
		return p, p.reencode(img, orIdentity(convert))
	}
	return p, p.lossless(img, convert)
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
