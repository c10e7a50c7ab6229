package intake

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

	"github.com/saoy/saoy/internal/certcopy"
)

// Encoding is how the samples of an Image are stored, named as the PDF filter that reads it
// (ISO 32000-2 §7.4).
type Encoding string

// The encodings of a clean image.
const (
	DCT   Encoding = "DCTDecode"      // JPEG
	Flate Encoding = "FlateDecode"    // PNG predictors (15), rows of whole bytes
	G4    Encoding = "CCITTFaxDecode" // Group 4, K -1, no end-of-line, black is 0
)

// Image is the picture of one page as it will stand in the clean document.
type Image struct {
	Width, Height int // samples as stored, before Orientation
	// Components is 1 (grey, black and white, or an index into Palette) or 3 (sRGB).
	Components int
	Bits       int    // per component: 1, 2, 4 or 8
	Palette    []byte `json:",omitempty"` // red, green, blue of each index; nil if there is none
	Encoding   Encoding
	// Orientation says how the stored samples are turned to be seen upright.
	Orientation Orientation
	// DPIX and DPIY are the file's own claim along Width and Height; 0 if it makes none.
	DPIX, DPIY float64
	// Sized says that DPIX and DPIY come from a page size that was chosen on purpose and is
	// kept, whatever they are.
	Sized bool `json:",omitempty"`
	// Free is the part of the height, as seen, from the bottom edge up in which there is
	// nothing but paper: 0 to 1.
	Free float64
	Data []byte `json:"-"`
}

// Orientation is the EXIF and TIFF orientation, 1 to 8 (TIFF 6.0, tag 274).
type Orientation int

// Swaps reports whether width and height change places.
func (o Orientation) Swaps() bool { return o >= 5 && o <= 8 }

// known returns o, or 1 for a value that means nothing.
func (o Orientation) known() Orientation {
	if o < 1 || o > 8 {
		return 1
	}
	return o
}

// Seen returns the samples across and down as the page is seen.
func (m *Image) Seen() (width, height int) {
	if m.Orientation.Swaps() {
		return m.Height, m.Width
	}
	return m.Width, m.Height
}

// Result is what an uploaded file holds. It can be stored between Read and Assemble.
type Result struct {
	Format string // "jpeg", "png", "tiff", "webp", "heic", "pdf"
	Pages  []Page
}

// Page is an image and its place on the sheet it will be printed on.
type Page struct {
	Image
	Sheet    Sheet
	Warnings []Warning `json:",omitempty"`
	Look     Look
	// Edit is what was done to the page since it was uploaded, and Origin where it lies as it
	// was then; nil for a page of an upload itself.
	Edit   Edit    `json:",omitzero"`
	Origin *Origin `json:",omitempty"`
}

// maxPageHeader bounds the description of a page on the wire: a palette is the largest part.
const maxPageHeader = 64 << 10

// WriteTo writes the result in a form that ReadResult reads.
func (r *Result) WriteTo(w io.Writer) (int64, error) {
	n, err := writeBlock(w, []byte(r.Format))
	for i := range r.Pages {
		if err != nil {
			return n, err
		}
		var m int64
		m, err = writePage(w, &r.Pages[i])
		n += m
	}
	return n, err
}

func writePage(w io.Writer, p *Page) (int64, error) {
	head, err := json.Marshal(p)
	if err != nil {
		return 0, err
	}
	n, err := writeBlock(w, head)
	if err != nil {
		return n, err
	}
	m, err := writeBlock(w, p.Data)
	return n + m, err
}

func writeBlock(w io.Writer, b []byte) (int64, error) {
	n, err := w.Write(binary.BigEndian.AppendUint32(nil, uint32(len(b))))
	if err != nil {
		return int64(n), err
	}
	m, err := w.Write(b)
	return int64(n + m), err
}

// ReadResult reads what WriteTo wrote and checks that it keeps the limits of a copy.
func ReadResult(r io.Reader) (*Result, error) {
	format, err := readBlock(r, 16)
	if err != nil {
		return nil, fmt.Errorf("intake result: %w", err)
	}
	res := &Result{Format: string(format)}
	for {
		p, err := readPage(r)
		if err == io.EOF { //nolint:errorlint // readBlock returns it bare at a border
			return res, nil
		}
		if err != nil {
			return nil, fmt.Errorf("intake result: page %d: %w", len(res.Pages)+1, err)
		}
		if len(res.Pages) == certcopy.MaxPages {
			return nil, fmt.Errorf("intake result: more than %d pages", certcopy.MaxPages)
		}
		res.Pages = append(res.Pages, p)
	}
}

func readPage(r io.Reader) (p Page, err error) {
	head, err := readBlock(r, maxPageHeader)
	if err != nil {
		return p, err
	}
	if err := json.Unmarshal(head, &p); err != nil {
		return p, err
	}
	if p.Data, err = readBlock(r, certcopy.MaxUploadBytes); err != nil {
		return p, fmt.Errorf("samples: %w", noEOF(err))
	}
	return p, p.check()
}

// readBlock returns io.EOF only where no block begins.
func readBlock(r io.Reader, limit uint32) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(r, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n > limit {
		return nil, fmt.Errorf("block of %d bytes, limit %d", n, limit)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, noEOF(err)
}

func noEOF(err error) error {
	if err == io.EOF { //nolint:errorlint // from io.ReadFull
		return io.ErrUnexpectedEOF
	}
	return err
}

// check holds an image that came from outside this process to what Assemble relies on.
func (m *Image) check() error {
	switch {
	case m.Width < 1 || m.Height < 1 || m.Width > certcopy.MaxImagePixels/m.Height:
		return fmt.Errorf("image of %d × %d", m.Width, m.Height)
	case m.Components != 1 && m.Components != 3, m.Orientation < 1 || m.Orientation > 8:
		return fmt.Errorf("image with %d components, orientation %d", m.Components, m.Orientation)
	case m.Bits != 8 && (m.Components != 1 || m.Bits != 1 && m.Bits != 2 && m.Bits != 4):
		return fmt.Errorf("image with %d bits in %d components", m.Bits, m.Components)
	case m.Encoding != DCT && m.Encoding != Flate && m.Encoding != G4:
		return fmt.Errorf("image in encoding %q", m.Encoding)
	case len(m.Palette)%3 != 0 || len(m.Palette) > 768 || len(m.Palette) > 0 && m.Components != 1:
		return fmt.Errorf("palette of %d bytes", len(m.Palette))
	}
	return nil
}
