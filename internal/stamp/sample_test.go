package stamp

import (
	"errors"
	"strings"
	"testing"
)

// TestSample: the page shows wording, code and images, says on its face that it is no copy, and
// has no field that could be signed.
func TestSample(t *testing.T) {
	f := someFacts(t)
	f.Template = Statutory()[0]
	f.Template.Heading = "Chứng thực bản sao này đúng với bản chính"
	f.Template.BodySize = 14
	b, err := Sample(f)
	if err != nil {
		t.Fatal(err)
	}
	if _, root, err := open(t, b).Catalog(); err != nil || root.Has("AcroForm") {
		t.Errorf("a form %v, %v", root.Has("AcroForm"), err)
	}
	out := run(t, "pdftotext", "-layout", file(t, "sample.pdf", b), "-")
	for _, want := range []string{f.Template.Heading, "Số chứng thực 9999999", sampleText, "CHỦ TỊCH"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

func TestSampleRefusesWhatACopyCouldNotHold(t *testing.T) {
	f := someFacts(t)
	f.Agency.Name = strings.Repeat("Ủy ban nhân dân ", 12)
	if _, err := Sample(f); !errors.Is(err, ErrTooLong) {
		t.Errorf("a long name: %v", err)
	}
	f = someFacts(t)
	f.Template = Statutory()[0]
	f.Template.Lines = []string{"không có gì"}
	if _, err := Sample(f); !errors.Is(err, ErrTemplate) {
		t.Errorf("no number: %v", err)
	}
}

// TestOwnPage: a template may want a page of its own although the last one has room.
func TestOwnPage(t *testing.T) {
	f := someFacts(t)
	if s := mustStamp(t, f, a4Half); s.Appended {
		t.Fatal("there was room")
	}
	f.Template = Statutory()[0]
	f.Template.OwnPage = true
	if s := mustStamp(t, f, a4Half); !s.Appended || s.Pages != 2 {
		t.Errorf("%d pages", s.Pages)
	}
}
