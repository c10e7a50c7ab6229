package validation

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"strings"
	"testing"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/pdf"
)

// rawFile writes files no honest program would: objects as they are given, tables right.
type rawFile struct {
	b       bytes.Buffer
	offsets []int64 // by object number; -1: not in the next table
	prev    int64
	root    int
}

func newRawFile() *rawFile {
	f := &rawFile{}
	f.b.WriteString("%PDF-1.7\n")
	return f
}

// onto continues a file that reads.
func onto(t *testing.T, data []byte) *rawFile {
	r, err := pdf.Open(bytes.NewReader(data), int64(len(data)), pdf.Limits{})
	must(t, err)
	f := &rawFile{prev: r.StartXRef(), root: r.Trailer().Ref("Root").Number}
	for range r.MaxNumber() {
		f.offsets = append(f.offsets, -1)
	}
	f.b.Write(data)
	return f
}

// next is the number the next object gets.
func (f *rawFile) next() int { return len(f.offsets) + 1 }

func (f *rawFile) add(format string, args ...any) int {
	f.offsets = append(f.offsets, int64(f.b.Len()))
	n := len(f.offsets)
	fmt.Fprintf(&f.b, "%d 0 obj ", n)
	fmt.Fprintf(&f.b, format, args...)
	f.b.WriteString(" endobj\n")
	return n
}

// set writes a new version of an object.
func (f *rawFile) set(n int, format string, args ...any) {
	f.offsets[n-1] = int64(f.b.Len())
	fmt.Fprintf(&f.b, "%d 0 obj "+format+" endobj\n", append([]any{n}, args...)...)
}

func (f *rawFile) stream(dict string, data []byte) int {
	return f.add("<<%s/Length %d>>stream\n%s\nendstream", dict, len(data), data)
}

// end writes the table of what came since the last one.
func (f *rawFile) end() *rawFile {
	at := f.b.Len()
	f.b.WriteString("xref\n")
	if f.prev == 0 {
		f.b.WriteString("0 1\n0000000000 65535 f \n")
	}
	for i := 0; i < len(f.offsets); i++ {
		if f.offsets[i] < 0 {
			continue
		}
		n := i
		for n < len(f.offsets) && f.offsets[n] >= 0 {
			n++
		}
		fmt.Fprintf(&f.b, "%d %d\n", i+1, n-i)
		for ; i < n; i++ {
			fmt.Fprintf(&f.b, "%010d 00000 n \n", f.offsets[i])
			f.offsets[i] = -1
		}
	}
	fmt.Fprintf(&f.b, "trailer<</Size %d/Root %d 0 R", len(f.offsets)+1, f.root)
	if f.prev > 0 {
		fmt.Fprintf(&f.b, "/Prev %d", f.prev)
	}
	fmt.Fprintf(&f.b, "/ID[<30313233343536373839616263646566><00>]>>\nstartxref\n%d\n%%%%EOF\n", at)
	f.prev = int64(at)
	return f
}

// signatureOf is a dictionary that claims to sign what came before.
const signatureOf = "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 10 20 30]/Contents<30>>>"

// document writes a catalog with one page and a field that claims to be signed.
func (f *rawFile) document(page, form, catalog string) {
	field := f.add("<</FT/Sig/T(a)/V %d 0 R>>", f.add(signatureOf))
	pages := f.next() + 1
	p := f.add("<</Type/Page/Parent %d 0 R/MediaBox[0 0 9 9]/Resources<<>>%s>>", pages, page)
	f.add("<</Type/Pages/Kids[%d 0 R]/Count 1>>", p)
	f.root = f.add("<</Type/Catalog/Pages %d 0 R/AcroForm<</Fields[%d 0 R %s]>>%s>>", pages, field, form, catalog)
}

func deflated(data []byte) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	_, _ = z.Write(data)
	_ = z.Close()
	return b.Bytes()
}

// bomb is about n bytes of c, deflated: the second block of many equal ones, over and over. Its
// checksum is wrong, but nobody gets that far.
func bomb(c string, n int) []byte {
	var b bytes.Buffer
	z, _ := zlib.NewWriterLevel(&b, zlib.BestCompression)
	block := []byte(strings.Repeat(c, 1<<20/len(c)))
	var ends []int
	for range 3 {
		_, _ = z.Write(block)
		_ = z.Flush()
		ends = append(ends, b.Len())
	}
	again := bytes.Clone(b.Bytes()[ends[1]:ends[2]])
	b.Write(bytes.Repeat(again, max(0, n>>20-3)))
	return b.Bytes()
}

// again writes a new version of an object and returns the file.
func (f *rawFile) again(n int, format string, args ...any) *rawFile {
	f.set(n, format, args...)
	return f
}

func deep(size int, open, shut string) []byte {
	f := newRawFile()
	n := size / len(open+shut)
	f.document("", "", "/X "+strings.Repeat(open, n)+strings.Repeat(shut, n))
	return f.end().b.Bytes()
}

// signRaw signs a file written by hand, in a field of its own.
func (o *office) signRaw(data []byte) []byte {
	return o.sign(data, o.person, pades.Options{}, pades.Means{})
}

// coverAll makes n signature dictionaries near the front whose ranges all end with the file.
func (o *office) coverAll(size, n int) []byte {
	f := newRawFile()
	var fields strings.Builder
	const hole = 64
	sig := "<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[0 %010d %010d %010d]/Contents<" + strings.Repeat("30", hole) + ">>>"
	var at []int
	for i := range n {
		start := f.b.Len()
		m := f.add(sig, 0, 0, 0)
		at = append(at, start)
		fmt.Fprintf(&fields, "<</FT/Sig/T(%d)/V %d 0 R>>", i, m)
	}
	f.stream("", make([]byte, size))
	f.document("", fields.String(), "")
	data := f.end().b.Bytes()
	for _, start := range at {
		open := start + bytes.Index(data[start:], []byte("<30"))
		end := open + 2*hole + 2
		i := start + bytes.Index(data[start:], []byte("[0 "))
		copy(data[i:], fmt.Sprintf("[0 %010d %010d %010d]", open, end, len(data)-end))
	}
	return data
}

// objectStreams writes a file of as many object streams as fit, each a bomb, all objects of
// which the catalog leads to.
func objectStreams(f *bytes.Buffer, size int, data []byte) []byte {
	var entries []byte
	put := func(kind byte, offset, minor int) {
		entries = append(entries, kind, byte(offset>>24), byte(offset>>16), byte(offset>>8), byte(offset), byte(minor>>8), byte(minor))
	}
	put(0, 0, 65535)
	n := min(200, max(1, size/len(data)))
	for i := range n {
		put(1, f.Len(), 0)
		fmt.Fprintf(f, "%d 0 obj<</Type/ObjStm/N 1/First 9/Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\n", i+1, len(data), data)
	}
	for i := range n {
		put(2, i+1, 0)
	}
	root := 2*n + 1
	put(1, f.Len(), 0)
	var refs strings.Builder
	for i := range n {
		fmt.Fprintf(&refs, "%d 0 R ", n+1+i)
	}
	fmt.Fprintf(f, "%d 0 obj<</Type/Catalog/Pages null/X[%s]/AcroForm<</Fields[%s]>>>>endobj\n", root, refs.String(), refs.String())
	at := f.Len()
	put(1, at, 0)
	fmt.Fprintf(f, "%d 0 obj<</Type/XRef/W[1 4 2]/Size %d/Root %d 0 R/Length %d>>stream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF\n", root+1, root+2, root, len(entries), entries, at)
	return f.Bytes()
}
