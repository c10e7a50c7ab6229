package stamp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// ErrPicture: an image of a signature or seal cannot be used.
var ErrPicture = errors.New("unusable picture")

// Limits and sizes of the drawn images.
const (
	maxPictureBytes = 1 << 20
	maxPictureSide  = 3000 // pixels

	// SealMillimetres is the diameter of a commune's seal, used when the PNG does not tell its
	// resolution (pHYs).
	SealMillimetres    = 36.0
	minSealMillimetres = 25.0
	maxSealMillimetres = 45.0

	signatureMaxWidth  = 42 * millimetre
	signatureMaxHeight = 24 * millimetre
	millimetre         = 72 / 25.4
)

// picture is a decoded PNG with its size on paper in points.
type picture struct {
	pixels        *image.NRGBA
	width, height float64
}

// CheckSignature reports whether a PNG may be drawn as an official's signature: at most 1 MiB
// and 3,000 pixels a side, with a transparent ground, in blue ink (NĐ 30/2020 Phụ lục I).
// Errors wrap ErrPicture and are certcopy.Errors of code Invalid.
func CheckSignature(file []byte) error {
	p, err := signaturePicture(file)
	if err != nil {
		return err
	}
	return p.checkInk(fieldSignature, "xanh", "blue", func(r, g, b int) bool { return b > r+20 && b >= g })
}

// CheckSeal reports whether a PNG may be drawn as a seal: limits as CheckSignature, round to
// within a tenth, 25 to 45 mm across by its pHYs chunk if it has one, in red.
func CheckSeal(file []byte) error {
	p, err := sealPicture(file)
	if err != nil {
		return err
	}
	return p.checkInk(fieldSeal, "đỏ", "red", func(r, g, b int) bool { return r > g+40 && r > b+40 })
}

// signaturePicture fits the signature into its place and keeps its proportions.
func signaturePicture(file []byte) (*picture, error) {
	p, err := decodePicture(fieldSignature, file)
	if err != nil {
		return nil, err
	}
	size := p.pixels.Bounds().Size()
	scale := min(signatureMaxWidth/float64(size.X), signatureMaxHeight/float64(size.Y))
	p.width, p.height = float64(size.X)*scale, float64(size.Y)*scale
	return p, nil
}

// sealPicture gives the seal its true size.
func sealPicture(file []byte) (*picture, error) {
	p, err := decodePicture(fieldSeal, file)
	if err != nil {
		return nil, err
	}
	size := p.pixels.Bounds().Size()
	if ratio := float64(size.X) / float64(size.Y); ratio < 0.9 || ratio > 1.1 {
		return nil, badPicture(fieldSeal, nil, "ảnh không vuông", "it is not square")
	}
	across := SealMillimetres
	if perMetre := pixelsPerMetre(file); perMetre > 0 {
		across = float64(size.X) * 1000 / perMetre
	}
	if across < minSealMillimetres || across > maxSealMillimetres {
		return nil, badPicture(fieldSeal, nil,
			fmt.Sprintf("con dấu rộng %.0f mm, phải từ %.0f đến %.0f mm", across, minSealMillimetres, maxSealMillimetres),
			fmt.Sprintf("the seal is %.0f mm across, it must be %.0f to %.0f mm", across, minSealMillimetres, maxSealMillimetres))
	}
	p.width = across * millimetre
	p.height = p.width * float64(size.Y) / float64(size.X)
	return p, nil
}

func decodePicture(name fieldName, file []byte) (*picture, error) {
	if len(file) > maxPictureBytes {
		return nil, badPicture(name, nil, "tệp lớn hơn 1 MiB", "the file is larger than 1 MiB")
	}
	config, err := png.DecodeConfig(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture(name, err, "không phải tệp PNG", "it is not a PNG file")
	}
	if config.Width > maxPictureSide || config.Height > maxPictureSide {
		return nil, badPicture(name, nil, "mỗi cạnh không quá 3000 điểm ảnh", "a side may have at most 3000 pixels")
	}
	decoded, err := png.Decode(bytes.NewReader(file))
	if err != nil {
		return nil, badPicture(name, err, "tệp PNG bị hỏng", "the PNG file is damaged")
	}
	return &picture{pixels: straightAlpha(decoded)}, nil
}

// straightAlpha converts to 8-bit colour not multiplied by alpha, as a PDF soft mask wants.
// A pixel nobody sees takes the colour of the one before: nothing hides there, and it packs.
func straightAlpha(src image.Image) *image.NRGBA {
	b := src.Bounds()
	dst := image.NewNRGBA(image.Rect(0, 0, b.Dx(), b.Dy()))
	at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(src.At(x, y)).(color.NRGBA) }
	if straight, ok := src.(*image.NRGBA); ok {
		at = straight.NRGBAAt // the usual form, without an allocation per pixel
	}
	var last color.NRGBA
	for y := range b.Dy() {
		for x := range b.Dx() {
			c := at(b.Min.X+x, b.Min.Y+y)
			if c.A == 0 {
				c = color.NRGBA{R: last.R, G: last.G, B: last.B}
			}
			dst.SetNRGBA(x, y, c)
			last = c
		}
	}
	return dst
}

// checkInk looks at the drawn pixels: most must be of the ink, and at least a third of the
// picture must be transparent.
func (p *picture) checkInk(name fieldName, vi, en string, isInk func(r, g, b int) bool) error {
	var drawn, ink, clear int
	for i := 0; i+3 < len(p.pixels.Pix); i += 4 {
		px := p.pixels.Pix[i : i+4]
		switch {
		case px[3] < 32:
			clear++
		case px[3] > 128:
			drawn++
			if isInk(int(px[0]), int(px[1]), int(px[2])) {
				ink++
			}
		}
	}
	switch total := len(p.pixels.Pix) / 4; {
	case 3*clear < total:
		return badPicture(name, nil, "nền phải trong suốt", "its ground must be transparent")
	case drawn == 0 || 10*ink < 7*drawn:
		return badPicture(name, nil, "mực phải màu "+vi, "its ink must be "+en)
	}
	return nil
}

func badPicture(name fieldName, err error, vi, en string) error {
	return certcopy.Errorf(certcopy.Invalid, name.subject, errors.Join(ErrPicture, err), certcopy.Msg(
		fmt.Sprintf("Không dùng được %s: %s. Hãy tải lên tệp PNG khác.", name.vi, vi),
		fmt.Sprintf("The %s cannot be used: %s. Upload another PNG file.", name.en, en)))
}

// pixelsPerMetre reads the pHYs chunk of a PNG (ISO/IEC 15948 §11.3.5.3); 0 if it has none.
func pixelsPerMetre(file []byte) float64 {
	const signature, head, crc = 8, 8, 4
	for at := signature; at+head <= len(file); {
		size := int(binary.BigEndian.Uint32(file[at:]))
		body := at + head
		if size < 0 || body+size+crc > len(file) || string(file[at+4:body]) == "IDAT" {
			return 0
		}
		if string(file[at+4:body]) == "pHYs" && size == 9 && file[body+8] == 1 {
			return float64(binary.BigEndian.Uint32(file[body:]))
		}
		at = body + size + crc
	}
	return 0
}

// put writes the picture as an image with a soft mask.
func (p *picture) put(w *output) (pdf.Ref, error) {
	n := len(p.pixels.Pix) / 4
	colours, alpha := make([]byte, 0, 3*n), make([]byte, 0, n)
	for i := 0; i+3 < len(p.pixels.Pix); i += 4 {
		px := p.pixels.Pix[i : i+4]
		colours, alpha = append(colours, px[0], px[1], px[2]), append(alpha, px[3])
	}
	mask, err := p.plane(w, "DeviceGray", alpha, pdf.Ref{})
	if err != nil {
		return mask, err
	}
	return p.plane(w, "DeviceRGB", colours, mask)
}

func (p *picture) plane(w *output, space pdf.Name, samples []byte, mask pdf.Ref) (pdf.Ref, error) {
	size := p.pixels.Bounds().Size()
	d := pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")),
		pdf.E("Width", pdf.Integer(size.X)), pdf.E("Height", pdf.Integer(size.Y)),
		pdf.E("ColorSpace", space), pdf.E("BitsPerComponent", pdf.Integer(8)),
	}
	if !mask.IsZero() {
		d.Set("SMask", mask)
	}
	return w.addCompressed(d, samples)
}
