package pdf

import (
	"bytes"
	"errors"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// needTool skips a test whose program is not installed, or fails it when everything is
// required.
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

func TestAppend(t *testing.T) {
	for _, c := range []struct {
		object Object
		want   string
	}{
		{Null{}, "null"},
		{Boolean(true), "true"},
		{Integer(-17), "-17"},
		{Real(1), "1.0"},
		{Real(-0.002), "-0.002"},
		{Real(1e21), "1000000000000000000000.0"},
		{Name("A B#/ỷ"), "/A#20B#23#2F#E1#BB#B7"},
		{String{Bytes: []byte("a(b)\\\r\n")}, `(a\(b\)\\\r\n)`},
		{String{Bytes: []byte{0, 0xAB}, Hex: true}, "<00ab>"},
		{Ref{12, 3}, "12 3 R"},
		{Array{Integer(1), Array{}, Name("X")}, "[1 [] /X]"},
		{Dict{E("B", Integer(1)), E("A", Dict{})}, "<</B 1 /A <<>>>>"},
		{Text("xã"), "<feff007800e3>"},
		{Text("xa"), "(xa)"},
		{Rect(0, 0, 595.28, 842), "[0 0 595.28 842]"},
		{Date(time.Date(2026, 1, 2, 3, 4, 5, 9, time.FixedZone("", 7*3600))), "(D:20260102030405+07'00')"},
		{Date(time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("", -90*60))), "(D:20260102030405-01'30')"},
	} {
		got, err := Append(nil, c.object)
		if err != nil || string(got) != c.want {
			t.Errorf("Append(%#v) = %q, %v; want %q", c.object, got, err, c.want)
		}
	}
}

func TestAppendRefuses(t *testing.T) {
	deep := Array{}
	for range maxWriteDepth + 2 {
		deep = Array{deep}
	}
	for name, o := range map[string]Object{
		"nil":         nil,
		"NaN":         Real(math.NaN()),
		"infinite":    Array{Real(math.Inf(1))},
		"zero ref":    Ref{},
		"null byte":   Name("a\x00"),
		"nested nil":  Dict{E("A", nil)},
		"inner data":  Array{NewStream(nil, nil)},
		"too deep":    deep,
		"nested name": Dict{E("A\x00", Null{})},
	} {
		if _, err := Append(nil, o); !errors.Is(err, ErrObject) {
			t.Errorf("%s: error %v, want ErrObject", name, err)
		}
	}
}

func TestTextRoundTrip(t *testing.T) {
	for _, s := range []string{"", "abc", "Ủy ban nhân dân xã Ân Tường Đông", "𝄞", "a\nb"} {
		if got := Text(s).Text(); got != s {
			t.Errorf("Text(%q).Text() = %q", s, got)
		}
	}
	if got := (String{Bytes: []byte("\x18\x80\x9f\xa0\xe9")}).Text(); got != "˘•\uFFFD€é" {
		t.Errorf("PDFDocEncoding: %q", got)
	}
}

// writeSample writes a small document of one page.
func writeSample(t testing.TB, w io.Writer, version string) {
	t.Helper()
	pw := NewWriter(w, version)
	catalog, pages, page, content := pw.Alloc(), pw.Alloc(), pw.Alloc(), pw.Alloc()
	data := "0 0 1 rg 10 10 50 50 re f\n"
	for _, err := range []error{
		pw.PutStream(content, Dict{}, strings.NewReader(data), int64(len(data))),
		pw.Put(catalog, Dict{E("Type", Name("Catalog")), E("Pages", pages)}),
		pw.Put(pages, Dict{E("Type", Name("Pages")), E("Kids", Array{page}), E("Count", Integer(1)),
			E("MediaBox", Rect(0, 0, 200, 100)), E("Rotate", Integer(90))}),
		pw.Put(page, Dict{E("Type", Name("Page")), E("Parent", pages), E("Contents", content), E("Resources", Dict{})}),
		pw.Close(Dict{E("Root", catalog), E("ID", Array{String{Bytes: []byte("0123456789abcdef"), Hex: true}, String{Bytes: []byte("0123456789abcdef"), Hex: true}})}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func sample(t testing.TB, version string) []byte {
	t.Helper()
	var b bytes.Buffer
	writeSample(t, &b, version)
	return b.Bytes()
}

func TestWriterFileIsAcceptedByQPDF(t *testing.T) {
	qpdf := needTool(t, "qpdf")
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, sample(t, "1.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(qpdf, "--check", path).CombinedOutput(); err != nil || bytes.Contains(out, []byte("WARNING")) {
		t.Fatalf("qpdf --check: %v\n%s", err, out)
	}
}

func TestWriterIsDeterministic(t *testing.T) {
	if !bytes.Equal(sample(t, "2.0"), sample(t, "2.0")) {
		t.Fatal("two runs differ")
	}
}

type fullDisk struct{ left int }

var errFull = errors.New("disk full")

func (d *fullDisk) Write(b []byte) (int, error) {
	if d.left -= len(b); d.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

func TestWriterReportsFaults(t *testing.T) {
	t.Run("disk full", func(t *testing.T) {
		w := NewWriter(&fullDisk{10}, "1.7")
		if _, err := w.Add(Dict{}); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(Dict{}); !errors.Is(err, errFull) {
			t.Fatalf("Close: %v", err)
		}
	})
	t.Run("never put", func(t *testing.T) {
		w := NewWriter(io.Discard, "1.7")
		w.Alloc()
		if err := w.Close(Dict{}); !errors.Is(err, ErrUse) {
			t.Fatalf("Close: %v", err)
		}
	})
	t.Run("put twice", func(t *testing.T) {
		w := NewWriter(io.Discard, "1.7")
		ref, _ := w.Add(Null{})
		if err := w.Put(ref, Null{}); !errors.Is(err, ErrUse) {
			t.Fatalf("Put: %v", err)
		}
	})
	t.Run("short stream", func(t *testing.T) {
		w := NewWriter(io.Discard, "1.7")
		if err := w.PutStream(w.Alloc(), nil, strings.NewReader("abc"), 4); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatalf("PutStream: %v", err)
		}
		if err := w.Close(Dict{}); err == nil {
			t.Fatal("Close after an error succeeded")
		}
	})
}
