package pades

import (
	"github.com/saoy/saoy/signer/pdf"
)

// Appearance draws what is seen in the place of a signature.
type Appearance interface {
	// Draw returns the content of a form XObject of width by height points, upright as the
	// reader sees it, and its resources, for which it may add objects to the update.
	Draw(u *pdf.Update, width, height float64) (content []byte, resources pdf.Dict, err error)
}

// appearanceStream makes the form XObject of a widget on a page that is shown turned by
// rotate degrees; the matrix turns the drawing back upright.
func appearanceStream(u *pdf.Update, a Appearance, width, height float64, rotate int) (*pdf.Stream, error) {
	d := pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")),
		pdf.E("Subtype", pdf.Name("Form")),
		pdf.E("BBox", pdf.Rect(0, 0, width, height)),
	}
	switch rotate {
	case 90:
		d.Set("Matrix", pdf.Array{pdf.Integer(0), pdf.Integer(1), pdf.Integer(-1), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)})
	case 180:
		d.Set("Matrix", pdf.Array{pdf.Integer(-1), pdf.Integer(0), pdf.Integer(0), pdf.Integer(-1), pdf.Integer(0), pdf.Integer(0)})
	case 270:
		d.Set("Matrix", pdf.Array{pdf.Integer(0), pdf.Integer(-1), pdf.Integer(1), pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)})
	}
	if a == nil || width == 0 || height == 0 {
		return pdf.NewStream(d, nil), nil
	}
	content, resources, err := a.Draw(u, width, height)
	if err != nil {
		return nil, err
	}
	d.Set("Resources", resources)
	return pdf.NewFlateStream(d, content), nil
}

// pageRect turns a rectangle of the page as it is seen into one of its user space.
func pageRect(p pdf.Page, seen [4]float64) [4]float64 {
	left, bottom := p.CropBox[0], p.CropBox[1]
	w, h := p.CropBox[2]-left, p.CropBox[3]-bottom
	x0, y0, x1, y1 := seen[0], seen[1], seen[2], seen[3]
	switch p.Rotate {
	case 90:
		return [4]float64{left + w - y1, bottom + x0, left + w - y0, bottom + x1}
	case 180:
		return [4]float64{left + w - x1, bottom + h - y1, left + w - x0, bottom + h - y0}
	case 270:
		return [4]float64{left + y0, bottom + h - x1, left + y1, bottom + h - x0}
	}
	return [4]float64{left + x0, bottom + y0, left + x1, bottom + y1}
}
