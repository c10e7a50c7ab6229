package fsck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/storage"
)

// checkFiles opens every final file: it must be there, be what was registered, and pass as a
// receiver would examine it. Then it looks for objects that belong to nothing.
func (k *Checker) checkFiles(ctx context.Context) error {
	belongs := map[string]bool{}
	for _, c := range k.copies {
		if c.Final.Digest.IsZero() {
			continue
		}
		belongs[vault.Key(c.ID, c.Final.Digest)] = true
		check := k.checkFile
		if _, erased := k.erased[c.ID]; erased {
			check = k.checkErasedFile
		}
		if err := check(ctx, c); err != nil {
			return err
		}
	}
	for info, err := range k.Vault.List(ctx, "") {
		if k.damaged(info, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("vault: %w", err)
		}
		if !belongs[info.Key] && !k.onItsWay(info.Key) {
			k.found(FileStray, info.Key, "Tệp trong kho không thuộc bản sao nào.", "A file in the vault belongs to no copy.")
		}
	}
	return nil
}

// damaged reports an object that a listing could not describe.
func (k *Checker) damaged(info storage.BlobInfo, err error) bool {
	if !errors.Is(err, storage.ErrDamaged) {
		return false
	}
	k.found(FileDamaged, info.Key, "Phần mô tả của tệp bị hỏng.", "The description of the file is damaged.")
	return true
}

func (k *Checker) checkFile(ctx context.Context, c certcopy.Copy) error {
	if k.Quick {
		return k.lookForFile(ctx, c)
	}
	file, err := k.Files.Open(ctx, c.ID, c.Final.Digest)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		k.found(FileMissing, name(c), "Kho không có tệp của bản sao này.", "The vault does not hold the file of this copy.")
		return nil
	case errors.Is(err, storage.ErrDamaged):
		k.found(FileDamaged, name(c), "Tệp của bản sao trong kho bị hỏng: "+err.Error(), "The copy's file in the vault is damaged: "+err.Error())
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", name(c), err)
	}
	k.report.Files++
	if int64(len(file)) != c.Final.Size {
		k.found(FileDamaged, name(c), "Độ dài tệp khác với sổ.", "The file's length is not the recorded one.")
	}
	if k.Examine == nil || c.LeafTime.IsZero() {
		return nil // without its leaf, which is a finding already, nobody knows as of when
	}
	// As of its registration: certificates expire, and that is no damage.
	level, err := k.Examine.Examine(ctx, file, c.LeafTime)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil || level != c.Final.Level {
		k.found(FileSignature, name(c), fmt.Sprintf("Chữ ký của tệp không đạt: %s (%v).", level, err),
			fmt.Sprintf("The file's signatures do not pass: %s (%v).", level, err))
	}
	return nil
}

// lookForFile asks whether the file and the key that decrypts it are there.
func (k *Checker) lookForFile(ctx context.Context, c certcopy.Copy) error {
	_, err := k.Vault.Stat(ctx, vault.Key(c.ID, c.Final.Digest))
	if err == nil {
		_, err = k.Ledger.FileKey(ctx, c.ID)
	}
	switch {
	case errors.Is(err, storage.ErrNotFound):
		k.found(FileMissing, name(c), "Kho không có tệp của bản sao này.", "The vault does not hold the file of this copy.")
	case errors.Is(err, storage.ErrDamaged):
		k.found(FileDamaged, name(c), "Tệp của bản sao trong kho bị hỏng: "+err.Error(), "The copy's file in the vault is damaged: "+err.Error())
	case err != nil:
		return fmt.Errorf("%s: %w", name(c), err)
	default:
		k.report.Files++
	}
	return nil
}

// onItsWay reports whether a vault object may have been left by an attempt that is not
// finished: it will be found and used by the next one.
func (k *Checker) onItsWay(key string) bool {
	id, _, ok := strings.Cut(strings.TrimPrefix(key, "copies/"), "/")
	if !ok {
		return false
	}
	c, known := k.copies[certcopy.CopyID(id)]
	return known && (c.State == certcopy.Sealed || c.State == certcopy.Void)
}

// checkScratch reads every object of the scratch store, then looks for each file that a state
// of an unfinished copy refers to.
func (k *Checker) checkScratch(ctx context.Context) error {
	for info, err := range k.Scratch.List(ctx, "") {
		if k.damaged(info, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("scratch store: %w", err)
		}
		if k.Quick {
			continue
		}
		if err := readThrough(ctx, k.Scratch, info.Key); errors.Is(err, storage.ErrDamaged) {
			k.found(FileDamaged, info.Key, "Tệp trung gian bị hỏng.", "A file of the scratch store is damaged.")
		}
	}
	for _, c := range k.copies {
		if c.State.Final() || c.State == certcopy.Released || c.State == certcopy.Registered {
			continue
		}
		refs, err := k.Ledger.StateFiles(ctx, c.ID)
		if err != nil {
			return fmt.Errorf("%s: %w", name(c), err)
		}
		if !c.Clean.Digest.IsZero() {
			refs = append(refs, storage.FileRef{Key: "clean/" + string(c.ID) + "/" + c.Clean.Digest.String() + ".pdf", Digest: c.Clean.Digest, Size: c.Clean.Size})
		}
		for _, ref := range refs {
			k.checkRef(ctx, c, ref)
		}
	}
	return nil
}

func (k *Checker) checkRef(ctx context.Context, c certcopy.Copy, ref storage.FileRef) {
	info, err := k.Scratch.Stat(ctx, ref.Key)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		k.found(FileMissing, name(c)+" "+ref.Key, "Thiếu tệp trung gian của bản sao đang làm.", "A file of a copy in progress is missing.")
	case err == nil && (info.Digest != ref.Digest || info.Size != ref.Size):
		k.found(FileDamaged, name(c)+" "+ref.Key, "Tệp trung gian của bản sao đang làm không phải tệp đã ghi.",
			"A file of a copy in progress is not the recorded one.")
	}
}

// readThrough reads an object to its end, which is where damage shows.
func readThrough(ctx context.Context, b storage.Blobs, key string) error {
	body, _, err := b.Open(ctx, key)
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return err
}
