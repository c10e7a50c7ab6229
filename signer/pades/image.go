package pades

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	_ "image/jpeg" // DecodeConfig knows JPEG
	_ "image/png"  // and PNG

	"github.com/saoy/saoy/signer/pdf"
)

// MaxImagePixels of an Image.
const MaxImagePixels = 16 << 20

// ErrImage: the picture of an appearance is neither a JPEG in grey or RGB nor a PNG, or is
// too large.
var ErrImage = errors.New("image cannot be used as an appearance")

// Image is an appearance that shows a picture, as large as fits the place, in the middle,
// its sides in proportion.
type Image struct {
	// Data is a JPEG, which is embedded as it is, or a PNG, whose transparency is kept.
	Data []byte
}

// Draw adds the picture to the update and places it.
func (m Image) Draw(u *pdf.Update, width, height float64) ([]byte, pdf.Dict, error) {
	c, format, err := image.DecodeConfig(bytes.NewReader(m.Data))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	if c.Width <= 0 || c.Height <= 0 || c.Width > MaxImagePixels/c.Height {
		return nil, nil, fmt.Errorf("%w: %d × %d pixels", ErrImage, c.Width, c.Height)
	}
	var object *pdf.Stream
	if format == "jpeg" {
		object, err = jpegObject(m.Data, c)
	} else {
		object, err = pngObject(u, m.Data, c)
	}
	if err != nil {
		return nil, nil, err
	}
	scale := min(width/float64(c.Width), height/float64(c.Height))
	w, h := scale*float64(c.Width), scale*float64(c.Height)
	content := fmt.Appendf(nil, "q %.4f 0 0 %.4f %.4f %.4f cm /Im0 Do Q\n", w, h, (width-w)/2, (height-h)/2)
	return content, pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("Im0", u.Add(object))})}, nil
}

func imageDict(c image.Config, space pdf.Name) pdf.Dict {
	return pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")),
		pdf.E("Subtype", pdf.Name("Image")),
		pdf.E("Width", pdf.Integer(c.Width)),
		pdf.E("Height", pdf.Integer(c.Height)),
		pdf.E("ColorSpace", space),
		pdf.E("BitsPerComponent", pdf.Integer(8)),
	}
}

func jpegObject(data []byte, c image.Config) (*pdf.Stream, error) {
	space := pdf.Name("DeviceRGB")
	switch c.ColorModel {
	case color.GrayModel:
		space = "DeviceGray"
	case color.CMYKModel: // its polarity is not recorded reliably
		return nil, fmt.Errorf("%w: a JPEG in CMYK", ErrImage)
	}
	d := imageDict(c, space)
	d.Set("Filter", pdf.Name("DCTDecode"))
	return pdf.NewStream(d, data), nil
}

// pngObject decodes the picture into samples and, where it is transparent, a soft mask.
func pngObject(u *pdf.Update, data []byte, c image.Config) (*pdf.Stream, error) {
	img, _, err := image.Decode(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrImage, err)
	}
	b := img.Bounds()
	samples := make([]byte, 0, 3*c.Width*c.Height)
	mask := make([]byte, 0, c.Width*c.Height)
	opaque := true
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			p := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
			samples = append(samples, p.R, p.G, p.B)
			mask = append(mask, p.A)
			opaque = opaque && p.A == 0xFF
		}
	}
	d := imageDict(c, "DeviceRGB")
	if !opaque {
		d.Set("SMask", u.Add(pdf.NewFlateStream(imageDict(c, "DeviceGray"), mask)))
	}
	return pdf.NewFlateStream(d, samples), nil
}
