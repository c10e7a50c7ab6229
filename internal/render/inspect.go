package render

import (
	"fmt"
	"math"

	"github.com/klippa-app/go-pdfium/enums"
	"github.com/klippa-app/go-pdfium/requests"
)

// Signed reports whether a signature field of the document holds a signature.
func (d *Document) Signed() bool {
	n, err := d.machine.FPDF_GetSignatureCount(&requests.FPDF_GetSignatureCount{Document: d.ref})
	if err != nil {
		return false
	}
	for i := range n.Count {
		s, err := d.machine.FPDF_GetSignatureObject(&requests.FPDF_GetSignatureObject{Document: d.ref, Index: i})
		if err != nil {
			continue
		}
		c, err := d.machine.FPDFSignatureObj_GetContents(&requests.FPDFSignatureObj_GetContents{Signature: s.Signature})
		if err == nil && len(c.Contents) > 0 {
			return true
		}
	}
	return false
}

// Active reports whether the document holds scripts, attached files, a form, or, on page 0 to
// Pages()-1, annotations such as links.
func (d *Document) Active() bool {
	if n, err := d.machine.FPDFDoc_GetJavaScriptActionCount(&requests.FPDFDoc_GetJavaScriptActionCount{Document: d.ref}); err == nil && n.JavaScriptActionCount > 0 {
		return true
	}
	if n, err := d.machine.FPDFDoc_GetAttachmentCount(&requests.FPDFDoc_GetAttachmentCount{Document: d.ref}); err == nil && n.AttachmentCount > 0 {
		return true
	}
	form, err := d.machine.FPDF_GetFormType(&requests.FPDF_GetFormType{Document: d.ref})
	return err == nil && form.FormType != enums.FPDF_FORMTYPE_NONE
}

// Annotations is the number of annotations on page i.
func (d *Document) Annotations(i int) int {
	n, err := d.machine.FPDFPage_GetAnnotCount(&requests.FPDFPage_GetAnnotCount{Page: d.page(i)})
	if err != nil {
		return 0
	}
	return n.Count
}

// scanObjects is how many objects of a page are looked at: a scan is one image or some
// stripes of one.
const scanObjects = 64

// ScanDPI returns the resolution of the images on page i when together they are as large as
// a third of the page, the mark of a scan; else 0.
func (d *Document) ScanDPI(i int) (float64, error) {
	w, h, err := d.Size(i)
	if err != nil {
		return 0, err
	}
	n, err := d.machine.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: d.page(i)})
	if err != nil {
		return 0, fmt.Errorf("%w: page %d: %w", ErrDamaged, i+1, err)
	}
	var best, area float64
	for k := range min(n.Count, scanObjects) {
		dpi, points := d.imageAt(i, k)
		best, area = math.Max(best, dpi), area+points
	}
	if area < w*h/3 {
		return 0, nil
	}
	return best, nil
}

// imageAt returns the resolution and the area, in square points, of object k of page i if
// it is an image.
func (d *Document) imageAt(i, k int) (dpi, area float64) {
	o, err := d.machine.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: d.page(i), Index: k})
	if err != nil {
		return 0, 0
	}
	t, err := d.machine.FPDFPageObj_GetType(&requests.FPDFPageObj_GetType{PageObject: o.PageObject})
	if err != nil || t.Type != enums.FPDF_PAGEOBJ_IMAGE {
		return 0, 0
	}
	r, err := d.machine.FPDFImageObj_GetImageMetadata(&requests.FPDFImageObj_GetImageMetadata{ImageObject: o.PageObject, Page: d.page(i)})
	if err != nil {
		return 0, 0
	}
	m := r.ImageMetadata
	x, y := float64(m.HorizontalDPI), float64(m.VerticalDPI)
	if !(x > 0 && y > 0) || math.IsInf(x, 0) || math.IsInf(y, 0) {
		return 0, 0
	}
	return math.Min(x, y), float64(m.Width) / x * float64(m.Height) / y * 72 * 72
}

// Scan is the one picture that a page consists of.
type Scan struct {
	JPEG   []byte // the file as it lies in the PDF
	Rotate int    // quarter turns clockwise that the page asks for
}

// SoleJPEG returns the JPEG that page i consists of: its only object, without annotations,
// upright and as large as the page. What it looks like may still depend on more than the
// samples (a mask, another colour space), so a caller that uses them compares with Page.
func (d *Document) SoleJPEG(i int) (Scan, bool) {
	n, err := d.machine.FPDFPage_CountObjects(&requests.FPDFPage_CountObjects{Page: d.page(i)})
	if err != nil || n.Count != 1 || d.Annotations(i) > 0 {
		return Scan{}, false
	}
	turn, err := d.machine.FPDFPage_GetRotation(&requests.FPDFPage_GetRotation{Page: d.page(i)})
	if err != nil || !d.fillsPage(i, int(turn.PageRotation)) {
		return Scan{}, false
	}
	o, err := d.machine.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: d.page(i), Index: 0})
	if err != nil {
		return Scan{}, false
	}
	filters, err := d.machine.FPDFImageObj_GetImageFilterCount(&requests.FPDFImageObj_GetImageFilterCount{ImageObject: o.PageObject})
	if err != nil || filters.Count != 1 {
		return Scan{}, false
	}
	f, err := d.machine.FPDFImageObj_GetImageFilter(&requests.FPDFImageObj_GetImageFilter{ImageObject: o.PageObject, Index: 0})
	if err != nil || f.ImageFilter != "DCTDecode" {
		return Scan{}, false
	}
	raw, err := d.machine.FPDFImageObj_GetImageDataRaw(&requests.FPDFImageObj_GetImageDataRaw{ImageObject: o.PageObject})
	if err != nil {
		return Scan{}, false
	}
	return Scan{JPEG: raw.Data, Rotate: int(turn.PageRotation)}, true
}

// fillsPage reports whether the only object of page i is drawn upright over the whole page.
func (d *Document) fillsPage(i, rotate int) bool {
	o, err := d.machine.FPDFPage_GetObject(&requests.FPDFPage_GetObject{Page: d.page(i), Index: 0})
	if err != nil {
		return false
	}
	m, err := d.machine.FPDFPageObj_GetMatrix(&requests.FPDFPageObj_GetMatrix{PageObject: o.PageObject})
	if err != nil {
		return false
	}
	w, h, err := d.Size(i)
	if err != nil {
		return false
	}
	if rotate%2 == 1 {
		w, h = h, w
	}
	near := func(v float32, want float64) bool { return math.Abs(float64(v)-want) < 1 }
	x := m.Matrix
	return near(x.A, w) && near(x.B, 0) && near(x.C, 0) && near(x.D, h)
}
