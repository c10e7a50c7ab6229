package stamp

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/signer/pdf"
)

// Paper writes a document that is no copy, such as the result of a verification, as a copy is
// written: PDF/A-2b (ISO 19005-2), tagged, in the embedded type, without a clock or
// randomness. It has no signature fields; who signs it makes one. It is not safe for
// concurrent use, and its first error is returned by Close.
type Paper struct {
	w         *output
	fonts     *fontSet
	structure *structure
	title     string
	author    string
	tree      pdf.Ref
	pages     []*PaperPage
	content   hash.Hash // of all that was drawn, for /ID
	err       error
}

// PaperPage is one page; all measures are points from its lower left corner.
type PaperPage struct {
	paper         *Paper
	ref           pdf.Ref
	canvas        *canvas
	images        pdf.Dict
	width, height float64
}

// PaperLine is a run of glyphs of a face and size with the origin of its first one.
type PaperLine struct {
	Run   typeface.Run
	Style typeface.Style
	Size  float64
	X, Y  float64
	// Colour is in DeviceRGB, 0 to 1.
	Colour [3]float64
}

// NewPaper starts a document with its title and who made it, for the metadata.
func NewPaper(out io.Writer, title, author string) (*Paper, error) {
	w := newOutput(out)
	fonts, err := newFontSet(w)
	if err != nil {
		return nil, err
	}
	return &Paper{w: w, fonts: fonts, structure: newStructure(), title: title, author: author, tree: w.Alloc(), content: sha256.New()}, nil
}

// Page appends an empty page.
func (p *Paper) Page(width, height float64) *PaperPage {
	ref := p.w.Alloc()
	page := &PaperPage{paper: p, ref: ref, canvas: &canvas{fonts: p.fonts, page: p.structure.addPage(ref)}, width: width, height: height}
	p.pages = append(p.pages, page)
	return page
}

// Paragraph sets lines as one structure element: "P", "H1", "H2", "H3".
func (g *PaperPage) Paragraph(tag string, lines ...PaperLine) {
	g.canvas.tagged(g.paper.structure.root.add(tag, ""), func() { g.set(lines) })
}

// Decoration sets lines that a screen reader leaves out, such as the number of a page.
func (g *PaperPage) Decoration(lines ...PaperLine) {
	g.canvas.artifact(func() { g.set(lines) })
}

func (g *PaperPage) set(lines []PaperLine) {
	for _, l := range lines {
		g.canvas.text(l.Style, l.Size, ink{l.Colour[0], l.Colour[1], l.Colour[2]}, l.Run, l.X, l.Y, 0)
	}
}

// Fill colours a rectangle, as decoration.
func (g *PaperPage) Fill(colour [3]float64, x, y, width, height float64) {
	g.canvas.artifact(func() { g.canvas.fill(ink{colour[0], colour[1], colour[2]}, rect{x, y, width, height}) })
}

// Picture draws a JPEG in RGB of so many pixels in a rectangle, with words for who cannot see it.
func (g *PaperPage) Picture(jpeg []byte, pixelsX, pixelsY int, alt string, x, y, width, height float64) {
	ref, err := g.paper.w.Add(pdf.NewStream(pdf.Dict{
		pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")),
		pdf.E("Width", pdf.Integer(pixelsX)), pdf.E("Height", pdf.Integer(pixelsY)),
		pdf.E("ColorSpace", pdf.Name("DeviceRGB")), pdf.E("BitsPerComponent", pdf.Integer(8)), pdf.E("Filter", pdf.Name("DCTDecode")),
	}, jpeg))
	g.paper.err = errors.Join(g.paper.err, err)
	_, _ = g.paper.content.Write(jpeg) // a hash takes all
	name := fmt.Sprintf("Im%d", len(g.images))
	g.images.Set(pdf.Name(name), ref)
	figure := g.paper.structure.root.add("Figure", alt)
	figure.box = &rect{x, y, width, height}
	g.canvas.tagged(figure, func() { g.canvas.image(name, *figure.box) })
}

// Across writes a run along the diagonal of a rectangle, large and translucent, as decoration:
// what lies under it stays legible and cannot be taken for something else.
func (g *PaperPage) Across(run typeface.Run, x, y, width, height float64) {
	angle := math.Atan2(height, width)
	size := min(0.8*math.Hypot(width, height)*1000/run.Width(1000), height/4)
	half, drop := run.Width(size)/2, size*0.3
	sin, cos := math.Sincos(angle)
	g.canvas.artifact(func() {
		g.canvas.op("q")
		g.canvas.op("/GS0 gs")
		g.canvas.text(typeface.Bold, size, stampRed, run, x+width/2-half*cos+drop*sin, y+height/2-half*sin-drop*cos, angle)
		g.canvas.op("Q")
	})
}

// Close writes the pages and all that belongs to the whole, and returns the first error.
func (p *Paper) Close() error {
	if p.err != nil {
		return p.err
	}
	kids := make(pdf.Array, len(p.pages))
	for i, g := range p.pages {
		kids[i] = g.ref
		if err := g.write(i); err != nil {
			return err
		}
	}
	err := p.w.Put(p.tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))})
	if err := errors.Join(err, p.fonts.write(p.w)); err != nil {
		return err
	}
	root, err := p.catalog()
	if err != nil {
		return err
	}
	id := pdf.String{Bytes: p.content.Sum(nil)[:16], Hex: true}
	return p.w.Close(pdf.Dict{pdf.E("Root", root), pdf.E("ID", pdf.Array{id, id})})
}

func (g *PaperPage) write(i int) error {
	p := g.paper
	_, _ = p.content.Write(g.canvas.buf.Bytes()) // a hash takes all
	content, err := p.w.addCompressed(nil, g.canvas.buf.Bytes())
	if err != nil {
		return err
	}
	resources := pdf.Dict{pdf.E("Font", p.fonts.resource()),
		pdf.E("ExtGState", pdf.Dict{pdf.E("GS0", pdf.Dict{pdf.E("ca", pdf.Real(0.3))})})}
	if len(g.images) > 0 {
		resources.Set("XObject", g.images)
	}
	return p.w.Put(g.ref, pdf.Dict{
		pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", p.tree), pdf.E("MediaBox", pdf.Rect(0, 0, round(g.width), round(g.height))),
		pdf.E("Resources", resources), pdf.E("Contents", content),
		pdf.E("Group", pdf.Dict{pdf.E("S", pdf.Name("Transparency")), pdf.E("CS", pdf.Name("DeviceRGB"))}),
		pdf.E("StructParents", pdf.Integer(i)), pdf.E("Tabs", pdf.Name("S")),
	})
}

func (p *Paper) catalog() (pdf.Ref, error) {
	meta, err := p.w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("Metadata")), pdf.E("Subtype", pdf.Name("XML"))}, p.metadata()))
	if err != nil {
		return pdf.Ref{}, err
	}
	profile, err := p.w.addCompressed(pdf.Dict{pdf.E("N", pdf.Integer(3))}, srgbProfile())
	if err != nil {
		return pdf.Ref{}, err
	}
	structure, err := p.structure.write(p.w)
	if err != nil {
		return pdf.Ref{}, err
	}
	return p.w.Add(pdf.Dict{
		pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", p.tree), pdf.E("Metadata", meta), pdf.E("Lang", pdf.Text("vi-VN")),
		pdf.E("MarkInfo", pdf.Dict{pdf.E("Marked", pdf.Boolean(true))}), pdf.E("StructTreeRoot", structure),
		pdf.E("ViewerPreferences", pdf.Dict{pdf.E("DisplayDocTitle", pdf.Boolean(true))}),
		pdf.E("OutputIntents", pdf.Array{pdf.Dict{
			pdf.E("Type", pdf.Name("OutputIntent")), pdf.E("S", pdf.Name("GTS_PDFA1")),
			pdf.E("OutputConditionIdentifier", pdf.Text(srgbName)), pdf.E("Info", pdf.Text(srgbName)),
			pdf.E("RegistryName", pdf.Text("http://www.color.org")), pdf.E("DestOutputProfile", profile),
		}}),
	})
}

// metadata returns the XMP packet: PDF/A-2b identification, title, author, language.
func (p *Paper) metadata() []byte {
	var b bytes.Buffer
	b.WriteString("<?xpacket begin=\"\uFEFF\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>\n" +
		`<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` + "\n" +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/">` + "\n" +
		"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance>\n<dc:format>application/pdf</dc:format>\n")
	fmt.Fprintf(&b, "<dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">%s</rdf:li></rdf:Alt></dc:title>\n", escape(p.title))
	fmt.Fprintf(&b, "<dc:creator><rdf:Seq><rdf:li>%s</rdf:li></rdf:Seq></dc:creator>\n", escape(p.author))
	b.WriteString("<dc:language><rdf:Bag><rdf:li>vi-VN</rdf:li></rdf:Bag></dc:language>\n<xmp:CreatorTool>Saoy</xmp:CreatorTool>\n" +
		"</rdf:Description>\n</rdf:RDF></x:xmpmeta>\n<?xpacket end=\"r\"?>\n")
	return b.Bytes()
}
