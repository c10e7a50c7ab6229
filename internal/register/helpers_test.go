package register

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

const testOrigin = "saoy.example.vn/log"

// seedReader yields one byte for ever: ed25519 keys of the vectors are made of it.
type seedReader byte

func (s seedReader) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(s)
	}
	return len(p), nil
}

func testSigner(t testing.TB, seed byte) *Signer {
	t.Helper()
	secret, public, err := GenerateKey(seedReader(seed), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSigner(secret)
	if err != nil {
		t.Fatal(err)
	}
	if s.Log().Key() != public {
		t.Fatalf("public key %q, want %q", s.Log().Key(), public)
	}
	return s
}

// tree is a log in memory, stored as the ledger stores it.
type tree struct {
	leaves [][]byte
	hashes []certcopy.Digest
}

func (m *tree) reader() tlog.HashReader {
	return HashReader(func(indexes []int64) ([]certcopy.Digest, error) {
		var out []certcopy.Digest
		for _, i := range indexes {
			if i >= int64(len(m.hashes)) {
				return nil, fmt.Errorf("no hash %d", i)
			}
			out = append(out, m.hashes[i])
		}
		return out, nil
	})
}

func (m *tree) append(t testing.TB, leaf []byte) {
	t.Helper()
	hs, err := tlog.StoredHashes(int64(len(m.leaves)), leaf, m.reader())
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hs {
		m.hashes = append(m.hashes, certcopy.Digest(h))
	}
	m.leaves = append(m.leaves, leaf)
}

func (m *tree) root(t testing.TB) certcopy.Digest {
	t.Helper()
	h, err := tlog.TreeHash(int64(len(m.leaves)), m.reader())
	if err != nil {
		t.Fatal(err)
	}
	return certcopy.Digest(h)
}

func (m *tree) sign(t testing.TB, s *Signer, last []byte) []byte {
	t.Helper()
	signed, err := s.Checkpoint(last, int64(len(m.leaves)), m.root(t), m.reader())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// grow appends n leaves of kind issue.
func (m *tree) grow(t testing.TB, n int) {
	t.Helper()
	for range n {
		l := sample(storage.LeafIssue)
		l.Number = int64(len(m.leaves) + 1)
		b, err := l.Marshal()
		if err != nil {
			t.Fatal(err)
		}
		m.append(t, b)
	}
}

// sample is a leaf of each kind with every field of the kind set.
func sample(k storage.LeafKind) Leaf {
	l := Leaf{
		Kind: k, Time: time.Date(2026, 11, 22, 9, 30, 15, 0, time.UTC), Agency: "an-tuong-dong", Book: "SCT/BS", Year: 2026, Number: 123,
		CodeHash: certcopy.DigestOf([]byte("04HMASW9NF6YY0937")),
	}
	switch k {
	case storage.LeafIssue:
		l.Date = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)
		l.File, l.Length, l.Pages, l.DocumentType = certcopy.DigestOf([]byte("file")), 482113, 3, "bang-tot-nghiep"
		l.CertifierCertificate, l.AgencyCertificate = certcopy.DigestOf([]byte("certifier")), certcopy.DigestOf([]byte("agency"))
		l.Commitment = certcopy.DigestOf([]byte("commitment"))
	case storage.LeafVoid:
		l.Date, l.Reason = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC), "rescan"
	case storage.LeafAnnul:
		l.DecisionNumber, l.DecisionDate = "45/QĐ-UBND", time.Date(2027, 1, 5, 0, 0, 0, 0, time.UTC)
	case storage.LeafExtend:
		l.File, l.Length, l.Level = certcopy.DigestOf([]byte("longer file")), 512044, "B-LTA"
	case storage.LeafErase:
		l.Reason = "request"
	}
	return l
}

var kinds = []storage.LeafKind{storage.LeafIssue, storage.LeafAnnul, storage.LeafVoid, storage.LeafExtend, storage.LeafErase}
