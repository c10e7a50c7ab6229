package typeface

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrFont: the bytes are not a TrueType font this package can use; the error says why.
var ErrFont = errors.New("unusable TrueType font")

// GlyphID is the index of a glyph in one font file.
type GlyphID uint16

// Face is one parsed font file. It is immutable and safe for concurrent use.
type Face struct {
	// Name is the PostScript name, "Tinos-Bold".
	Name string
	// UnitsPerEm is the number of font units of the em square.
	UnitsPerEm int
	// Ascent, Descent (negative) and CapHeight are in font units.
	Ascent, Descent, CapHeight int
	// Box is the bounding box of all glyphs in font units: xMin, yMin, xMax, yMax.
	Box [4]int
	// ItalicAngle is in degrees counter-clockwise from the vertical.
	ItalicAngle float64

	tables   map[string][]byte
	glyphs   [][]byte // slices of glyf, by GlyphID
	advances []uint16 // by GlyphID
	runes    map[rune]GlyphID
}

// requiredTables are what Parse needs of a font file.
var requiredTables = []string{"head", "hhea", "maxp", "hmtx", "loca", "glyf", "cmap", "name", "OS/2", "post"}

// maxFontBytes bounds what Parse looks at.
const maxFontBytes = 16 << 20

// Parse reads a TrueType font with outlines in glyf and a Unicode character map of format 4
// (OpenType 1.9). It copies nothing: b must not change afterwards. Errors wrap ErrFont.
func Parse(b []byte) (*Face, error) {
	tables, err := directory(b)
	if err != nil {
		return nil, err
	}
	f := &Face{tables: tables}
	for _, read := range []func() error{f.readMetrics, f.readGlyphs, f.readAdvances, f.readNames, f.readCharacters} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// directory slices the file into its tables.
func directory(b []byte) (map[string][]byte, error) {
	if len(b) < 12 || len(b) > maxFontBytes || binary.BigEndian.Uint32(b) != 0x00010000 {
		return nil, fmt.Errorf("%w: no TrueType header", ErrFont)
	}
	n := int(u16(b, 4))
	if len(b) < 12+16*n {
		return nil, fmt.Errorf("%w: directory cut off", ErrFont)
	}
	tables := make(map[string][]byte, n)
	for i := range n {
		e := b[12+16*i:]
		offset, length := uint64(u32(e, 8)), uint64(u32(e, 12))
		if offset+length > uint64(len(b)) {
			return nil, fmt.Errorf("%w: table %q beyond the end", ErrFont, e[:4])
		}
		tables[string(e[:4])] = b[offset : offset+length : offset+length]
	}
	for _, tag := range requiredTables {
		if len(tables[tag]) < minimumSize[tag] {
			return nil, fmt.Errorf("%w: table %q missing or too short", ErrFont, tag)
		}
	}
	return tables, nil
}

// minimumSize holds the fixed part of each required table, so that fixed offsets are safe.
var minimumSize = map[string]int{"head": 54, "hhea": 36, "maxp": 32, "hmtx": 4, "loca": 4, "glyf": 1,
	"cmap": 4, "name": 6, "OS/2": 90, "post": 32}

func (f *Face) readMetrics() error {
	head, hhea, post := f.tables["head"], f.tables["hhea"], f.tables["post"]
	f.UnitsPerEm = int(u16(head, 18))
	if f.UnitsPerEm < 16 || f.UnitsPerEm > 16384 {
		return fmt.Errorf("%w: %d units per em", ErrFont, f.UnitsPerEm)
	}
	for i := range f.Box {
		f.Box[i] = int(i16(head, 36+2*i))
	}
	f.Ascent, f.Descent = int(i16(hhea, 4)), int(i16(hhea, 6))
	f.CapHeight = int(i16(f.tables["OS/2"], 88))
	f.ItalicAngle = float64(int32(u32(post, 4))) / 65536
	return nil
}

func (f *Face) readGlyphs() error {
	n := int(u16(f.tables["maxp"], 4))
	loca, glyf := f.tables["loca"], f.tables["glyf"]
	long := u16(f.tables["head"], 50) == 1
	size := 2
	if long {
		size = 4
	}
	if n == 0 || len(loca) < size*(n+1) {
		return fmt.Errorf("%w: loca too short for %d glyphs", ErrFont, n)
	}
	at := func(i int) uint64 {
		if long {
			return uint64(u32(loca, 4*i))
		}
		return 2 * uint64(u16(loca, 2*i))
	}
	f.glyphs = make([][]byte, n)
	for i := range n {
		from, to := at(i), at(i+1)
		if from > to || to > uint64(len(glyf)) {
			return fmt.Errorf("%w: glyph %d beyond glyf", ErrFont, i)
		}
		f.glyphs[i] = glyf[from:to]
	}
	return nil
}

func (f *Face) readAdvances() error {
	hmtx, n := f.tables["hmtx"], int(u16(f.tables["hhea"], 34))
	if n == 0 || n > len(f.glyphs) || len(hmtx) < 4*n+2*(len(f.glyphs)-n) {
		return fmt.Errorf("%w: hmtx does not fit %d metrics", ErrFont, n)
	}
	f.advances = make([]uint16, len(f.glyphs))
	for i := range f.advances {
		f.advances[i] = u16(hmtx, 4*min(i, n-1))
	}
	return nil
}

// bearing returns the left side bearing of g.
func (f *Face) bearing(g GlyphID) uint16 {
	n := int(u16(f.tables["hhea"], 34))
	if int(g) < n {
		return u16(f.tables["hmtx"], 4*int(g)+2)
	}
	return u16(f.tables["hmtx"], 4*n+2*(int(g)-n))
}

// readNames finds the PostScript name (name ID 6) in its Windows or Macintosh form.
func (f *Face) readNames() error {
	t := f.tables["name"]
	storage := int(u16(t, 4))
	for i := range int(u16(t, 2)) {
		at := 6 + 12*i
		if at+12 > len(t) {
			return fmt.Errorf("%w: name records cut off", ErrFont)
		}
		from := storage + int(u16(t, at+10))
		to := from + int(u16(t, at+8))
		if u16(t, at+6) != 6 || to > len(t) {
			continue
		}
		f.Name = ascii(t[from:to])
		return nil
	}
	return fmt.Errorf("%w: no PostScript name", ErrFont)
}

// ascii keeps the characters that a PostScript name may have; in UTF-16 it drops the zeros.
func ascii(b []byte) string {
	var s []byte
	for _, c := range b {
		if c > ' ' && c < 0x7F {
			s = append(s, c)
		}
	}
	return string(s)
}

// Glyph returns the glyph of r and whether the font has one.
func (f *Face) Glyph(r rune) (GlyphID, bool) {
	g, ok := f.runes[r]
	return g, ok
}

// Advance returns the width of g in font units; 0 if there is no such glyph.
func (f *Face) Advance(g GlyphID) int {
	if int(g) >= len(f.advances) {
		return 0
	}
	return int(f.advances[g])
}

// u16, i16 and u32 read big-endian numbers; beyond the end they read zero.
func u16(b []byte, at int) uint16 {
	if at < 0 || at+2 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint16(b[at:])
}

func i16(b []byte, at int) int16 { return int16(u16(b, at)) }

func u32(b []byte, at int) uint32 {
	if at < 0 || at+4 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint32(b[at:])
}
