package pades

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// issued signs as a copy is issued: the official certifies, the agency seals the field that
// waits for it, one increment of validation data serves both.
func issued(t testing.TB, base []byte, level Level) []byte {
	o := options()
	o.Certify = 2
	data := signed(t, base, official(), o, Means{TimeStamper: pki()})
	o = options()
	o.Field = "seal"
	return signed(t, data, official(), o, means(level))
}

// TestPyHankoAgrees has pyHanko validate what is signed here; archived files also as of ten
// days later, from what they carry. A file with an annotation that is direct in /Annots is
// not among them: pyHanko calls any later change to such a page suspicious.
func TestPyHankoAgrees(t *testing.T) {
	python := needPyHanko(t)
	dir := t.TempDir()
	args := []string{filepath.Join("testdata", "pyhanko_validate.py"), writeRoot(t, dir)}
	add := func(name string, data []byte) {
		path := filepath.Join(dir, name)
		write(t, path, data)
		args = append(args, path)
	}
	for name, base := range kinds(t) {
		if strings.Contains(name, "form") {
			continue
		}
		add(name+".bb.pdf", signed(t, base, official(), options(), Means{}))
		add(name+".blta.pdf", signed(t, base, official(), options(), means(BLTA)))
	}
	for _, indirect := range []bool{false, true} {
		add(fmt.Sprintf("issued %v.pdf", indirect), issued(t, document(t, "1.7", withForm(indirect, false)), BLT))
		l := Lock{LockInclude, []string{"Signature1", "seal"}}
		add(fmt.Sprintf("issued %v.blta.pdf", indirect), issued(t, document(t, "1.7", withForm(indirect, false, l)), BLTA))
	}
	out, err := exec.Command(python, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("pyHanko: %v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func needPyHanko(t testing.TB) string {
	t.Helper()
	if testing.Short() {
		t.Skip("pyHanko takes its time")
	}
	python := needTool(t, "python3")
	if err := exec.Command(python, "-c", "import pyhanko.sign.validation.ades").Run(); err != nil {
		needTool(t, "pyhanko (a module of python3)")
	}
	return python
}

func writeRoot(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "root.pem")
	write(t, path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki().Root.Certificate.Raw}))
	return path
}

// TestSignWhatOthersMade signs every file of others: it comes out as a file that other
// programs accept and in which every earlier signature is as valid as before, or is refused
// with a reason.
func TestSignWhatOthersMade(t *testing.T) {
	needTool(t, "qpdf")
	needTool(t, "pdfsig")
	dir := t.TempDir()
	passed := 0
	for _, path := range corpora(t) {
		name := filepath.Base(path)
		base := read(t, path)
		var out bytes.Buffer
		_, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, official(), options(), Means{})
		if err != nil {
			if !hasReason(err) {
				t.Errorf("%s: refused without a reason to test for: %v", name, err)
			}
			t.Logf("%s: %v", name, err)
			continue
		}
		passed++
		if !bytes.HasPrefix(out.Bytes(), base) {
			t.Errorf("%s: a byte of the base changed", name)
		}
		after := filepath.Join(dir, "signed.pdf")
		write(t, after, out.Bytes())
		if was, is := repairs(t, path), repairs(t, after); is != was {
			t.Errorf("%s: qpdf had to repair: before %v, after %v", name, was, is)
		}
		was, is := validSignatures(t, path), validSignatures(t, after)
		if is != was+1 {
			t.Errorf("%s: %d valid signatures before and %d after", name, was, is)
		}
	}
	t.Logf("%d files were signed", passed)
	if passed < 60 {
		t.Errorf("only %d files could be signed", passed)
	}
}

func hasReason(err error) bool {
	for _, want := range []error{pdf.ErrDamaged, pdf.ErrEncrypted, pdf.ErrLimit, ErrForbidden, ErrField} {
		if errors.Is(err, want) {
			return true
		}
	}
	return false
}

// repairs reports whether qpdf has to guess at something, and logs what it says then. Hint
// tables of linearized files and a /Size that is too large (PDFBox writes such) mislead
// nobody.
func repairs(t testing.TB, path string) bool {
	t.Helper()
	out, _ := exec.Command("qpdf", "--check", path).CombinedOutput() // the status says the same as the text
	for line := range strings.Lines(string(out)) {
		harmless := strings.Contains(line, "hint table") || strings.Contains(line, "shared identifier") ||
			strings.Contains(line, "linearized file contains") || strings.Contains(line, "is not one plus the highest object number")
		if strings.Contains(line, "WARNING") && !harmless || strings.Contains(line, "ERROR") {
			t.Logf("%s", out)
			return true
		}
	}
	return false
}

func validSignatures(t testing.TB, path string) int {
	t.Helper()
	out, _ := exec.Command("pdfsig", "-nocert", path).CombinedOutput() // status 2: no signatures
	return strings.Count(string(out), "Signature is Valid.")
}

// TestPyHankoSignsOursAgain has pyHanko add a signature to each kind of file signed here:
// both stay valid. Then the result is signed here once more.
func TestPyHankoSignsOursAgain(t *testing.T) {
	needPyHanko(t)
	dir := t.TempDir()
	leaf, err := pki().Issue(signertest.Official("B", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(leaf.Private)
	if err != nil {
		t.Fatal(err)
	}
	keyFile, certFile := filepath.Join(dir, "key.pem"), filepath.Join(dir, "cert.pem")
	write(t, keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))
	write(t, certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: leaf.Certificate.Raw}))
	for _, name := range []string{"table", "object streams", "linearized", "2.0"} {
		in, out := filepath.Join(dir, "in.pdf"), filepath.Join(dir, "out.pdf")
		write(t, in, signed(t, kinds(t)[name], official(), options(), means(BLTA)))
		cmd := exec.Command("pyhanko", "sign", "addsig", "--field", "Theirs", "--use-pades", "pemder",
			"--key", keyFile, "--cert", certFile, "--chain", writeChain(t, dir), "--no-pass", in, out)
		if msg, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: pyhanko: %v\n%s", name, err, msg)
		}
		accepted(t, read(t, out), 2)
		accepted(t, signed(t, read(t, out), official(), options(), Means{}), 3)
	}
}

func writeChain(t testing.TB, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "chain.pem")
	write(t, path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pki().Issuing.Certificate.Raw}))
	return path
}
