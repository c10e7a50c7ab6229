package pdf

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/signertest"
)

// corpora returns the paths of the PDF files of others.
func corpora(t testing.TB) []string {
	t.Helper()
	paths, err := signertest.Corpora(2)
	if err != nil {
		t.Skip(err)
	}
	return paths
}

// TestCorporaAgreeWithQPDF: what passes Check is a file that qpdf reads without repairs.
// The reverse does not hold: this reader is stricter.
func TestCorporaAgreeWithQPDF(t *testing.T) {
	qpdf := needTool(t, "qpdf")
	passed, refused := 0, 0
	for _, path := range corpora(t) {
		name := filepath.Base(path)
		err := checkFile(path)
		out, qerr := exec.Command(qpdf, "--check", path).CombinedOutput()
		repairs := repaired(string(out)) || qerr != nil && !strings.Contains(string(out), "WARNING")
		switch {
		case err == nil && repairs:
			t.Errorf("%s: passes, but qpdf says:\n%s", name, out)
		case err == nil:
			passed++
		default:
			refused++
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrEncrypted) && !errors.Is(err, ErrLimit) {
				t.Errorf("%s: error without a kind: %v", name, err)
			}
			t.Logf("%s: %v (qpdf repairs: %v)", name, err, repairs)
		}
	}
	t.Logf("%d files pass, %d are refused", passed, refused)
}

// repaired reports whether qpdf had to guess at something. Hint tables of linearized files
// and a /Size that is too large mislead nobody.
func repaired(out string) bool {
	for line := range strings.Lines(out) {
		harmless := strings.Contains(line, "hint table") || strings.Contains(line, "shared identifier") ||
			strings.Contains(line, "linearized file contains") || strings.Contains(line, "is not one plus the highest object number")
		if strings.Contains(line, "WARNING") && !harmless {
			return true
		}
	}
	return false
}

func checkFile(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	r, err := Open(f, info.Size(), Limits{})
	if err != nil {
		return err
	}
	return r.Check()
}
