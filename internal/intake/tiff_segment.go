package intake

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/bits"

	"github.com/saoy/saoy/internal/intake/ccitt"
	"golang.org/x/image/tiff/lzw"
)

// rowSource yields the rows of a segment as they would lie uncompressed.
type rowSource interface{ next(row []byte) error }

// open starts the decoder of segment i. What it inflates is bounded by the rows asked for.
func (t *tiffImage) open(i int) (rowSource, error) {
	b, ok := t.f.at(t.offsets[i], t.sizes[i])
	if !ok {
		// The end of the file may be missing: then rows will be.
		b, ok = t.f.at(t.offsets[i], max(uint64(len(t.f.b)), t.offsets[i])-t.offsets[i])
	}
	if !ok || len(b) == 0 {
		return nil, fmt.Errorf("segment %d lies outside the file: %w", i, io.ErrUnexpectedEOF)
	}
	if t.reversed && (t.isFax() || t.bits == 1) {
		b = bytes.Clone(b)
		for k := range b {
			b[k] = bits.Reverse8(b[k])
		}
	}
	switch t.compression {
	case compressNone:
		return t.plain(bytes.NewReader(b)), nil
	case compressPackBits:
		return t.plain(&packBits{b: b}), nil
	case compressLZW:
		return t.plain(bufio.NewReader(lzw.NewReader(bytes.NewReader(b), lzw.MSB, 8))), nil
	case compressDeflate, compressDeflate2:
		z, err := zlib.NewReader(bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		return t.plain(z), nil
	case compressRLE, compressGroup3, compressGroup4:
		return t.fax(b)
	case compressJPEG:
		return t.jpegSegment(b)
	case compressOldJPEG:
		return nil, unsupportedTIFF("old-style JPEG")
	}
	return nil, unsupportedTIFF(fmt.Sprintf("compression %d", t.compression))
}

func (t *tiffImage) plain(r io.Reader) rowSource { return &plainRows{r: r, t: t} }

// plainRows reads rows from a byte stream and undoes horizontal differencing.
type plainRows struct {
	r io.Reader
	t *tiffImage
}

func (p *plainRows) next(row []byte) error {
	if _, err := io.ReadFull(p.r, row); err != nil {
		return noEOF(err)
	}
	if !p.t.predictor {
		return nil
	}
	n := p.t.perSegment()
	if p.t.bits == 8 {
		for i := n; i < len(row); i++ {
			row[i] += row[i-n]
		}
		return nil
	}
	order := p.t.f.order
	for i := 2 * n; i+1 < len(row); i += 2 {
		order.PutUint16(row[i:], order.Uint16(row[i:])+order.Uint16(row[i-2*n:]))
	}
	return nil
}

// packBits undoes the run-length coding of TIFF 6.0 §9.
type packBits struct {
	b     []byte
	plain int // bytes left to copy
	same  int // times left to repeat b[0]
}

func (p *packBits) Read(dst []byte) (n int, err error) {
	for n < len(dst) {
		switch {
		case p.plain > 0 && len(p.b) > 0:
			k := copy(dst[n:min(len(dst), n+p.plain)], p.b)
			p.b, p.plain, n = p.b[k:], p.plain-k, n+k
		case p.same > 0 && len(p.b) > 0:
			dst[n] = p.b[0]
			n++
			if p.same--; p.same == 0 {
				p.b = p.b[1:]
			}
		case len(p.b) == 0:
			return n, io.EOF
		default:
			c := int8(p.b[0])
			p.b = p.b[1:]
			if c >= 0 {
				p.plain = int(c) + 1
			} else if c != -128 {
				p.same = 1 - int(c)
			}
		}
	}
	return n, nil
}

type faxRows struct{ d *ccitt.Decoder }

func (r faxRows) next(row []byte) error { return r.d.Next(row) }

func (t *tiffImage) fax(b []byte) (rowSource, error) {
	o := ccitt.Options{Width: t.segWidth, Group4: t.compression == compressGroup4, AlignedRows: t.compression == compressRLE}
	if t.compression == compressGroup3 {
		options := t.d.number(tagT4Options, 0)
		if options&2 != 0 {
			return nil, unsupportedTIFF("uncompressed mode")
		}
		o.TwoDimensional = options&1 != 0
	}
	d, err := ccitt.NewDecoder(b, o)
	return faxRows{d}, err
}

// jpegStream completes the JPEG of a segment with the tables all segments share, and says by an
// Adobe marker when its samples are RGB (TIFF Technical Note 2).
func (t *tiffImage) jpegStream(b []byte) ([]byte, error) {
	if len(b) < 4 || b[0] != 0xFF || b[1] != mSOI {
		return nil, errJPEG
	}
	out := []byte{0xFF, mSOI}
	if t.photometric == rgbSamples {
		out = append(out, 0xFF, mAPP14, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 0)
	}
	if tables := t.d[tagJPEGTables].data; len(tables) > 4 {
		out = append(out, bytes.TrimSuffix(tables[2:], []byte{0xFF, mEOI})...)
	}
	return append(out, b[2:]...), nil
}

// wholeJPEG passes a page that is one JPEG to the reader of JPEG files.
func (t *tiffImage) wholeJPEG(name string, claims Page) (Page, error) {
	b, ok := t.f.at(t.offsets[0], t.sizes[0])
	if !ok {
		return Page{}, io.ErrUnexpectedEOF
	}
	b, err := t.jpegStream(b)
	if err != nil {
		return Page{}, err
	}
	p, err := readJPEG(name, b)
	if err != nil {
		return Page{}, err
	}
	if p.Width != t.width || p.Height != t.height {
		return Page{}, fmt.Errorf("JPEG of %d × %d in an image of %d × %d", p.Width, p.Height, t.width, t.height)
	}
	p.Orientation, p.DPIX, p.DPIY = claims.Orientation, claims.DPIX, claims.DPIY
	return p, nil
}

// jpegRows hands out the rows of a decoded segment.
type jpegRows struct {
	img image.Image
	y   int
}

func (t *tiffImage) jpegSegment(b []byte) (rowSource, error) {
	b, err := t.jpegStream(b)
	if err != nil {
		return nil, err
	}
	j, err := scanJPEG(b)
	if err != nil {
		return nil, err
	}
	if j.width < t.segWidth && t.segWidth != t.width || j.width > t.segWidth+15 || j.height > t.segHeight+15 {
		return nil, fmt.Errorf("JPEG of %d × %d in a segment of %d × %d", j.width, j.height, t.segWidth, t.segHeight)
	}
	img, err := jpeg.Decode(bytes.NewReader(j.clean))
	if err != nil {
		return nil, err
	}
	if grey := t.samples == 1; grey != isGrey(img) {
		return nil, errors.New("JPEG of another number of samples")
	}
	return &jpegRows{img: img}, nil
}

func isGrey(img image.Image) bool { _, ok := img.(*image.Gray); return ok }

func (r *jpegRows) next(row []byte) error {
	b := r.img.Bounds()
	y := b.Min.Y + r.y
	if r.y++; y >= b.Max.Y {
		return io.ErrUnexpectedEOF
	}
	switch v := r.img.(type) {
	case *image.Gray:
		if copy(row, v.Pix[v.PixOffset(b.Min.X, y):][:b.Dx()]) < len(row) {
			return io.ErrUnexpectedEOF
		}
	case *image.YCbCr:
		if 3*b.Dx() < len(row) {
			return io.ErrUnexpectedEOF
		}
		for x := range len(row) / 3 {
			yi, ci := v.YOffset(b.Min.X+x, y), v.COffset(b.Min.X+x, y)
			row[3*x], row[3*x+1], row[3*x+2] = color.YCbCrToRGB(v.Y[yi], v.Cb[ci], v.Cr[ci])
		}
	case *image.RGBA:
		if 3*b.Dx() < len(row) {
			return io.ErrUnexpectedEOF
		}
		packRGB(row, v.Pix[v.PixOffset(b.Min.X, y):][:len(row)/3*4])
	default:
		return unsupportedTIFF("JPEG")
	}
	return nil
}
