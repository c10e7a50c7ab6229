package ccitt

// Encoder writes Group 4 (ITU-T T.6): for a PDF, K −1 without end-of-line or alignment.
type Encoder struct {
	width    int
	ref, cur []int
	out      []byte
	acc      uint32
	n        uint8
}

// NewEncoder encodes rows of width pixels, 1 to MaxWidth.
func NewEncoder(width int) *Encoder {
	return &Encoder{width: width, ref: []int{width, width, width}}
}

func (e *Encoder) put(c code) {
	e.acc = e.acc<<c.n | uint32(c.bits)
	for e.n += c.n; e.n >= 8; e.n -= 8 {
		e.out = append(e.out, byte(e.acc>>(e.n-8)))
	}
}

// Add encodes the next row, which has at least (width+7)/8 bytes. Bits behind the width do
// not count.
func (e *Encoder) Add(row []byte) {
	e.cur = changes(e.cur[:0], row, e.width)
	a0, colour := -1, 0
	for i, k := 0, 0; a0 < e.width; {
		i, k = next(e.ref, i, a0, colour), next(e.cur, k, a0, colour)
		a1, b1 := e.cur[k], e.ref[i]
		switch d := a1 - b1; {
		case e.after(i) < a1:
			e.put(passCode)
			a0 = e.after(i)
		case d >= -3 && d <= 3:
			e.put(verticalCodes[d+3])
			a0, colour = a1, 1-colour
		default:
			a2 := e.width
			if k+1 < len(e.cur) {
				a2 = e.cur[k+1]
			}
			e.put(horizontalCode)
			e.run(colour, a1-max(a0, 0))
			e.run(1-colour, a2-a1)
			a0 = a2
		}
	}
	e.ref, e.cur = e.cur, e.ref
}

// after is b2, the change that follows b1.
func (e *Encoder) after(i int) int {
	if i+1 < len(e.ref) {
		return e.ref[i+1]
	}
	return e.width
}

func (e *Encoder) run(colour, n int) {
	t := &codesOf[colour]
	for ; n > longestRun; n -= longestRun {
		e.put(t[codesOfColour-1])
	}
	if n >= 64 {
		e.put(t[63+n/64])
		n %= 64
	}
	e.put(t[n])
}

// Close ends the picture and returns its code.
func (e *Encoder) Close() []byte {
	e.put(eolCode)
	e.put(eolCode)
	if e.n > 0 {
		e.out = append(e.out, byte(e.acc<<(8-e.n)))
	}
	return e.out
}
