package validation

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// TestHostile: files made to cost time or memory end in a verdict, in bounds. They are a
// quarter of the largest input of the public site.
func TestHostile(t *testing.T) {
	const size = 16 << 20
	o := newOffice(t)
	signed := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	fill := func(s string) []byte { return []byte(strings.Repeat(s, size/len(s))) }
	for name, data := range map[string][]byte{
		"byte ranges":              fill("/ByteRange "),
		"byte ranges in objects":   fill("1 0 obj<</ByteRange[0 1 2 3]/Contents<00>>>endobj "),
		"one open dictionary":      append([]byte("1 0 obj<</Contents<00>/SubFilter/ETSI.CAdES.detached"), fill("/A ")...),
		"end markers":              fill("startxref\n1\n%%EOF\n"),
		"headers":                  fill("%PDF-1.7\n"),
		"deep arrays":              append([]byte("%PDF-1.7\n1 0 obj<</ByteRange "), fill("[")...),
		"signed, then end markers": append(bytes.Clone(signed), fill("%%EOF\n")...),
		"signed, then zeros":       append(bytes.Clone(signed), make([]byte, size)...),
		"signed, then spaces":      append(bytes.Clone(signed), fill(" ")...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.ReadMemStats(&before)
			began := processorTime(t)
			r := o.validate(data)
			took := processorTime(t) - began
			runtime.ReadMemStats(&after)
			if r.Passed() {
				t.Error("passed")
			}
			// Far above what it takes, also under the race detector; a file that costs time in
			// proportion to the square of its size is still caught.
			if took > 20*time.Second {
				t.Errorf("took %v", took)
			}
			t.Logf("%v, %d MiB allocated, %s", took.Round(time.Millisecond), (after.TotalAlloc-before.TotalAlloc)>>20, r.Indication)
		})
	}
}

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
