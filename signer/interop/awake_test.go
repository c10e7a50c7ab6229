package interop

import (
	"bytes"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// TestInteropJudgesAreAwake shows every judge files that it must not accept: a judge that
// calls everything good would prove nothing.
func TestInteropJudgesAreAwake(t *testing.T) {
	if testing.Short() {
		t.Skip("asking seven programs takes its time")
	}
	w := newWorld(t)
	good := w.sign(t, document(t, "1.7", nil), keys[2], pades.BT, pades.Options{Field: "Ours"})
	spoilt := func(name string, level pades.Level, data []byte) subject {
		return w.keep(t, subject{name: name, level: level, field: "Ours", count: 1, pdfa: true}, data)
	}
	flipped := bytes.Replace(good, []byte("20 20 m 120 20 l"), []byte("20 20 m 920 20 l"), 1)
	cut := append(bytes.Clone(good[:len(good)-200]), "startxref\n1\n%%EOF\n"...)
	bad := map[string][]subject{
		"qpdf":    {spoilt("cut", pades.BT, cut)},
		"pdfsig":  {spoilt("flipped", pades.BT, flipped)},
		"OpenSSL": {spoilt("flipped", pades.BT, flipped)},
		"pyHanko": {spoilt("flipped", pades.BT, flipped), spoilt("claimed", pades.BLTA, good), spoilt("changed", pades.BT, changed(t, good))},
		"EU DSS":  {spoilt("flipped", pades.BT, flipped), spoilt("claimed", pades.BLTA, good), spoilt("changed", pades.BT, changed(t, good))},
		"PDFBox":  {spoilt("flipped", pades.BT, flipped)},
		"veraPDF": {spoilt("not archival", pades.BT, good)},
	}
	for _, p := range peers {
		t.Run(p.name, func(t *testing.T) {
			program := p.find()
			if program == "" {
				missing(t, p.name)
			}
			v := p.judge(t, w, program, bad[p.name])
			for _, s := range bad[p.name] {
				if why := v[s.path]; why == "" {
					t.Errorf("%s is accepted", s.name)
				} else {
					t.Logf("%s: %s", s.name, why)
				}
			}
		})
	}
}

// changed adds a revision in which the signed page shows something else.
func changed(t testing.TB, data []byte) []byte {
	t.Helper()
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	u := pdf.NewUpdate(r)
	u.Set(pdf.Ref{Number: 3}, pdf.NewStream(nil, []byte("1 0 0 rg 0 0 500 500 re f\n"))) // the content of both pages
	inc, err := u.Increment()
	if err != nil {
		t.Fatal(err)
	}
	return append(bytes.Clone(data), inc.Bytes...)
}
