package pades

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/saoy/saoy/signer/pdf"
)

// byteRangeHole is a /ByteRange as wide as any; the numbers are written over it when the
// update is laid out.
var byteRangeHole = pdf.Array{pdf.Integer(0), pdf.Integer(9_999_999_999), pdf.Integer(9_999_999_999), pdf.Integer(9_999_999_999)}

// signatureDict returns the signature dictionary with empty places (ISO 32000-2 Table 255,
// ETSI EN 319 142-1 §6.3). /ByteRange and /Contents come before any text of the caller, so
// that no text can be mistaken for them.
func (o *Options) signatureDict(references pdf.Array) pdf.Dict {
	d := holes("Sig", "ETSI.CAdES.detached", o.ContentsSize)
	d.Set("M", pdf.Date(o.SigningTime))
	for _, e := range []struct {
		key  pdf.Name
		text string
	}{{"Name", o.Name}, {"Reason", o.Reason}, {"Location", o.Location}, {"ContactInfo", o.ContactInfo}} {
		if e.text != "" {
			d.Set(e.key, pdf.Text(e.text))
		}
	}
	if len(references) > 0 {
		d.Set("Reference", references)
	}
	return d
}

func holes(kind, subFilter pdf.Name, reserve int) pdf.Dict {
	return append(make(pdf.Dict, 0, 12),
		pdf.E("Type", kind),
		pdf.E("Filter", pdf.Name("Adobe.PPKLite")),
		pdf.E("SubFilter", subFilter),
		pdf.E("ByteRange", byteRangeHole),
		pdf.E("Contents", pdf.Place(reserve)),
	)
}

// docMDP is the reference of a certification signature. It has no /DigestMethod,
// /DigestValue or /DigestLocation: ISO 19005-2 §6.1.12 forbids them.
func docMDP(level int) pdf.Dict {
	return pdf.Dict{
		pdf.E("Type", pdf.Name("SigRef")),
		pdf.E("TransformMethod", pdf.Name("DocMDP")),
		pdf.E("TransformParams", pdf.Dict{
			pdf.E("Type", pdf.Name("TransformParams")),
			pdf.E("P", pdf.Integer(level)),
			pdf.E("V", pdf.Name("1.2")),
		}),
	}
}

// fieldMDP is the reference of a signature that locks fields; /Data is the catalog.
func fieldMDP(l *Lock, catalog pdf.Ref) pdf.Dict {
	params := l.dict("TransformParams")
	params.Set("V", pdf.Name("1.2"))
	return pdf.Dict{
		pdf.E("Type", pdf.Name("SigRef")),
		pdf.E("TransformMethod", pdf.Name("FieldMDP")),
		pdf.E("TransformParams", params),
		pdf.E("Data", catalog),
	}
}

// layout is an increment around the place of /Contents, with its /ByteRange written.
type layout struct {
	head, tail []byte // head ends before "<", tail begins behind ">"
	reserved   int    // bytes of DER
}

// byteRange returns the four numbers for a base of a size.
func (l *layout) byteRange(baseSize int64) [4]int64 {
	gap := baseSize + int64(len(l.head))
	end := gap + 2 + 2*int64(l.reserved)
	return [4]int64{0, gap, end, int64(len(l.tail))}
}

// cut finds the places in the signature dictionary at offset, before which there is none, and
// writes /ByteRange.
func cut(increment []byte, offset int64, reserved int, baseSize int64) (*layout, error) {
	object := increment[offset:]
	contents, hole := []byte("/Contents <>"), []byte("/ByteRange [0 9999999999 9999999999 9999999999]")
	at := bytes.Index(object, contents)
	rangeAt := bytes.Index(object, hole)
	if at < 0 || rangeAt < 0 || rangeAt > at {
		return nil, fmt.Errorf("%w: the update has no places to fill", ErrPrepared)
	}
	start := int(offset) + at + len(contents) - len("<>")
	l := &layout{head: increment[:start:start], tail: increment[start+len("<>"):], reserved: reserved}
	text := formatByteRange(l.byteRange(baseSize), len(hole)-len("/ByteRange "))
	if len(text) > len(hole)-len("/ByteRange ") {
		return nil, fmt.Errorf("%w: the file is too large for /ByteRange", ErrOptions)
	}
	copy(object[rangeAt+len("/ByteRange "):], text)
	return l, nil
}

// formatByteRange writes the array, padded with spaces before its bracket to a width.
func formatByteRange(r [4]int64, width int) []byte {
	b := append(make([]byte, 0, 64), '[')
	for i, n := range r {
		if i > 0 {
			b = append(b, ' ')
		}
		b = strconv.AppendInt(b, n, 10)
	}
	for len(b) < width-1 {
		b = append(b, ' ')
	}
	return append(b, ']')
}
