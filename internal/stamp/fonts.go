package stamp

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf16"

	"github.com/saoy/saoy/internal/stamp/typeface"
	"github.com/saoy/saoy/signer/pdf"
)

// styles are the faces in the order of their resource names /F0, /F1, /F2.
var styles = []typeface.Style{typeface.Regular, typeface.Bold, typeface.Italic}

// fontSet collects the glyphs one document uses and embeds them at the end.
type fontSet struct{ fonts []*embeddedFont }

// embeddedFont is one face of a document; a character's code is the place of its glyph in
// the subset.
type embeddedFont struct {
	face   *typeface.Face
	ref    pdf.Ref
	glyphs []typeface.GlyphID // by code-1
	runes  []rune             // by code-1
	codes  map[typeface.GlyphID]uint16
}

func newFontSet(w *output) (*fontSet, error) {
	s := &fontSet{}
	for _, style := range styles {
		face, err := typeface.Tinos(style)
		if err != nil {
			return nil, err
		}
		s.fonts = append(s.fonts, &embeddedFont{face: face, ref: w.Alloc(), codes: map[typeface.GlyphID]uint16{}})
	}
	return s, nil
}

// resource is the /Font dictionary of a page.
func (s *fontSet) resource() pdf.Dict {
	var d pdf.Dict
	for i, f := range s.fonts {
		d.Set(fontName(typeface.Style(i)), f.ref)
	}
	return d
}

func fontName(s typeface.Style) pdf.Name { return pdf.Name(fmt.Sprintf("F%d", s)) }

// encode returns the codes of a run, two bytes each.
func (f *embeddedFont) encode(run typeface.Run) []byte {
	var b []byte
	for _, d := range run {
		code, ok := f.codes[d.Glyph]
		if !ok {
			f.glyphs, f.runes = append(f.glyphs, d.Glyph), append(f.runes, d.Rune)
			code = uint16(len(f.glyphs))
			f.codes[d.Glyph] = code
		}
		b = append(b, byte(code>>8), byte(code))
	}
	return b
}

func (s *fontSet) write(w *output) error {
	for _, f := range s.fonts {
		if err := f.write(w); err != nil {
			return err
		}
	}
	return nil
}

// write embeds the font as a composite one with an identity encoding and a map back to
// Unicode (ISO 32000-2 §9.7.4, §9.10.3).
func (f *embeddedFont) write(w *output) error {
	file, err := f.face.Subset(f.glyphs)
	if err != nil {
		return err
	}
	fileRef, err := w.addCompressed(pdf.Dict{pdf.E("Length1", pdf.Integer(len(file)))}, file)
	if err != nil {
		return err
	}
	unicode, err := w.addCompressed(nil, f.toUnicode())
	if err != nil {
		return err
	}
	name := pdf.Name(subsetTag(f.glyphs) + "+" + strings.ReplaceAll(f.face.Name, " ", ""))
	descriptor, err := w.Add(f.descriptor(name, fileRef))
	if err != nil {
		return err
	}
	descendant, err := w.Add(f.descendant(name, descriptor))
	if err != nil {
		return err
	}
	return w.Put(f.ref, pdf.Dict{
		pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("Type0")), pdf.E("BaseFont", name),
		pdf.E("Encoding", pdf.Name("Identity-H")), pdf.E("DescendantFonts", pdf.Array{descendant}),
		pdf.E("ToUnicode", unicode),
	})
}

func (f *embeddedFont) descriptor(name pdf.Name, file pdf.Ref) pdf.Dict {
	const symbolic, serif, italic = 1 << 2, 1 << 1, 1 << 6
	flags := symbolic | serif
	if f.face.ItalicAngle != 0 {
		flags |= italic
	}
	em := func(units int) pdf.Object { return pdf.Integer(int64(f.face.Thousandths(units))) }
	stem := 80
	if strings.Contains(f.face.Name, "Bold") {
		stem = 140
	}
	return pdf.Dict{
		pdf.E("Type", pdf.Name("FontDescriptor")), pdf.E("FontName", name), pdf.E("Flags", pdf.Integer(flags)),
		pdf.E("FontBBox", pdf.Array{em(f.face.Box[0]), em(f.face.Box[1]), em(f.face.Box[2]), em(f.face.Box[3])}),
		pdf.E("ItalicAngle", pdf.Number(f.face.ItalicAngle)), pdf.E("Ascent", em(f.face.Ascent)),
		pdf.E("Descent", em(f.face.Descent)), pdf.E("CapHeight", em(f.face.CapHeight)),
		pdf.E("StemV", pdf.Integer(stem)), pdf.E("FontFile2", file),
	}
}

func (f *embeddedFont) descendant(name pdf.Name, descriptor pdf.Ref) pdf.Dict {
	widths := make(pdf.Array, len(f.glyphs))
	for i, g := range f.glyphs {
		widths[i] = pdf.Number(round(f.face.Thousandths(f.face.Advance(g))))
	}
	return pdf.Dict{
		pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("CIDFontType2")), pdf.E("BaseFont", name),
		pdf.E("CIDSystemInfo", pdf.Dict{pdf.E("Registry", pdf.Text("Adobe")), pdf.E("Ordering", pdf.Text("Identity")),
			pdf.E("Supplement", pdf.Integer(0))}),
		pdf.E("FontDescriptor", descriptor), pdf.E("DW", pdf.Integer(1000)),
		pdf.E("W", pdf.Array{pdf.Integer(1), widths}), pdf.E("CIDToGIDMap", pdf.Name("Identity")),
	}
}

// toUnicode writes the CMap from codes to UTF-16, at most 100 entries a section.
func (f *embeddedFont) toUnicode() []byte {
	var b bytes.Buffer
	b.WriteString("/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n" +
		"/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n" +
		"/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n" +
		"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n")
	for from := 0; from < len(f.runes); from += 100 {
		section := f.runes[from:min(from+100, len(f.runes))]
		fmt.Fprintf(&b, "%d beginbfchar\n", len(section))
		for i, r := range section {
			fmt.Fprintf(&b, "<%04X> <", from+i+1)
			for _, u := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&b, "%04X", u)
			}
			b.WriteString(">\n")
		}
		b.WriteString("endbfchar\n")
	}
	b.WriteString("endcmap\nCMapName currentdict /CMap defineresource pop\nend\nend\n")
	return b.Bytes()
}

// subsetTag is the six letters before a subset's name, made of the glyphs it holds
// (ISO 32000-2 §9.9.2).
func subsetTag(glyphs []typeface.GlyphID) string {
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
