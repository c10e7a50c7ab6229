package pades

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/saoy/saoy/signer/signertest"
)

// needDSS returns the class path of testdata/dss. It is built, with Maven and the network,
// when SAOY_INTEROP is set; without it a test that finds nothing built is skipped.
func needDSS(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("EU DSS takes its time")
	}
	needTool(t, "java")
	dir := filepath.Join("testdata", "dss")
	jar := filepath.Join(dir, "target", "interop-1.jar")
	if _, err := os.Stat(jar); err != nil {
		if os.Getenv("SAOY_INTEROP") == "" && os.Getenv("SAOY_REQUIRE") != "all" {
			t.Skip("EU DSS is not built; set SAOY_INTEROP=1 to fetch and build it with Maven")
		}
		cmd := exec.Command(needTool(t, "mvn"), "-q", "-B", "package", "dependency:copy-dependencies", "-DoutputDirectory=target/lib")
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("mvn: %v\n%s", err, out)
		}
	}
	return jar + string(os.PathListSeparator) + filepath.Join(dir, "target", "lib", "*")
}

// TestEUDSSAgrees has EU DSS validate every level, kind of key and kind of file, offline:
// the level is as claimed, and what carries its validation data is TOTAL_PASSED. The lower
// levels lack revocation data, which DSS calls INDETERMINATE.
func TestEUDSSAgrees(t *testing.T) {
	classes := needDSS(t)
	dir := t.TempDir()
	want := map[string]Level{}
	args := []string{"-cp", classes, "interop.Validate", writeRoot(t, dir)}
	add := func(name string, level Level, data []byte) {
		name += ".pdf"
		write(t, filepath.Join(dir, name), data)
		want[name] = level
		args = append(args, filepath.Join(dir, name))
	}
	base := document(t, "1.7", nil)
	for level := BB; level <= BLTA; level++ {
		add(level.String(), level, signed(t, base, official(), options(), means(level)))
	}
	for _, k := range []signertest.KeyType{signertest.RSA2048, signertest.RSA3072, signertest.P256, signertest.P384} {
		add(string(k), BLT, signed(t, base, identity(t, k), options(), means(BLT)))
	}
	pss := means(BLT)
	pss.PSS = true
	add("RSASSA-PSS", BLT, signed(t, base, identity(t, signertest.RSA2048), options(), pss))
	for name, file := range kinds(t) {
		add(name, BLTA, signed(t, file, official(), options(), means(BLTA)))
	}
	for _, level := range []Level{BLT, BLTA} {
		add("issued at "+level.String(), level, issued(t, document(t, "1.7", withForm(true, true)), level))
	}
	renewed := extended(t, signed(t, base, official(), options(), means(BLTA)), ExtendOptions{Level: BLTA, TimeStamper: pki(), Collector: collector})
	add("renewed", BLTA, renewed)

	out, _ := exec.Command("java", args...).CombinedOutput() // its status says less than its lines
	seen := 0
	for line := range strings.Lines(string(out)) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		level, ok := want[f[0]]
		if !ok || len(f) < 5 {
			t.Errorf("unexpected: %s", line)
			continue
		}
		seen++
		judgement, missing := f[2] == "TOTAL_PASSED", strings.Contains(f[4], "No revocation data found")
		if f[1] != dssLevel(level) || !judgement && (level >= BLT || !missing) {
			t.Errorf("%s", line)
		}
	}
	if seen < len(want) {
		t.Errorf("DSS reported on %d signatures of %d files\n%s", seen, len(want), out)
	}
	t.Logf("\n%s", out)
}

func dssLevel(l Level) string {
	return fmt.Sprintf("PAdES-BASELINE-%s", strings.TrimPrefix(l.String(), "B-"))
}

// TestEUDSSSignsOursAgain has EU DSS, with PDFBox under it, add a signature to files signed
// here: both stay valid, and a third made here too.
func TestEUDSSSignsOursAgain(t *testing.T) {
	classes := needDSS(t)
	dir := t.TempDir()
	args := []string{"-cp", classes, "interop.Sign", writePKCS12(t, dir, "secret"), "secret"}
	files := kinds(t)
	for _, name := range []string{"table", "object streams", "linearized", "2.0", "with form", "with direct form"} {
		in := filepath.Join(dir, name+".in.pdf")
		write(t, in, signed(t, files[name], official(), options(), means(BLTA)))
		args = append(args, in, filepath.Join(dir, name+".out.pdf"))
	}
	if out, err := exec.Command("java", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for i := len(args) - 1; i > 5; i -= 2 {
		twice := read(t, args[i])
		if !bytes.HasPrefix(twice, read(t, args[i-1])) {
			t.Errorf("%s: DSS changed what was signed", args[i])
		}
		accepted(t, twice, 2)
		accepted(t, signed(t, twice, official(), options(), Means{}), 3)
	}
}

// writePKCS12 issues a certificate and writes it with its key.
func writePKCS12(t testing.TB, dir, password string) string {
	t.Helper()
	leaf, err := pki().Issue(signertest.Official("D", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	data, err := pkcs12.Modern.Encode(leaf.Private, leaf.Certificate, leaf.Chain, password)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "key.p12")
	write(t, path, data)
	return path
}
