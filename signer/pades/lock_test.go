package pades

import (
	"bytes"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/signer/validation"
)

// TestLockBindsWhatComesAfter: what the lock of a signed field permits in the document is
// permitted by the validator, and nothing more.
func TestLockBindsWhatComesAfter(t *testing.T) {
	for permissions, allowed := range map[int]struct{ fill, annotate bool }{1: {}, 2: {fill: true}, 3: {fill: true, annotate: true}} {
		o := options()
		o.Field = "seal"
		base := document(t, "2.0", withForm(true, false, Lock{Action: LockInclude, Permissions: permissions}))
		data := signed(t, base, official(), o, Means{})
		if got := intact(t, later(t, data, fillText)); got != allowed.fill {
			t.Errorf("/P %d: a field was filled: intact %v", permissions, got)
		}
		if got := intact(t, later(t, data, addNote)); got != allowed.annotate {
			t.Errorf("/P %d: a note was added: intact %v", permissions, got)
		}
	}
}

// later is a file after someone's incremental update.
func later(t *testing.T, data []byte, change func(*testing.T, *pdf.Reader, *pdf.Update)) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	u := pdf.NewUpdate(r)
	change(t, r, u)
	inc, err := u.Increment()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(data), inc.Bytes...)
}

func fillText(t *testing.T, r *pdf.Reader, u *pdf.Update) {
	_, catalog, err := r.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	f, err := readForm(r, catalog)
	if err != nil {
		t.Fatal(err)
	}
	x, ok := f.find("person.họ tên")
	if !ok {
		t.Fatal("the field is not there")
	}
	d := x.dict.Clone()
	d.Set("V", pdf.Text("An"))
	u.Set(x.ref, d)
}

func addNote(t *testing.T, r *pdf.Reader, u *pdf.Update) {
	p, err := r.Page(0)
	if err != nil {
		t.Fatal(err)
	}
	note := u.Add(pdf.Dict{pdf.E("Type", pdf.Name("Annot")), pdf.E("Subtype", pdf.Name("Text")), pdf.E("Rect", pdf.Rect(300, 300, 320, 320)),
		pdf.E("Contents", pdf.Text("note")), pdf.E("P", p.Ref)})
	annots, err := r.Array(p.Dict.Get("Annots"))
	if err != nil {
		t.Fatal(err)
	}
	longer := append(append(pdf.Array{}, annots...), note)
	if at := p.Dict.Ref("Annots"); !at.IsZero() {
		u.Set(at, longer)
		return
	}
	d := p.Dict.Clone()
	d.Set("Annots", longer)
	u.Set(p.Ref, d)
}

func intact(t *testing.T, data []byte) bool {
	t.Helper()
	report, err := validation.File(t.Context(), bytes.NewReader(data), int64(len(data)), validation.Options{At: now(), Anchors: trust.NewStoreOf(pki().Anchors()...)})
	if err != nil {
		t.Fatal(err)
	}
	return report.Integrity == validation.Intact
}
