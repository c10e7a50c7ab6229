package intake

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// pngFile is what the chunks of a PNG say (ISO/IEC 15948).
type pngFile struct {
	width, height uint32
	bits, kind    byte // kind: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha
	interlaced    bool
	palette       []byte
	transparent   []byte // tRNS; nil if there is none
	data          [][]byte
	gamma         float64 // gAMA; 0 if there is none or an sRGB chunk overrules it
	icc           []byte
	dpiX, dpiY    float64
	orientation   Orientation
}

var errPNG = errors.New("not a PNG structure")

// scanPNG walks the chunks. Critical chunks must have their checksum; others that are broken
// say nothing.
func scanPNG(b []byte) (*pngFile, error) {
	p := &pngFile{orientation: 1}
	srgb := false
	for at := 8; ; {
		if at+12 > len(b) {
			return nil, fmt.Errorf("%w: no end: %w", errPNG, io.ErrUnexpectedEOF)
		}
		n := int64(binary.BigEndian.Uint32(b[at:]))
		if n > int64(len(b)-at-12) {
			return nil, fmt.Errorf("%w: chunk cut off: %w", errPNG, io.ErrUnexpectedEOF)
		}
		name, body := string(b[at+4:at+8]), b[at+8:at+8+int(n)]
		sound := crc32.ChecksumIEEE(b[at+4:at+8+int(n)]) == binary.BigEndian.Uint32(b[at+8+int(n):])
		at += 12 + int(n)
		switch {
		case !sound && name[0]&0x20 == 0:
			return nil, fmt.Errorf("%w: checksum of %q", errPNG, name)
		case !sound:
			continue
		case name == "IEND":
			if len(p.data) == 0 {
				return nil, fmt.Errorf("%w: no samples", errPNG)
			}
			if srgb {
				p.gamma, p.icc = 0, nil
			}
			return p, nil
		case name == "sRGB":
			srgb = true
		}
		if err := p.chunk(name, body); err != nil {
			return nil, err
		}
	}
}

func (p *pngFile) chunk(name string, body []byte) error {
	if (name == "IHDR") != (p.width == 0) {
		return fmt.Errorf("%w: %q out of place", errPNG, name)
	}
	switch name {
	case "IHDR":
		return p.header(body)
	case "PLTE":
		if len(body)%3 != 0 || len(body) > 768 || len(body) == 0 {
			return fmt.Errorf("%w: palette of %d bytes", errPNG, len(body))
		}
		p.palette = body
	case "IDAT":
		p.data = append(p.data, body)
	case "tRNS":
		p.transparent = body
	case "gAMA":
		if len(body) == 4 {
			p.gamma = float64(binary.BigEndian.Uint32(body)) / 100000
		}
	case "iCCP":
		p.icc = inflateProfile(body)
	case "pHYs":
		if len(body) == 9 && body[8] == 1 {
			p.dpiX = float64(binary.BigEndian.Uint32(body)) * 0.0254
			p.dpiY = float64(binary.BigEndian.Uint32(body[4:])) * 0.0254
		}
	case "eXIf":
		p.orientation, _, _ = exifClaims(body)
	}
	return nil
}

func (p *pngFile) header(b []byte) error {
	if len(b) != 13 {
		return fmt.Errorf("%w: header of %d bytes", errPNG, len(b))
	}
	p.width, p.height = binary.BigEndian.Uint32(b), binary.BigEndian.Uint32(b[4:])
	p.bits, p.kind, p.interlaced = b[8], b[9], b[12] == 1
	if p.width == 0 || p.height == 0 || p.width > 1<<31-1 || p.height > 1<<31-1 {
		return fmt.Errorf("%w: %d × %d", errPNG, p.width, p.height)
	}
	depths := map[byte]string{0: "\x01\x02\x04\x08\x10", 2: "\x08\x10", 3: "\x01\x02\x04\x08", 4: "\x08\x10", 6: "\x08\x10"}
	if bytes.IndexByte([]byte(depths[p.kind]), p.bits) < 0 || b[10] != 0 || b[11] != 0 || b[12] > 1 {
		return fmt.Errorf("%w: kind %d, %d bits, methods % x", errPNG, p.kind, p.bits, b[10:13])
	}
	return nil
}

// inflateProfile returns an embedded ICC profile of at most 1 MiB, nil if it has more.
func inflateProfile(b []byte) []byte {
	i := bytes.IndexByte(b, 0)
	if i < 0 || i+2 > len(b) {
		return nil
	}
	z, err := zlib.NewReader(bytes.NewReader(b[i+2:]))
	if err != nil {
		return nil
	}
	const limit = 1 << 20
	icc, err := io.ReadAll(io.LimitReader(z, limit+1))
	if err != nil || len(icc) > limit {
		return nil
	}
	return icc
}

// samples is the number of components as stored.
func (p *pngFile) samples() int {
	return map[byte]int{0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[p.kind]
}

// rowBytes is the length of a row without its filter byte.
func (p *pngFile) rowBytes() int {
	return int((uint64(p.width)*uint64(p.samples())*uint64(p.bits) + 7) / 8)
}

// step is the distance of a byte from the one it is predicted from.
func (p *pngFile) step() int { return max(1, p.samples()*int(p.bits)/8) }

// rows inflates and unfilters the samples of an image that is not interlaced, row by row, so
// that no more than two rows are in memory and no more is inflated than the header announced.
// exact is whether the compressed stream ends with the last row, checksum and all.
func (p *pngFile) rows(each func(row []byte) error) (exact bool, err error) {
	parts := make([]io.Reader, len(p.data))
	for i, d := range p.data {
		parts[i] = bytes.NewReader(d)
	}
	z, err := zlib.NewReader(io.MultiReader(parts...))
	if err != nil {
		return false, err
	}
	n := p.rowBytes()
	line, prior := make([]byte, n+1), make([]byte, n+1)
	for range p.height {
		if _, err := io.ReadFull(z, line); err != nil {
			return false, noEOF(err)
		}
		if !unfilter(line[0], line[1:], prior[1:], p.step()) {
			return false, fmt.Errorf("%w: filter %d", errPNG, line[0])
		}
		if err := each(line[1:]); err != nil {
			return false, err
		}
		line, prior = prior, line
	}
	rest, err := io.Copy(io.Discard, io.LimitReader(z, 1))
	return rest == 0 && err == nil, nil
}
