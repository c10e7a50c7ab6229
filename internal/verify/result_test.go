package verify

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// reader sees fixed codes.
type reader struct {
	codes []string
	err   error
	asked *int
}

func (r reader) Codes(context.Context, io.ReaderAt, int64) ([]string, error) {
	*r.asked++
	return r.codes, r.err
}

func TestSeenCodes(t *testing.T) {
	other, _ := link.NewCode(bytes.NewReader([]byte("another ten")))
	stranger := []byte("%PDF-1.7 a photograph\n%%EOF\n")
	for _, c := range []struct {
		name   string
		file   []byte
		reader reader
		origin Origin
		asked  int
	}{
		{"a photograph of our copy", stranger, reader{codes: []string{"nonsense", other.String(), testCode}}, Pretends, 1},
		{"a code of another register", stranger, reader{codes: []string{other.String()}}, "", 1},
		{"nothing seen", stranger, reader{}, "", 1},
		{"our own file is not looked at", issued, reader{codes: []string{testCode}}, AsIssued, 0},
	} {
		asked := 0
		c.reader.asked = &asked
		v := verifierOf(registerOf(sampleCopy()), passing(0))
		v.Reader = c.reader
		r, err := v.File(t.Context(), "f", bytes.NewReader(c.file), int64(len(c.file)))
		if err != nil || r.Origin != c.origin || asked != c.asked {
			t.Errorf("%s: %v, origin %q, asked %d", c.name, err, r.Origin, asked)
			continue
		}
		if c.origin == Pretends && (r.Good() || r.Indication != validation.TotalFailed || r.Copy == nil || r.Conclude(true).Key != "pretends") {
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	asked := 0
	v := verifierOf(books{}, passing(0))
	v.Reader = reader{err: storage.ErrUnavailable, asked: &asked}
	if _, err := v.File(t.Context(), "f", bytes.NewReader(stranger), int64(len(stranger))); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a reader that fails: %v", err)
	}
}

// TestResultsAreNoCopies: what our result key signed is called a result, changed or not, and
// never good, even where it bears a code of ours.
func TestResultsAreNoCopies(t *testing.T) {
	says := passing(0)
	says.Signatures = says.Signatures[:1]
	says.Signatures[0].Path = []validation.Certificate{{Fingerprint: "aa"}, {Fingerprint: "bb"}}
	file := append(bytes.Clone(issued), "a result that shows the copy\n%%EOF\n"...)
	check := func(results []string, says *validation.Report) *Report {
		v := verifierOf(registerOf(sampleCopy()), says)
		v.Results = results
		r, err := v.File(t.Context(), "f", bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := check([]string{"aa"}, says); r.Origin != Result || r.Good() || r.Copy != nil || r.Conclude(true).Key != "result" || r.Conclude(true).Tone != Yellow {
		t.Errorf("%+v", r)
	}
	changed := *says
	changed.Indication, changed.Integrity = validation.TotalFailed, validation.Modified
	if c := check([]string{"aa"}, &changed).Conclude(true); c.Key != "result_altered" || c.Tone != Red {
		t.Errorf("%+v", c)
	}
	for _, not := range [][]string{{"bb"}, nil} { // the issuer's certificate is not the signer's
		if r := check(not, says); r.Origin == Result {
			t.Errorf("%v: %q", not, r.Origin)
		}
	}
}
