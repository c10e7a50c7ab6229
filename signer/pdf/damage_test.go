package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// simple writes a file of one page by hand and lets a test change parts of it.
func simple(page, trailer string, more func(f *file)) []byte {
	f := newFile("1.7")
	f.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	f.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 100 100]>>")
	f.object(3, page)
	if more != nil {
		more(f)
	}
	return f.finish(8, trailer)
}

const goodPage = "<</Type/Page/Parent 2 0 R>>"

func check(data []byte, l Limits) error {
	r, err := Open(bytes.NewReader(data), int64(len(data)), l)
	if err != nil {
		return err
	}
	return r.Check()
}

func TestCheckAcceptsTheBaseOfTheseTests(t *testing.T) {
	if err := check(simple(goodPage, "/Root 1 0 R", nil), Limits{}); err != nil {
		t.Fatal(err)
	}
}

func TestDamageIsNamed(t *testing.T) {
	good := string(simple(goodPage, "/Root 1 0 R", nil))
	replace := func(old, new string) []byte {
		if !strings.Contains(good, old) {
			t.Fatalf("the file holds no %q", old)
		}
		return []byte(strings.Replace(good, old, new, 1))
	}
	page := func(p string) []byte { return simple(p, "/Root 1 0 R", nil) }
	with := func(more func(*file)) []byte { return simple(goodPage, "/Root 1 0 R", more) }
	for _, c := range []struct {
		name string
		data []byte
		want error
		says string
	}{
		{"empty", nil, ErrDamaged, "%PDF-"},
		{"no header", []byte(strings.Repeat("x", 3000)), ErrDamaged, "%PDF-"},
		{"bytes before the header", []byte("junk\n" + good), ErrDamaged, "before the %PDF- header"},
		{"no version", replace("%PDF-1.7", "%PDF-x.7"), ErrDamaged, "no version"},
		{"no startxref", replace("startxref", "startxxxx"), ErrDamaged, "no startxref"},
		{"no %%EOF", replace("%%EOF", "%EOF%"), ErrDamaged, "%%EOF"},
		{"startxref beyond the end", replace("startxref\n", "startxref\n9"), ErrDamaged, "startxref gives no offset"},
		{"startxref elsewhere", []byte(good + "startxref\n15\n%%EOF\n"), ErrDamaged, "no object begins"},
		{"one entry of 19 bytes", replace("65535 f \n", "65535 f\n"), ErrDamaged, "20 bytes"},
		{"every entry of 19 bytes", []byte(strings.NewReplacer(" n \n", " n\n", " f \n", " f\n").Replace(good)), ErrDamaged, "20 bytes"},
		{"white space before the table", replace("xref\n0 8", "\nxref\n0 8"), ErrDamaged, "white space"},
		{"entry with a letter", replace("0000000000 65535", "00000000o0 65535"), ErrDamaged, "20 bytes"},
		{"too many entries announced", replace("xref\n0 8", "xref\n0 9999999"), ErrDamaged, "more entries than the file can hold"},
		{"an entry is off by one", replace("0000000009", "0000000010"), ErrDamaged, ""},
		{"an entry points to another object", replace("0000000009", "0000000055"), ErrDamaged, ""},
		{"no trailer", replace("trailer", "trailex"), ErrDamaged, "no subsection header or trailer"},
		{"no root", replace("/Root", "/Boot"), ErrDamaged, "/Root"},
		{"root is a direct dictionary", replace("/Root 1 0 R", "/Root<<>>"), ErrDamaged, "/Root"},
		{"two roots", simple(goodPage, "/Root 1 0 R /Root 2 0 R", nil), ErrDamaged, "two /Root"},
		{"prev is itself", simple(goodPage, "/Root 1 0 R /Prev 999999", nil), ErrDamaged, "/Prev"},
		{"encrypted", simple(goodPage, "/Root 1 0 R /Encrypt 7 0 R", nil), ErrEncrypted, ""},
		{"size too small", replace("/Size 8", "/Size 3"), ErrDamaged, "beyond /Size"},
		{"no size", replace("/Size 8", "/Sice 8"), ErrDamaged, "no /Size"},
		{"no endobj", replace("endobj", "endxxx"), ErrDamaged, "neither endobj nor stream"},
		{"unclosed dictionary", page("<</Type/Page/Parent 2 0 R"), ErrDamaged, "key is not a name"},
		{"key that is no name", page("<</Type/Page 7 2 0 R>>"), ErrDamaged, "key is not a name"},
		{"key twice", page("<</Type/Page/Parent 2 0 R/Contents 4 0 R/Contents 5 0 R>>"), ErrDamaged, "two /Contents"},
		{"key twice, deeper", page("<</Type/Page/Parent 2 0 R/A[<</B 1/B 2>>]>>"), ErrDamaged, "two /B"},
		{"name with a bad escape", page("<</Type/Page/Parent 2 0 R/A/B#g0>>"), ErrDamaged, "hexadecimal"},
		{"name with a null byte", page("<</Type/Page/Parent 2 0 R/A/B#00>>"), ErrDamaged, "null byte"},
		{"number with two points", page("<</Type/Page/Parent 2 0 R/A 1.2.3>>"), ErrDamaged, "not a number"},
		{"keyword unknown", page("<</Type/Page/Parent 2 0 R/A maybe>>"), ErrDamaged, "not an object"},
		{"hexadecimal string with a letter", page("<</Type/Page/Parent 2 0 R/A<6g>>>"), ErrDamaged, "hexadecimal string"},
		{"deep nesting", page(strings.Repeat("[", 200) + strings.Repeat("]", 200)), ErrLimit, "deep"},
		{"page without media box", []byte(strings.Replace(good, "/MediaBox[0 0 100 100]", "/NediaBox[0 0 100 100]", 1)), ErrDamaged, "/MediaBox"},
		{"media box of three", []byte(strings.Replace(good, "[0 0 100 100]", "[0 0 100    ]", 1)), ErrDamaged, "3 numbers"},
		{"page turned by 45", page("<</Type/Page/Parent 2 0 R/Rotate 45>>"), ErrDamaged, "/Rotate"},
		{"page tree with a ring", page("<</Type/Pages/Parent 2 0 R/Kids[2 0 R]>>"), ErrDamaged, "twice"},
		{"page twice", []byte(strings.Replace(good, "[3 0 R]/Count 1", "[3 0 R 3 0 R]  ", 1)), ErrDamaged, "twice"},
		{"stream without length", with(func(f *file) { f.object(4, "<<>>\nstream\nabc\nendstream") }), ErrDamaged, "no valid /Length"},
		{"stream with a wrong length", with(func(f *file) { f.object(4, "<</Length 2>>\nstream\nabc\nendstream") }), ErrDamaged, "endstream does not stand"},
		{"stream beyond the end", with(func(f *file) { f.object(4, "<</Length 99999>>\nstream\nabc\nendstream") }), ErrDamaged, "no valid /Length"},
		{"stream whose length is itself", with(func(f *file) { f.object(4, "<</Length 4 0 R>>\nstream\nabc\nendstream") }), ErrDamaged, "needs itself"},
		{"stream keyword before CR", with(func(f *file) { f.object(4, "<</Length 3>>\nstream\rabc\nendstream") }), ErrDamaged, "line feed"},
		{"stream in another file", with(func(f *file) { f.object(4, "<</Length 3/F(x)>>\nstream\nabc\nendstream") }), ErrDamaged, "another file"},
		{"stream without a dictionary", with(func(f *file) { f.object(4, "7\nstream\nabc\nendstream") }), ErrDamaged, "no dictionary"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := check(c.data, Limits{})
			if !errors.Is(err, c.want) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Fatalf("error %v, want %v that says %q", err, c.want, c.says)
			}
			var d *DamageError
			if errors.Is(err, ErrDamaged) && !errors.As(err, &d) {
				t.Fatalf("no place: %v", err)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	base := simple(goodPage, "/Root 1 0 R", func(f *file) { f.object(4, "("+strings.Repeat("a", 100_000)+")") })
	many := base
	for range 5 {
		many = updated(t, many)
	}
	for name, c := range map[string]struct {
		data []byte
		l    Limits
	}{
		"objects":  {base, Limits{Objects: 7}},
		"sections": {many, Limits{Sections: 5}},
		"bytes":    {base, Limits{ObjectBytes: 50_000}},
		"depth":    {simple("<</Type/Page/A[[[[[[]]]]]]>>", "/Root 1 0 R", nil), Limits{Depth: 5}},
		"values":   {simple("["+strings.Repeat("[]", maxValues)+"]", "/Root 1 0 R", nil), Limits{}},
		"pages":    {[]byte(strings.Replace(string(base), "[3 0 R]/Count 1", "[3 0 R 1 0 R]  ", 1)), Limits{Pages: 1}},
	} {
		if err := check(c.data, c.l); !errors.Is(err, ErrLimit) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestHugeSizeCostsNothing: a /Size of two thousand million is no reason to look at each.
func TestHugeSizeCostsNothing(t *testing.T) {
	data := []byte(strings.Replace(string(simple(goodPage, "/Root 1 0 R", nil)), "/Size 8", "/Size 2147483647", 1))
	if err := check(data, Limits{}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewUpdate(open(t, data)).Increment(); !errors.Is(err, ErrLimit) {
		t.Fatalf("Increment: %v", err)
	}
}

func TestRingOfSections(t *testing.T) {
	base := string(simple(goodPage, "/Root 1 0 R /Prev 00000", nil))
	at := strings.Index(base, "xref\n0 8")
	if err := check([]byte(strings.Replace(base, "/Prev 00000", fmt.Sprintf("/Prev %05d", at), 1)), Limits{}); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "ring") {
		t.Fatal(err)
	}
}

// TestRevisionsMustTellTheirStory: a section that its own startxref does not name is one
// that a reader of the earlier file would not have used.
func TestRevisionsMustTellTheirStory(t *testing.T) {
	base := sample(t, "1.7")
	whole := updated(t, base)
	first := bytes.Index(whole, []byte("startxref\n")) + len("startxref\n")
	lying := bytes.Clone(whole)
	lying[first] ^= 1
	r := open(t, lying)
	if _, err := r.Revisions(); !errors.Is(err, ErrDamaged) {
		t.Fatalf("Revisions: %v", err)
	}
	if _, err := open(t, whole).AtRevision(2); !errors.Is(err, ErrDamaged) {
		t.Fatalf("AtRevision: %v", err)
	}
}
