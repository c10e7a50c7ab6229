package register

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

// maxCheckpointBytes bounds a signed note: our signature and those of many witnesses.
const maxCheckpointBytes = 64 << 10

// Checkpoint is the head of the tree at a size.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   certcopy.Digest
}

// text returns the body of the note (c2sp.org/tlog-checkpoint).
func (c Checkpoint) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]))
}

// parseCheckpoint reads the body of a note. Extension lines, which the specification allows
// and advises against, are refused: this log writes none.
func parseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return Checkpoint{}, fmt.Errorf("%w: not three lines", ErrCheckpoint)
	}
	c := Checkpoint{Origin: lines[0]}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || size < 0 {
		return Checkpoint{}, fmt.Errorf("%w: size %.30q", ErrCheckpoint, lines[1])
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(root) != len(c.Root) {
		return Checkpoint{}, fmt.Errorf("%w: root %.60q", ErrCheckpoint, lines[2])
	}
	c.Size, c.Root = size, certcopy.Digest(root)
	if c.text() != text {
		return Checkpoint{}, fmt.Errorf("%w: not in canonical form", ErrCheckpoint)
	}
	return c, nil
}

// OpenCheckpoint verifies the log's signature on a checkpoint and returns what it says.
// Signatures of others, such as witnesses, are ignored. Errors wrap ErrCheckpoint.
func (l Log) OpenCheckpoint(signed []byte) (Checkpoint, error) {
	if len(signed) > maxCheckpointBytes {
		return Checkpoint{}, fmt.Errorf("%w: %d bytes", ErrCheckpoint, len(signed))
	}
	n, err := note.Open(signed, note.VerifierList(l.verify))
	if err != nil {
		return Checkpoint{}, fmt.Errorf("%w: %v", ErrCheckpoint, err)
	}
	for _, sig := range n.Sigs {
		// One signature has one spelling, so that one checkpoint is one file.
		if _, err := base64.StdEncoding.Strict().DecodeString(sig.Base64); err != nil {
			return Checkpoint{}, fmt.Errorf("%w: signature: %v", ErrCheckpoint, err)
		}
	}
	c, err := parseCheckpoint(n.Text)
	if err == nil && c.Origin != l.Origin() {
		err = fmt.Errorf("%w: origin %q, want %q", ErrCheckpoint, c.Origin, l.Origin())
	}
	return c, err
}

// Checkpoint signs the head of the tree (size, root), if the stored hashes give that root and
// the tree is an extension of the one in last, the newest checkpoint that was ever signed;
// last is nil for the first one only. Signing the same head again gives the same bytes.
//
// It writes nothing. Errors wrap ErrInconsistent, ErrCheckpoint (last is not ours) or what
// reading hashes returned.
func (s *Signer) Checkpoint(last []byte, size int64, root certcopy.Digest, r tlog.HashReader) ([]byte, error) {
	next := Checkpoint{Origin: s.log.Origin(), Size: size, Root: root}
	if err := s.log.CheckGrowth(last, next, r); err != nil {
		return nil, err
	}
	if s.sign == nil {
		return nil, ErrNoKey
	}
	signed, err := note.Sign(&note.Note{Text: next.text()}, s.sign)
	if err != nil {
		return nil, fmt.Errorf("sign checkpoint: %w", err)
	}
	return signed, nil
}

// CheckGrowth reports whether the stored hashes give next's root and next extends the tree of
// the signed checkpoint last, nil if there is none. Start-up and restore ask it before
// anything is appended. Errors as of Checkpoint.
func (l Log) CheckGrowth(last []byte, next Checkpoint, r tlog.HashReader) error {
	if next.Size < 0 {
		return fmt.Errorf("%w: size %d", ErrInconsistent, next.Size)
	}
	stored, err := tlog.TreeHash(next.Size, r)
	if err != nil {
		return fmt.Errorf("hashes of the log: %w", err)
	}
	if certcopy.Digest(stored) != next.Root {
		return fmt.Errorf("%w: the stored hashes give another root at size %d", ErrInconsistent, next.Size)
	}
	if last == nil {
		return nil
	}
	old, err := l.OpenCheckpoint(last)
	if err != nil {
		return err
	}
	return checkExtends(old, next, r)
}

// checkExtends proves that next's tree begins with old's.
func checkExtends(old, next Checkpoint, r tlog.HashReader) error {
	if next.Size < old.Size {
		return fmt.Errorf("%w: size %d after %d was signed", ErrInconsistent, next.Size, old.Size)
	}
	if old.Size == 0 {
		return nil // every tree extends the empty one
	}
	proof, err := tlog.ProveTree(next.Size, old.Size, r)
	if err != nil {
		return fmt.Errorf("hashes of the log: %w", err)
	}
	if err := tlog.CheckTree(proof, next.Size, tlog.Hash(next.Root), old.Size, tlog.Hash(old.Root)); err != nil {
		return fmt.Errorf("%w: other leaves below size %d than were signed", ErrInconsistent, old.Size)
	}
	return nil
}
