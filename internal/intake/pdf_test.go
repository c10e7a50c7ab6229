package intake

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// scannedPDF is a page that consists of one JPEG, with extra entries in the image's
// dictionary and content behind it.
func scannedPDF(t testing.TB, j []byte, rotate int, more pdf.Dict, content string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	catalog, tree := w.Alloc(), w.Alloc()
	f, err := scanJPEG(j)
	if err != nil {
		t.Fatal(err)
	}
	dict := pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image")), pdf.E("Width", pdf.Integer(f.width)),
		pdf.E("Height", pdf.Integer(f.height)), pdf.E("ColorSpace", pdf.Name("DeviceRGB")), pdf.E("BitsPerComponent", pdf.Integer(8)),
		pdf.E("Filter", pdf.Name("DCTDecode"))}
	image, err := w.Add(pdf.NewStream(append(dict, more...), j))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := w.Add(pdf.NewStream(nil, []byte("q 595 0 0 842 0 0 cm /I Do Q "+content+"\n")))
	if err != nil {
		t.Fatal(err)
	}
	page, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
		pdf.E("Rotate", pdf.Integer(rotate)), pdf.E("Resources", pdf.Dict{pdf.E("XObject", pdf.Dict{pdf.E("I", image)})}), pdf.E("Contents", stream)})
	if err != nil {
		t.Fatal(err)
	}
	for _, put := range []struct {
		ref pdf.Ref
		d   pdf.Dict
	}{
		{tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{page}), pdf.E("Count", pdf.Integer(1))}},
		{catalog, pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}},
	} {
		if err := w.Put(put.ref, put.d); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(pdf.Dict{pdf.E("Root", catalog)}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// TestScannedPDF: the samples of a page that is one JPEG pass through, unless the page looks
// otherwise than they do.
func TestScannedPDF(t *testing.T) {
	j := jpegOf(t, original(), 90)
	inverted := pdf.Dict{pdf.E("Decode", pdf.Array{pdf.Integer(1), pdf.Integer(0), pdf.Integer(1), pdf.Integer(0), pdf.Integer(1), pdf.Integer(0)})}
	tests := []struct {
		name    string
		b       []byte
		passed  bool
		o       Orientation
		seenDPI float64
	}{
		{"upright", scannedPDF(t, j, 0, nil, ""), true, 1, 100},
		{"turned by 90°", scannedPDF(t, j, 90, nil, ""), true, 6, 100},
		{"turned by 180°", scannedPDF(t, j, 180, nil, ""), true, 3, 100},
		{"turned by 270°", scannedPDF(t, j, 270, nil, ""), true, 8, 100},
		{"inverted", scannedPDF(t, j, 0, inverted, ""), false, 1, 200},
		{"painted over", scannedPDF(t, j, 0, nil, "0 0 1 rg 200 300 100 100 re f"), false, 1, 200},
	}
	for _, tt := range tests {
		r, err := read(t, tt.name, tt.b)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		p := r.Pages[0]
		if bytes.Equal(p.Data, j) != tt.passed || p.Orientation != tt.o || p.Sheet.DPI < tt.seenDPI*0.98 || p.Sheet.DPI > tt.seenDPI*1.02 {
			t.Errorf("%s: passed %v, orientation %d, %g dpi", tt.name, bytes.Equal(p.Data, j), p.Orientation, p.Sheet.DPI)
		}
		out, _ := clean(t, tt.b)
		if d := difference(drawn(t, out, 50)[0], drawn(t, tt.b, 50)[0]); d > 2 {
			t.Errorf("%s: differs by %.1f", tt.name, d)
		}
	}
}

// TestOwnDocumentComesBack reads a clean document again: JPEG and Group 4 pages lose nothing.
func TestOwnDocumentComesBack(t *testing.T) {
	first, _ := clean(t, corpus(t, "scans/8087_054.3B.tif"), corpus(t, "scans/exif_Portrait_6.jpg"), withSegments(jpegOf(t, scannedSheet(3), 80), jfifSegment(200)))
	r, err := read(t, "again.pdf", first)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Pages) != 3 || r.Pages[0].Encoding != G4 || !bytes.Contains(first, r.Pages[0].Data) || !bytes.Contains(first, r.Pages[2].Data) {
		t.Errorf("%d pages; the first %s", len(r.Pages), r.Pages[0].Encoding)
	}
	second, _ := clean(t, first)
	a, b := drawn(t, first, 50), drawn(t, second, 50)
	for i := range a {
		if d := difference(a[i], b[i]); d > 2 {
			t.Errorf("page %d differs by %.1f", i+1, d)
		}
	}
}

// TestMultiPageTIFF keeps the order of the pages, and every page its own kind.
func TestMultiPageTIFF(t *testing.T) {
	magick, tiffcp := needTool(t, "convert"), needTool(t, "tiffcp")
	dir := t.TempDir()
	src := filepath.Join(dir, "original.png")
	writePNG(t, src, original())
	args := []string{}
	for i, o := range []string{"-compress LZW", "-threshold 60% -type bilevel -compress Group4", "-colorspace Gray -compress Zip"} {
		path := filepath.Join(dir, fmt.Sprintf("%d.tif", i))
		convert(t, magick, src, o, path)
		args = append(args, path)
	}
	whole := filepath.Join(dir, "whole.tif")
	if out, err := exec.Command(tiffcp, append(args, whole)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	r, err := read(t, "whole.tif", readFile(t, whole))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range r.Pages {
		got = append(got, fmt.Sprintf("%d×%d %s", p.Components, p.Bits, p.Encoding))
	}
	if fmt.Sprint(got) != "[3×8 FlateDecode 1×1 CCITTFaxDecode 1×8 FlateDecode]" {
		t.Errorf("pages %v", got)
	}
}
