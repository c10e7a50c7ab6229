package validation

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// rawUpdate appends an update written by hand: objects in order, each listed in the
// cross-reference table if its number is not negative.
type rawUpdate struct {
	objects []string // "N 0 obj … endobj", listed; a leading "!" leaves it out
	before  string   // between the objects and the table
	inTable string   // between the trailer and startxref
	start   int64    // added to startxref
	after   string   // behind %%EOF
}

func (u rawUpdate) append(t *testing.T, data []byte) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	must(t, err)
	b := bytes.NewBuffer(bytes.Clone(data))
	table := "xref\n"
	for _, o := range u.objects {
		hidden := strings.HasPrefix(o, "!")
		o = strings.TrimPrefix(o, "!")
		if !hidden {
			var n int
			_, err := fmt.Sscanf(o, "%d", &n)
			must(t, err)
			table += fmt.Sprintf("%d 1\n%010d 00000 n \n", n, b.Len())
		}
		b.WriteString(o + "\n")
	}
	b.WriteString(u.before)
	at := int64(b.Len())
	size, _ := r.Trailer().Int("Size")
	fmt.Fprintf(b, "%strailer\n<</Size %d/Root %s/Prev %d/Info %s/ID[<30313233343536373839616263646566><00>]>>\n%sstartxref\n%d\n%%%%EOF\n%s",
		table, size+10, r.Trailer().Ref("Root"), r.StartXRef(), r.Trailer().Ref("Info"), u.inTable, at+u.start, u.after)
	return b.Bytes()
}

// TestStructure: updates in which readers would differ about what the file holds, each with
// its harmless twin.
func TestStructure(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	content := fmt.Sprintf("%d 0 obj\n<</Length 9>>\nstream\nBT (9) ET\nendstream\nendobj", d.refs["content"].Number)
	for _, c := range []struct {
		name   string
		update rawUpdate
		intact bool
		says   string
	}{
		{"nothing but a table", rawUpdate{objects: []string{"900 0 obj 1 endobj"}}, true, ""},
		{"comments between objects", rawUpdate{objects: []string{"900 0 obj % a number\n1 endobj"}, before: "% nothing\n"}, true, ""},
		{"white space behind the end", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, after: "\r\n\n  "}, true, ""},
		{"page content replaced", rawUpdate{objects: []string{content}}, false, "content"},
		{"object the table does not list", rawUpdate{objects: []string{"900 0 obj 1 endobj", "!" + content}}, false, "belongs to no object"},
		{"object the table does not list, first", rawUpdate{objects: []string{"!" + content, "900 0 obj 1 endobj"}}, false, "belongs to no object"},
		{"end marker in a comment", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, before: "%%EOF\n"}, false, "end marker"},
		{"end marker inside an object", rawUpdate{objects: []string{"900 0 obj\n%%EOF\n1 endobj"}}, false, "end marker"},
		{"header in an update", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, before: "%PDF-1.7\n"}, false, "header"},
		{"second linearization dictionary", rawUpdate{objects: []string{"900 0 obj <</Linearized 1/L 1/H[1 1]/O 1/E 1/N 1/T 1>> endobj"}}, false, "linearization"},
		{"junk before the table", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, before: "junk\n"}, false, "belongs to no object"},
		{"junk behind the trailer", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, inTable: "junk\n"}, false, ""},
		{"startxref leads elsewhere", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, start: -5}, false, ""},
		{"junk behind the end", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, after: "junk"}, false, "incremental saving"},
		{"an object behind the end", rawUpdate{objects: []string{"900 0 obj 1 endobj"}, after: content}, false, "incremental saving"},
	} {
		t.Run(c.name, func(t *testing.T) {
			data := c.update.append(t, signed)
			r := o.validate(data)
			if intact := r.Integrity == Intact; intact != c.intact || !intact && r.Indication != TotalFailed {
				logReport(t, r)
				t.Fatalf("integrity %s, indication %s", r.Integrity, r.Indication)
			}
			if len(r.Signatures) == 0 || !strings.Contains(strings.Join(r.Signatures[0].Changes, ";"), c.says) {
				logReport(t, r)
				t.Errorf("does not say %q", c.says)
			}
		})
	}
}

// TestAppended: bytes behind the last revision that form no update.
func TestAppended(t *testing.T) {
	o := newOffice(t)
	signed := o.copy(newDocument(t))
	for name, tail := range map[string]string{
		"object":            "\n1 0 obj <<>> endobj\n",
		"trailer":           "\ntrailer <</Root 1 0 R>>\nstartxref\n5\n%%EOF\n",
		"end marker only":   "%%EOF\n",
		"another document":  "%PDF-1.7\n",
		"text":              "x",
		"startxref to base": "startxref\n9\n%%EOF\n",
	} {
		t.Run(name, func(t *testing.T) {
			r := o.validate(append(bytes.Clone(signed), tail...))
			if r.Integrity != Modified && r.Integrity != Broken || r.Indication != TotalFailed || len(r.Signatures) < 2 {
				logReport(t, r)
				t.Errorf("integrity %s, indication %s", r.Integrity, r.Indication)
			}
		})
	}
	if r := o.validate(append(bytes.Clone(signed), "\n\n"...)); r.Integrity != Intact {
		logReport(t, r)
		t.Error("white space at the end is not a change")
	}
}

// TestTruncated: a file that lost its end is never passed, whatever is left.
func TestTruncated(t *testing.T) {
	o := newOffice(t)
	signed := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	for cut := 1; cut < len(signed); cut += 211 {
		r := o.validate(signed[:len(signed)-cut])
		if r.Passed() {
			t.Errorf("passed without its last %d bytes", cut)
		}
	}
}

// TestWrapping: signature dictionaries moved or copied in an update that reads without
// repair.
func TestWrapping(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	signed := o.sign(d.data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	r, err := pdf.Open(bytes.NewReader(signed), int64(len(signed)), pdf.Limits{})
	must(t, err)
	found, err := locate(r, ptr(1<<20))
	must(t, err)
	host, value := found[0].host, found[0].value
	for name, change := range map[string]func(u *pdf.Update){
		"copied over itself": func(u *pdf.Update) { u.Set(host, value) },
		"copied to another object": func(u *pdf.Update) {
			set(t, u, d.refs["certifier"], pdf.E("V", u.Add(value)))
		},
		"copied into its field": func(u *pdf.Update) { set(t, u, d.refs["certifier"], pdf.E("V", value)) },
		"copied to another field": func(u *pdf.Update) {
			set(t, u, d.refs["seal"], pdf.E("V", host))
		},
		"byte range of another file": func(u *pdf.Update) {
			v := value.Clone()
			v.Set("ByteRange", pdf.Array{pdf.Integer(0), pdf.Integer(10), pdf.Integer(20), pdf.Integer(30)})
			u.Set(host, v)
		},
		"no byte range":   func(u *pdf.Update) { v := value.Clone(); v.Delete("ByteRange"); u.Set(host, v) },
		"no contents":     func(u *pdf.Update) { v := value.Clone(); v.Delete("Contents"); u.Set(host, v) },
		"null contents":   func(u *pdf.Update) { v := value.Clone(); v.Set("Contents", pdf.Null{}); u.Set(host, v) },
		"empty contents":  func(u *pdf.Update) { v := value.Clone(); v.Set("Contents", pdf.String{Hex: true}); u.Set(host, v) },
		"other subfilter": func(u *pdf.Update) { v := value.Clone(); v.Set("SubFilter", pdf.Name("x")); u.Set(host, v) },
		"a number":        func(u *pdf.Update) { u.Set(host, pdf.Integer(1)) },
	} {
		t.Run(name, func(t *testing.T) {
			r := o.validate(revised(t, signed, change))
			if r.Indication != TotalFailed || r.Integrity == Intact || len(r.Signatures) == 0 {
				logReport(t, r)
				t.Errorf("%s, integrity %s", r.Indication, r.Integrity)
			}
		})
	}
}

// TestAmbiguous: what is signed must mean one thing.
func TestAmbiguous(t *testing.T) {
	o := newOffice(t)
	d := newDocument(t)
	other := bytes.Replace(d.data, []byte("/Parent 2 0 R /Contents 5 0 R /Annots"), []byte("/Parent 2 0 R /Contents 6 0 R /Contents 5 0 R /Annots"), 1)
	if bytes.Equal(other, d.data) {
		t.Fatal("the page was not found")
	}
	// The update makes the offsets right again: it holds the page itself.
	page := pageObject(other)
	base := rawUpdate{objects: []string{page}}.append(t, d.data)
	r, err := pdf.Open(bytes.NewReader(base), int64(len(base)), pdf.Limits{})
	must(t, err)
	if err := r.Check(); err == nil {
		t.Fatal("the file is not ambiguous")
	}
	x := &examiner{ctx: t.Context(), file: bytes.NewReader(base), size: int64(len(base)), report: &Report{}, doc: r}
	must(t, x.unambiguous())
	if x.damage == nil || !strings.Contains(x.damage.en, "/Contents") {
		t.Errorf("found %v", x.damage)
	}
	if r := o.validate(o.sign(d.data, o.person, pades.Options{}, pades.Means{})); r.Integrity != Intact {
		t.Error("the twin is not intact")
	}
}

// pageObject cuts the first page object out.
func pageObject(data []byte) string {
	from := bytes.Index(data, []byte("3 0 obj"))
	return string(data[from : from+bytes.Index(data[from:], []byte("endobj"))+len("endobj")])
}

func FuzzLexer(f *testing.F) {
	for _, s := range []string{"1 0 obj <</A [1 2 R (a\\)b) <6162>] /B#20C null>> endobj", "1 0 obj <<", "((", "<<<<<<", "1 0 obj % %%EOF\n[", "/"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		o, err := walkObject(b, 100)
		if err == nil && (o.end < 100 || o.end > 100+int64(len(b))) {
			t.Fatalf("object ends at %d of %d bytes", o.end-100, len(b))
		}
		if v, ok := hexOfString(b); ok && len(v) > len(b) {
			t.Fatal("hexadecimal string grew")
		}
		fills(b)
		tokens(b)
	})
}

func ptr[T any](v T) *T { return &v }
