package stamp

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// ErrClean: the clean document is not the one described, or holds what intake never writes.
var ErrClean = errors.New("not a clean document")

// cleanPage is one page of a clean document: one image and where it lies.
type cleanPage struct {
	width, height float64
	image         *pdf.Stream
	imageRef      pdf.Ref // in the clean document, where pages may share an image
	content       []byte  // "q a b c d e f cm /Im0 Do Q"
}

// cleanContent is the only page content that intake writes. Anything else is refused, so that
// nothing can be signed that intake did not look at.
var cleanContent = regexp.MustCompile(`^\s*q(\s+-?[0-9]*\.?[0-9]+){6}\s+cm\s+/Im0\s+Do\s+Q\s*$`)

// readClean checks digest and shape of a clean document and returns its pages. Image data is
// not read.
func readClean(clean io.ReaderAt, size int64, doc certcopy.CleanDocument) ([]cleanPage, error) {
	if err := checkDigest(clean, size, doc); err != nil {
		return nil, err
	}
	r, err := pdf.Open(clean, size, pdf.Limits{Pages: certcopy.MaxPages})
	if err != nil {
		return nil, notClean(err)
	}
	var pages []cleanPage
	for p, err := range r.Pages() {
		if err != nil {
			return nil, notClean(err)
		}
		page, err := readPage(r, p)
		if err != nil {
			return nil, notClean(fmt.Errorf("page %d: %w", p.Index+1, err))
		}
		pages = append(pages, page)
	}
	if err := checkPages(pages, doc.Pages); err != nil {
		return nil, notClean(err)
	}
	return pages, nil
}

func checkDigest(clean io.ReaderAt, size int64, doc certcopy.CleanDocument) error {
	if size != doc.Size || size > certcopy.MaxCopyBytes {
		return notClean(fmt.Errorf("%d bytes, want %d and at most %d", size, doc.Size, certcopy.MaxCopyBytes))
	}
	h := sha256.New()
	if _, err := io.Copy(h, io.NewSectionReader(clean, 0, size)); err != nil {
		return fmt.Errorf("clean document: %w", err)
	}
	if certcopy.Digest(h.Sum(nil)) != doc.Digest {
		return notClean(errors.New("its digest differs"))
	}
	return nil
}

func checkPages(got []cleanPage, want []certcopy.Page) error {
	if len(got) != len(want) || len(got) == 0 {
		return fmt.Errorf("%d pages, want %d", len(got), len(want))
	}
	for i := range got {
		if math.Abs(got[i].width-want[i].Width) > 0.5 || math.Abs(got[i].height-want[i].Height) > 0.5 {
			return fmt.Errorf("page %d is %g × %g, want %g × %g", i+1, got[i].width, got[i].height, want[i].Width, want[i].Height)
		}
	}
	return nil
}

func readPage(r *pdf.Reader, p pdf.Page) (cleanPage, error) {
	page := cleanPage{width: p.MediaBox[2], height: p.MediaBox[3]}
	if p.MediaBox[0] != 0 || p.MediaBox[1] != 0 || p.CropBox != p.MediaBox || p.Rotate != 0 || page.width <= 0 || page.height <= 0 {
		return page, fmt.Errorf("boxes %v, %v, rotation %d", p.MediaBox, p.CropBox, p.Rotate)
	}
	if p.Dict.Has("Annots") || p.Dict.Has("AA") {
		return page, errors.New("it has annotations or actions")
	}
	content, err := r.Resolve(p.Dict.Get("Contents"))
	if err != nil {
		return page, err
	}
	stream, ok := content.(*pdf.Stream)
	if !ok || stream.Len() > 1024 {
		return page, errors.New("its content is not one short stream")
	}
	if page.content, err = r.Decode(stream); err != nil {
		return page, err
	}
	if !cleanContent.Match(page.content) {
		return page, errors.New("its content is more than one image")
	}
	page.imageRef, page.image, err = readImage(r, p.Resources)
	return page, err
}

// imageKeys are the entries an image of a clean document may have.
var imageKeys = map[pdf.Name]bool{"Type": true, "Subtype": true, "Width": true, "Height": true, "ColorSpace": true,
	"BitsPerComponent": true, "Filter": true, "DecodeParms": true, "Decode": true, "Length": true}

// imageFilters are the filters that PDF/A-2 allows and intake writes.
var imageFilters = map[pdf.Name]bool{"DCTDecode": true, "FlateDecode": true, "CCITTFaxDecode": true}

// readImage finds /Im0 and returns it with a dictionary of direct, expected entries.
func readImage(r *pdf.Reader, resources pdf.Object) (pdf.Ref, *pdf.Stream, error) {
	d, err := r.Dict(resources)
	if err != nil {
		return pdf.Ref{}, nil, err
	}
	xobjects, err := r.Dict(d.Get("XObject"))
	if err != nil {
		return pdf.Ref{}, nil, err
	}
	ref := xobjects.Ref("Im0")
	o, err := r.Resolve(ref)
	if err != nil {
		return pdf.Ref{}, nil, err
	}
	image, ok := o.(*pdf.Stream)
	if !ok || image.Dict.Name("Subtype") != "Image" {
		return ref, nil, errors.New("/Im0 is not an image")
	}
	var kept pdf.Dict
	for _, e := range image.Dict {
		if !imageKeys[e.Key] || kept.Has(e.Key) {
			return ref, nil, fmt.Errorf("its image has an unexpected /%s", e.Key)
		}
		v, err := direct(r, e.Value, 4)
		if err != nil {
			return pdf.Ref{}, nil, err
		}
		kept.Set(e.Key, v)
	}
	if err := checkImage(kept); err != nil {
		return pdf.Ref{}, nil, err
	}
	raw := image.Raw()
	return ref, pdf.NewStreamAt(kept, raw, 0, raw.Size()), nil
}

func checkImage(d pdf.Dict) error {
	if !imageFilters[d.Name("Filter")] {
		return fmt.Errorf("its image is stored with the filter %v", d.Get("Filter"))
	}
	space := d.Get("ColorSpace")
	if a, ok := space.(pdf.Array); ok && len(a) == 4 && a[0] == pdf.Object(pdf.Name("Indexed")) {
		space = a[1]
	}
	if space != pdf.Object(pdf.Name("DeviceGray")) && space != pdf.Object(pdf.Name("DeviceRGB")) {
		return errors.New("its image is neither grey nor RGB")
	}
	width, _ := d.Int("Width")
	height, _ := d.Int("Height")
	if width <= 0 || height <= 0 || width > certcopy.MaxImagePixels/height {
		return fmt.Errorf("its image has %d × %d pixels", width, height)
	}
	return nil
}

// direct resolves o and all it holds; streams are refused.
func direct(r *pdf.Reader, o pdf.Object, depth int) (pdf.Object, error) {
	v, err := r.Resolve(o)
	if err != nil {
		return nil, err
	}
	switch c := v.(type) {
	case pdf.Array:
		out := make(pdf.Array, len(c))
		for i := range c {
			if depth == 0 {
				return nil, errors.New("an image's dictionary is nested too deep")
			}
			if out[i], err = direct(r, c[i], depth-1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case pdf.Dict:
		var out pdf.Dict
		for _, e := range c {
			if depth == 0 {
				return nil, errors.New("an image's dictionary is nested too deep")
			}
			value, err := direct(r, e.Value, depth-1)
			if err != nil {
				return nil, err
			}
			out.Set(e.Key, value)
		}
		return out, nil
	case *pdf.Stream:
		return nil, errors.New("an image's dictionary holds a stream")
	}
	return v, nil
}

func notClean(err error) error {
	return certcopy.Errorf(certcopy.Internal, "", fmt.Errorf("%w: %w", ErrClean, err), certcopy.Msg(
		"Tài liệu đã quét trong kho không còn nguyên vẹn. Hãy trả lại để quét lại và báo quản trị viên.",
		"The scanned document in the store is not intact. Return it to be scanned again and tell the administrator."))
}
