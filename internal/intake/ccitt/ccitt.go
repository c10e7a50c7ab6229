// Package ccitt codes pictures in black and white as facsimile machines do: it decodes
// Group 3 in one and two dimensions and Group 4, and encodes Group 4 (ITU-T T.4 and T.6).
//
// A row is packed, the leftmost pixel in the highest bit, 1 for black. The decoder is
// strict: a code that does not exist, a run that leaves the row or a missing row is an error,
// since a certified copy must not show what a program guessed.
package ccitt

import "math/bits"

// MaxWidth is the widest row coded.
const MaxWidth = 1 << 20

// changes appends to dst the columns at which a row changes colour, beginning with white
// left of the row, and three times the width, so that a search always ends.
func changes(dst []int, row []byte, width int) []int {
	colour := byte(0) // the byte that continues the present colour
	for x := 0; x < width; {
		b := row[x>>3] ^ colour
		b &= 0xFF >> (x & 7)
		if b == 0 {
			x = x&^7 + 8
			continue
		}
		x = x&^7 + bits.LeadingZeros8(b)
		if x >= width {
			break
		}
		dst = append(dst, x)
		colour = ^colour
	}
	return append(dst, width, width, width)
}

// paint writes the row that has the given changes.
func paint(row []byte, at []int, width int) {
	clear(row)
	for i := 0; i+1 < len(at); i += 2 {
		fill(row, min(at[i], width), min(at[i+1], width))
	}
}

// fill blackens the columns from a to b−1.
func fill(row []byte, a, b int) {
	if a >= b {
		return
	}
	first, last := a>>3, (b-1)>>3
	head, tail := byte(0xFF>>(a&7)), byte(0xFF<<(7-(b-1)&7))
	if first == last {
		row[first] |= head & tail
		return
	}
	row[first] |= head
	for i := first + 1; i < last; i++ {
		row[i] = 0xFF
	}
	row[last] |= tail
}

// next returns the index of b1: the first change of ref right of a0 whose colour is opposite
// to the present one. i is where the last search ended.
func next(ref []int, i, a0, colour int) int {
	if i&1 != colour {
		i++
	}
	for i >= 2 && ref[i-2] > a0 {
		i -= 2
	}
	for i+2 < len(ref) && ref[i] <= a0 {
		i += 2
	}
	return i
}
