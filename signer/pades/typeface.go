package pades

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/saoy/saoy/signer/pdf"
)

// Typeface is a font for the Text of an appearance. It is what is asked of a font program; the
// caller brings one, so that this package chooses no letters.
type Typeface interface {
	// Shape returns the glyphs of a line in reading order, and an error that names the
	// character if there is none for it: a name is never shown with a gap.
	Shape(line string) ([]Glyph, error)
	// Subset returns a TrueType font program with .notdef as glyph 0 and then the glyphs in
	// their order.
	Subset(glyphs []uint16) ([]byte, error)
	Metrics() Metrics
}

// Glyph is one character of a line.
type Glyph struct {
	ID      uint16 // in the font program
	Rune    rune
	Advance float64 // in thousandths of the em
}

// Metrics of a typeface, lengths in thousandths of the em (ISO 32000-2 Table 120).
type Metrics struct {
	Name                       string // PostScript name
	Box                        [4]int
	Ascent, Descent, CapHeight int
	ItalicAngle                float64
	StemV                      int
	Serif                      bool
}

// font collects the glyphs that an appearance uses; a character's code is the place of its
// glyph in the subset.
type font struct {
	face   Typeface
	glyphs []Glyph // by code-1
	codes  map[uint16]uint16
}

func newFont(face Typeface) *font { return &font{face: face, codes: map[uint16]uint16{}} }

// encode returns the codes of a line, two bytes each.
func (f *font) encode(line []Glyph) []byte {
	b := make([]byte, 0, 2*len(line))
	for _, g := range line {
		code, known := f.codes[g.ID]
		if !known {
			f.glyphs = append(f.glyphs, g)
			code = uint16(len(f.glyphs))
			f.codes[g.ID] = code
		}
		b = append(b, byte(code>>8), byte(code))
	}
	return b
}

// embed adds the font to the update: a composite one with an identity encoding and a map back
// to Unicode (ISO 32000-2 §9.7.4, §9.9, §9.10.3).
func (f *font) embed(u *pdf.Update) (pdf.Ref, error) {
	ids := make([]uint16, len(f.glyphs))
	for i, g := range f.glyphs {
		ids[i] = g.ID
	}
	program, err := f.face.Subset(ids)
	if err != nil {
		return pdf.Ref{}, fmt.Errorf("%w: %w", ErrText, err)
	}
	file := u.Add(pdf.NewFlateStream(pdf.Dict{pdf.E("Length1", pdf.Integer(len(program)))}, program))
	m := f.face.Metrics()
	name := pdf.Name(subsetTag(ids) + "+" + strings.ReplaceAll(m.Name, " ", ""))
	return u.Add(pdf.Dict{
		pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("Type0")), pdf.E("BaseFont", name),
		pdf.E("Encoding", pdf.Name("Identity-H")),
		pdf.E("DescendantFonts", pdf.Array{u.Add(f.descendant(name, u.Add(m.descriptor(name, file))))}),
		pdf.E("ToUnicode", u.Add(pdf.NewFlateStream(nil, f.toUnicode()))),
	}), nil
}

func (m Metrics) descriptor(name pdf.Name, file pdf.Ref) pdf.Dict {
	const serif, symbolic, italic = 1 << 1, 1 << 2, 1 << 6
	flags := symbolic
	if m.Serif {
		flags |= serif
	}
	if m.ItalicAngle != 0 {
		flags |= italic
	}
	n := func(v int) pdf.Object { return pdf.Integer(v) }
	return pdf.Dict{
		pdf.E("Type", pdf.Name("FontDescriptor")), pdf.E("FontName", name), pdf.E("Flags", n(flags)),
		pdf.E("FontBBox", pdf.Array{n(m.Box[0]), n(m.Box[1]), n(m.Box[2]), n(m.Box[3])}),
		pdf.E("ItalicAngle", pdf.Number(m.ItalicAngle)), pdf.E("Ascent", n(m.Ascent)), pdf.E("Descent", n(m.Descent)),
		pdf.E("CapHeight", n(m.CapHeight)), pdf.E("StemV", n(m.StemV)), pdf.E("FontFile2", file),
	}
}

func (f *font) descendant(name pdf.Name, descriptor pdf.Ref) pdf.Dict {
	widths := make(pdf.Array, len(f.glyphs))
	for i, g := range f.glyphs {
		widths[i] = pdf.Number(g.Advance)
	}
	return pdf.Dict{
		pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("CIDFontType2")), pdf.E("BaseFont", name),
		pdf.E("CIDSystemInfo", pdf.Dict{pdf.E("Registry", pdf.Text("Adobe")), pdf.E("Ordering", pdf.Text("Identity")), pdf.E("Supplement", pdf.Integer(0))}),
		pdf.E("FontDescriptor", descriptor), pdf.E("DW", pdf.Integer(1000)),
		pdf.E("W", pdf.Array{pdf.Integer(1), widths}), pdf.E("CIDToGIDMap", pdf.Name("Identity")),
	}
}

// toUnicode writes the CMap from codes to UTF-16, at most 100 entries a section.
func (f *font) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 0; from < len(f.glyphs); from += 100 {
		section := f.glyphs[from:min(from+100, len(f.glyphs))]
		fmt.Fprintf(&b, "%d beginbfchar\n", len(section))
		for i, g := range section {
			fmt.Fprintf(&b, "<%04X> <", from+i+1)
			for _, unit := range utf16.Encode([]rune{g.Rune}) {
				fmt.Fprintf(&b, "%04X", unit)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

// subsetTag is the six letters before a subset's name, made of the glyphs it holds (ISO
// 32000-2 §9.9.2).
func subsetTag(glyphs []uint16) string {
	h := uint64(14695981039346656037) // FNV-1a
	for _, g := range glyphs {
		h = (h ^ uint64(g)) * 1099511628211
	}
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + byte(h%26)
		h /= 26
	}
	return string(tag)
}
