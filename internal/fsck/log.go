package fsck

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
)

// checkLog computes the tree anew from the leaves and compares hashes, size and root.
func (k *Checker) checkLog(ctx context.Context) error {
	size, root, err := k.Ledger.Head(ctx)
	if err != nil {
		return fmt.Errorf("head of the log: %w", err)
	}
	leaves, hashes, err := k.Ledger.LogCounts(ctx)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if leaves != size || hashes != tlog.StoredHashCount(size) {
		k.found(LogCut, "log", fmt.Sprintf("Nhật ký phải có %d lá nhưng có %d lá và %d giá trị băm.", size, leaves, hashes),
			fmt.Sprintf("The log should hold %d leaves; it holds %d, and %d hashes.", size, leaves, hashes))
	}
	computed := newTree()
	for leaf, err := range k.Ledger.Leaves(ctx, 0) {
		if err != nil {
			return fmt.Errorf("leaves: %w", err)
		}
		if err := computed.add(leaf); err != nil {
			return fmt.Errorf("leaves: %w", err)
		}
	}
	k.report.Leaves, k.tree = computed.size, computed
	k.compareHashes(ctx, computed)
	if computed.size != size {
		return nil // said above; the roots cannot agree
	}
	if got, err := computed.root(); err != nil || got != root {
		k.found(LogHash, "log", "Các lá của nhật ký không cho ra giá trị gốc đã lưu.", "The leaves of the log do not give the stored root.")
	}
	return nil
}

// compareHashes names the first stored hash that the leaves do not give.
func (k *Checker) compareHashes(ctx context.Context, t *tree) {
	const batch = 4096
	for from := 0; from < len(t.hashes); from += batch {
		indexes := make([]int64, min(batch, len(t.hashes)-from))
		for i := range indexes {
			indexes[i] = int64(from + i)
		}
		stored, err := k.Ledger.ReadHashes(ctx, indexes)
		if err != nil {
			k.found(LogHash, "log", "Không đọc được các giá trị băm đã lưu của nhật ký.", "Stored hashes of the log cannot be read.")
			return
		}
		for i, h := range stored {
			if h != certcopy.Digest(t.hashes[from+i]) {
				level, n := tlog.SplitStoredHashIndex(int64(from + i))
				k.found(LogHash, fmt.Sprintf("log hash %d/%d", level, n), "Giá trị băm đã lưu không khớp với các lá.",
					"A stored hash does not fit the leaves.")
				return
			}
		}
	}
}

// checkCheckpoints checks every checkpoint, of the ledger and of the public store, against
// the tree, and the two against each other.
func (k *Checker) checkCheckpoints(ctx context.Context) error {
	recorded := map[int64][]byte{}
	for c, err := range k.Ledger.Checkpoints(ctx) {
		if err != nil {
			return fmt.Errorf("checkpoints: %w", err)
		}
		recorded[c.Size] = c.Note
		if opened := k.checkCheckpoint(fmt.Sprintf("checkpoint %d", c.Size), c.Note); opened >= 0 && opened != c.Size {
			k.found(BadCheckpoint, fmt.Sprintf("checkpoint %d", c.Size), "Điểm kiểm tra được ghi dưới kích thước khác.", "The checkpoint is recorded under another size.")
		}
	}
	stored := map[int64]bool{}
	for info, err := range k.Public.List(ctx, "checkpoint/") {
		if k.damaged(info, err) {
			continue
		}
		if err != nil {
			return fmt.Errorf("checkpoints: %w", err)
		}
		signed, err := k.readBlob(ctx, info.Key)
		if err != nil {
			k.found(FileDamaged, info.Key, "Tệp điểm kiểm tra bị hỏng.", "The checkpoint's file is damaged.")
			continue
		}
		size := k.checkCheckpoint(info.Key, signed)
		stored[size] = true
		if r, ok := recorded[size]; ok && !bytes.Equal(r, signed) {
			k.found(BadCheckpoint, info.Key, "Điểm kiểm tra trong kho và trong cơ sở dữ liệu khác nhau.", "The checkpoints in the store and in the database differ.")
		}
	}
	for size := range recorded {
		if !stored[size] {
			k.found(BadCheckpoint, fmt.Sprintf("checkpoint %d", size), "Điểm kiểm tra không có trong kho công khai.", "The checkpoint is not in the public store.")
		}
	}
	return nil
}

func (k *Checker) readBlob(ctx context.Context, key string) ([]byte, error) {
	body, _, err := k.Public.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// checkCheckpoint returns the size a checkpoint speaks of, -1 if it is none of this log.
func (k *Checker) checkCheckpoint(subject string, signed []byte) int64 {
	c, err := k.Log.OpenCheckpoint(signed)
	if err != nil {
		k.found(BadCheckpoint, subject, "Điểm kiểm tra không do khóa của nhật ký này ký.", "The checkpoint is not signed by the key of this log.")
		return -1
	}
	if c.Size > k.report.Leaves {
		k.found(LogCut, subject, fmt.Sprintf("Đã ký điểm kiểm tra cho %d lá nhưng nhật ký chỉ còn %d.", c.Size, k.report.Leaves),
			fmt.Sprintf("A checkpoint of %d leaves was signed, but the log holds %d.", c.Size, k.report.Leaves))
		return c.Size
	}
	if c.Size == 0 {
		return c.Size
	}
	// Against the leaves themselves: stored hashes may have been rewritten with them.
	if root, err := tlog.TreeHash(c.Size, k.tree); err != nil || certcopy.Digest(root) != c.Root {
		k.found(BadCheckpoint, subject, "Điểm kiểm tra thuộc một cây khác với nhật ký này.", "The checkpoint is of another tree than this log.")
	}
	return c.Size
}

// tree is a Merkle tree in memory (RFC 6962 §2.1), in the order of tlog's stored hashes.
type tree struct {
	size   int64
	hashes []tlog.Hash
}

func newTree() *tree { return new(tree) }

// ReadHashes implements tlog.HashReader.
func (t *tree) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, at := range indexes {
		if at < 0 || at >= int64(len(t.hashes)) {
			return nil, fmt.Errorf("hash %d of %d", at, len(t.hashes))
		}
		out[i] = t.hashes[at]
	}
	return out, nil
}

func (t *tree) add(leaf []byte) error {
	more, err := tlog.StoredHashes(t.size, leaf, t)
	if err != nil {
		return err
	}
	t.hashes = append(t.hashes, more...)
	t.size++
	return nil
}

func (t *tree) root() (certcopy.Digest, error) {
	h, err := tlog.TreeHash(t.size, t)
	return certcopy.Digest(h), err
}
