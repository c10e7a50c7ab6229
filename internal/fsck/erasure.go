package fsck

import (
	"context"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/retention"
	"github.com/saoy/saoy/storage"
)

// checkErasures reads which copies were erased and compares the ledger with the locked list:
// each must hold what the other does.
func (k *Checker) checkErasures(ctx context.Context) error {
	k.erased = map[certcopy.CopyID]storage.Erasure{}
	for e, err := range k.Ledger.Erasures(ctx) {
		if err != nil {
			return fmt.Errorf("erasures: %w", err)
		}
		k.erased[e.Copy] = e
	}
	k.report.Erased = len(k.erased)
	listed := map[certcopy.CopyID]bool{}
	for e, err := range retention.List(ctx, k.Public) {
		switch {
		case errors.Is(err, storage.ErrDamaged):
			k.found(ErasureList, err.Error(), "Một mục của danh sách xóa bị hỏng.", "An entry of the list of erasures is damaged.")
			continue
		case err != nil:
			return fmt.Errorf("list of erasures: %w", err)
		}
		listed[e.Copy] = true
		k.checkListed(e)
	}
	for id, e := range k.erased {
		if !listed[id] {
			k.found(ErasureList, name(k.copies[id]), "Bản sao đã xóa theo "+e.Decision+" nhưng không có trong danh sách xóa.",
				"The copy was erased under "+e.Decision+" but is not in the list of erasures.")
		}
	}
	return nil
}

func (k *Checker) checkListed(e storage.Erasure) {
	c, known := k.copies[e.Copy]
	done, erased := k.erased[e.Copy]
	switch {
	case !known:
		k.found(ErasureList, string(e.Copy), "Danh sách xóa có bản sao mà sổ không có.", "The list of erasures names a copy that is not there.")
	case !erased:
		k.found(ErasureUndone, name(c), "Danh sách xóa có bản sao này nhưng nó chưa được xóa. Hãy chạy: saoy retention run.",
			"The list of erasures names this copy, but it is not erased. Run: saoy retention run.")
	case done.Reason != e.Reason || done.Decision != e.Decision || done.By != e.By:
		k.found(ErasureList, name(c), "Danh sách xóa và sổ ghi khác nhau.", "The list of erasures and the ledger do not tell the same.")
	}
}

// checkErasedFile makes sure that nobody can read the file of an erased copy.
func (k *Checker) checkErasedFile(ctx context.Context, c certcopy.Copy) error {
	_, err := k.Files.Open(ctx, c.ID, c.Final.Digest)
	if err == nil {
		k.found(ErasureUndone, name(c), "Tệp của bản sao đã xóa vẫn mở được.", "The file of the erased copy can still be opened.")
	}
	if err == nil || errors.Is(err, storage.ErrNotFound) || errors.Is(err, storage.ErrDamaged) {
		return nil
	}
	return fmt.Errorf("%s: %w", name(c), err)
}
