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

// readJPEG makes the page of a JPEG file. All its codes are read, to be sure that it can be
// decoded, and the samples are passed through unless their colours need conversion.
func readJPEG(name string, b []byte) (Page, error) {
	j, err := openJPEG(name, b)
	if err != nil {
		return Page{}, err
	}
	return j.page(name)
}

// openJPEG reads the structure of a file and refuses what no reader of a PDF would show.
func openJPEG(name string, b []byte) (*jpegFile, error) {
	j, err := scanJPEG(b)
	switch {
	case err != nil:
		return nil, errDamaged(name, err)
	case int64(j.width)*int64(j.height) > certcopy.MaxImagePixels:
		return nil, errPixels(name, int64(j.width), int64(j.height))
	case !j.baselineLike || j.bits != 8:
		return nil, errUnsupported(name, "JPEG lossless/arithmetic/12-bit")
	case j.progressive && !j.ended:
		return nil, errTruncated(name, nil) // decodes, but coarsely
	}
	return j, nil
}

// decode returns the whole picture.
func (j *jpegFile) decode(name string) (image.Image, error) {
	img, err := jpeg.Decode(bytes.NewReader(j.clean))
	switch {
	case err != nil && (!j.ended || errors.Is(err, io.ErrUnexpectedEOF)):
		return nil, errTruncated(name, err)
	case err != nil:
		return nil, errDamaged(name, err)
	}
	return img, nil
}

// look returns the picture, reduced if that is all that is asked of it.
func (j *jpegFile) look(name string, colour bool) (image.Image, error) {
	if img, ok := j.small(colour); ok && img != nil {
		return img, nil
	}
	return j.decode(name)
}

func (j *jpegFile) page(name string) (Page, error) {
	p := Page{Image: Image{
		Width: j.width, Height: j.height, Components: j.components, Bits: 8, Encoding: DCT,
		Orientation: j.orientation, DPIX: j.dpiX, DPIY: j.dpiY, Data: j.clean,
	}}
	convert := j.conversion()
	if convert == nil {
		img, err := j.look(name, false)
		if err == nil {
			p.see(inkOf(img))
		}
		return p, err
	}
	img, err := j.decode(name)
	if err != nil {
		return p, err
	}
	return p, p.reencode(img, convert)
}

// conversion returns what makes of the samples those of sRGB or grey, nil if they are.
func (j *jpegFile) conversion() *colors {
	convert := colorsOf(j.icc, j.components)
	if j.components == 4 || j.components == 2 || j.rgbIDs && j.adobe < 0 {
		return orIdentity(convert)
	}
	return convert
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
