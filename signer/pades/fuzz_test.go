package pades

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/saoy/saoy/signer/pdf"
)

// FuzzSign: whatever the base, signing it is refused with a kind of error and nothing
// written, or gives the base followed by a revision that reads, verifies and covers it all.
func FuzzSign(f *testing.F) {
	f.Add(document(f, "1.7", nil))
	f.Add(document(f, "1.7", withForm(true, true)))
	f.Add(document(f, "2.0", withForm(false, true, Lock{Action: LockExclude, Fields: []string{"a"}})))
	f.Add(signed(f, document(f, "1.7", withForm(true, true)), official(), func() Options { o := options(); o.Certify = 3; return o }(), means(BLTA)))
	limits := pdf.Limits{Objects: 10_000, Sections: 50, Depth: 20, ObjectBytes: 1 << 18, DecodedBytes: 1 << 20, DecodedTotal: 8 << 20, Pages: 100}
	f.Fuzz(func(t *testing.T, base []byte) {
		o := options()
		o.Limits = limits
		var out bytes.Buffer
		_, err := Sign(t.Context(), bytes.NewReader(base), int64(len(base)), &out, official(), o, Means{})
		if err != nil {
			if !hasReason(err) && !errors.Is(err, pdf.ErrFilter) && !errors.Is(err, pdf.ErrNoPage) {
				t.Fatalf("error without a kind: %v", err)
			}
			if out.Len() != 0 {
				t.Fatalf("refused (%v) after %d bytes", err, out.Len())
			}
			return
		}
		data := out.Bytes()
		if !bytes.HasPrefix(data, base) {
			t.Fatal("a byte of the base changed")
		}
		r, err := openStrict(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
		if err != nil {
			t.Fatalf("the signed file does not read: %v", err)
		}
		_, catalog, err := r.Catalog()
		if err != nil {
			t.Fatal(err)
		}
		form, err := readForm(r, catalog)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range form.signed() {
			if s, err := readSignature(r, x); err == nil && s.end == int64(len(data)) {
				return
			}
		}
		t.Fatal("no signature of the signed file verifies and covers it")
	})
}

// FuzzPrepared: no stored state makes the second phase panic.
func FuzzPrepared(f *testing.F) {
	base := document(f, "1.7", nil)
	stored, err := json.Marshal(prepared(f, base, options()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(stored)
	f.Fuzz(func(t *testing.T, stored []byte) {
		var p Prepared
		if err := json.Unmarshal(stored, &p); err != nil {
			return
		}
		var out bytes.Buffer
		if err := p.Embed(bytes.NewReader(base), []byte{0x30, 0}, &out); err == nil || out.Len() != 0 {
			t.Fatalf("embedded nonsense: %v, %d bytes", err, out.Len())
		}
	})
}
