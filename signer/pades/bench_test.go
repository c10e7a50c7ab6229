//go:build unix

package pades

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"syscall"
	"testing"
	"time"

	digitorus "github.com/digitorus/pdf"
	peer "github.com/digitorus/pdfsign/sign"

	"github.com/saoy/saoy/signer/pdf"
	"github.com/saoy/saoy/signer/signertest"
)

// scan writes a file as scans are: pages of one incompressible image, size bytes in all.
func scan(t testing.TB, size int) []byte {
	t.Helper()
	const page = 175 << 10
	rng := rand.NewChaCha8([32]byte{1})
	return document(t, "1.7", func(w *pdf.Writer, _, first *pdf.Dict) {
		images := pdf.Dict{}
		for i := 0; i*page < size; i++ {
			data := make([]byte, min(page, size-i*page))
			_, _ = rng.Read(data) // never fails
			ref, err := w.Add(pdf.NewStream(pdf.Dict{pdf.E("Type", pdf.Name("XObject")), pdf.E("Subtype", pdf.Name("Image"))}, data))
			if err != nil {
				t.Fatal(err)
			}
			images.Set(pdf.Name(fmt.Sprintf("Im%d", i)), ref)
		}
		first.Set("Resources", pdf.Dict{pdf.E("XObject", images)})
	})
}

var benchSizes = []struct {
	name string
	size int
}{{"350KB", 350 << 10}, {"2MB", 2 << 20}, {"20MB", 20 << 20}, {"100MB", 100 << 20}}

// BenchmarkPeer measures, in turns, the limit (SHA-256 of the slice, one copy, one use of
// the key), this package, and github.com/digitorus/pdfsign. The figures are medians of
// processor time, which other work on the machine disturbs least. The peer has fewer turns,
// and its garbage is collected off the clock: it would be collected at the cost of the others.
func BenchmarkPeer(b *testing.B) {
	for _, kind := range []signertest.KeyType{signertest.RSA2048, signertest.P256} {
		leaf := leafOf(b, kind)
		for _, s := range benchSizes {
			b.Run(fmt.Sprintf("%s/%s", kind, s.name), func(b *testing.B) { benchPeer(b, leaf, scan(b, s.size)) })
		}
	}
}

func benchPeer(b *testing.B, leaf signertest.Leaf, base []byte) {
	m := &sides{b: b, leaf: leaf, base: base, out: bytes.NewBuffer(make([]byte, 0, len(base)+1<<20))}
	var err error
	if m.reader, err = digitorus.NewReader(bytes.NewReader(base), int64(len(base))); err != nil {
		b.Fatal(err)
	}
	m.out.Write(base) // so that no turn is the first to touch the memory
	var limit, ours, theirs []time.Duration
	for b.Loop() {
		for range 4 {
			limit = append(limit, m.time(m.leastWork))
			ours = append(ours, m.time(m.sign))
		}
		theirs = append(theirs, m.time(m.signWithPeer))
		runtime.GC()
	}
	l, o, p := median(limit), median(ours), median(theirs)
	b.ReportMetric(l.Seconds()*1000, "limit_ms")
	b.ReportMetric(o.Seconds()*1000, "ours_ms")
	b.ReportMetric(p.Seconds()*1000, "peer_ms")
	b.ReportMetric(float64(o)/float64(l), "ours/limit")
	b.ReportMetric(float64(p)/float64(l), "peer/limit")
	b.ReportMetric(float64(m.allocated())/1024, "ours_KB/op")
}

// sides are the three that are compared.
type sides struct {
	b      *testing.B
	leaf   signertest.Leaf
	base   []byte
	out    *bytes.Buffer
	reader *digitorus.Reader
}

func (m *sides) time(once func() error) time.Duration {
	m.out.Reset()
	start := processorTime(m.b)
	if err := once(); err != nil {
		m.b.Fatal(err)
	}
	return processorTime(m.b) - start
}

func (m *sides) leastWork() error {
	digest := sha256.Sum256(m.base)
	m.out.Write(m.base)
	_, err := m.leaf.Key.Sign(m.b.Context(), digest[:], crypto.SHA256)
	return err
}

func (m *sides) sign() error {
	_, err := Sign(m.b.Context(), bytes.NewReader(m.base), int64(len(m.base)), m.out, m.leaf.Identity, options(), Means{})
	return err
}

func (m *sides) signWithPeer() error {
	data := peer.SignData{Signer: m.leaf.Private, DigestAlgorithm: crypto.SHA256, Certificate: m.leaf.Certificate,
		CertificateChains: [][]*x509.Certificate{append([]*x509.Certificate{m.leaf.Certificate}, m.leaf.Chain...)},
		Signature:         peer.SignDataSignature{Info: peer.SignDataSignatureInfo{Date: now()}, CertType: peer.ApprovalSignature}}
	return peer.Sign(bytes.NewReader(m.base), m.out, m.reader, int64(len(m.base)), data)
}

// allocated is what one signature allocates. It is not asked while time is taken: the question
// empties the allocator's caches.
func (m *sides) allocated() uint64 {
	var before, after runtime.MemStats
	m.out.Reset()
	runtime.ReadMemStats(&before)
	if err := m.sign(); err != nil {
		m.b.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// processorTime is what this process has used so far.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}

// BenchmarkSign is for profiling: what a signature costs besides digest, copy and key, and
// with them.
func BenchmarkSign(b *testing.B) {
	for _, size := range []int{4 << 10, 350 << 10} {
		base := scan(b, size)
		out := bytes.NewBuffer(make([]byte, 0, len(base)+1<<20))
		for _, kind := range []signertest.KeyType{signertest.RSA2048, signertest.P256} {
			leaf := leafOf(b, kind)
			b.Run(fmt.Sprintf("%s/%dKB", kind, size>>10), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					out.Reset()
					if _, err := Sign(b.Context(), bytes.NewReader(base), int64(len(base)), out, leaf.Identity, options(), Means{}); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

func leafOf(b testing.TB, kind signertest.KeyType) signertest.Leaf {
	b.Helper()
	profile := signertest.Official("A", "", "", "")
	profile.KeyType = kind
	leaf, err := pki().Issue(profile)
	if err != nil {
		b.Fatal(err)
	}
	return leaf
}
