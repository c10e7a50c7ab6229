package interop

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// TestInteropHonest holds our validator to files that other programs made honestly: signed at
// every level, filled, commented, counter-signed and time-stamped again as the first signer
// allowed. Each must pass. Without SAOY_INTEROP pyHanko makes a few.
func TestInteropHonest(t *testing.T) {
	w := newWorld(t)
	table := document(t, "1.7", nil)
	bases := map[string][]byte{"table": table, "form": document(t, "1.7", withForm)}
	full := os.Getenv("SAOY_INTEROP") != ""
	if full {
		bases["object streams"] = qpdf(t, table, "--object-streams=generate")
		bases["linearized"] = qpdf(t, table, "--linearize --object-streams=disable")
		bases["linearized, streams"] = qpdf(t, table, "--linearize --object-streams=generate")
		bases["xref stream"] = xrefStream()
	}
	made := 0
	pass := func(name string, data []byte) {
		t.Helper()
		made++
		honest(t, w, name, data)
	}
	for name, data := range honestPyHanko(t, w, bases) {
		pass("pyHanko: "+name, data)
	}
	pass("pdfsign", pdfsign(t, w, table))
	if full {
		if findDSS() == "" {
			missing(t, "bin/dss")
		}
		delete(bases, "form")
		dss := others[1]
		for _, level := range []string{"B", "T", "LT", "LTA"} {
			for name, data := range dss.sign(t, w, bases, level) {
				pass("EU DSS: "+name+" B-"+level, data)
			}
		}
		lt := dss.sign(t, w, map[string][]byte{"base": table}, "LT")
		for name, data := range dss.extend(t, w, lt, "LTA") {
			pass("EU DSS: extended "+name, data)
			for _, again := range dss.extend(t, w, map[string][]byte{"again": data}, "LTA") {
				pass("EU DSS: extended twice", again)
			}
		}
		ours := map[string][]byte{"ours": w.sign(t, table, keys[2], pades.BLT, pades.Options{Field: "Earlier"})}
		for _, o := range others {
			if o.find() == "" {
				missing(t, o.name)
			}
			for _, data := range o.sign(t, w, ours, "LT") {
				pass("ours, counter-signed by "+o.name, data)
			}
			for _, data := range o.extend(t, w, ours, "LTA") {
				pass("ours, archived by "+o.name, data)
			}
		}
		pass("OpenPDF", openPDF(t, w, table))
	}
	t.Logf("%d files", made)
}

func honestPyHanko(t *testing.T, w *world, bases map[string][]byte) map[string][]byte {
	t.Helper()
	python := findPyHanko()
	if _, err := os.Stat(python); err != nil {
		missing(t, "pyhanko")
	}
	dir := t.TempDir()
	args := []string{"testdata/honest.py", "--p12", w.p12(t, key{name: "theirs", kind: signertest.P256}),
		"--other", w.p12(t, key{name: "other", kind: signertest.RSA2048}), "--pass", pass,
		"--tsa", w.url + "/tsa", "--trust", w.path("root.pem"), "--out", dir}
	for name, data := range bases {
		in := filepath.Join(t.TempDir(), "base.pdf")
		write(t, in, data)
		args = append(args, name+"="+in)
	}
	said := output(t, python, args...)
	files := map[string][]byte{}
	for name := range strings.Lines(said) {
		name = strings.TrimSuffix(name, "\n")
		data, err := os.ReadFile(filepath.Join(dir, name+".pdf"))
		if err != nil {
			t.Fatalf("honest.py: %.3000s", said)
		}
		files[name] = data
	}
	if want := 4*(len(bases)-1) + 14; len(files) != want {
		t.Errorf("honest.py made %d of %d files", len(files), want)
	}
	return files
}

func honest(t *testing.T, w *world, name string, data []byte) {
	t.Helper()
	o := validation.Options{At: time.Now(), Anchors: trust.NewStoreOf(w.pki.Root.Certificate),
		Source: trust.NewSource(trust.NewFetcher(trust.FetcherConfig{AllowPrivate: true}), false)}
	r, err := validation.File(t.Context(), bytes.NewReader(data), int64(len(data)), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Passed() && r.Integrity == validation.Intact {
		return
	}
	t.Errorf("%s: %s %s, integrity %s", name, r.Indication, r.SubIndication, r.Integrity)
	for _, c := range r.Checks {
		if c.Result == validation.Failed {
			t.Logf("    %s: %s", c.ID, c.EN)
		}
	}
	for _, s := range r.Signatures {
		for _, c := range s.Checks {
			if c.Result == validation.Failed {
				t.Logf("    %s: %s: %s", s.Field, c.ID, c.EN)
			}
		}
	}
	if dir := os.Getenv("SAOY_KEEP"); dir != "" {
		write(t, filepath.Join(dir, fileName(name)+".pdf"), data)
	}
}
