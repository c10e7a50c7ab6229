package fsck

import (
	"context"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// checkLeaves compares every leaf with the copy it speaks of, and every copy with the leaves
// it must have.
func (k *Checker) checkLeaves(ctx context.Context) error {
	seen := map[certcopy.CopyID]map[storage.LeafKind]int{}
	for i := range certcopy.LeafIndex(k.report.Leaves) {
		b, id, err := k.Ledger.Leaf(ctx, i)
		if errors.Is(err, storage.ErrNotFound) {
			k.found(LogCut, fmt.Sprintf("leaf %d", i), "Nhật ký thiếu lá này.", "The log lacks this leaf.")
			continue
		}
		if err != nil {
			return fmt.Errorf("leaf %d: %w", i, err)
		}
		leaf, err := register.ParseLeaf(b)
		c, ok := k.copies[id]
		if err != nil || !ok {
			k.found(LogLeaf, fmt.Sprintf("leaf %d", i), "Lá của nhật ký hỏng hoặc không thuộc bản sao nào.", "A leaf of the log is malformed or of no copy.")
			continue
		}
		if seen[id] == nil {
			seen[id] = map[storage.LeafKind]int{}
		}
		seen[id][leaf.Kind]++
		if why, err := k.differs(ctx, leaf, c, i); err != nil {
			return err
		} else if why != "" {
			k.found(CopyLeaf, name(c), fmt.Sprintf("Bản sao và lá %d của nhật ký ghi khác nhau: %s.", i, why),
				fmt.Sprintf("The copy and leaf %d of the log do not tell the same: %s.", i, why))
		}
	}
	for id, c := range k.copies {
		k.checkKinds(c, seen[id])
	}
	return nil
}

// checkKinds checks that a copy has the leaves its state asks for, each once, and no others.
func (k *Checker) checkKinds(c certcopy.Copy, seen map[storage.LeafKind]int) {
	want := map[storage.LeafKind]int{}
	switch c.State {
	case certcopy.Registered, certcopy.Released:
		want[storage.LeafIssue] = 1
	case certcopy.Annulled:
		want[storage.LeafIssue], want[storage.LeafAnnul] = 1, 1
	case certcopy.Void:
		want[storage.LeafVoid] = 1
	}
	if _, erased := k.erased[c.ID]; erased && c.State.HasNumber() {
		want[storage.LeafErase] = 1
	}
	for _, kind := range []storage.LeafKind{storage.LeafIssue, storage.LeafAnnul, storage.LeafVoid, storage.LeafErase} {
		if seen[kind] != want[kind] {
			k.found(CopyLeaf, name(c), fmt.Sprintf("Bản sao ở trạng thái %s có %d lá %s, phải có %d.", c.State, seen[kind], kind, want[kind]),
				fmt.Sprintf("The copy is %s and has %d leaves of kind %s; it should have %d.", c.State, seen[kind], kind, want[kind]))
		}
	}
}

// differs returns the name of the first fact in which leaf and copy differ.
func (k *Checker) differs(ctx context.Context, l register.Leaf, c certcopy.Copy, at certcopy.LeafIndex) (string, error) {
	code, err := link.ParseCode(c.Code)
	if err != nil {
		return "", nil //nolint:nilerr // found by checkCopies
	}
	n := c.Number
	switch {
	case n.IsZero():
		return "", nil // found by checkBook
	case l.Agency != n.Agency || l.Book != n.Book || l.Year != n.Year || l.Number != n.Seq:
		return "number", nil
	case l.CodeHash != code.Hash():
		return "code", nil
	case l.Kind == storage.LeafAnnul && (l.DecisionNumber != c.Annulment.Number || !l.DecisionDate.Equal(c.Annulment.Date)):
		return "decision", nil
	case l.Kind == storage.LeafVoid && l.Reason != c.Reason:
		return "reason", nil
	case l.Kind == storage.LeafErase && l.Reason != string(k.erased[c.ID].Reason):
		return "reason", nil
	case l.Kind != storage.LeafIssue:
		return "", nil
	case !l.Date.Equal(n.Date):
		return "date", nil
	case l.File != c.Final.Digest:
		return "digest", nil
	case l.Length != c.Final.Size || l.Pages != c.Final.Pages:
		return "length", nil
	case l.DocumentType != c.Original.Type:
		return "document type", nil
	case c.Leaf != at:
		return "index", nil
	}
	return k.commitment(ctx, l, c)
}

func (k *Checker) commitment(ctx context.Context, l register.Leaf, c certcopy.Copy) (string, error) {
	salt, err := k.Ledger.Salt(ctx, c.ID)
	_, erased := k.erased[c.ID]
	switch {
	case errors.Is(err, storage.ErrNotFound) && erased:
		return "", nil // the commitment is opaque, as it should be
	case errors.Is(err, storage.ErrNotFound):
		return "salt", nil
	case err == nil && erased:
		k.found(ErasureUndone, name(c), "Khóa che của bản sao đã xóa vẫn còn.", "The salt of the erased copy is still there.")
	}
	if err != nil {
		return "", err
	}
	got, err := register.PrivateFacts{Requester: c.Requester, Title: c.Original.Title, IssuingBody: c.Original.IssuingBody,
		Copies: c.Original.Copies}.Commit(salt)
	if err != nil || got != l.Commitment {
		return "commitment", nil //nolint:nilerr // a salt of a wrong length is a finding
	}
	return "", nil
}
