package intake

import (
	"bytes"
	"errors"
	"image"
	"image/jpeg"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
)

// reencodeQuality loses nothing that the eye finds on paper.
const reencodeQuality = 92

// readJPEG makes the page of a JPEG file. The file is decoded whole, to be sure that it can
// be, and the samples are passed through unless their colours need conversion.
func readJPEG(name string, b []byte) (Page, error) {
	j, img, err := decodeJPEG(name, b)
	if err != nil {
		return Page{}, err
	}
	return j.page(img)
}

func decodeJPEG(name string, b []byte) (*jpegFile, image.Image, error) {
	j, err := scanJPEG(b)
	switch {
	case err != nil:
		return nil, nil, errDamaged(name, err)
	case int64(j.width)*int64(j.height) > certcopy.MaxImagePixels:
		return nil, nil, errPixels(name, int64(j.width), int64(j.height))
	case !j.baselineLike || j.bits != 8:
		return nil, nil, errUnsupported(name, "JPEG lossless/arithmetic/12-bit")
	case j.progressive && !j.ended:
		return nil, nil, errTruncated(name, nil) // decodes, but coarsely
	}
	img, err := jpeg.Decode(bytes.NewReader(j.clean))
	switch {
	case err != nil && (!j.ended || errors.Is(err, io.ErrUnexpectedEOF)):
		return nil, nil, errTruncated(name, err)
	case err != nil:
		return nil, nil, errDamaged(name, err)
	}
	return j, img, nil
}

func (j *jpegFile) page(img image.Image) (Page, error) {
	p := Page{Image: Image{
		Width: j.width, Height: j.height, Components: j.components, Bits: 8, Encoding: DCT,
		Orientation: j.orientation, DPIX: j.dpiX, DPIY: j.dpiY, Data: j.clean,
	}}
	convert := colorsOf(j.icc, j.components)
	if j.components == 4 || j.components == 2 || j.rgbIDs && j.adobe < 0 {
		p.Components = 3
		convert = orIdentity(convert)
	}
	if convert == nil {
		p.see(inkOf(img))
		return p, nil
	}
	return p, p.reencode(img, convert)
}

// reencode replaces the samples by those of img with converted colours, as a JPEG. It warns
// where colours changed.
func (p *Page) reencode(img image.Image, convert *colors) error {
	out := convert.apply(img)
	var b bytes.Buffer
	if err := jpeg.Encode(&b, out, &jpeg.Options{Quality: reencodeQuality}); err != nil {
		return err
	}
	p.Encoding, p.Bits, p.Data = DCT, 8, b.Bytes()
	p.Components = 3
	if _, grey := out.(*image.Gray); grey {
		p.Components = 1
	}
	p.see(inkOf(out))
	if _, cmyk := img.(*image.CMYK); cmyk || !convert.plain {
		p.Warnings = append(p.Warnings, warnConverted())
	}
	return nil
}
