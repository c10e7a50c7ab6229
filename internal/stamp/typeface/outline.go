package typeface

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// Flags of a component (OpenType 1.9, glyf).
const (
	argsAreWords     = 0x0001
	haveScale        = 0x0008
	moreComponents   = 0x0020
	haveXYScale      = 0x0040
	have2x2          = 0x0080
	haveInstructions = 0x0100
)

const glyphHeader = 10 // number of contours and bounding box

// components returns the offsets of the component records of a composite outline; none for
// a simple one.
func components(outline []byte) ([]int, error) {
	if len(outline) == 0 {
		return nil, nil
	}
	if len(outline) < glyphHeader {
		return nil, fmt.Errorf("%w: outline cut off", ErrFont)
	}
	if i16(outline, 0) >= 0 {
		return nil, nil
	}
	var at []int
	for p := glyphHeader; ; {
		if p+4 > len(outline) {
			return nil, fmt.Errorf("%w: component cut off", ErrFont)
		}
		at = append(at, p)
		flags := u16(outline, p)
		p += componentSize(flags)
		if p > len(outline) {
			return nil, fmt.Errorf("%w: component cut off", ErrFont)
		}
		if flags&moreComponents == 0 {
			return at, nil
		}
	}
}

func componentSize(flags uint16) int {
	size := 6
	if flags&argsAreWords != 0 {
		size += 2
	}
	switch {
	case flags&haveScale != 0:
		size += 2
	case flags&haveXYScale != 0:
		size += 4
	case flags&have2x2 != 0:
		size += 8
	}
	return size
}

// bare returns an outline without its hinting program and with component indices replaced
// by their new positions.
func bare(outline []byte, position map[GlyphID]uint16) ([]byte, error) {
	parts, err := components(outline)
	if err != nil {
		return nil, err
	}
	if len(parts) == 0 {
		return bareSimple(outline)
	}
	last := parts[len(parts)-1]
	out := slices.Clone(outline[:last+componentSize(u16(outline, last))])
	for _, p := range parts {
		binary.BigEndian.PutUint16(out[p:], u16(out, p)&^haveInstructions)
		binary.BigEndian.PutUint16(out[p+2:], position[GlyphID(u16(outline, p+2))])
	}
	return out, nil
}

func bareSimple(outline []byte) ([]byte, error) {
	contours := int(i16(outline, 0))
	if len(outline) == 0 || contours == 0 {
		return nil, nil
	}
	at := glyphHeader + 2*contours
	if at+2 > len(outline) {
		return nil, fmt.Errorf("%w: contours cut off", ErrFont)
	}
	rest := at + 2 + int(u16(outline, at))
	if rest > len(outline) {
		return nil, fmt.Errorf("%w: instructions cut off", ErrFont)
	}
	points := int(u16(outline, at-2)) + 1
	size, err := pointsSize(outline[rest:], points)
	if err != nil {
		return nil, err
	}
	out := append(slices.Clone(outline[:at]), 0, 0)
	return append(out, outline[rest:rest+size]...), nil
}

// Flags of a point (OpenType 1.9, glyf).
const (
	xIsByte  = 0x02
	yIsByte  = 0x04
	repeated = 0x08
	xIsSame  = 0x10 // with xIsByte: the sign
	yIsSame  = 0x20
)

// pointsSize is the length of the flags and coordinates of n points, so that the padding
// after them is not copied.
func pointsSize(b []byte, n int) (int, error) {
	at, coordinates := 0, 0
	for n > 0 {
		if at >= len(b) {
			return 0, fmt.Errorf("%w: points cut off", ErrFont)
		}
		flags, times := b[at], 1
		at++
		if flags&repeated != 0 && at < len(b) {
			times += int(b[at])
			at++
		}
		times = min(times, n)
		coordinates += times * (coordinateSize(flags, xIsByte, xIsSame) + coordinateSize(flags, yIsByte, yIsSame))
		n -= times
	}
	if at+coordinates > len(b) {
		return 0, fmt.Errorf("%w: coordinates cut off", ErrFont)
	}
	return at + coordinates, nil
}

func coordinateSize(flags, isByte, isSame byte) int {
	switch {
	case flags&isByte != 0:
		return 1
	case flags&isSame != 0:
		return 0
	}
	return 2
}
