package intake

// zigzag is where the n-th coefficient of a block stands: 8 times its vertical frequency and its
// horizontal one (ITU-T T.81 Figure A.6).
var zigzag = [64]uint8{
	0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
}

// block reads one block and computes its points, if they are wanted.
func (d *smallJPEG) block(r *bitReader, c *smallComponent, bx, by int) bool {
	s, ok := r.symbol(c.dc)
	if !ok || s > 15 {
		return false
	}
	diff, ok := r.extended(uint(s))
	if !ok {
		return false
	}
	c.last += diff
	var f [4][4]float32 // by vertical and horizontal frequency
	q := &d.quant[c.quant]
	f[0][0] = float32(c.last * int32(q[0]))
	flat := true
	for k := 1; k < 64; k++ {
		rs, ok := r.symbol(c.ac)
		if !ok {
			return false
		}
		size := uint(rs & 15)
		if size == 0 {
			if rs == 0 {
				break
			}
			if rs != 0xF0 {
				return false // a run without a value, which only progressive files have
			}
			k += 15
			continue
		}
		if k += int(rs >> 4); k > 63 {
			return false
		}
		v, ok := r.extended(size)
		if !ok {
			return false
		}
		if at := zigzag[k]; at < 32 && at&7 < 4 {
			f[at>>3][at&7], flat = float32(v*int32(q[k])), false
		}
	}
	if c.pix != nil {
		out := c.pix[by*d.points*c.stride+bx*d.points:]
		if flat {
			d.flat(out, c.stride, f[0][0])
		} else {
			d.mix(out, c.stride, &f)
		}
	}
	return true
}

// flat writes the points of a block that has nothing but a mean.
func (d *smallJPEG) flat(out []uint8, stride int, dc float32) {
	v := sample(dc / 8)
	for y := range d.points {
		for x := range d.points {
			out[y*stride+x] = v
		}
	}
}

// sample rounds to what a byte holds; the mean of all samples is 128.
func sample(v float32) uint8 { return uint8(max(0, min(255, v+128.5))) }

// mix writes the points of a block whose low frequencies are f.
func (d *smallJPEG) mix(out []uint8, stride int, f *[4][4]float32) {
	n := d.points
	var rows [4][4]float32 // by vertical frequency and point across
	for v := range n {
		for x := range n {
			for u := range n {
				rows[v][x] += f[v][u] * d.basis[x][u]
			}
		}
	}
	for y := range n {
		for x := range n {
			var sum float32
			for v := range n {
				sum += rows[v][x] * d.basis[y][v]
			}
			out[y*stride+x] = sample(sum)
		}
	}
}

// huffman decodes symbols of a code (ITU-T T.81 Annex C and F.2.2.3).
type huffman struct {
	fast   [512]uint16 // by the next 9 bits: the length in the high byte, the symbol; 0: longer
	most   [17]int32   // the greatest code of each length, −1 if there is none
	offset [17]int32   // what to add to a code to find its symbol
	values []byte
}

// newHuffman returns nil if there are more codes than a length has.
func newHuffman(counts, values []byte) *huffman {
	h := &huffman{values: values}
	code, n := int32(0), int32(0)
	for length := 1; length <= 16; length++ {
		h.most[length], h.offset[length] = -1, n-code
		count := int32(counts[length-1])
		if code+count > 1<<length {
			return nil
		}
		for range count {
			if length <= 9 {
				for fill := range int32(1) << (9 - length) {
					h.fast[code<<(9-length)|fill] = uint16(length)<<8 | uint16(values[n])
				}
			}
			h.most[length] = code
			code++
			n++
		}
		code <<= 1
	}
	return h
}

// bitReader reads the bits of a scan, without the zeros stuffed behind bytes of ones.
type bitReader struct {
	b    []byte
	at   int
	bits uint64 // the next n bits at the top
	n    uint
}

// fill reads bytes up to a marker.
func (r *bitReader) fill() {
	for r.n <= 56 && r.at < len(r.b) {
		v := r.b[r.at]
		if v == 0xFF {
			if r.at+1 >= len(r.b) || r.b[r.at+1] != 0 {
				return
			}
			r.at++
		}
		r.at++
		r.bits |= uint64(v) << (56 - r.n)
		r.n += 8
	}
}

func (r *bitReader) symbol(h *huffman) (byte, bool) {
	if r.n < 16 {
		r.fill()
	}
	if e := h.fast[r.bits>>55]; e != 0 {
		length := uint(e >> 8)
		if length > r.n {
			return 0, false
		}
		r.bits <<= length
		r.n -= length
		return byte(e), true
	}
	for length := uint(10); length <= 16 && length <= r.n; length++ {
		code := int32(r.bits >> (64 - length))
		if code <= h.most[length] {
			r.bits <<= length
			r.n -= length
			return h.values[code+h.offset[length]], true
		}
	}
	return 0, false
}

// extended reads a value of some bits (ITU-T T.81 F.2.2.1, EXTEND).
func (r *bitReader) extended(size uint) (int32, bool) {
	if size == 0 {
		return 0, true
	}
	if r.n < size {
		if r.fill(); r.n < size {
			return 0, false
		}
	}
	v := int32(r.bits >> (64 - size))
	r.bits <<= size
	r.n -= size
	if v < 1<<(size-1) {
		v += -1<<size + 1
	}
	return v, true
}

// restart passes the marker RSTn, which must stand where the bits have come to.
func (r *bitReader) restart(n byte) bool {
	if r.n >= 8 || r.at+1 >= len(r.b) || r.b[r.at] != 0xFF || r.b[r.at+1] != 0xD0+n {
		return false
	}
	r.at += 2
	r.bits, r.n = 0, 0
	return true
}
