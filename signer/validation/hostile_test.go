package validation

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"crypto/x509"

	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/signer/trust"
)

// hostiles are files made to cost time or memory, each near the size given, by what they do.
func hostiles(t *testing.T, o *office, signed []byte, size int) map[string]func() []byte {
	repeat := func(s string) []byte { return []byte(strings.Repeat(s, max(1, size/len(s)))) }
	many := func(n int, each func(i int)) {
		for i := range n {
			each(i)
		}
	}
	return map[string]func() []byte{
		"chain of tiny revisions": func() []byte {
			f := onto(t, signed)
			n := f.add("null")
			for f.b.Len() < size {
				f.set(n, "null")
				f.end()
			}
			return f.b.Bytes()
		},
		"a thousand revisions, each with all objects": func() []byte {
			f := onto(t, signed)
			for range 990 {
				for f.next() < size/990/40 {
					f.add("0")
				}
				for i := range f.offsets[len(signed)/400:] {
					f.set(len(signed)/400+i+1, "0")
				}
				f.end()
			}
			return f.b.Bytes()
		},
		"ring of cross-reference sections": func() []byte {
			f := onto(t, signed)
			f.add("null")
			f.end()
			return append(f.b.Bytes(), fmt.Appendf(nil, "xref\n0 0\ntrailer<</Size 9/Root 1 0 R/Prev %d>>\nstartxref\n%d\n%%%%EOF\n", f.b.Len(), f.b.Len())...)
		},
		"objects without end": func() []byte {
			f := newRawFile()
			f.document("", "", "")
			for f.b.Len() < size*2/3 {
				f.add("0")
			}
			return f.end().b.Bytes()
		},
		"objects all reached": func() []byte {
			f := newRawFile()
			var refs strings.Builder
			for f.b.Len() < size/2 {
				fmt.Fprintf(&refs, "%d 0 R ", f.add("<</A 1>>"))
			}
			f.document("", "", fmt.Sprintf("/X[%s]", refs.String()))
			return f.end().b.Bytes()
		},
		"signed, then objects all reached": func() []byte {
			f := newRawFile()
			var refs strings.Builder
			for f.b.Len() < min(size/3, 12<<20) {
				fmt.Fprintf(&refs, "%d 0 R ", f.add("<</A 1>>"))
			}
			list := f.add("[%s]", refs.String())
			f.document("", "", fmt.Sprintf("/X %d 0 R", list))
			f.end()
			data := o.signRaw(f.b.Bytes())
			return onto(t, data).again(list, "[%s]", refs.String()).end().b.Bytes()
		},
		"a million annotations": func() []byte {
			f := newRawFile()
			annots := strings.Repeat("<</Subtype/Text/Rect[0 0 1 1]>>", min(size/2/31, 60_000)) // more is refused as one object
			f.document("/Annots["+annots+"]", "", "")
			f.end()
			data := o.signRaw(f.b.Bytes())
			r := onto(t, data)
			p := r.root - 2
			return r.again(p, "<</Type/Page/Parent %d 0 R/MediaBox[0 0 9 9]/Resources<<>>/Annots[%s]>>", p+1, annots).end().b.Bytes()
		},
		"a million fields": func() []byte {
			f := newRawFile()
			f.document("", strings.Repeat("<</FT/Sig/T(b)/V 1 0 R>>", size/24), "")
			return f.end().b.Bytes()
		},
		"a million empty fields and many revisions": func() []byte {
			f := newRawFile()
			f.document("", strings.Repeat("<</FT/Tx/T(b)>>", size/2/15), "")
			f.end()
			n := f.add("null")
			many(900, func(int) { f.set(n, "null"); f.end() })
			return f.b.Bytes()
		},
		"thousands of signatures": func() []byte {
			f := newRawFile()
			f.document("", strings.Repeat("<</FT/Sig/T(b)/V "+signatureOf+">>", size/130), "")
			return f.end().b.Bytes()
		},
		"signatures that each cover the whole file": func() []byte { return o.coverAll(size, 250) },
		"page tree in a ring": func() []byte {
			f := newRawFile()
			f.document("", "", "")
			f.set(f.root-1, "<</Type/Pages/Kids[%s]/Count 9>>", strings.Repeat(fmt.Sprintf("%d 0 R ", f.root-1), size/12))
			return f.end().b.Bytes()
		},
		"pages that share kids": func() []byte {
			f := newRawFile()
			f.document("", "", "")
			below := f.root - 2
			many(90, func(int) {
				below = f.add("<</Type/Pages/Kids[%s]/Count 9>>", strings.Repeat(fmt.Sprintf("%d 0 R ", below), size/90/12))
			})
			f.set(f.root-1, "<</Type/Pages/Kids[%d 0 R]/Count 9>>", below)
			return f.end().b.Bytes()
		},
		"deep arrays":       func() []byte { return deep(size, "[", "]") },
		"deep dictionaries": func() []byte { return deep(size, "<</A ", ">>") },
		"deep strings":      func() []byte { return deep(size, "(", ")") },
		"one dictionary of a million keys": func() []byte {
			f := newRawFile()
			var keys strings.Builder
			for i := 0; keys.Len() < min(size, 15<<20); i++ {
				fmt.Fprintf(&keys, "/%d 1", i)
			}
			f.document("", "", "/X<<"+keys.String()+">>")
			return f.end().b.Bytes()
		},
		"one key a million times": func() []byte {
			f := newRawFile()
			f.document("", "", "/X<<"+strings.Repeat("/A 1", min(size, 15<<20)/4)+">>")
			return f.end().b.Bytes()
		},
		"deflate bomb in the cross-reference stream": func() []byte {
			f := newRawFile()
			f.root = f.next()
			data := bomb("\x00", min(size*900, 1<<30))
			f.offsets = append(f.offsets, -1)
			at := f.b.Len()
			fmt.Fprintf(&f.b, "1 0 obj <</Type/XRef/W[1 4 2]/Size 9/Root 1 0 R/Filter/FlateDecode/Length %d>>stream\n%s\nendstream endobj\nstartxref\n%d\n%%%%EOF\n", len(data), data, at)
			return f.b.Bytes()
		},
		"deflate bombs in many object streams": func() []byte {
			var f bytes.Buffer
			f.WriteString("%PDF-1.7\n")
			return objectStreams(&f, size, bomb(" ", 40<<20))
		},
		"deflate bombs in validation data": func() []byte {
			f := newRawFile()
			data := bomb("0", 60<<20)
			var refs strings.Builder
			for range min(1000, size/len(data)) {
				fmt.Fprintf(&refs, "%d 0 R ", f.stream("/Filter/FlateDecode", data))
			}
			f.document("", "", fmt.Sprintf("/DSS<</Certs[%[1]s]/OCSPs[%[1]s]/CRLs[%[1]s]>>", refs.String()))
			return f.end().b.Bytes()
		},
		"nested filters": func() []byte {
			f := newRawFile()
			data := deflated(deflated(bomb(" ", 60<<20)))
			s := f.stream("/Filter[/FlateDecode/FlateDecode/FlateDecode/ASCIIHexDecode]", data)
			f.document("", "", fmt.Sprintf("/DSS<</Certs[%[1]s]>>", strings.Repeat(fmt.Sprintf("%d 0 R ", s), 1000)))
			return f.end().b.Bytes()
		},
		"nothing comes out of a filter": func() []byte {
			f := newRawFile()
			data := bomb(" ", min(1<<30, size*900))
			s := f.stream("/Filter[/FlateDecode/ASCIIHexDecode]", data)
			f.document("", "", fmt.Sprintf("/DSS<</Certs[%[1]s]>>", strings.Repeat(fmt.Sprintf("%d 0 R ", s), 1000)))
			return f.end().b.Bytes()
		},
		"metadata without end": func() []byte {
			f := newRawFile()
			xml := "<a>" + strings.Repeat("<b c='d'/>", 100_000) + "</a>"
			f.stream("", []byte(xml))
			f.document("", "", "/Metadata 1 0 R")
			f.end()
			data := o.signRaw(f.b.Bytes())
			r := onto(t, data)
			many(max(1, size>>20), func(i int) {
				r.set(1, "<</Length %d>>stream\n%s \nendstream", len(xml)+1, xml)
				r.end()
			})
			return r.b.Bytes()
		},
		"comments":               func() []byte { return append([]byte("%PDF-1.7\n/ByteRange"), repeat("%x\n")...) },
		"percent signs":          func() []byte { return append([]byte("%PDF-1.7\n/ByteRange"), repeat("%")...) },
		"slashes":                func() []byte { return append([]byte("%PDF-1.7\n/ByteRange"), repeat("/")...) },
		"object headers":         func() []byte { return append([]byte("%PDF-1.7\n"), repeat("1 0 obj/ByteRange ")...) },
		"words obj":              func() []byte { return append(repeat("obj"), repeat("/ByteRange ")[:11*200]...) },
		"byte ranges":            func() []byte { return repeat("/ByteRange ") },
		"byte ranges in objects": func() []byte { return repeat("1 0 obj<</ByteRange[0 1 2 3]/Contents<00>>>endobj ") },
		"one open dictionary": func() []byte {
			return append([]byte("1 0 obj<</Contents<00>/SubFilter/ETSI.CAdES.detached"), repeat("/A ")...)
		},
		"end markers":              func() []byte { return repeat("startxref\n1\n%%EOF\n") },
		"headers":                  func() []byte { return repeat("%PDF-1.7\n") },
		"signed, then end markers": func() []byte { return append(bytes.Clone(signed), repeat("%%EOF\n")...) },
		"signed, then ends":        func() []byte { return append(bytes.Clone(signed), repeat("startxref\n9\n%%EOF\n")...) },
		"signed, then zeros":       func() []byte { return append(bytes.Clone(signed), make([]byte, size)...) },
		"signed, then spaces":      func() []byte { return append(bytes.Clone(signed), repeat(" ")...) },
		"signed, then a large comment": func() []byte {
			f := onto(t, signed)
			f.b.WriteString("%" + string(repeat("x")) + "\n")
			f.add("null")
			return f.end().b.Bytes()
		},
		"signed, then small objects": func() []byte {
			f := onto(t, signed)
			for f.b.Len() < size*2/3 {
				f.add("0")
			}
			return f.end().b.Bytes()
		},
		"signed, then one object as large as can be": func() []byte {
			f := onto(t, signed)
			f.add("[%s]", strings.Repeat("0 ", min(size, 15<<20)/2))
			return f.end().b.Bytes()
		},
		"signed, then large objects": func() []byte {
			f := onto(t, signed)
			for f.b.Len() < size {
				f.add("(%s)", strings.Repeat("0", min(size/4, 12<<20)))
			}
			return f.end().b.Bytes()
		},
	}
}

// What one file may cost (issue of the largest input): processor time and resident memory.
const (
	mayTake = 5 * time.Second
	mayHold = 512 << 20
)

// TestHostile: files made to cost time or memory end in a verdict, within bounds, each in a
// process of its own. SAOY_INTEROP=1 makes them as large as the largest input.
func TestHostile(t *testing.T) {
	if path := os.Getenv("SAOY_TEST_HOSTILE"); path != "" {
		validateAlone(t, path)
		return
	}
	size := 1 << 20
	if os.Getenv("SAOY_INTEROP") != "" {
		size = 64 << 20
	}
	o := newOffice(t)
	signed := o.sign(newDocument(t).data, o.person, pades.Options{Field: "certifier"}, pades.Means{})
	dir := t.TempDir()
	anchor := filepath.Join(dir, "root.pem")
	must(t, os.WriteFile(anchor, certificatePEM(o.pki.Root.Certificate), 0o600))
	for name, make := range hostiles(t, o, signed, size) {
		t.Run(name, func(t *testing.T) {
			o.t = t
			path := filepath.Join(dir, "file.pdf")
			must(t, os.WriteFile(path, make(), 0o600))
			hostile(t, path, anchor)
		})
	}
}

func hostile(t *testing.T, path, anchor string) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run", "^TestHostile$", "-test.v")
	cmd.Env = append(os.Environ(), "SAOY_TEST_HOSTILE="+path, "SAOY_TEST_ANCHOR="+anchor)
	out, err := cmd.CombinedOutput()
	used := cmd.ProcessState
	took := used.UserTime() + used.SystemTime()
	var held int64 // of this program alone: rusage counts what it was forked from
	if _, peak, ok := strings.Cut(string(out), "VmHWM:"); ok {
		_, _ = fmt.Sscan(peak, &held)
	}
	held <<= 10
	info, _ := os.Stat(path)
	if err != nil {
		t.Fatalf("%v after %v, %d MiB: %.2000s", err, took, held>>20, out)
	}
	if took > mayTake && !raceEnabled || held > mayHold {
		t.Errorf("%v, %d MiB", took, held>>20)
	}
	_, said, _ := strings.Cut(string(out), "TestHostile\n")
	t.Logf("%4d MiB: %6v, %4d MiB %.300s", info.Size()>>20, took.Round(10*time.Millisecond), held>>20, said)
}

// validateAlone is the child: it validates one file and says what it found.
func validateAlone(t *testing.T, path string) {
	f, err := os.Open(path)
	must(t, err)
	defer f.Close()
	info, err := f.Stat()
	must(t, err)
	b, err := os.ReadFile(os.Getenv("SAOY_TEST_ANCHOR"))
	must(t, err)
	block, _ := pem.Decode(b)
	root, err := x509.ParseCertificate(block.Bytes)
	must(t, err)
	debug.SetMemoryLimit(mayHold * 3 / 4)
	r, err := File(t.Context(), f, info.Size(), Options{At: start.Add(time.Hour), Anchors: trust.NewStoreOf(root), MaxTime: mayTake * 4 / 5,
		Spent: func() time.Duration { return processorTime(t) }})
	must(t, err)
	if r.Passed() {
		t.Error("passed")
	}
	s, _ := json.Marshal(r)
	status, _ := os.ReadFile("/proc/self/status")
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	peak, _, _ = strings.Cut(peak, "\n")
	fmt.Printf("VmHWM: %s ", peak)
	fmt.Printf("%s/%s %s, %d signatures, report of %d bytes: %.200q\n", r.Indication, r.SubIndication, r.Integrity, len(r.Signatures), len(s), append(r.Warnings, sentences(r))[0])
}
