package validation

import (
	"bytes"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// processorTime is what this process has used; the machine may be busy with others.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var u syscall.Rusage
	must(t, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// TestManyObjects: a document of very many objects is compared, or said to be too complex.
func TestManyObjects(t *testing.T) {
	o := newOffice(t)
	var b bytes.Buffer
	w := pdf.NewWriter(&b, "1.7")
	root, pages := w.Alloc(), w.Alloc()
	var kids pdf.Array
	for i := range 20_000 {
		content, err := w.Add(pdf.NewStream(nil, fmt.Appendf(nil, "%d 0 m\n", i)))
		must(t, err)
		p, err := w.Add(dict(pdf.E("Type", name("Page")), pdf.E("Parent", pages), pdf.E("Contents", content), pdf.E("Resources", pdf.Dict{})))
		must(t, err)
		kids = append(kids, p)
	}
	must(t, w.Put(pages, dict(pdf.E("Type", name("Pages")), pdf.E("Kids", kids), pdf.E("Count", pdf.Integer(len(kids))), pdf.E("MediaBox", pdf.Rect(0, 0, 595, 842)))))
	must(t, w.Put(root, dict(pdf.E("Type", name("Catalog")), pdf.E("Pages", pages))))
	id := pdf.String{Bytes: []byte("0123456789abcdef"), Hex: true}
	must(t, w.Close(dict(pdf.E("Root", root), pdf.E("ID", pdf.Array{id, id}))))
	data := o.sign(b.Bytes(), o.person, pades.Options{}, pades.Means{})
	data = o.store(o.sign(data, o.agency, pades.Options{}, pades.Means{}))
	began := time.Now()
	r := o.validate(data)
	t.Logf("%d objects, %d bytes: %v", 2*len(kids), len(data), time.Since(began).Round(time.Millisecond))
	if r.Integrity != Intact {
		logReport(t, r)
		t.Error("not intact")
	}
}

// BenchmarkCopy validates a copy of about 1 MB with two signatures, B-LT.
func BenchmarkCopy(b *testing.B) {
	o := newOffice(b)
	d := newDocument(b)
	d.data = revised(b, d.data, func(u *pdf.Update) {
		o, err := u.Object(d.refs["page2"])
		must(b, err)
		page := o.(pdf.Dict).Clone()
		page.Set("Contents", u.Add(pdf.NewStream(nil, bytes.Repeat([]byte("0 0 m 1 1 l S\n"), 70_000))))
		u.Set(d.refs["page2"], page)
	})
	data := o.copy(d)
	opts := o.options()
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		if r := validate(b, data, opts); !r.Passed() {
			b.Fatal("does not pass")
		}
	}
}
