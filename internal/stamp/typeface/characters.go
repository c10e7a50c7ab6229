package typeface

// Characters returns every character the embedded fonts have, in order of code point: Latin
// with the letters of Vietnamese and of the Tây Nguyên languages, digits, and the
// punctuation and signs of Vietnamese documents.
func Characters() []rune {
	var all []rune
	for _, block := range [][2]rune{
		{0x0020, 0x007E},                   // ASCII
		{0x00A0, 0x0180},                   // Latin-1, Latin Extended-A, ƀ
		{0x01A0, 0x01A1}, {0x01AF, 0x01B0}, // ơ, ư
		{0x0243, 0x0243}, // Ƀ
		{0x1EA0, 0x1EF9}, // Vietnamese
		{0x2010, 0x2015}, {0x2018, 0x2022}, {0x2026, 0x2026}, {0x2030, 0x2030},
		{0x2032, 0x2033}, {0x2039, 0x203A}, {0x20AB, 0x20AC}, {0x2116, 0x2116},
		{0x2122, 0x2122}, {0x2212, 0x2212},
	} {
		for r := block[0]; r <= block[1]; r++ {
			all = append(all, r)
		}
	}
	return all
}
