package intake

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// chunk is one chunk of a PNG.
func chunk(name string, body []byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	b = append(append(b, name...), body...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// forgedPNG announces a size and holds n zero bytes of samples.
func forgedPNG(w, h uint32, bits, kind, interlace byte, n int64) []byte {
	head := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)
	return pngOf(chunk("IHDR", append(head, bits, kind, 0, 0, interlace)), chunk("IDAT", zeros(n)), chunk("IEND", nil))
}

func pngOf(chunks ...[]byte) []byte {
	return append([]byte("\x89PNG\r\n\x1A\n"), bytes.Join(chunks, nil)...)
}

// zeros compresses n zero bytes.
func zeros(n int64) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	block := make([]byte, 1<<20)
	for ; n > 0; n -= int64(len(block)) {
		_, _ = z.Write(block[:min(n, int64(len(block)))])
	}
	_ = z.Close()
	return b.Bytes()
}

// tiffOf makes a little-endian TIFF of one image from its fields, with data at offset 8.
func tiffOf(data []byte, fields map[uint16]uint32) []byte {
	b := append([]byte("II\x2A\x00"), 0, 0, 0, 0)
	b = append(b, data...)
	binary.LittleEndian.PutUint32(b[4:], uint32(len(b)))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(fields)))
	for tag := range uint16(65535) {
		if v, ok := fields[tag]; ok {
			b = binary.LittleEndian.AppendUint16(b, tag)
			b = append(b, 4, 0, 1, 0, 0, 0)
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	return append(b, 0, 0, 0, 0)
}

func greyTIFF(w, h, compression uint32, data []byte, more ...uint32) []byte {
	f := map[uint16]uint32{tagWidth: w, tagHeight: h, tagBits: 8, tagCompression: compression, tagPhotometric: blackIsZero,
		tagStripOffsets: 8, tagSamplesPerPixel: 1, tagRowsPerStrip: h, tagStripBytes: uint32(len(data))}
	for i := 0; i+1 < len(more); i += 2 {
		f[uint16(more[i])] = more[i+1]
	}
	return tiffOf(data, f)
}

// pdfOf writes a PDF of n pages of one content, whose catalog has extra entries.
func pdfOf(t testing.TB, n int, content []byte, filter string, catalogEntries func(w *pdf.Writer) pdf.Dict) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	catalog, tree := w.Alloc(), w.Alloc()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	var d pdf.Dict
	if filter != "" {
		d = pdf.Dict{pdf.E("Filter", pdf.Name(filter))}
	}
	stream, err := w.Add(pdf.NewStream(d, content))
	must(err)
	font, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("Type1")), pdf.E("BaseFont", pdf.Name("Helvetica"))})
	must(err)
	action := pdf.Dict{pdf.E("S", pdf.Name("URI")), pdf.E("URI", pdf.Text("https://example.org/"))}
	link := pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Link")), pdf.E("Rect", pdf.Rect(50, 50, 200, 90)), pdf.E("A", action)}
	kids := pdf.Array{}
	for range n {
		page := pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", tree), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)),
			pdf.E("Resources", pdf.Dict{pdf.E("Font", pdf.Dict{pdf.E("F", font)})}), pdf.E("Contents", stream)}
		if catalogEntries != nil {
			page = append(page, pdf.E("Annots", pdf.Array{link}))
		}
		ref, err := w.Add(page)
		must(err)
		kids = append(kids, ref)
	}
	must(w.Put(tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(n))}))
	root := pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", tree)}
	if catalogEntries != nil {
		root = append(root, catalogEntries(w)...)
	}
	must(w.Put(catalog, root))
	must(w.Close(pdf.Dict{pdf.E("Root", catalog)}))
	return b.Bytes()
}

var plainText = []byte("BT /F 24 Tf 60 700 Td (Van ban) Tj ET\n")

// TestRefused gives every bad file and the words its refusal must contain.
func TestRefused(t *testing.T) {
	sheet := jpegOf(t, original(), 90)
	var sheetPNG bytes.Buffer
	if err := png.Encode(&sheetPNG, original()); err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(sheetPNG.Bytes())
	flipped[len(flipped)/2] ^= 1
	cmykless := greyTIFF(100, 100, 1, make([]byte, 10_000), tagPhotometric, separated)
	circle := greyTIFF(10, 10, 1, make([]byte, 100))
	copy(circle[len(circle)-4:], circle[4:8]) // the next directory is the first
	tests := []struct {
		name string
		b    []byte
		want string
	}{
		{"empty", nil, "empty"},
		{"text", []byte("Kính gửi Ủy ban nhân dân xã"), "not an image"},
		{"zip", []byte("PK\x03\x04 word/document.xml"), "not an image"},
		{"svg", []byte("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>"), "not an image"},
		{"gif", []byte("GIF89a\x01\x00\x01\x00"), "not an image"},

		{"JPEG cut in the middle", sheet[:len(sheet)/2], "cut off"},
		{"JPEG cut in its header", sheet[:30], "damaged"},
		{"JPEG cut and closed", append(bytes.Clone(sheet[:len(sheet)/2]), 0xFF, mEOI), "damaged"},
		{"JPEG of 65,535 × 65,535", resized(sheet, 65535, 65535), "65535 × 65535 pixels"},
		{"JPEG that lies about its height", resized(sheet, 827, 9000), "damaged"},
		{"JPEG of 10,000 scans", manyScans(sheet, 10_000), "damaged"},
		{"JPEG of nothing", []byte{0xFF, mSOI, 0xFF, mEOI, 0, 0}, "damaged"},

		{"PNG of 30,000 × 30,000", forgedPNG(30_000, 30_000, 8, 2, 0, 1<<20), "30000 × 30000 pixels"},
		{"PNG of 2³¹−1 × 2³¹−1", forgedPNG(1<<31-1, 1<<31-1, 16, 6, 0, 100), "pixels"},
		{"PNG without its samples", forgedPNG(5000, 5000, 8, 2, 0, 1<<20), "cut off"},
		{"PNG of 9,900 × 9,900 in 16 bits with alpha, all zero", forgedPNG(9900, 9900, 16, 6, 0, 9900*(9900*8+1)), "too much"},
		{"PNG interlaced and huge", forgedPNG(9900, 9900, 16, 6, 1, 1<<20), "cannot be read (PNG interlaced)"},
		{"PNG cut off", sheetPNG.Bytes()[:sheetPNG.Len()-200], "cut off"},
		{"PNG with a flipped bit", flipped, "damaged"},
		{"PNG of an impossible kind", forgedPNG(10, 10, 3, 2, 0, 100), "damaged"},

		{"TIFF that lies about its size", greyTIFF(5000, 5000, 1, make([]byte, 1000)), "cut off"},
		{"TIFF whose strip lies outside", greyTIFF(10, 10, 1, make([]byte, 100), tagStripOffsets, 1<<31), "cut off"},
		{"TIFF of 2³²−1 × 2³²−1", greyTIFF(1<<32-1, 1<<32-1, 1, make([]byte, 100)), "pixels"},
		{"TIFF with 2³¹ strips", greyTIFF(10, 90_000_00, 1, make([]byte, 100), tagRowsPerStrip, 1), "damaged"},
		{"TIFF without enough samples", cmykless, "damaged"},
		{"TIFF in a circle", circle, "damaged"},
		{"TIFF with empty strips", greyTIFF(10, 10, 1, make([]byte, 100), tagRowsPerStrip, 0), "damaged"},
		{"TIFF in a compression of 2003", greyTIFF(10, 10, 34712, make([]byte, 100)), "compression 34712"},
		{"TIFF deflate that ends early", greyTIFF(9000, 9000, 8, zeros(1000)), "cut off"},
		{"TIFF facsimile of noise", greyTIFF(5000, 5000, 4, bytes.Repeat([]byte{0xA5, 0x12}, 500), tagBits, 1), "damaged"},
		{"TIFF cut off", append([]byte("II\x2A\x00\xFF\xFF\x00\x00"), 0, 0), "damaged"},

		{"WebP of noise", append([]byte("RIFF\x20\x00\x00\x00WEBPVP8L\x10\x00\x00\x00\x2F"), bytes.Repeat([]byte{0xFF}, 20)...), ""},
		{"PDF of a header", []byte("%PDF-1.7\n%âãÏÓ\n"), "damaged"},
		{"PDF without pages", pdfOf(t, 0, nil, "", nil), "no pages"},
		{"PDF of 300 pages", pdfOf(t, 300, plainText, "", nil), "300 pages"},
		{"PDF cut off", pdfOf(t, 1, plainText, "", nil)[:300], "damaged"},
		{"PDF encrypted", corpus(t, "pyhanko/minimal-aes256.pdf"), "encrypted"},
		{"PDF encrypted for a key", corpus(t, "pyhanko/minimal-pubkey-aes256.pdf"), "encrypted"},
		{"PDF signed", corpus(t, "pyhanko/minimal-two-fields-signed-twice.pdf"), "electronic original"},
		{"PDF with a circle of pages", corpus(t, "pyhanko/circular-page-tree.pdf"), "damaged"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			_, err := read(t, tt.name, tt.b)
			if certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want a refusal with %q", err, tt.want)
			}
			var e *certcopy.Error
			if !errors.As(err, &e) || e.Subject != tt.name || e.Message.VI == "" || e.Message.EN == "" {
				t.Errorf("the refusal is not in both languages, or does not name the file: %+v", e)
			}
			if took := time.Since(start); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// resized changes the size a JPEG announces.
func resized(b []byte, w, h uint16) []byte {
	b = bytes.Clone(b)
	i := bytes.Index(b, []byte{0xFF, 0xC0})
	binary.BigEndian.PutUint16(b[i+5:], h)
	binary.BigEndian.PutUint16(b[i+7:], w)
	return b
}

// manyScans repeats the scan of a JPEG.
func manyScans(b []byte, n int) []byte {
	i := bytes.Index(b, []byte{0xFF, mSOS})
	head := b[i : i+2+int(binary.BigEndian.Uint16(b[i+2:]))]
	return append(append(bytes.Clone(b[:i]), bytes.Repeat(head, n)...), 0xFF, mEOI)
}

func TestTooLargeIsNotRead(t *testing.T) {
	_, err := newIntake(t).Read(t.Context(), Upload{Name: "a.tif", Body: nil, Size: 200 << 20})
	if certcopy.CodeOf(err) != certcopy.Invalid || !strings.Contains(err.Error(), "200 MiB") {
		t.Errorf("got %v", err)
	}
}

// TestBombs gives files that unpack to much more than they are. They may be read, if what they
// show is within the limits, but only within the limits of the child.
func TestBombs(t *testing.T) {
	for name, b := range map[string][]byte{
		"PNG with a gigabyte behind its samples": forgedPNG(100, 100, 8, 0, 0, 1<<30),
		"PNG with a bomb for a profile": pngOf(chunk("IHDR", []byte{0, 0, 0, 8, 0, 0, 0, 8, 8, 0, 0, 0, 0}),
			chunk("iCCP", append([]byte("x\x00\x00"), zeros(1<<30)...)), chunk("IDAT", zeros(72)), chunk("IEND", nil)),
		"TIFF with a gigabyte in a strip": greyTIFF(100, 100, 8, zeros(1<<30)),
		"PDF with a bomb for a page":      pdfOf(t, 1, zeros(1<<30), "FlateDecode", nil),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			r, err := newIntake(t).Read(ctx, Upload{Name: name, Body: bytes.NewReader(b), Size: int64(len(b))})
			switch {
			case err != nil && certcopy.CodeOf(err) != certcopy.Invalid:
				t.Fatal(err)
			case err != nil:
				t.Logf("refused: %v", err)
			default:
				t.Logf("read: %d bytes of file, %d bytes of samples", len(b), len(r.Pages[0].Data))
			}
		})
	}
}

// TestActivePDF shows that of a PDF with everything that acts, nothing but the picture is
// left, and that the clerk is told.
func TestActivePDF(t *testing.T) {
	b := pdfOf(t, 1, plainText, "", func(w *pdf.Writer) pdf.Dict {
		script := pdf.Dict{pdf.E("S", pdf.Name("JavaScript")), pdf.E("JS", pdf.Text("app.alert('x')"))}
		file, err := w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("EmbeddedFile"))}, []byte("MZ hidden program")))
		if err != nil {
			t.Fatal(err)
		}
		spec := pdf.Dict{pdf.E("Type", pdf.Name("Filespec")), pdf.E("F", pdf.Text("a.exe")), pdf.E("EF", pdf.Dict{pdf.E("F", file)})}
		field := pdf.Dict{pdf.E("FT", pdf.Name("Tx")), pdf.E("T", pdf.Text("ten")), pdf.E("V", pdf.Text("hidden value"))}
		return pdf.Dict{
			pdf.E("OpenAction", script),
			pdf.E("AcroForm", pdf.Dict{pdf.E("Fields", pdf.Array{field})}),
			pdf.E("Names", pdf.Dict{
				pdf.E("JavaScript", pdf.Dict{pdf.E("Names", pdf.Array{pdf.Text("a"), script})}),
				pdf.E("EmbeddedFiles", pdf.Dict{pdf.E("Names", pdf.Array{pdf.Text("a"), spec})}),
			}),
			pdf.E("Metadata", file),
		}
	})
	r, err := read(t, "active.pdf", b)
	if err != nil {
		t.Fatal(err)
	}
	if w := r.Pages[0].Warnings; len(w) != 1 || w[0].Code != Cleaned {
		t.Errorf("warnings %v", w)
	}
	out, doc := clean(t, b)
	for _, word := range []string{"JavaScript", "/JS", "OpenAction", "AcroForm", "EmbeddedFile", "/Names", "/Annots", "/URI", "Metadata", "hidden", "MZ", "/AA", "/Font"} {
		if bytes.Contains(out, []byte(word)) {
			t.Errorf("%s survived", word)
		}
	}
	if doc.Pages[0].Width != 595 || doc.Pages[0].Height != 842 || doc.Pages[0].DPI < 299 {
		t.Errorf("page %+v", doc.Pages[0])
	}
	// What is seen is what the PDF shows.
	if d := difference(drawn(t, out, 50)[0], drawn(t, b, 50)[0]); d > 2 {
		t.Errorf("differs by %.1f", d)
	}
}

// TestPublicPDFs reads PDFs of other programs, many of them damaged or attacks: each gives
// pages or a refusal, none an error that is not for the clerk.
func TestPublicPDFs(t *testing.T) {
	for _, dir := range []string{"pyhanko", "attacks", "pades"} {
		corpus(t, "README.md")
		root := os.Getenv("SAOY_CORPORA")
		if root == "" {
			root = "../../../shared/corpora"
		}
		files, err := filepath.Glob(filepath.Join(root, dir, "*.pdf"))
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		if testing.Short() {
			files = files[:5]
		}
		var uploads []Upload
		for _, f := range files {
			b := readFile(t, f)
			uploads = append(uploads, Upload{Name: filepath.Base(f), Body: bytes.NewReader(b), Size: int64(len(b))})
		}
		results := map[string]int{}
		read, errs := newIntake(t).ReadAll(t.Context(), uploads)
		for i, err := range errs {
			switch {
			case err == nil:
				results[fmt.Sprintf("%d pages", len(read[i].Pages))]++
			case certcopy.CodeOf(err) == certcopy.Invalid:
				results["refused"]++
			default:
				t.Errorf("%s: %v", files[i], err)
			}
		}
		t.Logf("%s: %v", dir, results)
	}
}
