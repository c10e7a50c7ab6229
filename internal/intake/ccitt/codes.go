package ccitt

// code is a prefix code: the low n bits of bits, the first bit highest.
type code struct {
	bits uint16
	n    uint8
}

// The run-length codes of ITU-T T.4 Tables 2, 3a and 3b: of the runs 0 to 63, then of 64,
// 128, … 1728; the codes of 1792 to 2560 are common to both colours.
const (
	whiteText = "00110101 000111 0111 1000 1011 1100 1110 1111 10011 10100 00111 01000 001000 000011 110100 110101 " +
		"101010 101011 0100111 0001100 0001000 0010111 0000011 0000100 0101000 0101011 0010011 0100100 0011000 00000010 00000011 00011010 " +
		"00011011 00010010 00010011 00010100 00010101 00010110 00010111 00101000 00101001 00101010 00101011 00101100 00101101 00000100 00000101 00001010 " +
		"00001011 01010010 01010011 01010100 01010101 00100100 00100101 01011000 01011001 01011010 01011011 01001010 01001011 00110010 00110011 00110100 " +
		"11011 10010 010111 0110111 00110110 00110111 01100100 01100101 01101000 01100111 011001100 011001101 011010010 011010011 011010100 011010101 " +
		"011010110 011010111 011011000 011011001 011011010 011011011 010011000 010011001 010011010 011000 010011011 "
	blackText = "0000110111 010 11 10 011 0011 0010 00011 000101 000100 0000100 0000101 0000111 00000100 00000111 000011000 " +
		"0000010111 0000011000 0000001000 00001100111 00001101000 00001101100 00000110111 00000101000 00000010111 00000011000 000011001010 000011001011 000011001100 000011001101 000001101000 000001101001 " +
		"000001101010 000001101011 000011010010 000011010011 000011010100 000011010101 000011010110 000011010111 000001101100 000001101101 000011011010 000011011011 000001010100 000001010101 000001010110 000001010111 " +
		"000001100100 000001100101 000001010010 000001010011 000000100100 000000110111 000000111000 000000100111 000000101000 000001011000 000001011001 000000101011 000000101100 000001011010 000001100110 000001100111 " +
		"0000001111 000011001000 000011001001 000001011011 000000110011 000000110100 000000110101 0000001101100 0000001101101 0000001001010 0000001001011 0000001001100 0000001001101 0000001110010 0000001110011 0000001110100 " +
		"0000001110101 0000001110110 0000001110111 0000001010010 0000001010011 0000001010100 0000001010101 0000001011010 0000001011011 0000001100100 0000001100101 "
	commonText = "00000001000 00000001100 00000001101 000000010010 000000010011 000000010100 000000010101 000000010110 000000010111 000000011100 000000011101 000000011110 000000011111 "
)

const (
	codesOfColour = 64 + 27 + 13
	longestRun    = 2560
	longestCode   = 13
)

// runCodes are the codes of one colour; entry 64+k is that of a run of 64·(k+1).
type runCodes [codesOfColour]code

var codesOf = [2]runCodes{parseCodes(whiteText + commonText), parseCodes(blackText + commonText)}

func parseCodes(s string) (t runCodes) {
	i := 0
	for _, c := range s {
		if c == ' ' {
			i++
			continue
		}
		t[i].bits = t[i].bits<<1 | uint16(c-'0')
		t[i].n++
	}
	return t
}

// runLength is the run that entry i of runCodes stands for.
func runLength(i int) int {
	if i < 64 {
		return i
	}
	return (i - 63) * 64
}

// The modes of two-dimensional coding (ITU-T T.4 Table 4, T.6 Table 1).
var (
	passCode       = code{0b0001, 4}
	horizontalCode = code{0b001, 3}
	// verticalCodes are of a1 − b1 = −3 … 3.
	verticalCodes = [7]code{{0b0000010, 7}, {0b000010, 6}, {0b010, 3}, {0b1, 1}, {0b011, 3}, {0b000011, 6}, {0b0000011, 7}}
	eolCode       = code{1, 12}
)

// entry of a look-up by the next bits; n is 0 where no code begins so.
type entry struct {
	value int16
	n     uint8
}

type runLookup [1 << longestCode]entry

var lookupOf = [2]*runLookup{runsByBits(&codesOf[0]), runsByBits(&codesOf[1])}

func runsByBits(t *runCodes) *runLookup {
	l := new(runLookup)
	for i, c := range t {
		spread(l[:], c, longestCode, int16(runLength(i)))
	}
	return l
}

// Values of the mode look-up beside the vertical distances.
const (
	modePass       = 10
	modeHorizontal = 11
)

const longestMode = 7

var modesByBits = func() *[1 << longestMode]entry {
	l := new([1 << longestMode]entry)
	spread(l[:], passCode, longestMode, modePass)
	spread(l[:], horizontalCode, longestMode, modeHorizontal)
	for i, c := range verticalCodes {
		spread(l[:], c, longestMode, int16(i-3))
	}
	return l
}()

// spread fills every entry whose highest bits are c.
func spread(l []entry, c code, width uint8, value int16) {
	rest := width - c.n
	for i := range 1 << rest {
		l[int(c.bits)<<rest|i] = entry{value, c.n}
	}
}
