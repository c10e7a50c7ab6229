package pdf

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// updated changes the first page of a document and adds an object.
func updated(t testing.TB, base []byte) []byte {
	t.Helper()
	r := open(t, base)
	p, err := r.Page(0)
	if err != nil {
		t.Fatal(err)
	}
	u := NewUpdate(r)
	d := p.Dict.Clone()
	d.Set("Rotate", Integer(180))
	d.Set("Metadata", u.Add(NewFlateStream(Dict{}, []byte("<x/>"))))
	u.Set(p.Ref, d)
	inc, err := u.Increment()
	if err != nil {
		t.Fatal(err)
	}
	return slices.Concat(base, inc.Bytes)
}

func qpdfCheck(t testing.TB, data []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.pdf")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(needTool(t, "qpdf"), "--check", path).CombinedOutput()
	if err != nil || bytes.Contains(out, []byte("WARNING")) {
		t.Fatalf("qpdf --check: %v\n%s", err, out)
	}
}

func TestUpdateOfEveryKind(t *testing.T) {
	for name, base := range variants(t) {
		t.Run(name, func(t *testing.T) {
			once := updated(t, base)
			twice := updated(t, once)
			if !bytes.HasPrefix(twice, once) || !bytes.HasPrefix(once, base) {
				t.Fatal("an earlier revision changed")
			}
			qpdfCheck(t, twice)
			r := open(t, twice)
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			revs, err := r.Revisions()
			if err != nil || len(revs) != 3 {
				t.Fatalf("%d revisions, %v", len(revs), err)
			}
			for i, end := range []int{len(base), len(once), len(twice)} {
				if revs[i].End != int64(end) {
					t.Errorf("revision %d ends at %d, want %d", i, revs[i].End, end)
				}
			}
			old, err := r.AtRevision(0)
			if err != nil {
				t.Fatal(err)
			}
			now, _ := r.Page(0)
			then, err := old.Page(0)
			if err != nil || then.Rotate != 90 || now.Rotate != 180 {
				t.Fatalf("rotated %d then and %d now, %v", then.Rotate, now.Rotate, err)
			}
			if now.Ref != then.Ref {
				t.Fatalf("the page moved from %v to %v", then.Ref, now.Ref)
			}
			if r.Sections()[0].Stream != r.Sections()[1].Stream {
				t.Fatal("the kind of cross-reference section changed")
			}
		})
	}
}

func TestUpdateEndOfLine(t *testing.T) {
	base := bytes.TrimRight(sample(t, "1.7"), "\n")
	for name, tail := range map[string]string{"none": "", "LF": "\n", "CR LF": "\r\n", "CR": "\r"} {
		t.Run(name, func(t *testing.T) {
			file := []byte(string(base) + tail)
			whole := updated(t, file)
			inc := string(whole[len(file):])
			if got := strings.HasPrefix(inc, "\n"); got != (tail == "") {
				t.Fatalf("increment begins %q", inc[:10])
			}
			if !strings.HasSuffix(inc, "%%EOF\n") {
				t.Fatal("increment does not end with its marker and a line feed")
			}
			qpdfCheck(t, whole)
		})
	}
}

func TestUpdateKeepsFirstIdentifier(t *testing.T) {
	base := sample(t, "1.7")
	a := open(t, updated(t, base)).Trailer().Get("ID").(Array)
	was := open(t, base).Trailer().Get("ID").(Array)
	if !bytes.Equal(a[0].(String).Bytes, was[0].(String).Bytes) {
		t.Error("the first identifier changed")
	}
	if bytes.Equal(a[1].(String).Bytes, was[1].(String).Bytes) {
		t.Error("the second identifier did not change")
	}
}
