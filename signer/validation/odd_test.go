package validation

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/trust"
)

// oddFile is a signed document whose base was written by a careless program: change rewrites
// the base, which has no signature yet.
func oddFile(t *testing.T, o *office, change func(base string) string) []byte {
	t.Helper()
	f := newRawFile()
	page := f.add("<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]/Resources<<>>>>")
	pages := f.add("<</Type/Pages/Kids[%d 0 R]/Count 1>>", page)
	f.root = f.add("<</Type/Catalog/Pages %d 0 R>>", pages)
	base := change(f.end().b.String())
	if _, err := pdf.Open(strings.NewReader(base), int64(len(base)), pdf.Limits{}); err != nil {
		t.Skip(err)
	}
	return o.signRaw([]byte(base))
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
	hidden := "4 0 obj <</Type/Catalog/Pages 2 0 R/X 1>> endobj\n"
	for name, tt := range map[string]struct {
		change func(base string) string
		intact bool
	}{
		"as it should be":              {func(b string) string { return b }, true},
		"entries of 19 bytes":          {entries(" \n", "\n"), true},
		"entries with CR LF":           {entries(" \n", "\r\n"), true},
		"entries of 21 bytes":          {entries(" \n", " \r\n"), true},
		"size too large":               {entries("/Size 4", "/Size 9"), true},
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
