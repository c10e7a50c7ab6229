package validation

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/trust"
)

// oddFile is a signed document of a careless program: change rewrites the file before it is
// signed. The signer of this module refuses such files, so the test signs by itself.
func oddFile(t *testing.T, o *office, change func(base string) string) []byte {
	t.Helper()
	const hole = 6 << 10
	ranges := "[0 0000000000 0000000000 0000000000]"
	f := newRawFile()
	page := f.add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>/Annots[4 0 R]>>")
	pages := f.add("<</Type/Pages/Kids[%d 0 R]/Count 1>>", page)
	value := f.add("<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange%s/Contents<%s>>>", ranges, strings.Repeat("00", hole))
	field := f.add("<</Type/Annot/Subtype/Widget/FT/Sig/T(a)/Rect[0 0 0 0]/F 132/P %d 0 R/V %d 0 R>>", page, value)
	f.root = f.add("<</Type/Catalog/Pages %d 0 R/AcroForm<</Fields[%d 0 R]/SigFlags 3>>>>", pages, field)
	base := []byte(change(f.end().b.String()))
	start := bytes.Index(base, []byte("/Contents<")) + len("/Contents")
	end := start + 2*hole + 2
	at := bytes.Index(base, []byte(ranges))
	copy(base[at:], fmt.Sprintf("[0 %010d %010d %010d]", start, end, len(base)-end))
	digest := sha256.New()
	digest.Write(base[:start])
	digest.Write(base[end:])
	der, err := cms.Sign(t.Context(), o.person, digest.Sum(nil), cms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	hex.Encode(base[start+1:], der)
	return base
}

// TestOddTables: tables that widespread programs write a little wrong and that every reader
// understands are no reason to fail; where a program that repairs would see something else,
// they are.
func TestOddTables(t *testing.T) {
	entries := func(from, to string) func(string) string {
		return func(base string) string {
			body, table, _ := strings.Cut(base, "xref\n0 ")
			return body + "xref\n0 " + strings.ReplaceAll(table, from, to)
		}
	}
	shifted := func(base string, by int, insert string) string {
		body, table, _ := strings.Cut(base, "xref\n0 ")
		at := len(body) + by
		head, _, _ := strings.Cut(table, "startxref")
		return body + insert + "xref\n0 " + head + fmt.Sprintf("startxref\n%d\n%%%%EOF\n", at)
	}
	hidden := "5 0 obj <</Type/Catalog/Pages 2 0 R/X 1>> endobj\n"
	for name, tt := range map[string]struct {
		change func(base string) string
		intact bool
	}{
		"as it should be":              {func(b string) string { return b }, true},
		"entries of 19 bytes":          {entries(" \n", "\n"), true},
		"entries with CR LF":           {entries(" \n", "\r\n"), true},
		"entries of 21 bytes":          {entries(" \n", " \r\n"), true},
		"size too large":               {entries("/Size 6", "/Size 9"), true},
		"no line before startxref":     {entries(">>\nstartxref", ">>startxref"), true},
		"white space before the table": {func(b string) string { return shifted(b, 0, "\n ") }, true},
		"entries of 19 bytes and a hidden object": {func(b string) string {
			return shifted(entries(" \n", "\n")(b), len(hidden), hidden)
		}, false},
		"entries of 20 bytes and a hidden object": {func(b string) string { return shifted(b, len(hidden), hidden) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOffice(t)
			data := oddFile(t, o, tt.change)
			r := validate(t, data, Options{At: o.now, Anchors: trust.NewStoreOf(o.pki.Root.Certificate), Source: o.online()})
			if r.Passed() != tt.intact {
				logReport(t, r)
				t.Errorf("%s/%s, integrity %s", r.Indication, r.SubIndication, r.Integrity)
			}
			if !bytes.HasPrefix(data, []byte("%PDF-")) {
				t.Error("no file")
			}
		})
	}
}
