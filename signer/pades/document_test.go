package pades

import (
	"bytes"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// now is the time of all tests: pdfsig and OpenSSL use the machine's clock, so it is that.
var now = sync.OnceValue(func() time.Time { return time.Now().Truncate(time.Second) })

var pki = sync.OnceValue(func() *signertest.PKI {
	p, err := signertest.NewPKI(signertest.Config{Clock: now, BaseURL: "http://pki.invalid"})
	if err != nil {
		panic(err)
	}
	return p
})

func identity(t testing.TB, kind signertest.KeyType) signer.Identity {
	t.Helper()
	p := signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "Ủy ban nhân dân xã Ân Tường Đông", "")
	p.KeyType = kind
	leaf, err := pki().Issue(p)
	if err != nil {
		t.Fatal(err)
	}
	return leaf.Identity
}

var official = sync.OnceValue(func() signer.Identity {
	leaf, err := pki().Issue(signertest.Official("Nguyễn Văn An", "CHỦ TỊCH", "Ủy ban nhân dân xã Ân Tường Đông", ""))
	if err != nil {
		panic(err)
	}
	return leaf.Identity
})

func needTool(t testing.TB, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err == nil {
		return path
	}
	if os.Getenv("SAOY_REQUIRE") == "all" {
		t.Fatalf("%s is not installed", name)
	}
	t.Skipf("%s is not installed", name)
	return ""
}

// document writes a file of two pages. extra may add to the catalog and the first page.
func document(t testing.TB, version string, extra func(w *pdf.Writer, catalog, page *pdf.Dict)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := pdf.NewWriter(&b, version)
	root, pages, content := w.Alloc(), w.Alloc(), w.Alloc()
	refs := []pdf.Ref{w.Alloc(), w.Alloc()}
	catalog := pdf.Dict{pdf.E("Type", pdf.Name("Catalog")), pdf.E("Pages", pages)}
	first := pdf.Dict{pdf.E("Type", pdf.Name("Page")), pdf.E("Parent", pages), pdf.E("Contents", content), pdf.E("Resources", pdf.Dict{})}
	second := first.Clone()
	if extra != nil {
		extra(w, &catalog, &first)
	}
	put := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	put(w.Put(content, pdf.NewStream(nil, []byte("0.8 0.9 1 rg 20 20 100 100 re f\n"))))
	put(w.Put(refs[0], first))
	put(w.Put(refs[1], second))
	put(w.Put(pages, pdf.Dict{pdf.E("Type", pdf.Name("Pages")), pdf.E("Kids", pdf.Array{refs[0], refs[1]}), pdf.E("Count", pdf.Integer(2)), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842))}))
	put(w.Put(root, catalog))
	id := pdf.String{Bytes: []byte("0123456789abcdef"), Hex: true}
	put(w.Close(pdf.Dict{pdf.E("Root", root), pdf.E("ID", pdf.Array{id, id})}))
	return b.Bytes()
}

func qpdf(t testing.TB, data []byte, args string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
	write(t, in, data)
	cmd := append([]string{"--deterministic-id"}, append(strings.Fields(args), in, out)...)
	if msg, err := exec.Command(needTool(t, "qpdf"), cmd...).CombinedOutput(); err != nil {
		t.Fatalf("qpdf %s: %v %s", args, err, msg)
	}
	return read(t, out)
}

func write(t testing.TB, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// kinds returns the document as every kind of file.
func kinds(t testing.TB) map[string][]byte {
	t.Helper()
	plain := document(t, "1.7", nil)
	out := map[string][]byte{"table": plain, "2.0": document(t, "2.0", nil), "with form": document(t, "1.7", withForm(true, true)), "with direct form": document(t, "1.7", withForm(false, true))}
	for name, args := range map[string]string{
		"object streams":     "--object-streams=generate",
		"linearized":         "--linearize --object-streams=disable",
		"linearized streams": "--linearize --object-streams=generate",
		"1.2":                "--force-version=1.2 --object-streams=disable",
	} {
		out[name] = qpdf(t, plain, args)
	}
	out["form in object streams"] = qpdf(t, out["with form"], "--object-streams=generate")
	return out
}

// withForm adds a text field whose kind is inherited, an empty signature field named
// "seal" with a lock, of all fields unless another is given, and perhaps an annotation that is direct in /Annots.
func withForm(indirect, link bool, locks ...Lock) func(w *pdf.Writer, catalog, page *pdf.Dict) {
	return func(w *pdf.Writer, catalog, page *pdf.Dict) {
		add := func(o pdf.Object) pdf.Ref {
			ref, err := w.Add(o)
			if err != nil {
				panic(err)
			}
			return ref
		}
		parent := w.Alloc()
		text := add(pdf.Dict{pdf.E("T", pdf.Text("họ tên")), pdf.E("Parent", parent), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("Type", pdf.Name("Annot")), pdf.E("Rect", pdf.Rect(10, 10, 100, 30)), pdf.E("F", pdf.Integer(4))})
		if err := w.Put(parent, pdf.Dict{pdf.E("T", pdf.Text("person")), pdf.E("FT", pdf.Name("Tx")), pdf.E("Kids", pdf.Array{text})}); err != nil {
			panic(err)
		}
		empty := add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Form")), pdf.E("BBox", pdf.Rect(0, 0, 80, 80))}, nil))
		l := Lock{Action: LockAll}
		if len(locks) > 0 {
			l = locks[0]
		}
		lock := add(l.dict("SigFieldLock"))
		seal := add(pdf.Dict{pdf.E("T", pdf.Text("seal")), pdf.E("FT", pdf.Name("Sig")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("Type", pdf.Name("Annot")), pdf.E("Rect", pdf.Rect(100, 100, 180, 180)), pdf.E("F", pdf.Integer(132)), pdf.E("AP", pdf.Dict{pdf.E("N", empty)}), pdf.E("Lock", lock)})
		border := pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Link")), pdf.E("Rect", pdf.Rect(0, 0, 9, 9)), pdf.E("Border", pdf.Array{pdf.Integer(0), pdf.Integer(0), pdf.Integer(0)})}
		annots := pdf.Array{text, seal}
		if link {
			annots = pdf.Array{text, border, seal}
		}
		form := pdf.Dict{pdf.E("Fields", pdf.Array{parent, seal}), pdf.E("DR", pdf.Dict{}), pdf.E("DA", pdf.Text("/Helv 0 Tf 0 g"))}
		if !indirect {
			catalog.Set("AcroForm", form)
			page.Set("Annots", annots)
			return
		}
		form.Set("Fields", add(form.Get("Fields")))
		catalog.Set("AcroForm", add(form))
		page.Set("Annots", add(annots))
	}
}

func options() Options {
	return Options{SigningTime: now(), Reason: "Chứng thực bản sao đúng với bản chính"}
}

// signed signs in memory.
func signed(t testing.TB, base []byte, id signer.Identity, o Options, m Means) []byte {
	t.Helper()
	var out bytes.Buffer
	res, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, id, o, m)
	if err != nil {
		t.Fatal(err)
	}
	if res.Size != int64(out.Len()) {
		t.Fatalf("wrote %d bytes, result says %d", out.Len(), res.Size)
	}
	if !bytes.HasPrefix(out.Bytes(), base) {
		t.Fatal("a byte of the base changed")
	}
	return out.Bytes()
}

// embedded is a signature found in a file.
type embedded struct {
	field    string
	dict     pdf.Dict
	contents []byte
	ranges   [4]int64
}

// signatures returns the signatures of a file.
func signatures(t testing.TB, data []byte) []embedded {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	_, catalog, err := r.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	f, err := readForm(r, catalog)
	if err != nil {
		t.Fatal(err)
	}
	var out []embedded
	for _, x := range f.signed() {
		d, err := r.Dict(x.value)
		if err != nil {
			t.Fatal(err)
		}
		s := embedded{field: x.name, dict: d, contents: d.Get("Contents").(pdf.String).Bytes}
		for i, v := range d.Get("ByteRange").(pdf.Array) {
			s.ranges[i] = int64(v.(pdf.Integer))
		}
		out = append(out, s)
	}
	return out
}

// accepted has other people's programs check a file and every signature in it.
func accepted(t testing.TB, data []byte, count int) {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, "signed.pdf")
	write(t, path, data)
	needTool(t, "qpdf")
	if repairs(t, path) {
		t.Fatal("qpdf has to repair the file")
	}
	out, err := exec.Command(needTool(t, "pdfsig"), "-nocert", path).CombinedOutput()
	if err != nil || strings.Count(string(out), "Signature is Valid.") != count {
		t.Fatalf("pdfsig does not call %d signatures valid: %v\n%s", count, err, out)
	}
	if !strings.Contains(string(out), "Total document signed") {
		t.Errorf("pdfsig: no signature covers the document\n%s", out)
	}
	for _, s := range signatures(t, data) {
		if s.dict.Name("SubFilter") == "ETSI.CAdES.detached" {
			opensslAccepts(t, dir, data, s)
		}
	}
}

func opensslAccepts(t testing.TB, dir string, data []byte, s embedded) {
	t.Helper()
	root := filepath.Join(dir, "root.pem")
	write(t, root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki().Root.Certificate.Raw}))
	content := append(append([]byte(nil), data[:s.ranges[1]]...), data[s.ranges[2]:s.ranges[2]+s.ranges[3]]...)
	write(t, filepath.Join(dir, "content"), content)
	write(t, filepath.Join(dir, "cms"), s.contents)
	out, err := exec.Command(needTool(t, "openssl"), "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-purpose", "any",
		"-in", filepath.Join(dir, "cms"), "-content", filepath.Join(dir, "content"), "-CAfile", root, "-out", os.DevNull).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl cms -verify -cades %s: %v\n%s", s.field, err, out)
	}
}

// corpora returns the paths of the PDF files of others.
func corpora(t testing.TB) []string {
	t.Helper()
	paths, err := signertest.Corpora(2)
	if err != nil {
		t.Skip(err)
	}
	return paths
}

// runSelf runs one test of this binary in a process of its own.
func runSelf(t testing.TB, test, env string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^"+test+"$", "-test.v")
	cmd.Env = append(os.Environ(), env)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}
