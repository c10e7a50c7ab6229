package stamp

import (
	"fmt"
	"math"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/signer/pdf"
)

// Measures of a page, in points.
const (
	a4Width, a4Height = 595.276, 841.89
	margin            = 42.0
	footMargin        = 28.0 // under the statement on a scanned page
	headGap           = 16.0 // between what is drawn on the page and the statement
)

// placement is where the statement goes.
type placement struct {
	appended      bool
	width, height float64 // of the appended page
	x, y          float64 // of the block's lower left corner
}

// place puts the statement under the content of the last page if it is free over a height
// that holds it, else on a page of its own, of the last page's size but never under A4.
func place(b *block, t Template, pages []certcopy.Page) placement {
	last := pages[len(pages)-1]
	if !t.OwnPage && last.FreeBottom >= headGap+b.height+footMargin && last.Width >= b.width+2*margin {
		x := (last.Width - b.width) / 2
		if last.Width > 2*b.width+3*margin {
			x = last.Width - margin - b.width // the right half of a wide sheet
		}
		return placement{x: x, y: min(last.FreeBottom, last.Height-margin) - headGap - b.height}
	}
	p := placement{appended: true, width: max(last.Width, a4Width), height: max(last.Height, a4Height)}
	if last.Width > last.Height {
		p.width, p.height = max(last.Width, a4Height), max(last.Height, a4Width)
	}
	p.x, p.y = (p.width-b.width)/2, p.height-1.5*margin-b.height
	return p
}

// writePage writes one page: the scan if there is one, the statement on the last, and the
// marks that go on every page.
func (d *document) writePage(i int, src *cleanPage, at placement) error {
	tagged := d.structure.pages[i]
	c := &canvas{fonts: d.fonts, page: tagged}
	var images pdf.Dict
	if src.image != nil {
		ref, err := d.scan(src)
		if err != nil {
			return err
		}
		images.Set("Im0", ref)
		d.drawScan(c, i, src)
	}
	annots := pdf.Array{}
	if i == d.result.StatementPage {
		if err := d.drawStatement(c, at, &images); err != nil {
			return err
		}
		for _, f := range d.fields {
			annots = append(annots, f)
		}
	}
	if err := d.drawMarks(c, src.width, src.height); err != nil {
		return err
	}
	content, err := d.w.addCompressed(nil, c.buf.Bytes())
	if err != nil {
		return err
	}
	return d.w.Put(d.pages[i], d.pageDict(i, src, content, images, annots))
}

// scan puts the image of a page, once for all pages that share it.
func (d *document) scan(src *cleanPage) (pdf.Ref, error) {
	if ref, ok := d.scans[src.imageRef]; ok {
		return ref, nil
	}
	ref, err := d.w.Add(src.image)
	d.scans[src.imageRef] = ref
	return ref, err
}

func (d *document) pageDict(i int, src *cleanPage, content pdf.Ref, images pdf.Dict, annots pdf.Array) pdf.Dict {
	resources := pdf.Dict{pdf.E("Font", d.fonts.resource()),
		pdf.E("ExtGState", pdf.Dict{pdf.E("GS0", pdf.Dict{pdf.E("ca", pdf.Real(markOpacity))})})}
	if len(images) > 0 {
		resources.Set("XObject", images)
	}
	page := pdf.Dict{
		pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", d.tree),
		pdf.E("MediaBox", pdf.Rect(0, 0, round(src.width), round(src.height))),
		pdf.E("Resources", resources), pdf.E("Contents", content),
		pdf.E("Group", pdf.Dict{pdf.E("S", pdf.Name("Transparency")), pdf.E("CS", pdf.Name("DeviceRGB"))}),
		pdf.E("StructParents", pdf.Integer(i)), pdf.E("Tabs", pdf.Name("S")),
	}
	if len(annots) > 0 {
		page.Set("Annots", annots)
	}
	return page
}

func (d *document) drawScan(c *canvas, i int, src *cleanPage) {
	figure := d.structure.root.add("Figure", fmt.Sprintf("Ảnh chụp bản chính, trang %d", i+1))
	figure.box = &rect{0, 0, src.width, src.height}
	c.tagged(figure, func() { c.raw(src.content) })
}

// drawStatement draws the block in reading order and puts the fields over the pictures.
func (d *document) drawStatement(c *canvas, at placement, images *pdf.Dict) error {
	b := d.block
	section := d.structure.root.add("Sect", "")
	for _, e := range b.elements {
		c.tagged(section.add(e.tag, ""), func() {
			for _, l := range e.lines {
				c.text(l.style, l.size, black, l.run, at.x+l.x, at.y+l.y, 0)
			}
		})
	}
	c.artifact(func() { c.fill(black, b.rule.moved(at.x, at.y)) })
	code := d.figure(section, "Mã QR dẫn tới "+d.facts.VerifyURL, b.qrBox.moved(at.x, at.y))
	c.tagged(code, func() { c.qr(b.code, *code.box) })
	// The seal goes over the signature, as on paper.
	if err := d.drawPicture(c, section, images, "Im1", "Ảnh chữ ký của người thực hiện chứng thực", b.signature, b.signatureBox.moved(at.x, at.y)); err != nil {
		return err
	}
	if d.mode == preview {
		return nil
	}
	if err := d.drawPicture(c, section, images, "Im2", "Ảnh con dấu của cơ quan chứng thực", b.seal, b.sealBox.moved(at.x, at.y)); err != nil {
		return err
	}
	if d.mode == sample {
		return nil
	}
	return d.addFields(section, c.page, b.signatureBox.moved(at.x, at.y), b.sealBox.moved(at.x, at.y))
}

func (d *document) figure(parent *node, alt string, box rect) *node {
	e := parent.add("Figure", alt)
	e.box = &box
	return e
}

func (d *document) drawPicture(c *canvas, parent *node, images *pdf.Dict, name pdf.Name, alt string, p *picture, box rect) error {
	if p == nil {
		return nil
	}
	ref, err := p.put(d.w)
	if err != nil {
		return err
	}
	images.Set(name, ref)
	c.tagged(d.figure(parent, alt, box), func() { c.image(string(name), box) })
	return nil
}

// Texts across every page.
const (
	demonstrationText = "BẢN TRÌNH DIỄN – KHÔNG CÓ GIÁ TRỊ PHÁP LÝ"
	previewText       = "CHƯA ĐÓNG DẤU"
	markOpacity       = 0.22
)

// drawMarks writes the marks of a demonstration or a preview: across the page, large and
// translucent, and in a line along the top edge.
func (d *document) drawMarks(c *canvas, width, height float64) error {
	var texts []string
	switch d.mode {
	case preview:
		texts = append(texts, previewText)
	case sample:
		texts = append(texts, sampleText)
	}
	if d.facts.Demonstration {
		texts = append(texts, demonstrationText)
	}
	for i, text := range texts {
		run, err := d.fonts.fonts[typeface.Bold].face.Shape(text)
		if err != nil {
			return err
		}
		const size = 10
		label := rect{(width - run.Width(size)) / 2, height - 18 - 14*float64(i), run.Width(size), 14}
		c.artifact(func() { c.fill(white, label) }) // legible on a dark scan too
		c.tagged(d.structure.root.add("P", ""), func() {
			c.text(typeface.Bold, size, stampRed, run, label.x, label.y+4, 0)
		})
		c.artifact(func() { c.across(run, width, height, float64(i)) })
	}
	return nil
}

// across draws a run along the page's diagonal, the n-th beside the first.
func (c *canvas) across(run typeface.Run, width, height, n float64) {
	length := 0.82 * math.Hypot(width, height)
	size := min(length*1000/run.Width(1000), 72)
	angle := math.Atan2(height, width)
	half, shift := run.Width(size)/2, n*1.3*size+size*0.3
	sin, cos := math.Sincos(angle)
	c.op("q")
	c.op("/GS0 gs")
	c.text(typeface.Bold, size, stampRed, run, width/2-half*cos+shift*sin, height/2-half*sin-shift*cos, angle)
	c.op("Q")
}
