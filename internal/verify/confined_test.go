package verify

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/signer/validation"
)

func TestMain(m *testing.M) {
	confine.Main(Tasks)
	os.Exit(m.Run())
}

func confined() Confined {
	return Confined{Runner: confine.New(2), Now: func() time.Time { return time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC) }}
}

func TestConfinedExamines(t *testing.T) {
	junk := bytes.Repeat([]byte("%PDF-1.7\nstream\n1 0 obj<</Type/Sig/ByteRange[0 1 2 3]>>endobj\n%%EOF\n"), 100)
	for name, file := range map[string][]byte{"a copy's bytes": issued, "junk": junk, "empty": {}, "not a PDF": []byte("hello")} {
		e, err := confined().Examine(context.Background(), "f.pdf", bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		direct, err := Direct{validation.Options{At: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}}.Examine(context.Background(), "f.pdf", bytes.NewReader(file), int64(len(file)))
		if err != nil || direct.Digest != e.Digest || direct.Report.Indication != e.Report.Indication || len(direct.Codes) != len(e.Codes) || len(direct.Prefixes) != len(e.Prefixes) {
			t.Errorf("%s: confined %+v, direct %+v, %v", name, e, direct, err)
		}
		if e.Digest != certcopy.DigestOf(file) || e.Report.Indication == validation.TotalPassed {
			t.Errorf("%s: %+v", name, e)
		}
	}
}

// TestChildThatDiesIsAVerdict: what brings the reader down is a failed file, not a fault of ours.
func TestChildThatDiesIsAVerdict(t *testing.T) {
	for _, err := range []error{&confine.CrashError{}, &confine.LimitError{Err: confine.ErrMemory}, &confine.LimitError{Err: confine.ErrTime}} {
		why, hopeless := childDied(err)
		if !hopeless || why.VI == "" {
			t.Errorf("%v is not a verdict", err)
		}
		e, err := unexaminable("f", bytes.NewReader(issued), int64(len(issued)), why)
		if err != nil || e.Digest != certcopy.DigestOf(issued) || e.Report.Indication != validation.TotalFailed {
			t.Errorf("%v %+v", err, e)
		}
	}
	if _, hopeless := childDied(context.Canceled); hopeless {
		t.Error("a visitor who left is a verdict on the file")
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := confined().Examine(ctx, "f", bytes.NewReader(issued), int64(len(issued))); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestAttacksNeverPass runs published attacks through the whole way: none may come out good.
func TestAttacksNeverPass(t *testing.T) {
	corpora := os.Getenv("SAOY_CORPORA")
	if corpora == "" {
		corpora = "../../../shared/corpora"
	}
	files, _ := filepath.Glob(filepath.Join(corpora, "attacks", "*.pdf"))
	if len(files) == 0 {
		if os.Getenv("SAOY_REQUIRE") == "all" {
			t.Fatalf("no attack corpus in %s", corpora)
		}
		t.Skipf("no attack corpus in %s", corpora)
	}
	v := &Verifier{Register: books{}, Examiner: confined(), CertifierField: "Nguoi", AgencyField: "CoQuan"}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		r, err := v.File(context.Background(), filepath.Base(path), bytes.NewReader(b), int64(len(b)))
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if r.Good() || r.Indication == validation.TotalPassed {
			t.Errorf("%s passed: %+v", path, r)
		}
	}
}
