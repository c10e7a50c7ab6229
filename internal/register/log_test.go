package register

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

func TestEveryLeafIsProvenAtEverySize(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	var last []byte
	for size := 1; size <= 40; size++ {
		m.grow(t, 1)
		last = m.sign(t, s, last)
		for i := range size {
			p, err := s.Log().Prove(m.leaves[i], certcopy.LeafIndex(i), last, m.reader())
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, size, err)
			}
			read, err := ParseProof(p.Marshal())
			if err != nil {
				t.Fatalf("leaf %d of %d: %v", i, size, err)
			}
			leaf, c, err := s.Log().Verify(read)
			if err != nil || leaf.Number != int64(i+1) || c.Size != int64(size) {
				t.Fatalf("leaf %d of %d: %v, %+v, %+v", i, size, err, leaf, c)
			}
		}
	}
}

func TestCheckpointOfEmptyLog(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	first := m.sign(t, s, nil)
	c, err := s.Log().OpenCheckpoint(first)
	if err != nil || c.Size != 0 || c.Root != certcopy.DigestOf(nil) {
		t.Fatalf("%v %+v", err, c)
	}
	m.grow(t, 3)
	m.sign(t, s, first)
}

func TestSigningAgainGivesTheSameBytes(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	m.grow(t, 5)
	first := m.sign(t, s, nil)
	if again := m.sign(t, s, first); !bytes.Equal(again, first) {
		t.Errorf("two checkpoints of one head:\n%s\n%s", first, again)
	}
}

func TestSignerRefuses(t *testing.T) {
	s, other := testSigner(t, 1), testSigner(t, 2)
	var m, fork tree
	m.grow(t, 7)
	last := m.sign(t, s, nil)
	foreign := m.sign(t, other, nil)
	fork.grow(t, 3)
	fork.append(t, []byte("another leaf"))
	fork.grow(t, 6)
	var short tree
	short.grow(t, 6)
	damaged := tree{leaves: m.leaves, hashes: append([]certcopy.Digest(nil), m.hashes...)}
	damaged.hashes[len(damaged.hashes)-1][0] ^= 1 // the leaf that stands alone at size 7

	for _, c := range []struct {
		name string
		last []byte
		size int64
		root certcopy.Digest
		of   *tree
		want error
	}{
		{"a shorter tree", last, 6, short.root(t), &short, ErrInconsistent},
		{"another tree", last, 10, fork.root(t), &fork, ErrInconsistent},
		{"another tree of the same size", last, 7, mustRoot(t, &fork, 7), &fork, ErrInconsistent},
		{"a root that is not the tree's", last, 7, certcopy.DigestOf([]byte("x")), &m, ErrInconsistent},
		{"a stored hash that was changed", last, 7, m.root(t), &damaged, ErrInconsistent},
		{"a negative size", last, -1, certcopy.Digest{}, &m, ErrInconsistent},
		{"a last checkpoint of another key", foreign, 7, m.root(t), &m, ErrCheckpoint},
		{"a last checkpoint that is none", []byte("x"), 7, m.root(t), &m, ErrCheckpoint},
	} {
		signed, err := s.Checkpoint(c.last, c.size, c.root, c.of.reader())
		if !errors.Is(err, c.want) || signed != nil {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if _, err := s.Checkpoint(last, 9, m.root(t), m.reader()); err == nil {
		t.Error("signed a size the stored hashes do not reach")
	}
}

func mustRoot(t *testing.T, m *tree, size int64) certcopy.Digest {
	t.Helper()
	h, err := tlog.TreeHash(size, m.reader())
	if err != nil {
		t.Fatal(err)
	}
	return certcopy.Digest(h)
}

func TestOpenCheckpointRefuses(t *testing.T) {
	s := testSigner(t, 1)
	sign := func(text string) []byte {
		b, err := note.Sign(&note.Note{Text: text}, s.sign)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	root := base64.StdEncoding.EncodeToString(make([]byte, 32))
	if _, err := s.Log().OpenCheckpoint(sign(testOrigin + "\n5\n" + root + "\n")); err != nil {
		t.Fatalf("the good one: %v", err)
	}
	for name, text := range map[string]string{
		"another origin": "evil.example/log\n5\n" + root + "\n", "leading zero": testOrigin + "\n05\n" + root + "\n", "negative": testOrigin + "\n-5\n" + root + "\n",
		"short root": testOrigin + "\n5\nAAAA\n", "extension": testOrigin + "\n5\n" + root + "\nmore\n", "a line too few": testOrigin + "\n5\n",
	} {
		if c, err := s.Log().OpenCheckpoint(sign(text)); !errors.Is(err, ErrCheckpoint) {
			t.Errorf("%s: %v %+v", name, err, c)
		}
	}
	good := sign(testOrigin + "\n5\n" + root + "\n")
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		if c, err := s.Log().OpenCheckpoint(bad); err == nil {
			t.Fatalf("byte %d changed and not seen: %+v", i, c)
		}
	}
}

// TestWitnessesAreIgnored: signature lines of others, as witnesses add them, do no harm.
func TestWitnessesAreIgnored(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	m.grow(t, 2)
	signed := m.sign(t, s, nil)
	skey, _, err := note.GenerateKey(seedReader(9), "witness.example")
	if err != nil {
		t.Fatal(err)
	}
	w, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	n, err := note.Open(signed, note.VerifierList(s.Log().verify))
	if err != nil {
		t.Fatal(err)
	}
	cosigned, err := note.Sign(n, w)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := s.Log().OpenCheckpoint(cosigned); err != nil || c.Size != 2 {
		t.Errorf("%v %+v", err, c)
	}
}

func TestEveryChangedByteOfAProofIsSeen(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	m.grow(t, 13)
	p, err := s.Log().Prove(m.leaves[4], 4, m.sign(t, s, nil), m.reader())
	if err != nil {
		t.Fatal(err)
	}
	good := p.Marshal()
	for i := range good {
		for _, x := range []byte{1, 4, 0x20} {
			bad := bytes.Clone(good)
			bad[i] ^= x
			read, err := ParseProof(bad)
			if err != nil {
				continue
			}
			if l, _, err := s.Log().Verify(read); err == nil {
				t.Fatalf("byte %d ^ %#x passed: %+v\n%s", i, x, l, bad)
			}
		}
	}
}

func TestProveRefuses(t *testing.T) {
	s := testSigner(t, 1)
	var m tree
	m.grow(t, 6)
	signed := m.sign(t, s, nil)
	m.grow(t, 2)
	for _, i := range []certcopy.LeafIndex{-1, 6, 7, 1 << 62} {
		if _, err := s.Log().Prove(m.leaves[0], i, signed, m.reader()); !errors.Is(err, ErrProof) {
			t.Errorf("index %d: %v", i, err)
		}
	}
	if _, err := s.Log().Prove(m.leaves[1], 0, signed, m.reader()); !errors.Is(err, ErrProof) {
		t.Errorf("another leaf: %v", err)
	}
	m.hashes[0][5] ^= 1
	if _, err := s.Log().Prove(m.leaves[1], 1, signed, m.reader()); !errors.Is(err, ErrProof) {
		t.Errorf("damaged hash: %v", err)
	}
}

func TestOrigins(t *testing.T) {
	for _, good := range []string{"saoy.example.vn/log", "localhost:8080/log", "127.0.0.1:8080/saoy/log", "a"} {
		if err := CheckOrigin(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range []string{"", "https://a.vn", "a b", "a+b", "a\n5", "/log", "a/", "a//b", strings.Repeat("a", 129), "â.vn"} {
		if err := CheckOrigin(bad); !errors.Is(err, ErrOrigin) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, _, err := GenerateKey(seedReader(1), bad); !errors.Is(err, ErrOrigin) {
			t.Errorf("GenerateKey(%q): %v", bad, err)
		}
	}
}

func TestKeysAreRefused(t *testing.T) {
	secret, public, err := GenerateKey(seedReader(1), testOrigin)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{"", public, string(secret.Reveal())[:60], strings.Replace(string(secret.Reveal()), "saoy", "evil", 1)} {
		_, err := NewSigner(certcopy.NewSecret([]byte(bad)))
		if err == nil {
			t.Errorf("NewSigner(%q) passed", bad)
		} else if strings.Contains(err.Error(), string(secret.Reveal())[60:]) {
			t.Errorf("the error holds the key: %v", err)
		}
	}
	for _, bad := range []string{"", "x", public[1:], string(secret.Reveal())} {
		if _, err := ParseLogKey(bad); err == nil {
			t.Errorf("ParseLogKey(%q) passed", bad)
		}
	}
	if _, err := NewSigner(certcopy.NewSecret(append(secret.Reveal(), '\n'))); err != nil {
		t.Errorf("a key file that ends in a line feed: %v", err)
	}
}

// TestSecretKeysWithPlus: base64 may hold the character that separates the key's fields.
func TestSecretKeysWithPlus(t *testing.T) {
	for seed := range byte(255) {
		testSigner(t, seed)
	}
}

func TestTiles(t *testing.T) {
	var m tree
	m.grow(t, 600)
	tr := tlog.Tree{N: 600, Hash: tlog.Hash(m.root(t))}
	// An auditor who has only tiles must come to the same proofs.
	get := tileReader{func(path string) ([]byte, error) {
		tile, err := ParseTile(path)
		if err != nil {
			return nil, err
		}
		if !tile.Within(600) {
			t.Errorf("tile %s is not within the tree", path)
		}
		return tile.Hashes(m.reader())
	}}
	for _, i := range []int64{0, 255, 256, 511, 599} {
		p, err := tlog.ProveRecord(600, i, tlog.TileHashReader(tr, get))
		if err != nil {
			t.Fatalf("leaf %d: %v", i, err)
		}
		if err := tlog.CheckRecord(p, 600, tr.Hash, i, tlog.RecordHash(m.leaves[i])); err != nil {
			t.Errorf("leaf %d: %v", i, err)
		}
	}
}

type tileReader struct{ get func(string) ([]byte, error) }

func (tileReader) Height() int                     { return tileHeight }
func (tileReader) SaveTiles([]tlog.Tile, [][]byte) {}
func (r tileReader) ReadTiles(tiles []tlog.Tile) (out [][]byte, err error) {
	for _, t := range tiles {
		b, err := r.get(strings.TrimPrefix(t.Path(), "tile/8/"))
		if err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

func TestTileAddresses(t *testing.T) {
	for path, within := range map[string]bool{
		"0/000": true, "0/001": true, "0/002": false, "0/002.p/88": true, "0/002.p/89": false, "1/000.p/2": true, "1/000.p/3": false, "1/000": false, "7/000.p/1": false, "8/000": false,
		"entries/000": true, "entries/002.p/88": true, "entries/002": false, "0/x001/000": false, "0/x999/x999/x999/x999/x999/999": false,
	} {
		tile, err := ParseTile(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if tile.Within(600) != within {
			t.Errorf("%s: within %v, want %v", path, !within, within)
		}
	}
	tile, _ := ParseTile("entries/002.p/88")
	if from, to := tile.Range(); from != 512 || to != 600 || tile.Full() {
		t.Errorf("range %d to %d", from, to)
	}
	for _, bad := range []string{"", "0", "0/0", "0/000.p/256", "0/000.p/0", "0/x000/000", "data/000", "entries/", "entries/entries/000", "-1/000", "0/000/", "0/../000", "64/000", "0/000.p/07"} {
		if tile, err := ParseTile(bad); err == nil && tile.Within(1<<40) {
			t.Errorf("ParseTile(%q) = %+v", bad, tile)
		}
	}
}

func TestEntryBundle(t *testing.T) {
	b := AppendEntry(AppendEntry(nil, []byte("ab")), bytes.Repeat([]byte("c"), 300))
	if want := "\x00\x02ab\x01\x2c" + strings.Repeat("c", 300); string(b) != want {
		t.Errorf("%q", b)
	}
}

func FuzzParseProof(f *testing.F) {
	s := testSigner(f, 1)
	var m tree
	m.grow(f, 13)
	signed := m.sign(f, s, nil)
	for _, i := range []int{0, 4, 12} {
		p, err := s.Log().Prove(m.leaves[i], certcopy.LeafIndex(i), signed, m.reader())
		if err != nil {
			f.Fatal(err)
		}
		f.Add(p.Marshal())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProof(b)
		if err != nil {
			return
		}
		if !bytes.Equal(p.Marshal(), b) {
			t.Fatalf("%q is marshalled as %q", b, p.Marshal())
		}
		if l, _, err := s.Log().Verify(p); err == nil {
			again, err := l.Marshal()
			if err != nil || !slices.ContainsFunc(m.leaves, func(x []byte) bool { return bytes.Equal(x, again) }) {
				t.Fatalf("a leaf that is not in the log was proven: %q", p.Leaf)
			}
		}
	})
}
