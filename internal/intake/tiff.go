package intake

import (
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
)

// Values of TIFF fields (TIFF 6.0, its Technical Notes 1 and 2).
const (
	compressNone     = 1
	compressRLE      = 2
	compressGroup3   = 3
	compressGroup4   = 4
	compressLZW      = 5
	compressOldJPEG  = 6
	compressJPEG     = 7
	compressDeflate  = 8
	compressPackBits = 32773
	compressDeflate2 = 32946

	whiteIsZero = 0
	blackIsZero = 1
	rgbSamples  = 2
	paletteUsed = 3
	separated   = 5
	ycbcr       = 6
)

// tiffImage is one image of a file, its fields checked against one another and against what
// can be decoded.
type tiffImage struct {
	f             *tiffFile
	d             directory
	width, height int
	bits, samples int // per sample, per pixel
	compression   int
	photometric   int
	planar        bool // each sample in segments of its own
	predictor     bool
	reversed      bool // bits of a byte from low to high
	alpha         uint64
	// Segments are strips as wide as the image, or tiles.
	segWidth, segHeight int
	offsets, sizes      []uint64
}

// unsupportedTIFF is an image that is sound but of a kind that is not read.
type unsupportedTIFF string

func (u unsupportedTIFF) Error() string { return "unsupported: " + string(u) }

// readTIFF calls emit for each page of a file. Reduced images and masks are not pages.
func readTIFF(name string, b []byte, emit func(Page) error) error {
	f, next, err := openTIFF(b)
	if err != nil {
		return errDamaged(name, err)
	}
	seen := map[uint64]bool{}
	pages := 0
	for next != 0 {
		if seen[next] || len(seen) > 4*certcopy.MaxPages {
			return errDamaged(name, errors.New("directories in a circle"))
		}
		seen[next] = true
		var d directory
		if d, next, err = f.directory(next); err != nil {
			return errDamaged(name, err)
		}
		if d.number(tagSubfileType, 0)&5 != 0 {
			continue
		}
		if pages++; pages > certcopy.MaxPages {
			return errPages(name, pages)
		}
		p, err := f.readImage(name, d)
		if err != nil {
			return tiffError(name, err)
		}
		if err := emit(p); err != nil {
			return err
		}
	}
	if pages == 0 {
		return errNoPages(name)
	}
	return nil
}

func tiffError(name string, err error) error {
	var u unsupportedTIFF
	switch {
	case errors.As(err, &u):
		return errUnsupported(name, "TIFF "+string(u))
	case certcopy.CodeOf(err) == certcopy.Invalid:
		return err
	}
	return pngError(name, err)
}

func (f *tiffFile) readImage(name string, d directory) (Page, error) {
	w, h := d.number(tagWidth, 0), d.number(tagHeight, 0)
	if w == 0 || h == 0 {
		return Page{}, fmt.Errorf("image of %d × %d", w, h)
	}
	if w > certcopy.MaxImagePixels || h > certcopy.MaxImagePixels || w*h > certcopy.MaxImagePixels {
		return Page{}, errPixels(name, int64(min(w, 1<<40)), int64(min(h, 1<<40)))
	}
	t := &tiffImage{f: f, d: d, width: int(w), height: int(h)}
	if err := t.layout(); err != nil {
		return Page{}, err
	}
	if err := t.segments(); err != nil {
		return Page{}, err
	}
	p := Page{Image: Image{Width: t.width, Height: t.height, Orientation: d.orientation()}}
	p.DPIX, p.DPIY = d.resolution()
	if t.compression == compressJPEG && len(t.offsets) == 1 && t.segWidth >= t.width && t.segHeight >= t.height {
		return t.wholeJPEG(name, p)
	}
	return p, t.encode(&p)
}

// layout reads how samples are stored.
func (t *tiffImage) layout() error {
	d := t.d
	t.compression = int(d.number(tagCompression, compressNone))
	t.photometric = int(d.number(tagPhotometric, 99))
	t.samples = int(min(d.number(tagSamplesPerPixel, 1), 1<<16))
	t.bits = int(min(d.number(tagBits, 1), 1<<16))
	t.planar = d.number(tagPlanar, 1) == 2 && t.samples > 1
	t.predictor = d.number(tagPredictor, 1) == 2
	t.reversed = d.number(tagFillOrder, 1) == 2
	for _, b := range d.numbers(tagBits) {
		if b != uint64(t.bits) {
			return unsupportedTIFF("bits per sample")
		}
	}
	if extra := d.numbers(tagExtraSamples); len(extra) > 0 {
		t.alpha = extra[0]
	}
	switch {
	case d.number(tagSampleFormat, 1) != 1:
		return unsupportedTIFF("sample format")
	case d.number(tagPredictor, 1) > 2 || t.predictor && t.bits != 8 && t.bits != 16:
		return unsupportedTIFF("predictor")
	case t.bits != 1 && t.bits != 2 && t.bits != 4 && t.bits != 8 && t.bits != 16 || t.bits < 8 && t.samples > 1:
		return unsupportedTIFF(fmt.Sprintf("%d bits", t.bits))
	case t.isFax() && (t.bits != 1 || t.samples != 1):
		return fmt.Errorf("facsimile coding of %d × %d bits", t.samples, t.bits)
	}
	return t.colours()
}

func (t *tiffImage) isFax() bool {
	return t.compression >= compressRLE && t.compression <= compressGroup4
}

// colours checks that there are samples for the colour model.
func (t *tiffImage) colours() error {
	least := map[int]int{whiteIsZero: 1, blackIsZero: 1, rgbSamples: 3, paletteUsed: 1, separated: 4, ycbcr: 3}[t.photometric]
	switch {
	case least == 0:
		return unsupportedTIFF(fmt.Sprintf("photometric %d", t.photometric))
	case t.samples < least || t.samples > least+4:
		return fmt.Errorf("%d samples for photometric %d", t.samples, t.photometric)
	case t.photometric == ycbcr && t.compression != compressJPEG:
		return unsupportedTIFF("YCbCr")
	case t.photometric == paletteUsed && (t.bits > 8 || t.d[tagColorMap].n < 3<<t.bits):
		return errors.New("palette is missing")
	case t.compression == compressJPEG && (t.bits != 8 || t.planar || t.samples > 3):
		return unsupportedTIFF("JPEG")
	}
	return nil
}

// segments reads where the strips or tiles lie and checks their number and size.
func (t *tiffImage) segments() error {
	at, size := uint16(tagStripOffsets), uint16(tagStripBytes)
	t.segWidth, t.segHeight = t.width, int(min(t.d.number(tagRowsPerStrip, 1<<32-1), uint64(t.height)))
	if _, tiled := t.d[tagTileOffsets]; tiled {
		at, size = tagTileOffsets, tagTileBytes
		w, h := t.d.number(tagTileWidth, 0), t.d.number(tagTileLength, 0)
		if w == 0 || h == 0 || w > 1<<16 || h > 1<<16 || w*h > certcopy.MaxImagePixels {
			return fmt.Errorf("tiles of %d × %d", w, h)
		}
		t.segWidth, t.segHeight = int(w), int(h)
	}
	if t.segHeight == 0 {
		return errors.New("strips without rows")
	}
	t.offsets, t.sizes = t.d.numbers(at), t.d.numbers(size)
	need := t.across() * t.down() * t.planes()
	if len(t.sizes) == 0 && need == 1 && len(t.offsets) == 1 && t.offsets[0] <= uint64(len(t.f.b)) {
		t.sizes = []uint64{uint64(len(t.f.b)) - t.offsets[0]} // some writers leave it out
	}
	if len(t.offsets) < need || len(t.sizes) < need {
		return fmt.Errorf("%d segments with %d sizes, %d needed", len(t.offsets), len(t.sizes), need)
	}
	return nil
}

func (t *tiffImage) across() int { return (t.width + t.segWidth - 1) / t.segWidth }
func (t *tiffImage) down() int   { return (t.height + t.segHeight - 1) / t.segHeight }

func (t *tiffImage) planes() int {
	if t.planar {
		return t.samples
	}
	return 1
}

// perSegment is the number of samples of a pixel in one segment.
func (t *tiffImage) perSegment() int {
	if t.planar {
		return 1
	}
	return t.samples
}
