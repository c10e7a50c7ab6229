package typeface

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Subset returns a font file with .notdef as glyph 0, then the given glyphs in their order
// as 1, 2, …, then the components they are made of, without hinting programs: what
// ISO 32000-2 §9.9.1 asks of a FontFile2 with an identity encoding. The same glyphs give the
// same bytes. Errors wrap ErrFont.
func (f *Face) Subset(glyphs []GlyphID) ([]byte, error) {
	tables, err := f.subsetTables(glyphs)
	if err != nil {
		return nil, err
	}
	return assemble(tables), nil
}

// Reduce returns a font file of the same names and licence that Parse can read, with the
// given characters only; it is how the embedded fonts are made. A character without a glyph
// is a *MissingGlyphError.
func (f *Face) Reduce(characters []rune) ([]byte, error) {
	var glyphs []GlyphID
	position := map[GlyphID]GlyphID{}
	runes := map[rune]GlyphID{}
	for _, r := range characters {
		g, ok := f.Glyph(r)
		if !ok {
			return nil, &MissingGlyphError{Rune: r, Text: string(r)}
		}
		if position[g] == 0 {
			glyphs = append(glyphs, g)
			position[g] = GlyphID(len(glyphs))
		}
		runes[r] = position[g]
	}
	tables, err := f.subsetTables(glyphs)
	if err != nil {
		return nil, err
	}
	tables["cmap"] = characterMap(runes)
	tables["name"], tables["OS/2"] = f.tables["name"], f.tables["OS/2"]
	tables["post"] = slices.Clone(f.tables["post"][:32])
	binary.BigEndian.PutUint32(tables["post"], 0x00030000) // no glyph names
	return assemble(tables), nil
}

func (f *Face) subsetTables(glyphs []GlyphID) (map[string][]byte, error) {
	order, err := f.closure(glyphs)
	if err != nil {
		return nil, err
	}
	position := make(map[GlyphID]uint16, len(order))
	for i, g := range order {
		position[g] = uint16(i)
	}
	var glyf, loca, hmtx []byte
	for _, g := range order {
		loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
		hmtx = u16s(hmtx, f.advances[g], f.bearing(g))
		outline, err := bare(f.glyphs[g], position)
		if err != nil {
			return nil, fmt.Errorf("glyph %d: %w", g, err)
		}
		glyf = pad4(append(glyf, outline...))
	}
	loca = binary.BigEndian.AppendUint32(loca, uint32(len(glyf)))
	n := uint16(len(order))
	return map[string][]byte{
		"glyf": glyf, "loca": loca, "hmtx": hmtx,
		"head": patched(f.tables["head"][:54], 8, 0, 10, 0, 50, 1), // checksum set last; long offsets
		"hhea": patched(f.tables["hhea"][:36], 34, n),
		"maxp": patched(f.tables["maxp"][:32], 4, n, 14, 1, 16, 0, 18, 0, 20, 0, 22, 0, 24, 0, 26, 0), // no programs
	}, nil
}

// closure returns .notdef, the wanted glyphs and, after them, every component they need.
func (f *Face) closure(glyphs []GlyphID) ([]GlyphID, error) {
	order := []GlyphID{0}
	seen := map[GlyphID]bool{0: true}
	for _, g := range glyphs {
		if g == 0 || seen[g] {
			return nil, fmt.Errorf("%w: glyph %d asked for twice", ErrFont, g)
		}
		seen[g] = true
		order = append(order, g)
	}
	for i := 0; i < len(order); i++ {
		if int(order[i]) >= len(f.glyphs) {
			return nil, fmt.Errorf("%w: no glyph %d", ErrFont, order[i])
		}
		parts, err := components(f.glyphs[order[i]])
		if err != nil {
			return nil, fmt.Errorf("glyph %d: %w", order[i], err)
		}
		for _, p := range parts {
			if c := GlyphID(u16(f.glyphs[order[i]], p+2)); !seen[c] {
				seen[c] = true
				order = append(order, c)
			}
		}
	}
	return order, nil
}

// patched returns a copy of a table with 16-bit values set at the given offsets: at, value,
// at, value …
func patched(table []byte, pairs ...uint16) []byte {
	t := slices.Clone(table)
	for pair := range slices.Chunk(pairs, 2) {
		binary.BigEndian.PutUint16(t[pair[0]:], pair[1])
	}
	return t
}

func pad4(b []byte) []byte { return append(b, make([]byte, (4-len(b)%4)%4)...) }

// assemble writes the table directory and the tables in the order of their tags, with
// checksums.
func assemble(tables map[string][]byte) []byte {
	var tags []string
	for tag := range tables {
		tags = append(tags, tag)
	}
	slices.Sort(tags)
	n := uint16(len(tags))
	power, log := uint16(1), uint16(0)
	for power*2 <= n {
		power, log = power*2, log+1
	}
	file := u16s(nil, 1, 0, n, 16*power, log, 16*(n-power))
	offset, headAt := len(file)+16*len(tags), 0
	var body []byte
	for _, tag := range tags {
		if tag == "head" {
			headAt = offset + len(body)
		}
		file = append(file, tag...)
		file = binary.BigEndian.AppendUint32(file, checksum(tables[tag]))
		file = binary.BigEndian.AppendUint32(file, uint32(offset+len(body)))
		file = binary.BigEndian.AppendUint32(file, uint32(len(tables[tag])))
		body = pad4(append(body, tables[tag]...))
	}
	file = append(file, body...)
	binary.BigEndian.PutUint32(file[headAt+8:], 0xB1B0AFBA-checksum(file))
	return file
}

// checksum adds the table up as 32-bit numbers, padded with zeros.
func checksum(b []byte) uint32 {
	var sum uint32
	for ; len(b) >= 4; b = b[4:] {
		sum += binary.BigEndian.Uint32(b)
	}
	var last [4]byte
	copy(last[:], b)
	return sum + binary.BigEndian.Uint32(last[:])
}
