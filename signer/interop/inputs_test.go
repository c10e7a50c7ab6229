package interop

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"os/exec"
	"strings"
	"testing"
	"time"

	digitorus "github.com/digitorus/pdf"
	pdfsigner "github.com/digitorus/pdfsign/sign"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// input is a kind of file and how it is signed.
type input struct {
	name    string
	data    []byte
	options pades.Options
	pdfa    bool // it is PDF/A-2b and must stay so
	earlier int  // signatures that it has already
}

// inputs returns the document as every kind of file.
func inputs(t testing.TB, w *world) []input {
	t.Helper()
	table := document(t, "1.7", nil)
	form := document(t, "1.7", withForm)
	ins := []input{
		{name: "xref table", data: table},
		{name: "PDF 1.2", data: qpdf(t, table, "--force-version=1.2 --object-streams=disable")},
		{name: "PDF 2.0", data: document(t, "2.0", nil)},
		{name: "xref stream", data: xrefStream()},
		{name: "object streams", data: qpdf(t, table, "--object-streams=generate")},
		{name: "hybrid", data: hybrid()},
		{name: "linearized", data: qpdf(t, table, "--linearize --object-streams=disable")},
		{name: "linearized, streams", data: qpdf(t, table, "--linearize --object-streams=generate")},
		{name: "form with fields", data: form, options: visible()},
		{name: "form of direct objects", data: document(t, "1.7", withDirectForm)},
		{name: "form in streams", data: qpdf(t, form, "--object-streams=generate"), options: pades.Options{Field: "seal"}},
		{name: "PDF/A-2b", data: document(t, "1.7", withArchival), pdfa: true},
	}
	certified := w.sign(t, form, keys[0], pades.BT, pades.Options{Certify: 2})
	before := w.sign(t, table, keys[2], pades.BLTA, pades.Options{Field: "Earlier"})
	ins = append(ins, input{name: "certified, sealed with lock", data: certified, options: pades.Options{Field: "seal"}, earlier: 1},
		input{name: "signed here to B-LTA", data: before, earlier: 1})
	return append(ins, signedByOthers(t, w, table)...)
}

func visible() pades.Options {
	return pades.Options{Rect: [4]float64{300, 50, 400, 100}, Page: 1}
}

// signedByOthers lets each program that is there sign the file first.
func signedByOthers(t testing.TB, w *world, base []byte) []input {
	t.Helper()
	ins := []input{{name: "signed by pdfsign", data: pdfsign(t, w, base), earlier: 1}}
	for _, o := range others {
		if o.find() != "" {
			ins = append(ins, input{name: "signed by " + o.name, data: o.sign(t, w, map[string][]byte{"base": base}, "LT")["base"], earlier: 1})
		}
	}
	if findDSS() != "" {
		ins = append(ins, input{name: "signed by OpenPDF", data: openPDF(t, w, base), earlier: 1})
	}
	return ins
}

// openPDF signs with OpenPDF, the line of iText that is freely licensed.
func openPDF(t testing.TB, w *world, base []byte) []byte {
	t.Helper()
	return others[1].run(t, w, map[string][]byte{"base": base}, "openpdf", "--p12", w.p12(t, key{name: "theirs", kind: signertest.P256}), "--pass", pass)["base"]
}

// pdfsign signs with github.com/digitorus/pdfsign, which knows only adbe.pkcs7.detached.
func pdfsign(t testing.TB, w *world, base []byte) []byte {
	t.Helper()
	leaf, err := w.pki.Issue(signertest.Official("Trần Thị Bình", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	reader, err := digitorus.NewReader(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	data := pdfsigner.SignData{Signer: leaf.Private, DigestAlgorithm: crypto.SHA256, Certificate: leaf.Certificate,
		CertificateChains: [][]*x509.Certificate{append([]*x509.Certificate{leaf.Certificate}, leaf.Chain...)},
		Signature:         pdfsigner.SignDataSignature{Info: pdfsigner.SignDataSignatureInfo{Date: time.Now()}, CertType: pdfsigner.ApprovalSignature}}
	var out bytes.Buffer
	if err := pdfsigner.Sign(bytes.NewReader(base), &out, reader, int64(len(base)), data); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func qpdf(t testing.TB, data []byte, args string) []byte {
	t.Helper()
	program := findTool("qpdf")
	if program == "" {
		missing(t, "qpdf")
	}
	dir := t.TempDir()
	in, out := dir+"/in.pdf", dir+"/out.pdf"
	write(t, in, data)
	words := append([]string{"--deterministic-id"}, append(strings.Fields(args), in, out)...)
	if msg, err := exec.Command(program, words...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %s: %v %s", args, err, msg)
	}
	return read(t, out)
}

// writer is a pdf.Writer for files that cannot fail to be written.
type writer struct {
	*pdf.Writer
	t testing.TB
}

func (w writer) put(ref pdf.Ref, o pdf.Object) {
	w.t.Helper()
	if err := w.Put(ref, o); err != nil {
		w.t.Fatal(err)
	}
}

func (w writer) add(o pdf.Object) pdf.Ref {
	w.t.Helper()
	ref := w.Alloc()
	w.put(ref, o)
	return ref
}

// document writes a file of two pages. extra may add to the catalog and the first page.
func document(t testing.TB, version string, extra func(w writer, catalog, page *pdf.Dict)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := writer{pdf.NewWriter(&b, version), t}
	root, pages, content, first, second := w.Alloc(), w.Alloc(), w.Alloc(), w.Alloc(), w.Alloc()
	catalog := pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}
	page := pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Contents", content), pdf.E("Resources", pdf.Dict{})}
	front := page.Clone()
	if extra != nil {
		extra(w, &catalog, &front)
	}
	w.put(content, pdf.NewStream(nil, []byte("20 20 m 120 20 l 120 120 l h W n\n"))) // no colour, so PDF/A asks for no profile
	w.put(first, front)
	w.put(second, page)
	w.put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{first, second}), pdf.E("Count", pdf.Integer(2)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))})
	w.put(root, catalog)
	id := pdf.String{Bytes: []byte("0123456789abcdef"), Hex: true}
	if err := w.Close(pdf.Dict{pdf.E("Root", root), pdf.E("ID", pdf.Array{id, id})}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withForm adds a text field whose kind is inherited and an empty signature field "seal"
// that will lock everything.
func withForm(w writer, catalog, page *pdf.Dict) {
	widget := pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("F", pdf.Integer(4))}
	parent := w.Alloc()
	text := w.add(append(widget.Clone(), pdf.E("T", pdf.Text("họ tên")), pdf.E("Parent", parent), pdf.E("Rect", pdf.Rect(10, 10, 100, 30))))
	w.put(parent, pdf.Dict{pdf.E("T", pdf.Text("person")), pdf.E("FT", pdf.Name("Tx")), pdf.E("DA", pdf.Text("/Helv 0 Tf 0 g")), pdf.E("Kids", pdf.Array{text})})
	empty := w.add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Form")), pdf.E("BBox", pdf.Rect(0, 0, 80, 80))}, nil))
	lock := w.add(pdf.Dict{pdf.E("Type", pdf.Name("SigFieldLock")), pdf.E("Action", pdf.Name("All"))})
	seal := w.add(append(widget.Clone(), pdf.E("T", pdf.Text("seal")), pdf.E("FT", pdf.Name("Sig")), pdf.E("Rect", pdf.Rect(100, 100, 180, 180)),
		pdf.E("AP", pdf.Dict{pdf.E("N", empty)}), pdf.E("Lock", lock)))
	font := w.add(pdf.Dict{pdf.E("Type", pdf.Name("Font")), pdf.E("Subtype", pdf.Name("Type1")), pdf.E("BaseFont", pdf.Name("Helvetica"))})
	catalog.Set("AcroForm", w.add(pdf.Dict{pdf.E("Fields", pdf.Array{parent, seal}), pdf.E("DA", pdf.Text("/Helv 0 Tf 0 g")),
		pdf.E("DR", pdf.Dict{pdf.E("Font", pdf.Dict{pdf.E("Helv", font)})})}))
	page.Set("Annots", w.add(pdf.Array{text, seal}))
}

// withDirectForm adds a form and an annotation that are no objects of their own.
func withDirectForm(w writer, catalog, page *pdf.Dict) {
	text := w.add(pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("F", pdf.Integer(4)),
		pdf.E("T", pdf.Text("họ tên")), pdf.E("FT", pdf.Name("Tx")), pdf.E("DA", pdf.Text("/Helv 0 Tf 0 g")), pdf.E("Rect", pdf.Rect(10, 10, 100, 30))})
	link := pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Link")), pdf.E("Rect", pdf.Rect(0, 0, 9, 9)), pdf.E("F", pdf.Integer(4))}
	catalog.Set("AcroForm", pdf.Dict{pdf.E("Fields", pdf.Array{text}), pdf.E("DR", pdf.Dict{}), pdf.E("DA", pdf.Text("/Helv 0 Tf 0 g"))})
	page.Set("Annots", pdf.Array{text, link})
}

// withArchival makes the document PDF/A-2b: nothing it shows needs a font or a profile, so
// only the claim is missing.
func withArchival(w writer, catalog, _ *pdf.Dict) {
	xmp := `<?xpacket begin="` + "\ufeff" + `" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
		`<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"><pdfaid:part>2</pdfaid:part><pdfaid:conformance>B</pdfaid:conformance></rdf:Description>` +
		`</rdf:RDF></x:xmpmeta><?xpacket end="w"?>`
	catalog.Set("Metadata", w.add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("Metadata")), pdf.E("Subtype", pdf.Name("XML"))}, []byte(xmp))))
}

// handwritten is a file written by hand, with the offsets of its objects.
type handwritten struct {
	bytes.Buffer
	offsets map[int]int
}

// byHand starts a file of two pages with what the first page has besides.
func byHand(extra string) *handwritten {
	f := &handwritten{offsets: map[int]int{}}
	f.WriteString("%PDF-1.5\n%\xE2\xE3\xCF\xD3\n")
	f.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	f.object(2, "<</Type/Pages/Kids[3 0 R 4 0 R]/Count 2/MediaBox[0 0 595 842]>>")
	f.object(3, "<</Type/Page/Parent 2 0 R/Resources<<>>"+extra+">>")
	f.object(4, "<</Type/Page/Parent 2 0 R/Resources<<>>>>")
	return f
}

func (f *handwritten) object(number int, body string) {
	f.offsets[number] = f.Len()
	fmt.Fprintf(f, "%d 0 obj\n%s\nendobj\n", number, body)
}

func (f *handwritten) stream(number int, dict, data string) {
	f.object(number, fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data))
}

// xrefStream returns a file with a cross-reference stream and no object stream.
func xrefStream() []byte {
	f := byHand("")
	at := f.Len()
	f.offsets[5] = at
	entries := []byte{0, 0, 0, 255}
	for n := 1; n <= 5; n++ {
		entries = append(entries, 1, byte(f.offsets[n]>>8), byte(f.offsets[n]), 0)
	}
	f.stream(5, "/Type/XRef/Size 6/W[1 2 1]/Root 1 0 R/ID[<30><30>]", string(entries))
	fmt.Fprintf(f, "startxref\n%d\n%%%%EOF\n", at)
	return f.Bytes()
}

// hybrid returns a hybrid-reference file (ISO 32000-2 §7.5.8.4): the annotation of its first
// page, object 5 in object stream 6, is seen only by readers of cross-reference streams.
func hybrid() []byte {
	f := byHand("/Annots[5 0 R]")
	f.stream(6, "/Type/ObjStm/N 1/First 4", "5 0 <</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Border[0 0 0]>>")
	hidden := f.Len()
	f.stream(7, "/Type/XRef/Size 8/W[1 2 1]/Index[5 1]", string([]byte{2, 0, 6, 0}))
	start := f.Len()
	f.WriteString("xref\n0 8\n0000000000 65535 f \n")
	for n := 1; n < 8; n++ {
		if n == 5 || n == 7 { // free for readers that know only tables
			f.WriteString("0000000000 00000 f \n")
			continue
		}
		fmt.Fprintf(f, "%010d 00000 n \n", f.offsets[n])
	}
	fmt.Fprintf(f, "trailer\n<</Size 8 /Root 1 0 R /ID[<30><30>] /XRefStm %d>>\nstartxref\n%d\n%%%%EOF\n", hidden, start)
	return f.Bytes()
}
