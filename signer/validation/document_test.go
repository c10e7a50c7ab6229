package validation

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// start is when the test authority began; every test has its own clock from there.
var start = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

// office is a certifying office with its authority and clock.
type office struct {
	t      testing.TB
	now    time.Time
	pki    *signertest.PKI
	person signer.Identity
	agency signer.Identity
}

func newOffice(t testing.TB) *office {
	t.Helper()
	o := &office{t: t, now: start}
	var err error
	o.pki, err = signertest.NewPKI(signertest.Config{Clock: func() time.Time { return o.now }, BaseURL: "http://pki.invalid", Start: start.AddDate(0, -1, 0)})
	must(t, err)
	o.person = o.issue(signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "Ủy ban nhân dân xã Ân Tường Đông", ""))
	o.agency = o.issue(signertest.Agency("Ủy ban nhân dân xã Ân Tường Đông", "MST:0100000000"))
	return o
}

func (o *office) issue(p signertest.Profile) signer.Identity {
	o.t.Helper()
	leaf, err := o.pki.Issue(p)
	must(o.t, err)
	return leaf.Identity
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stamper time-stamps by the office's authority.
type stamper struct{ *signertest.PKI }

func (s stamper) TimeStamp(ctx context.Context, digest []byte, h crypto.Hash) ([]byte, error) {
	return s.PKI.TimeStamp(ctx, digest, h)
}

func (o *office) sign(data []byte, id signer.Identity, opts pades.Options, m pades.Means) []byte {
	o.t.Helper()
	opts.SigningTime = o.now
	var out bytes.Buffer
	_, err := pades.Sign(o.t.Context(), bytes.NewReader(data), int64(len(data)), &out, id, opts, m)
	must(o.t, err)
	o.now = o.now.Add(time.Minute)
	return out.Bytes()
}

// evidence returns the validation data the authority gives now about its certificates.
func (o *office) evidence(certs ...*x509.Certificate) pades.ValidationData {
	o.t.Helper()
	v := pades.ValidationData{}
	for _, c := range certs {
		der, err := o.pki.OCSPAnswer(c)
		must(o.t, err)
		v.Certs = append(v.Certs, c.Raw)
		v.OCSPs = append(v.OCSPs, der)
	}
	v.Certs = append(v.Certs, o.pki.Issuing.Certificate.Raw, o.pki.OCSP.Certificate.Raw)
	crl, err := o.pki.CRL(o.pki.Root)
	must(o.t, err)
	v.CRLs = append(v.CRLs, crl)
	return v
}

func (o *office) store(data []byte) []byte {
	o.t.Helper()
	v := o.evidence(o.person.Certificate, o.agency.Certificate, o.pki.TSA.Certificate)
	inc, err := pades.AddValidationData(bytes.NewReader(data), int64(len(data)), v)
	must(o.t, err)
	o.now = o.now.Add(time.Minute)
	return append(bytes.Clone(data), inc...)
}

func (o *office) docTimestamp(data []byte) []byte {
	o.t.Helper()
	p, err := pades.PrepareDocTimeStamp(bytes.NewReader(data), int64(len(data)), pades.TimeStampOptions{})
	must(o.t, err)
	token, err := o.pki.TimeStamp(o.t.Context(), p.Digest(), p.Hash())
	must(o.t, err)
	var out bytes.Buffer
	must(o.t, p.Embed(bytes.NewReader(data), token, &out))
	o.now = o.now.Add(time.Minute)
	return out.Bytes()
}

// copy makes what the product releases: certified, sealed, with validation data.
func (o *office) copy(d *document) []byte {
	m := pades.Means{TimeStamper: stamper{o.pki}}
	data := o.sign(d.data, o.person, pades.Options{Field: "certifier", Certify: 2}, m)
	data = o.sign(data, o.agency, pades.Options{Field: "seal"}, m)
	return o.store(data)
}

func (o *office) options() Options {
	return Options{At: o.now, Anchors: trust.NewStoreOf(o.pki.Root.Certificate)}
}

func (o *office) validate(data []byte) *Report {
	o.t.Helper()
	return validate(o.t, data, o.options())
}

func validate(t testing.TB, data []byte, o Options) *Report {
	t.Helper()
	r, err := File(t.Context(), bytes.NewReader(data), int64(len(data)), o)
	must(t, err)
	return r
}

// document is a file of two pages with everything that can be attacked: fonts, images,
// layers, a form with text, check box and two signature fields.
type document struct {
	data []byte
	refs map[string]pdf.Ref
}

func name(s string) pdf.Name { return pdf.Name(s) }

func dict(entries ...pdf.Entry) pdf.Dict { return entries }

func form(content string) *pdf.Stream {
	return pdf.NewStream(dict(pdf.E("Type", name("XObject")), pdf.E("Subtype", name("Form")), pdf.E("BBox", pdf.Rect(0, 0, 100, 20)),
		pdf.E("Resources", pdf.Dict{})), []byte(content))
}

func newDocument(t testing.TB) *document {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	d := &document{refs: map[string]pdf.Ref{}}
	for _, n := range []string{"root", "pages", "page1", "page2", "content", "font", "image", "resources", "layer", "text", "check", "certifier", "seal", "link", "info", "metadata", "textAP", "on", "off"} {
		d.refs[n] = w.Alloc()
	}
	r := d.refs
	put := func(n string, o pdf.Object) {
		t.Helper()
		must(t, w.Put(r[n], o))
	}
	put("root", dict(pdf.E("Type", name("Catalog")), pdf.E("Pages", r["pages"]), pdf.E("Metadata", r["metadata"]),
		pdf.E("OCProperties", dict(pdf.E("OCGs", pdf.Array{r["layer"]}), pdf.E("D", dict(pdf.E("ON", pdf.Array{r["layer"]}))))),
		pdf.E("AcroForm", dict(pdf.E("Fields", pdf.Array{r["text"], r["check"], r["certifier"], r["seal"]}),
			pdf.E("DR", dict(pdf.E("Font", dict(pdf.E("Helv", r["font"]))))), pdf.E("DA", pdf.Text("/Helv 10 Tf 0 g"))))))
	put("pages", dict(pdf.E("Type", name("Pages")), pdf.E("Kids", pdf.Array{r["page1"], r["page2"]}), pdf.E("Count", pdf.Integer(2)),
		pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)), pdf.E("Resources", r["resources"])))
	put("page1", dict(pdf.E("Type", name("Page")), pdf.E("Parent", r["pages"]), pdf.E("Contents", r["content"]),
		pdf.E("Annots", pdf.Array{r["link"], r["text"], r["check"], r["certifier"], r["seal"]})))
	put("page2", dict(pdf.E("Type", name("Page")), pdf.E("Parent", r["pages"]), pdf.E("Contents", r["content"])))
	put("content", pdf.NewStream(nil, []byte("BT /F1 24 Tf 72 700 Td (So tien: 1000) Tj ET /OC /L1 BDC /Im1 Do EMC\n")))
	put("font", dict(pdf.E("Type", name("Font")), pdf.E("Subtype", name("Type1")), pdf.E("BaseFont", name("Helvetica"))))
	put("image", form("0 0 50 10 re f\n"))
	put("resources", dict(pdf.E("Font", dict(pdf.E("F1", r["font"]))), pdf.E("XObject", dict(pdf.E("Im1", r["image"]))),
		pdf.E("Properties", dict(pdf.E("L1", r["layer"])))))
	put("layer", dict(pdf.E("Type", name("OCG")), pdf.E("Name", pdf.Text("lớp 1"))))
	put("text", dict(pdf.E("Type", name("Annot")), pdf.E("Subtype", name("Widget")), pdf.E("FT", name("Tx")), pdf.E("T", pdf.Text("ho_ten")),
		pdf.E("Rect", pdf.Rect(72, 500, 272, 520)), pdf.E("F", pdf.Integer(4)), pdf.E("P", r["page1"]), pdf.E("V", pdf.Text("An")),
		pdf.E("AP", dict(pdf.E("N", r["textAP"])))))
	put("textAP", form("BT /Helv 10 Tf (An) Tj ET\n"))
	put("on", form("0 0 10 10 re f\n"))
	put("off", form("0 0 10 10 re S\n"))
	put("check", dict(pdf.E("Type", name("Annot")), pdf.E("Subtype", name("Widget")), pdf.E("FT", name("Btn")), pdf.E("T", pdf.Text("dong_y")),
		pdf.E("Rect", pdf.Rect(72, 470, 92, 490)), pdf.E("F", pdf.Integer(4)), pdf.E("V", name("Off")), pdf.E("AS", name("Off")),
		pdf.E("AP", dict(pdf.E("N", dict(pdf.E("On", r["on"]), pdf.E("Off", r["off"])))))))
	for i, n := range []string{"certifier", "seal"} {
		f := dict(pdf.E("Type", name("Annot")), pdf.E("Subtype", name("Widget")), pdf.E("FT", name("Sig")), pdf.E("T", pdf.Text(n)),
			pdf.E("Rect", pdf.Rect(72+float64(i)*200, 100, 232+float64(i)*200, 160)), pdf.E("F", pdf.Integer(132)), pdf.E("P", r["page1"]))
		empty, err := w.Add(pdf.NewStream(dict(pdf.E("Type", name("XObject")), pdf.E("Subtype", name("Form")), pdf.E("BBox", pdf.Rect(0, 0, 160, 60))), nil))
		must(t, err)
		f.Set("AP", dict(pdf.E("N", empty)))
		if n == "seal" {
			f.Set("Lock", dict(pdf.E("Type", name("SigFieldLock")), pdf.E("Action", name("All"))))
		}
		put(n, f)
	}
	put("link", dict(pdf.E("Type", name("Annot")), pdf.E("Subtype", name("Link")), pdf.E("Rect", pdf.Rect(72, 600, 172, 620)),
		pdf.E("Dest", pdf.Array{r["page2"], name("Fit")})))
	put("info", dict(pdf.E("Title", pdf.Text("Bản sao")), pdf.E("ModDate", pdf.Date(start))))
	put("metadata", xmp("2026-03-02T08:00:00Z", "Bản sao"))
	id := pdf.String{Bytes: []byte("0123456789abcdef"), Hex: true}
	must(t, w.Close(dict(pdf.E("Root", r["root"]), pdf.E("Info", r["info"]), pdf.E("ID", pdf.Array{id, id}))))
	d.data = b.Bytes()
	return d
}

func xmp(date, title string) *pdf.Stream {
	return pdf.NewStream(dict(pdf.E("Type", name("Metadata")), pdf.E("Subtype", name("XML"))), []byte(`<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:ModifyDate="`+date+`"><dc:title>`+title+`</dc:title></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>`))
}

// revised appends an incremental update.
func revised(t testing.TB, data []byte, change func(u *pdf.Update)) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	must(t, err)
	u := pdf.NewUpdate(r)
	change(u)
	inc, err := u.Increment()
	must(t, err)
	return append(bytes.Clone(data), inc.Bytes...)
}

// altered sets keys of a dictionary that exists.
func altered(t testing.TB, u *pdf.Update, ref pdf.Ref, change func(d *pdf.Dict)) {
	t.Helper()
	o, err := u.Object(ref)
	must(t, err)
	d := o.(pdf.Dict).Clone()
	change(&d)
	u.Set(ref, d)
}

// corpus returns the files of a folder of the test material of others.
func corpus(t testing.TB, folder string) []string {
	t.Helper()
	root := os.Getenv("SAOY_CORPORA")
	if root == "" {
		root = filepath.Join("..", "..", "..", "shared", "corpora")
	}
	files, err := filepath.Glob(filepath.Join(root, folder, "*.pdf"))
	must(t, err)
	if len(files) == 0 {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatalf("no files in %s: set SAOY_CORPORA", filepath.Join(root, folder))
		}
		t.Skipf("no files in %s: set SAOY_CORPORA", filepath.Join(root, folder))
	}
	return files
}

func certificatePEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}
