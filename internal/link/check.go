package link

// The check character is the sum over GF(32) of the characters' values, each multiplied by
// its own power of a primitive element. The weights are not zero, so that one wrong
// character changes the sum; they differ from each other and from the check character's own
// weight of one, so that the exchange of two unequal characters changes it too.

// reduction is x^5 + x^2 + 1, a primitive polynomial over GF(2); x generates the 31 non-zero
// elements of GF(32).
const reduction = 0b100101

// check returns the value of the check character of values: the sum of values[i]·x^(i+1).
func check(values []byte) byte {
	var sum byte
	// Horner's rule from the last character down: each step multiplies by x.
	for i := len(values) - 1; i >= 0; i-- {
		sum = timesX(sum ^ values[i])
	}
	return sum
}

// timesX multiplies a by x in GF(32).
func timesX(a byte) byte {
	a <<= 1
	if a&32 != 0 {
		a ^= reduction
	}
	return a
}
