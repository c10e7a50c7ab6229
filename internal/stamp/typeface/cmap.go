package typeface

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// readCharacters reads the Unicode (3,1) or (0,*) subtable of format 4.
func (f *Face) readCharacters() error {
	t := f.tables["cmap"]
	for i := range int(u16(t, 2)) {
		at := 4 + 8*i
		platform, encoding, offset := u16(t, at), u16(t, at+2), int(u32(t, at+4))
		unicode := platform == 0 || platform == 3 && encoding == 1
		if unicode && offset < len(t) && u16(t, offset) == 4 {
			f.runes = f.format4(t[offset:])
			return nil
		}
	}
	return fmt.Errorf("%w: no Unicode character map of format 4", ErrFont)
}

// format4 expands the segments; glyph indices beyond the font are left out.
func (f *Face) format4(t []byte) map[rune]GlyphID {
	segments := min(int(u16(t, 6))/2, len(t)/8)
	runes := make(map[rune]GlyphID)
	for s := range segments {
		end, start := int(u16(t, 14+2*s)), int(u16(t, 16+2*segments+2*s))
		delta := u16(t, 16+4*segments+2*s)
		rangeAt := 16 + 6*segments + 2*s
		offset := int(u16(t, rangeAt))
		for c := start; c <= end && c < 0xFFFF; c++ {
			g := uint16(c) + delta
			if offset != 0 {
				if g = u16(t, rangeAt+offset+2*(c-start)); g != 0 {
					g += delta
				}
			}
			if g != 0 && int(g) < len(f.glyphs) {
				runes[rune(c)] = GlyphID(g)
			}
		}
	}
	return runes
}

// characterMap writes a cmap table with one subtable of format 4 for platform 3, encoding 1:
// one segment per run of consecutive characters with consecutive glyphs.
func characterMap(runes map[rune]GlyphID) []byte {
	type segment struct{ start, end, delta uint16 }
	var segments []segment
	for _, r := range sortedRunes(runes) {
		delta := uint16(runes[r]) - uint16(r)
		if n := len(segments); n > 0 && segments[n-1].end+1 == uint16(r) && segments[n-1].delta == delta {
			segments[n-1].end++
			continue
		}
		segments = append(segments, segment{uint16(r), uint16(r), delta})
	}
	segments = append(segments, segment{0xFFFF, 0xFFFF, 1})
	n := uint16(len(segments))
	power, log := uint16(1), uint16(0)
	for power*2 <= n {
		power, log = power*2, log+1
	}
	b := u16s(nil, 0, 1, 3, 1, 0, 12, 4, 16+8*n, 0, 2*n, 2*power, log, 2*n-2*power)
	for _, s := range segments {
		b = u16s(b, s.end)
	}
	b = u16s(b, 0)
	for _, s := range segments {
		b = u16s(b, s.start)
	}
	for _, s := range segments {
		b = u16s(b, s.delta)
	}
	return append(b, make([]byte, 2*n)...)
}

func sortedRunes(runes map[rune]GlyphID) []rune {
	sorted := make([]rune, 0, len(runes))
	for r := range runes {
		sorted = append(sorted, r)
	}
	slices.Sort(sorted)
	return sorted
}

func u16s(b []byte, values ...uint16) []byte {
	for _, v := range values {
		b = binary.BigEndian.AppendUint16(b, v)
	}
	return b
}
