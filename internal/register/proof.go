package register

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

const (
	proofHeader = "c2sp.org/tlog-proof@v1"
	// maxPath is the longest inclusion proof of a tree whose size is an int64.
	maxPath = 63
	// maxProofBytes bounds a proof file.
	maxProofBytes = maxCheckpointBytes + 2*MaxLeafBytes + 64*maxPath
)

// Proof shows that a leaf is in the log: a file in the form of c2sp.org/tlog-proof whose extra
// line holds the leaf. It can be checked without us, with the log's public key alone.
type Proof struct {
	Leaf       []byte
	Index      certcopy.LeafIndex
	Path       []certcopy.Digest // from the leaf's sibling up
	Checkpoint []byte            // signed
}

// Prove makes the proof of a leaf under a signed checkpoint that covers it. It checks what it
// made, so that it never hands out a proof that does not hold: damaged hashes are ErrProof.
func (l Log) Prove(leaf []byte, index certcopy.LeafIndex, signed []byte, r tlog.HashReader) (Proof, error) {
	c, err := l.OpenCheckpoint(signed)
	if err != nil {
		return Proof{}, err
	}
	if index < 0 || int64(index) >= c.Size {
		return Proof{}, fmt.Errorf("%w: leaf %d is not below the checkpoint's size %d", ErrProof, index, c.Size)
	}
	path, err := tlog.ProveRecord(c.Size, int64(index), r)
	if err != nil {
		return Proof{}, fmt.Errorf("hashes of the log: %w", err)
	}
	p := Proof{Leaf: leaf, Index: index, Checkpoint: signed}
	for _, h := range path {
		p.Path = append(p.Path, certcopy.Digest(h))
	}
	if _, _, err := l.Verify(p); err != nil {
		return Proof{}, err
	}
	return p, nil
}

// Verify checks signature, path and leaf, and returns what was proven: the leaf's facts, and
// the head of the tree that holds it. Errors wrap ErrCheckpoint, ErrProof or ErrLeaf.
func (l Log) Verify(p Proof) (Leaf, Checkpoint, error) {
	c, err := l.OpenCheckpoint(p.Checkpoint)
	if err != nil {
		return Leaf{}, Checkpoint{}, err
	}
	path := make(tlog.RecordProof, len(p.Path))
	for i, d := range p.Path {
		path[i] = tlog.Hash(d)
	}
	// CheckRecord itself refuses an index outside the tree and a path of another length.
	if err := tlog.CheckRecord(path, c.Size, tlog.Hash(c.Root), int64(p.Index), tlog.RecordHash(p.Leaf)); err != nil {
		return Leaf{}, Checkpoint{}, fmt.Errorf("%w: %v", ErrProof, err)
	}
	leaf, err := ParseLeaf(p.Leaf)
	return leaf, c, err
}

// Marshal returns the proof file.
func (p Proof) Marshal() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\nextra %s\nindex %d\n", proofHeader, base64.StdEncoding.EncodeToString(p.Leaf), p.Index)
	for _, d := range p.Path {
		fmt.Fprintln(&b, base64.StdEncoding.EncodeToString(d[:]))
	}
	b.WriteByte('\n')
	b.Write(p.Checkpoint)
	return b.Bytes()
}

// ParseProof reads a proof file; it verifies nothing. It is strict: whatever it accepts,
// Marshal gives back byte for byte. Errors wrap ErrProof.
func ParseProof(b []byte) (Proof, error) {
	if len(b) > maxProofBytes {
		return Proof{}, fmt.Errorf("%w: %d bytes", ErrProof, len(b))
	}
	head, signed, ok := bytes.Cut(b, []byte("\n\n"))
	lines := strings.Split(string(head), "\n")
	if !ok || len(lines) < 3 || lines[0] != proofHeader {
		return Proof{}, fmt.Errorf("%w: not a %s file with its leaf", ErrProof, proofHeader)
	}
	p := Proof{Checkpoint: signed}
	var err error
	if p.Leaf, err = base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra ")); err != nil {
		return Proof{}, fmt.Errorf("%w: extra line: %v", ErrProof, err)
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return Proof{}, fmt.Errorf("%w: index line: %v", ErrProof, err)
	}
	p.Index = certcopy.LeafIndex(index)
	if p.Path, err = parsePath(lines[3:]); err != nil {
		return Proof{}, err
	}
	if !bytes.Equal(p.Marshal(), b) {
		return Proof{}, fmt.Errorf("%w: not in canonical form", ErrProof)
	}
	return p, nil
}

func parsePath(lines []string) ([]certcopy.Digest, error) {
	if len(lines) > maxPath {
		return nil, fmt.Errorf("%w: a path of %d", ErrProof, len(lines))
	}
	var path []certcopy.Digest
	for _, s := range lines {
		h, err := tlog.ParseHash(s)
		if err != nil {
			return nil, fmt.Errorf("%w: path line: %v", ErrProof, err)
		}
		path = append(path, certcopy.Digest(h))
	}
	return path, nil
}
