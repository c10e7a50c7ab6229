package pades

import (
	"bytes"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// TestInteropSignWhatOthersMade signs every file of others: it comes out as a file that other
// programs accept and in which every earlier signature is as valid as before, or is refused
// with a reason.
func TestInteropSignWhatOthersMade(t *testing.T) {
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
