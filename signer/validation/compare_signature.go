package validation

import (
	"github.com/saoy/saoy/signer/pdf"
)

// widgetRole says why a widget appears that the signed revision did not have.
type widgetRole struct {
	field string
	shown bool // it draws something
}

// newSignature: a signature or document time-stamp that came later. Whether it is worth
// anything is its own verdict.
func (c *comparer) newSignature(v pdf.Object, name string) error {
	sig, ok, err := c.new.dict(v)
	if err != nil {
		return err
	}
	stamp := sig.Name("Type") == "DocTimeStamp" && sig.Name("SubFilter") == "ETSI.RFC3161"
	switch {
	case !ok || !sig.Has("ByteRange") || !sig.Has("Contents"):
		c.disallow(both{"trường chữ ký “%s” chứa thứ không phải chữ ký", "the signature field “%s” holds something that is no signature"}.with(name))
	case stamp:
		c.allow(both{"dấu thời gian tài liệu “%s”", "document time-stamp “%s”"}.with(name))
	case !c.may.fill(name):
		c.disallow(both{"chữ ký mới “%s” trong khi tài liệu đã khoá", "a new signature “%s” although the document is locked"}.with(name))
	default:
		c.allow(both{"chữ ký mới “%s”", "a new signature “%s”"}.with(name))
	}
	return nil
}

// newField: a field may come only with a signature in it.
func (c *comparer) newField(n pdf.Object, up fieldState, where *trail, depth int) error {
	d, ok, err := c.new.dict(n)
	if err != nil {
		return err
	}
	name, _, err := textOf(c.new, d.Get("T"))
	if err != nil {
		return err
	}
	full := joinName(up.name, name)
	unasked := both{"trường biểu mẫu mới “%s” không phải của một chữ ký", "a new form field “%s” that is not a signature's"}.with(full)
	kind, err := c.new.get(valueOf(d, "FT"))
	if err != nil {
		return err
	}
	if !ok || name == "" || kind != pdf.Name("Sig") || !d.Has("V") {
		c.disallow(unasked)
		return nil
	}
	if ref, ok := n.(pdf.Ref); ok && c.apart[ref] {
		c.disallow(unasked) // an object of the signed revision made into a field
		return nil
	}
	if err := c.newWidgetsOf(n, d, full, depth); err != nil {
		return err
	}
	return c.newSignature(d.Get("V"), full)
}

// newWidgetsOf notes the widgets of a new signature field: the field itself or its kids.
func (c *comparer) newWidgetsOf(n pdf.Object, field pdf.Dict, name string, depth int) error {
	kids, err := c.new.array(field.Get("Kids"))
	if err != nil {
		return err
	}
	if len(kids) == 0 {
		kids = pdf.Array{n}
	}
	for _, k := range kids {
		ref, ok := k.(pdf.Ref)
		if !ok || c.apart[ref] {
			c.disallow(describe("AcroForm/Fields/" + name))
			continue
		}
		d, _, err := c.new.dict(ref)
		if err != nil {
			return err
		}
		shown, err := c.shows(d)
		if err != nil {
			return err
		}
		if d.Has("AA") || d.Has("A") || field.Has("AA") || field.Has("A") {
			c.disallow(describe("AcroForm/Fields/" + name + "/AA"))
		}
		// An annotation of another kind is drawn by readers even without an appearance.
		if kind := d.Name("Subtype"); kind != "Widget" && (kind != "" || d.Has("Rect") || d.Has("Subtype")) {
			c.disallow(describe("AcroForm/Fields/" + name + "/Annots"))
		}
		c.newWidgets[ref] = widgetRole{name, shown}
	}
	return nil
}
