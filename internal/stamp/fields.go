package stamp

import (
	"rsc.io/qr"

	"github.com/saoy/saoy/signer/pdf"
)

// addFields puts both signature fields over the pictures, each merged with its one widget.
// Their appearance is empty, so that signing adds nothing to what is seen: only /V.
func (d *document) addFields(parent *node, page *taggedPage, certifier, agency rect) error {
	lock := pdf.Dict{pdf.E("Type", pdf.Name("SigFieldLock")), pdf.E("Action", pdf.Name("All"))}
	for _, f := range []struct {
		name, label string
		box         rect
		lock        pdf.Dict
	}{
		{CertifierField, "Chữ ký số của người thực hiện chứng thực", certifier, nil},
		{AgencyField, "Chữ ký số của cơ quan chứng thực", agency, lock},
	} {
		if err := d.addField(parent, page, f.name, f.label, f.box, f.lock); err != nil {
			return err
		}
	}
	return nil
}

func (d *document) addField(parent *node, page *taggedPage, name, label string, box rect, lock pdf.Dict) error {
	appearance, err := d.w.Add(pdf.NewStream(pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Form")),
		pdf.E("BBox", pdf.Rect(0, 0, round(box.width), round(box.height))), pdf.E("Resources", pdf.Dict{}),
	}, nil))
	if err != nil {
		return err
	}
	const print = 1 << 2
	ref := d.w.Alloc()
	d.structure.addWidget(parent, page, ref, label)
	field := pdf.Dict{
		pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("FT", pdf.Name("Sig")),
		pdf.E("T", pdf.Text(name)), pdf.E("TU", pdf.Text(label)), pdf.E("F", pdf.Integer(print)),
		pdf.E("Rect", box.array()), pdf.E("P", page.ref), pdf.E("AP", pdf.Dict{pdf.E("N", appearance)}),
		pdf.E("StructParent", d.structure.widgetKey(len(d.structure.widgets)-1)),
	}
	if lock != nil {
		ref, err := d.w.Add(lock)
		if err != nil {
			return err
		}
		field.Set("Lock", ref)
	}
	d.fields = append(d.fields, ref)
	return d.w.Put(ref, field)
}

// acroForm lists the fields. SignaturesExist says that there are signature fields;
// AppendOnly is for the first signature to set (ISO 32000-2 §12.7.3, Table 225).
func (d *document) acroForm() pdf.Dict {
	const signaturesExist = 1
	fields := make(pdf.Array, len(d.fields))
	for i, f := range d.fields {
		fields[i] = f
	}
	return pdf.Dict{pdf.E("Fields", fields), pdf.E("SigFlags", pdf.Integer(signaturesExist))}
}

// qr draws a QR code (ISO/IEC 18004) with its quiet zone on white, as one path of rectangles.
func (c *canvas) qr(code *qr.Code, box rect) {
	const quiet = 4
	module := box.width / float64(code.Size+2*quiet)
	c.fill(white, box)
	c.op("rg", black.r, black.g, black.b)
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			from := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > from {
				c.op("re", box.x+module*float64(quiet+from), box.y+box.height-module*float64(quiet+y+1),
					module*float64(x-from), module)
			}
		}
	}
	c.op("f")
}
