package intake

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// Assemble writes the pages of the results, in their order, to w as one clean PDF 1.7, and
// describes it. A page is one image, "/Im0", and a content stream of one line that draws it;
// there is nothing else in the file: no metadata, no annotation, no action. The same pages give
// the same bytes. When it fails, what was written to w is worthless.
//
// Errors: *certcopy.Error with code Invalid when there are no pages, too many, or too many
// bytes; an error of w.
func Assemble(w io.Writer, results ...*Result) (certcopy.CleanDocument, error) {
	pages, err := gather(results)
	if err != nil {
		return certcopy.CleanDocument{}, err
	}
	sum := sha256.New()
	d := document{out: pdf.NewWriter(io.MultiWriter(w, sum), "1.7"), images: map[[32]byte]pdf.Ref{}}
	doc, err := d.write(pages)
	if err != nil {
		return certcopy.CleanDocument{}, fmt.Errorf("clean document: %w", err)
	}
	sum.Sum(doc.Digest[:0])
	return doc, nil
}

// gather lists the pages and holds them to the limits of a copy.
func gather(results []*Result) ([]*Page, error) {
	var pages []*Page
	var size int64
	for _, r := range results {
		for i := range r.Pages {
			pages = append(pages, &r.Pages[i])
			size += int64(len(r.Pages[i].Data))
		}
	}
	switch {
	case len(pages) == 0:
		return nil, errNoPages("")
	case len(pages) > certcopy.MaxPages:
		return nil, errPages("", len(pages))
	case size > certcopy.MaxCopyBytes-overhead(len(pages)):
		return nil, errCopySize(size)
	}
	return pages, nil
}

// overhead is an upper bound of what the file holds beside the samples.
func overhead(pages int) int64 { return 4096 + 4096*int64(pages) }

type document struct {
	out *pdf.Writer
	// images finds a picture that occurs twice, so that it is stored once.
	images map[[32]byte]pdf.Ref
}

func (d *document) write(pages []*Page) (doc certcopy.CleanDocument, err error) {
	catalog, tree := d.out.Alloc(), d.out.Alloc()
	kids := make(pdf.Array, 0, len(pages))
	id := sha256.New()
	for i, p := range pages {
		if err := p.check(); err != nil {
			return doc, fmt.Errorf("page %d: %w", i+1, err)
		}
		ref, err := d.page(tree, p, id)
		if err != nil {
			return doc, fmt.Errorf("page %d: %w", i+1, err)
		}
		kids = append(kids, ref)
		doc.Pages = append(doc.Pages, certcopy.Page{Width: p.Sheet.Width, Height: p.Sheet.Height,
			FreeBottom: p.Sheet.FreeBottom, DPI: p.Sheet.DPI})
	}
	err = d.out.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))})
	if err != nil {
		return doc, err
	}
	if err = d.out.Put(catalog, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}); err != nil {
		return doc, err
	}
	name := pdf.String{Bytes: id.Sum(nil)[:16], Hex: true}
	err = d.out.Close(pdf.Dict{pdf.E("Root", catalog), pdf.E("ID", pdf.Array{name, name})})
	doc.Size = d.out.Len()
	return doc, err
}

func (d *document) page(tree pdf.Ref, p *Page, id io.Writer) (pdf.Ref, error) {
	image, err := d.image(&p.Image, id)
	if err != nil {
		return pdf.Ref{}, err
	}
	content := drawing(p)
	_, _ = id.Write(content) // a hash takes every write
	stream, err := d.out.Add(pdf.NewStream(nil, content))
	if err != nil {
		return pdf.Ref{}, err
	}
	return d.out.Add(pdf.Dict{
		pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree),
		pdf.E("MediaBox", pdf.Rect(0, 0, p.Sheet.Width, p.Sheet.Height)),
		pdf.E("Resources", pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("Im0", image)})}),
		pdf.E("Contents", stream),
	})
}

// drawing is the page's content stream: a clip if the page is framed, and the picture.
func drawing(p *Page) []byte {
	b, f, sheet := []byte("q "), p.Edit.Frame.Turned(p.Edit.Turn), p.Sheet
	number := func(v float64) { b = append(strconv.AppendFloat(b, v, 'f', -1, 64), ' ') }
	matrix := sheet.matrix(p.Orientation)
	if f != (Frame{}) {
		for _, v := range [4]float64{sheet.X, sheet.Y, sheet.W, sheet.H} {
			number(v)
		}
		b = append(b, "re W n "...)
		around := f.around(sheet)
		matrix = f.tilted(around.matrix(p.Orientation), around)
	}
	for _, v := range matrix {
		number(v)
	}
	return append(b, "cm /Im0 Do Q\n"...)
}

// image puts the picture's object, or returns that of an equal one.
func (d *document) image(m *Image, id io.Writer) (pdf.Ref, error) {
	key, err := m.digest()
	if err != nil {
		return pdf.Ref{}, err
	}
	_, _ = id.Write(key[:])
	if ref, ok := d.images[key]; ok {
		return ref, nil
	}
	dict := pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")),
		pdf.E("Width", pdf.Integer(m.Width)), pdf.E("Height", pdf.Integer(m.Height)),
		pdf.E("ColorSpace", m.colorSpace()), pdf.E("BitsPerComponent", pdf.Integer(m.Bits)),
		pdf.E("Filter", pdf.Name(m.Encoding)),
	}
	if parms := m.decodeParms(); parms != nil {
		dict = append(dict, pdf.E("DecodeParms", parms))
	}
	ref := d.out.Alloc()
	d.images[key] = ref
	return ref, d.out.PutStream(ref, dict, bytes.NewReader(m.Data), int64(len(m.Data)))
}

// digest identifies what the image object will hold; where it is placed is not part of it.
func (m *Image) digest() (key [32]byte, err error) {
	object := *m
	object.Orientation, object.DPIX, object.DPIY, object.Free, object.Sized = 1, 0, 0, 0, false
	head, err := json.Marshal(object)
	if err != nil {
		return key, err
	}
	h := sha256.New()
	h.Write(head)
	h.Write(m.Data)
	h.Sum(key[:0])
	return key, nil
}

func (m *Image) colorSpace() pdf.Object {
	switch {
	case len(m.Palette) > 0:
		return pdf.Array{pdf.Name("Indexed"), pdf.Name("DeviceRGB"), pdf.Integer(len(m.Palette)/3 - 1),
			pdf.String{Bytes: m.Palette, Hex: true}}
	case m.Components == 3:
		return pdf.Name("DeviceRGB")
	}
	return pdf.Name("DeviceGray")
}

func (m *Image) decodeParms() pdf.Object {
	switch m.Encoding {
	case Flate:
		return pdf.Dict{pdf.E("Predictor", pdf.Integer(15)), pdf.E("Colors", pdf.Integer(m.Components)),
			pdf.E("BitsPerComponent", pdf.Integer(m.Bits)), pdf.E("Columns", pdf.Integer(m.Width))}
	case G4:
		return pdf.Dict{pdf.E("K", pdf.Integer(-1)), pdf.E("Columns", pdf.Integer(m.Width)), pdf.E("Rows", pdf.Integer(m.Height))}
	}
	return nil
}
