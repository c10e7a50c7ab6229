package intake

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// tiffFile is the directory structure that TIFF files and EXIF blocks share (TIFF 6.0 §2,
// and its 64-bit form, BigTIFF).
type tiffFile struct {
	b     []byte
	order binary.ByteOrder
	big   bool
}

// directory holds the fields of one image by tag.
type directory map[uint16]field

type field struct {
	kind uint16
	n    uint64
	data []byte // n values, lying in the file
	f    *tiffFile
}

// Tags of TIFF 6.0 and its supplements that are read.
const (
	tagSubfileType     = 254
	tagWidth           = 256
	tagHeight          = 257
	tagBits            = 258
	tagCompression     = 259
	tagPhotometric     = 262
	tagFillOrder       = 266
	tagStripOffsets    = 273
	tagOrientation     = 274
	tagSamplesPerPixel = 277
	tagRowsPerStrip    = 278
	tagStripBytes      = 279
	tagXResolution     = 282
	tagYResolution     = 283
	tagPlanar          = 284
	tagT4Options       = 292
	tagResolutionUnit  = 296
	tagPredictor       = 317
	tagColorMap        = 320
	tagTileWidth       = 322
	tagTileLength      = 323
	tagTileOffsets     = 324
	tagTileBytes       = 325
	tagExtraSamples    = 338
	tagSampleFormat    = 339
	tagJPEGTables      = 347
	tagYCbCrSub        = 530
	tagICC             = 34675
)

// maxFields bounds a directory; real ones have a few dozen.
const maxFields = 4096

var errTIFF = errors.New("not a TIFF structure")

func openTIFF(b []byte) (f *tiffFile, first uint64, err error) {
	if len(b) < 8 {
		return nil, 0, errTIFF
	}
	f = &tiffFile{b: b}
	switch string(b[:2]) {
	case "II":
		f.order = binary.LittleEndian
	case "MM":
		f.order = binary.BigEndian
	default:
		return nil, 0, errTIFF
	}
	switch f.order.Uint16(b[2:]) {
	case 42:
		return f, uint64(f.order.Uint32(b[4:])), nil
	case 43:
		if len(b) < 16 || f.order.Uint16(b[4:]) != 8 {
			return nil, 0, errTIFF
		}
		f.big = true
		return f, f.order.Uint64(b[8:]), nil
	}
	return nil, 0, errTIFF
}

// at returns n bytes from offset, if the file has them.
func (f *tiffFile) at(offset, n uint64) ([]byte, bool) {
	if size := uint64(len(f.b)); offset > size || n > size-offset {
		return nil, false
	}
	return f.b[offset : offset+n], true
}

// directory reads the directory at offset and returns the offset of the next; 0: the last.
func (f *tiffFile) directory(offset uint64) (d directory, next uint64, err error) {
	countSize, entry, inline, next64 := uint64(2), uint64(12), uint64(4), uint64(4)
	if f.big {
		countSize, entry, inline, next64 = 8, 20, 8, 8
	}
	head, ok := f.at(offset, countSize)
	if !ok {
		return nil, 0, fmt.Errorf("directory at %d lies outside the file", offset)
	}
	n := f.uint(head)
	if n > maxFields {
		return nil, 0, fmt.Errorf("directory at %d has %d fields", offset, n)
	}
	body, ok := f.at(offset+countSize, n*entry)
	if !ok {
		return nil, 0, fmt.Errorf("directory at %d is cut off", offset)
	}
	d = make(directory, n)
	for i := range n {
		f.field(d, body[i*entry:(i+1)*entry], inline)
	}
	if tail, ok := f.at(offset+countSize+n*entry, next64); ok {
		next = f.uint(tail)
	}
	return d, next, nil
}

// field adds one entry; what is of an unknown kind or lies outside the file is left out.
func (f *tiffFile) field(d directory, e []byte, inline uint64) {
	tag, kind := f.order.Uint16(e), f.order.Uint16(e[2:])
	n, value := f.uint(e[4:4+inline]), e[4+inline:]
	size := kindSize(kind)
	if size == 0 || n > uint64(len(f.b))/size {
		return
	}
	data := value[:inline]
	if n*size > inline {
		var ok bool
		if data, ok = f.at(f.uint(value[:inline]), n*size); !ok {
			return
		}
	}
	d[tag] = field{kind: kind, n: n, data: data[:n*size], f: f}
}

func (f *tiffFile) uint(b []byte) uint64 {
	switch len(b) {
	case 2:
		return uint64(f.order.Uint16(b))
	case 4:
		return uint64(f.order.Uint32(b))
	case 8:
		return f.order.Uint64(b)
	}
	return 0
}

func kindSize(kind uint16) uint64 {
	switch kind {
	case 1, 2, 6, 7: // BYTE, ASCII, SBYTE, UNDEFINED
		return 1
	case 3, 8: // SHORT, SSHORT
		return 2
	case 4, 9, 11, 13: // LONG, SLONG, FLOAT, IFD
		return 4
	case 5, 10, 12, 16, 17, 18: // RATIONAL, SRATIONAL, DOUBLE, LONG8, SLONG8, IFD8
		return 8
	}
	return 0
}

// uint returns the i-th value of an unsigned whole-number field.
func (v field) uint(i uint64) (uint64, bool) {
	size := kindSize(v.kind)
	if i >= v.n || size == 0 {
		return 0, false
	}
	b := v.data[i*size : (i+1)*size]
	switch v.kind {
	case 1, 7:
		return uint64(b[0]), true
	case 3, 4, 13, 16, 18:
		return v.f.uint(b), true
	}
	return 0, false
}

// number returns the first value of tag, or otherwise.
func (d directory) number(tag uint16, otherwise uint64) uint64 {
	if v, ok := d[tag].uint(0); ok {
		return v
	}
	return otherwise
}

// numbers returns all values of tag.
func (d directory) numbers(tag uint16) []uint64 {
	v := d[tag]
	out := make([]uint64, 0, v.n)
	for i := range v.n {
		x, ok := v.uint(i)
		if !ok {
			return nil
		}
		out = append(out, x)
	}
	return out
}

func (d directory) rational(tag uint16) float64 {
	v, ok := d[tag]
	if !ok || v.n == 0 {
		return 0
	}
	var x float64
	switch v.kind {
	case 5:
		x = float64(v.f.order.Uint32(v.data)) / float64(v.f.order.Uint32(v.data[4:]))
	case 11:
		x = float64(math.Float32frombits(v.f.order.Uint32(v.data)))
	case 3, 4:
		n, _ := v.uint(0)
		x = float64(n)
	}
	if math.IsNaN(x) || math.IsInf(x, 0) || x < 0 {
		return 0
	}
	return x
}

// resolution returns the dots per inch a directory claims, 0 if it claims none.
func (d directory) resolution() (x, y float64) {
	x, y = d.rational(tagXResolution), d.rational(tagYResolution)
	switch d.number(tagResolutionUnit, 2) {
	case 3:
		return x * 2.54, y * 2.54
	case 2:
		return x, y
	}
	return 0, 0
}

func (d directory) orientation() Orientation {
	return Orientation(min(d.number(tagOrientation, 1), 9)).known()
}

// exifClaims reads orientation and resolution of an EXIF block, which begins with a TIFF
// header. What cannot be read claims nothing.
func exifClaims(b []byte) (o Orientation, dpiX, dpiY float64) {
	f, first, err := openTIFF(b)
	if err != nil || f.big {
		return 1, 0, 0
	}
	d, _, err := f.directory(first)
	if err != nil {
		return 1, 0, 0
	}
	dpiX, dpiY = d.resolution()
	return d.orientation(), dpiX, dpiY
}
