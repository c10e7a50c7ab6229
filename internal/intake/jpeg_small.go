package intake

import (
	"encoding/binary"
	"image"
	"math"
)

// A JPEG that is passed through need not be decoded to full size to be sure of it and to see
// where there is ink: all its Huffman codes are read, and of each block of 8 × 8 samples only
// the mean of a few areas is computed (ITU-T T.81 Annex A.3.3, on fewer points). Whatever is
// unusual about a file is left to image/jpeg, so that what is accepted here is accepted there.

// smallLong is what the longer side of a small picture has at least, if the JPEG has as much.
const smallLong = 700

// smallPoints is how many points along each side of a block a small picture of w × h has.
func smallPoints(w, h int) int {
	n := 1
	for n < 4 && max(w, h)*n/8 < smallLong {
		n++
	}
	return n
}

// small returns the picture reduced to some hundred samples a side, in colour to half its size. ok is false for a file that
// should be decoded by image/jpeg: one that is not the usual kind, is small already, or damaged.
func (j *jpegFile) small(colour bool) (img image.Image, ok bool) {
	usual := !j.progressive && j.scans == 1 && j.ended && (j.components == 1 || j.components == 3 && j.adobe != 0)
	if !usual || max(j.width, j.height) < smallLong*2 {
		return nil, false
	}
	d := &smallJPEG{width: j.width, height: j.height, points: smallPoints(j.width, j.height), colour: colour}
	if colour {
		d.points = len(d.basis) // to be compared with another picture
	}
	if !d.read(j.clean) {
		return nil, false
	}
	return d.picture(), true
}

// smallJPEG decodes a baseline JPEG of one scan to fewer points.
type smallJPEG struct {
	width, height int
	points        int
	colour        bool // not only the brightness
	comps         []smallComponent
	quant         [4][64]uint16 // in zigzag order, as they are stored
	dc, ac        [4]*huffman
	interval      int // MCUs between restarts; 0: none
	hMax, vMax    int
	basis         [4][4]float32 // by point and frequency
}

type smallComponent struct {
	id, h, v, quant int
	dc, ac          *huffman
	last            int32 // the DC of the block before
	stride          int
	pix             []uint8 // nil: not wanted
}

// read walks the segments of a clean file and decodes its scan.
func (d *smallJPEG) read(b []byte) bool {
	for at := 2; at+4 <= len(b); {
		marker, n := b[at+1], int(binary.BigEndian.Uint16(b[at+2:]))
		if b[at] != 0xFF || n < 2 || at+2+n > len(b) {
			return false
		}
		body := b[at+4 : at+2+n]
		at += 2 + n
		ok := true
		switch marker {
		case mDQT:
			ok = d.readQuant(body)
		case mDHT:
			ok = d.readHuffman(body)
		case mDRI:
			if ok = len(body) == 2; ok {
				d.interval = int(binary.BigEndian.Uint16(body))
			}
		case 0xC0, 0xC1:
			ok = d.readFrame(body)
		case mSOS:
			return d.readScan(body, b[at:])
		case mDNL, mDAC:
			ok = false
		}
		if !ok {
			return false
		}
	}
	return false
}

func (d *smallJPEG) readQuant(b []byte) bool {
	for len(b) > 0 {
		wide, id := b[0]>>4 == 1, b[0]&15
		size := 65
		if wide {
			size = 129
		}
		if b[0]>>4 > 1 || id > 3 || len(b) < size {
			return false
		}
		for i := range 64 {
			if wide {
				d.quant[id][i] = binary.BigEndian.Uint16(b[1+2*i:])
			} else {
				d.quant[id][i] = uint16(b[1+i])
			}
		}
		b = b[size:]
	}
	return true
}

func (d *smallJPEG) readHuffman(b []byte) bool {
	for len(b) >= 17 {
		total := 0
		for _, n := range b[1:17] {
			total += int(n)
		}
		class, id := b[0]>>4, b[0]&15
		if class > 1 || id > 3 || total == 0 || total > 256 || len(b) < 17+total {
			return false
		}
		h := newHuffman(b[1:17], b[17:17+total])
		if h == nil {
			return false
		}
		if class == 0 {
			d.dc[id] = h
		} else {
			d.ac[id] = h
		}
		b = b[17+total:]
	}
	return len(b) == 0
}

func (d *smallJPEG) readFrame(b []byte) bool {
	n := int(b[5])
	if len(b) != 6+3*n || len(d.comps) > 0 {
		return false
	}
	for i := range n {
		c := smallComponent{id: int(b[6+3*i]), h: int(b[7+3*i] >> 4), v: int(b[7+3*i] & 15), quant: int(b[8+3*i])}
		if c.h < 1 || c.h > 2 || c.v < 1 || c.v > 2 || c.quant > 3 || i > 0 && (c.h > d.comps[0].h || c.v > d.comps[0].v) {
			return false
		}
		d.comps = append(d.comps, c)
	}
	if n == 1 {
		d.comps[0].h, d.comps[0].v = 1, 1 // T.81 A.2.2: blocks of one component are not interleaved
	}
	d.hMax, d.vMax = d.comps[0].h, d.comps[0].v
	return true
}

// readScan decodes the scan whose header is b.
func (d *smallJPEG) readScan(b, data []byte) bool {
	if len(d.comps) == 0 || len(b) != 4+2*len(d.comps) || int(b[0]) != len(d.comps) {
		return false
	}
	for i := range d.comps {
		c := &d.comps[i]
		td, ta := b[2+2*i]>>4, b[2+2*i]&15
		if int(b[1+2*i]) != c.id || td > 3 || ta > 3 || d.dc[td] == nil || d.ac[ta] == nil {
			return false
		}
		c.dc, c.ac = d.dc[td], d.ac[ta]
	}
	across, down := (d.width+8*d.hMax-1)/(8*d.hMax), (d.height+8*d.vMax-1)/(8*d.vMax)
	for i := range d.comps {
		c := &d.comps[i]
		if i == 0 || d.colour {
			c.stride = across * c.h * d.points
			c.pix = make([]uint8, c.stride*down*c.v*d.points)
		}
	}
	d.setBasis()
	return d.blocks(&bitReader{b: data}, across, down)
}

// setBasis computes the cosines, with the factors that make a lone DC the mean of its block.
func (d *smallJPEG) setBasis() {
	for x := range d.points {
		for u := range d.points {
			c := 0.5
			if u == 0 {
				c = 0.5 / math.Sqrt2
			}
			d.basis[x][u] = float32(c * math.Cos(float64(2*x+1)*float64(u)*math.Pi/float64(2*d.points)))
		}
	}
}

func (d *smallJPEG) blocks(r *bitReader, across, down int) bool {
	for n := range across * down {
		if d.interval > 0 && n > 0 && n%d.interval == 0 {
			if !r.restart(byte((n/d.interval - 1) & 7)) {
				return false
			}
			for i := range d.comps {
				d.comps[i].last = 0
			}
		}
		x, y := n%across, n/across
		for i := range d.comps {
			c := &d.comps[i]
			for v := range c.v {
				for h := range c.h {
					if !d.block(r, c, x*c.h+h, y*c.v+v) {
						return false
					}
				}
			}
		}
	}
	return true
}

// picture is what was decoded: an *image.Gray, or an *image.YCbCr if colours were wanted.
func (d *smallJPEG) picture() image.Image {
	w, h := (d.width*d.points+7)/8, (d.height*d.points+7)/8
	luma := &d.comps[0]
	if len(d.comps) == 1 || !d.colour {
		return &image.Gray{Pix: luma.pix, Stride: luma.stride, Rect: image.Rect(0, 0, w, h)}
	}
	cb, cr := &d.comps[1], &d.comps[2]
	ratio := map[[2]int]image.YCbCrSubsampleRatio{{1, 1}: image.YCbCrSubsampleRatio444, {2, 1}: image.YCbCrSubsampleRatio422,
		{1, 2}: image.YCbCrSubsampleRatio440, {2, 2}: image.YCbCrSubsampleRatio420}[[2]int{luma.h / cb.h, luma.v / cb.v}]
	if cb.h != cr.h || cb.v != cr.v {
		return nil
	}
	return &image.YCbCr{Y: luma.pix, Cb: cb.pix, Cr: cr.pix, YStride: luma.stride, CStride: cb.stride,
		SubsampleRatio: ratio, Rect: image.Rect(0, 0, w, h)}
}
