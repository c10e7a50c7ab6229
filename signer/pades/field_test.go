package pades

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// withField adds one signature field with extra entries to a document; its widgets are
// kids of it, one on each line of the array.
func withField(extra ...pdf.Entry) func(w *pdf.Writer, catalog, page *pdf.Dict) {
	return func(w *pdf.Writer, catalog, page *pdf.Dict) {
		parent, f := w.Alloc(), w.Alloc()
		widget, err := w.Add(pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Widget")), pdf.E("Parent", f), pdf.E("Rect", pdf.Rect(0, 0, 0, 0)), pdf.E("F", pdf.Integer(132))})
		if err != nil {
			panic(err)
		}
		d := append(pdf.Dict{pdf.E("T", pdf.Text("chữ ký")), pdf.E("Parent", parent), pdf.E("Kids", pdf.Array{widget})}, extra...)
		for _, err := range []error{
			w.Put(f, d),
			w.Put(parent, pdf.Dict{pdf.E("T", pdf.Text("a")), pdf.E("FT", pdf.Name("Sig")), pdf.E("Kids", pdf.Array{f})}),
		} {
			if err != nil {
				panic(err)
			}
		}
		catalog.Set("AcroForm", pdf.Dict{pdf.E("Fields", pdf.Array{parent})})
		page.Set("Annots", pdf.Array{widget})
	}
}

// TestFieldOfInheritedKind signs a field whose kind is its parent's and whose widget is its
// kid. (pdfsig 22.12 looks for the value in the widget and finds none.)
func TestFieldOfInheritedKind(t *testing.T) {
	o := options()
	o.Field = "a.chữ ký"
	data := signed(t, document(t, "1.7", withField()), official(), o, Means{})
	s := signatures(t, data)
	if len(s) != 1 || s[0].field != o.Field {
		t.Fatalf("%+v", s)
	}
	opensslAccepts(t, t.TempDir(), data, s[0])
}

func TestSeedValues(t *testing.T) {
	seed := func(flags int, entries ...pdf.Entry) pdf.Entry {
		return pdf.E("SV", append(pdf.Dict{pdf.E("Type", pdf.Name("SV")), pdf.E("Ff", pdf.Integer(flags))}, entries...))
	}
	names := func(n ...pdf.Name) pdf.Array {
		var a pdf.Array
		for _, x := range n {
			a = append(a, x)
		}
		return a
	}
	for name, c := range map[string]struct {
		seed pdf.Entry
		want error
	}{
		"our subfilter required":       {seed(seedSubFilter, pdf.E("SubFilter", names("adbe.pkcs7.detached", "ETSI.CAdES.detached"))), nil},
		"other subfilter required":     {seed(seedSubFilter, pdf.E("SubFilter", names("adbe.pkcs7.detached"))), ErrField},
		"other subfilter wished":       {seed(0, pdf.E("SubFilter", names("adbe.pkcs7.detached"))), nil},
		"other filter required":        {seed(seedFilter, pdf.E("Filter", pdf.Name("Other.Handler"))), ErrField},
		"our digest required":          {seed(seedDigestMethod, pdf.E("DigestMethod", pdf.Array{pdf.Text("SHA1"), pdf.Text("SHA256")})), nil},
		"other digest required":        {seed(seedDigestMethod, pdf.E("DigestMethod", pdf.Array{pdf.Text("SHA512")})), ErrField},
		"our reason required":          {seed(seedReasons, pdf.E("Reasons", pdf.Array{pdf.Text(options().Reason)})), nil},
		"other reason required":        {seed(seedReasons, pdf.E("Reasons", pdf.Array{pdf.Text("Because")})), ErrField},
		"legal attestation required":   {seed(seedLegalAttestation, pdf.E("LegalAttestation", pdf.Array{pdf.Text("x")})), ErrField},
		"seed that is no dictionary":   {pdf.E("SV", pdf.Integer(1)), pdf.ErrDamaged},
		"value that refers to nothing": {pdf.E("V", pdf.Ref{Number: 9999}), nil},
		"value that is something":      {pdf.E("V", pdf.Dict{}), ErrField},
	} {
		base := document(t, "1.7", withField(c.seed))
		o := options()
		o.Field = "a.chữ ký"
		if _, err := Prepare(bytes.NewReader(base), int64(len(base)), o); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

func TestEncryptedIsRefused(t *testing.T) {
	base := document(t, "1.7", nil)
	for _, args := range []string{"--encrypt x y 256 --", "--allow-weak-crypto --encrypt x y 128 --use-aes=y --", "--allow-weak-crypto --encrypt x y 40 --"} {
		in, out := filepath.Join(t.TempDir(), "in.pdf"), filepath.Join(t.TempDir(), "out.pdf")
		write(t, in, base)
		if msg, err := exec.Command(needTool(t, "qpdf"), append(strings.Fields(args), in, out)...).CombinedOutput(); err != nil {
			t.Fatalf("qpdf: %v %s", err, msg)
		}
		locked := read(t, out)
		var signed bytes.Buffer
		_, err := Sign(t.Context(), bytes.NewReader(locked), int64(len(locked)), &signed, official(), options(), Means{})
		if !errors.Is(err, pdf.ErrEncrypted) || signed.Len() != 0 {
			t.Errorf("%s: %v, %d bytes written", args, err, signed.Len())
		}
	}
}

// TestStoreOfOthersIsKept adds validation data to every file of others: what their stores
// held is still there, in its place.
func TestStoreOfOthersIsKept(t *testing.T) {
	stores := 0
	for _, path := range corpora(t) {
		base := read(t, path)
		r, err := openStrict(bytes.NewReader(base), int64(len(base)), pdf.Limits{})
		if err != nil {
			continue
		}
		before, err := storedRefs(r)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		inc, err := AddValidationData(bytes.NewReader(base), int64(len(base)), ValidationData{Certs: [][]byte{official().Certificate.Raw}})
		if err != nil {
			if !hasReason(err) {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		j := Join(bytes.NewReader(base), int64(len(base)), inc)
		r, err = openStrict(j, j.Size(), pdf.Limits{})
		if err != nil {
			t.Errorf("%s: after: %v", path, err)
			continue
		}
		after, err := storedRefs(r)
		if err != nil || len(after) != len(before)+1 {
			t.Errorf("%s: %d streams before and %d after, %v", path, len(before), len(after), err)
		}
		for _, ref := range before {
			if !slices.Contains(after, ref) {
				t.Errorf("%s: %v is lost", path, ref)
			}
		}
		if len(before) > 0 {
			stores++
		}
	}
	if stores == 0 {
		t.Error("no file had a store")
	}
}

// storedRefs lists the streams of a file's security store.
func storedRefs(r *pdf.Reader) (refs []pdf.Ref, err error) {
	_, catalog, err := r.Catalog()
	if err != nil {
		return nil, err
	}
	d, err := r.Dict(catalog.Get("DSS"))
	if err != nil {
		return nil, err
	}
	for _, k := range storeKinds {
		a, err := r.Array(d.Get(k.store))
		if err != nil {
			return nil, err
		}
		for _, o := range a {
			refs = append(refs, o.(pdf.Ref))
		}
	}
	return refs, nil
}
