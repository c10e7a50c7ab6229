package pdf

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func open(t testing.TB, data []byte) *Reader {
	t.Helper()
	r, err := Open(bytes.NewReader(data), int64(len(data)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// variants returns the sample as every kind of file that qpdf writes.
func variants(t testing.TB) map[string][]byte {
	t.Helper()
	qpdf := needTool(t, "qpdf")
	dir := t.TempDir()
	in := filepath.Join(dir, "in.pdf")
	if err := os.WriteFile(in, sample(t, "1.7"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{"ours": sample(t, "1.7"), "ours 2.0": sample(t, "2.0")}
	for name, args := range map[string]string{
		"table":              "--object-streams=disable",
		"object streams":     "--object-streams=generate",
		"linearized":         "--linearize --object-streams=disable",
		"linearized streams": "--linearize --object-streams=generate",
		"version 1.2":        "--force-version=1.2 --object-streams=disable",
	} {
		path := filepath.Join(dir, "out.pdf")
		cmd := append([]string{"--deterministic-id"}, append(strings.Fields(args), in, path)...)
		if msg, err := exec.Command(qpdf, cmd...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v %s", name, err, msg)
		}
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		out[name] = b
	}
	return out
}

func TestReaderReadsEveryKind(t *testing.T) {
	for name, data := range variants(t) {
		t.Run(name, func(t *testing.T) {
			r := open(t, data)
			if err := r.Check(); err != nil {
				t.Fatal(err)
			}
			p, err := r.Page(0)
			if err != nil || p.MediaBox != [4]float64{0, 0, 200, 100} || p.CropBox != p.MediaBox || p.Rotate != 90 {
				t.Fatalf("page: %+v, %v", p, err)
			}
			o, err := r.Resolve(p.Dict.Get("Contents"))
			if err != nil {
				t.Fatal(err)
			}
			content, err := r.Decode(o.(*Stream))
			if err != nil || !bytes.Contains(content, []byte("10 10 50 50 re")) {
				t.Fatalf("content %q, %v", content, err)
			}
			if _, err := r.Page(1); !errors.Is(err, ErrNoPage) {
				t.Fatalf("page 2: %v", err)
			}
			revs, err := r.Revisions()
			if err != nil || len(revs) != 1 || revs[0].End != int64(len(data)) || revs[0].StartXRef != r.StartXRef() {
				t.Fatalf("revisions %+v, %v", revs, err)
			}
		})
	}
}
