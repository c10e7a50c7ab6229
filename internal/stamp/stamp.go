package stamp

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/pdf"
)

// Names of the signature fields, in the order they are to be signed.
const (
	CertifierField = "NguoiChungThuc"
	AgencyField    = "CoQuanChungThuc"
)

// Stamped is a file ready to be signed. Only Stamp makes one.
type Stamped struct {
	PDF    []byte
	Digest certcopy.Digest
	Pages  int
	// StatementPage is the page of the statement and the fields, from 0.
	StatementPage int
	// Appended tells that the statement stands on a page of its own.
	Appended bool
}

// Stamp reads a clean document, checks it against its description and returns the file to be
// signed: PDF/A-2b (ISO 19005-2) in PDF 1.7, each page image byte for byte as it was, the
// statement, and the two empty signature fields. The same input gives the same bytes. It
// needs the memory of the result. Errors for people are certcopy.Errors; see ErrClean,
// ErrTooLong, ErrTemplate, ErrPicture and typeface.MissingGlyphError.
func Stamp(clean io.ReaderAt, size int64, doc certcopy.CleanDocument, f Facts) (*Stamped, error) {
	if err := checkNumber(f.Number); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(int(min(size, certcopy.MaxCopyBytes)) + 256<<10)
	s, err := stampTo(&out, clean, size, doc, f, final)
	if err != nil {
		return nil, err
	}
	s.PDF = out.Bytes()
	s.Digest = certcopy.DigestOf(s.PDF)
	return s, nil
}

// Dry does all of Stamp with the widest number a book can give and keeps nothing, so that
// what can fail fails before a number is taken. The number of f, but not its book, is ignored.
func Dry(clean io.ReaderAt, size int64, doc certcopy.CleanDocument, f Facts) error {
	_, err := stampTo(io.Discard, clean, size, doc, f.widest(rehearsalDay(f)), final)
	return err
}

// Preview returns a PDF to be looked at, never to be signed: marked on every page as not yet
// sealed, laid out like the final file but without seal and fields. A number not yet taken is
// shown as blanks.
func Preview(clean io.ReaderAt, size int64, doc certcopy.CleanDocument, f Facts) ([]byte, error) {
	if f.Number.IsZero() && f.Template.isZero() {
		f.Template = newest(Statutory())
	}
	if f.Number.Book == "" {
		f.Number.Book = certcopy.DefaultBook
	}
	var out bytes.Buffer
	_, err := stampTo(&out, clean, size, doc, f, preview)
	return out.Bytes(), err
}

// rehearsalDay is a day on which the template in question is in force.
func rehearsalDay(f Facts) time.Time {
	t := f.Template
	if t.isZero() {
		t = newest(Statutory())
	}
	return time.Date(max(t.From.Year(), 2025), time.December, 28, 0, 0, 0, 0, time.UTC)
}

func newest(templates []Template) Template { return templates[len(templates)-1] }

// mode is what the file is for.
type mode int

const (
	final mode = iota
	preview
	sample
)

// document is a file being written.
type document struct {
	w         *output
	facts     Facts
	mode      mode
	block     *block
	fonts     *fontSet
	structure *structure
	pages     []pdf.Ref
	scans     map[pdf.Ref]pdf.Ref // images of the clean document, by their place in it
	tree      pdf.Ref             // the page tree node
	fields    []pdf.Ref
	result    Stamped
	id        []byte
}

func stampTo(out io.Writer, clean io.ReaderAt, size int64, doc certcopy.CleanDocument, f Facts, m mode) (*Stamped, error) {
	f, err := f.prepared()
	if err != nil {
		return nil, err
	}
	pages, err := readClean(clean, size, doc)
	if err != nil {
		return nil, err
	}
	b, err := newBlock(f)
	if err != nil {
		return nil, err
	}
	id, err := fileID(doc.Digest, f, m)
	if err != nil {
		return nil, err
	}
	d := &document{w: newOutput(out), facts: f, mode: m, block: b, structure: newStructure(), scans: map[pdf.Ref]pdf.Ref{}, id: id}
	if err := d.write(pages, place(b, f.Template, doc.Pages)); err != nil {
		return nil, fmt.Errorf("stamp: %w", err)
	}
	return &d.result, nil
}

// write puts the pages in order, then what only they determine.
func (d *document) write(pages []cleanPage, at placement) error {
	var err error
	if d.fonts, err = newFontSet(d.w); err != nil {
		return err
	}
	d.tree = d.w.Alloc()
	total := len(pages)
	if at.appended {
		total++
	}
	d.allocPages(total)
	d.result.StatementPage, d.result.Appended, d.result.Pages = total-1, at.appended, total
	for i := range pages {
		if err := d.writePage(i, &pages[i], at); err != nil {
			return fmt.Errorf("page %d: %w", i+1, err)
		}
	}
	if at.appended {
		if err := d.writePage(total-1, &cleanPage{width: at.width, height: at.height}, at); err != nil {
			return fmt.Errorf("page %d: %w", total, err)
		}
	}
	return d.finish()
}

func (d *document) allocPages(n int) {
	for range n {
		ref := d.w.Alloc()
		d.pages = append(d.pages, ref)
		d.structure.addPage(ref)
	}
}

// finish writes fonts, structure, metadata, the catalog and the trailer.
func (d *document) finish() error {
	kids := make(pdf.Array, len(d.pages))
	for i, p := range d.pages {
		kids[i] = p
	}
	err := d.w.Put(d.tree, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids)))})
	if err := errors.Join(err, d.fonts.write(d.w)); err != nil {
		return err
	}
	catalog, err := d.catalog()
	if err != nil {
		return err
	}
	root, err := d.w.Add(catalog)
	if err != nil {
		return err
	}
	id := pdf.String{Bytes: d.id, Hex: true}
	return d.w.Close(pdf.Dict{pdf.E("Root", root), pdf.E("ID", pdf.Array{id, id})})
}

// fileID names the file by what it is made of (ISO 32000-2 §14.4).
func fileID(clean certcopy.Digest, f Facts, m mode) ([]byte, error) {
	facts, err := json.Marshal(f)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "stamp %d %s %s", m, clean, facts))
	return sum[:16], nil
}

func (d *document) catalog() (pdf.Dict, error) {
	metadata := d.facts.metadata()
	meta, err := d.w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("Metadata")), pdf.E("Subtype", pdf.Name("XML"))}, metadata))
	if err != nil {
		return nil, err
	}
	profile, err := d.w.addCompressed(pdf.Dict{pdf.E("N", pdf.Integer(3))}, srgbProfile())
	if err != nil {
		return nil, err
	}
	structure, err := d.structure.write(d.w)
	if err != nil {
		return nil, err
	}
	c := pdf.Dict{
		pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", d.tree), pdf.E("Metadata", meta),
		pdf.E("Lang", pdf.Text("vi-VN")),
		pdf.E("MarkInfo", pdf.Dict{pdf.E("Marked", pdf.Boolean(true))}),
		pdf.E("StructTreeRoot", structure),
		pdf.E("ViewerPreferences", pdf.Dict{pdf.E("DisplayDocTitle", pdf.Boolean(true))}),
		pdf.E("OutputIntents", pdf.Array{pdf.Dict{
			pdf.E("Type", pdf.Name("OutputIntent")), pdf.E("S", pdf.Name("GTS_PDFA1")),
			pdf.E("OutputConditionIdentifier", pdf.Text(srgbName)), pdf.E("Info", pdf.Text(srgbName)),
			pdf.E("RegistryName", pdf.Text("http://www.color.org")), pdf.E("DestOutputProfile", profile),
		}}),
	}
	if len(d.fields) > 0 {
		form, err := d.w.Add(d.acroForm())
		if err != nil {
			return nil, err
		}
		c.Set("AcroForm", form)
	}
	return c, nil
}
