package pdf

import (
	"bytes"
	"fmt"
	"testing"
)

// file is a PDF written by hand, with the offsets of its objects.
type file struct {
	bytes.Buffer
	offsets map[int]int
}

func newFile(version string) *file {
	f := &file{offsets: map[int]int{}}
	fmt.Fprintf(f, "%%PDF-%s\n", version)
	return f
}

func (f *file) object(number int, body string) {
	f.offsets[number] = f.Len()
	fmt.Fprintf(f, "%d 0 obj\n%s\nendobj\n", number, body)
}

func (f *file) stream(number int, dict, data string) {
	f.object(number, fmt.Sprintf("<<%s /Length %d>>\nstream\n%s\nendstream", dict, len(data), data))
}

// finish writes a table of objects 0 to size-1, of which those never written are free.
func (f *file) finish(size int, trailer string) []byte {
	start := f.Len()
	fmt.Fprintf(f, "xref\n0 %d\n0000000000 65535 f \n", size)
	for i := 1; i < size; i++ {
		if offset, ok := f.offsets[i]; ok {
			fmt.Fprintf(f, "%010d 00000 n \n", offset)
		} else {
			fmt.Fprint(f, "0000000000 00000 f \n")
		}
	}
	fmt.Fprintf(f, "trailer\n<</Size %d %s>>\nstartxref\n%d\n%%%%EOF\n", size, trailer, start)
	return f.Bytes()
}

// hybrid returns a hybrid-reference file (ISO 32000-2 §7.5.8.4): the page's contents are
// visible to all readers, its annotation (object 5, in object stream 6) only to those that
// know cross-reference streams.
func hybrid(testing.TB) []byte {
	f := newFile("1.5")
	f.object(1, "<</Type/Catalog/Pages 2 0 R>>")
	f.object(2, "<</Type/Pages/Kids[3 0 R]/Count 1/MediaBox[0 0 100 100]>>")
	f.object(3, "<</Type/Page/Parent 2 0 R/Resources<<>>/Contents 4 0 R/Annots[5 0 R]>>")
	f.stream(4, "", "0 0 10 10 re f")
	f.stream(6, "/Type/ObjStm/N 1/First 4", "5 0 <</Type/Annot/Subtype/Link/Rect[0 0 9 9]/Border[0 0 0]>>")
	entry := string([]byte{2, 0, 6, 0})
	at := f.Len()
	f.stream(7, "/Type/XRef/Size 8/W[1 2 1]/Index[5 1]", entry)
	delete(f.offsets, 7) // the table calls it free, as it does what the stream lists
	return f.finish(8, fmt.Sprintf("/Root 1 0 R /XRefStm %d", at))
}

func TestHybridFile(t *testing.T) {
	base := hybrid(t)
	qpdfCheck(t, base)
	r := open(t, base)
	if err := r.Check(); err != nil {
		t.Fatal(err)
	}
	if !r.Sections()[0].Hybrid {
		t.Fatal("not seen as hybrid")
	}
	o, err := r.Object(Ref{5, 0})
	if d, ok := o.(Dict); err != nil || !ok || d.Name("Subtype") != "Link" {
		t.Fatalf("hidden object: %v, %v", o, err)
	}
	whole := updated(t, updated(t, base))
	qpdfCheck(t, whole)
	r = open(t, whole)
	if o, err = r.Object(Ref{5, 0}); err != nil || o == (Null{}) {
		t.Fatalf("hidden object after an update: %v, %v", o, err)
	}
	numbers := 0
	for n, e := range r.Sections()[2].Entries() {
		if want, ok := r.Sections()[2].Entry(n); !ok || want != e {
			t.Errorf("Entries and Entry differ on object %d", n)
		}
		numbers++
	}
	if numbers != 8 {
		t.Errorf("%d entries", numbers)
	}
}
