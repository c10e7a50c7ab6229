package audit

import (
	"context"
	"errors"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Finding is something about the audit that does not fit.
type Finding struct {
	Subject string
	certcopy.Message
}

// check walks the chain once.
type check struct {
	public storage.Blobs
	log    register.Log
	hashes map[int64]certcopy.Digest // of batches
	found  []Finding
}

func (c *check) says(subject, vi, en string) {
	c.found = append(c.found, Finding{subject, certcopy.Msg(vi, en)})
}

// Check recomputes the chain from the events and compares it with every signed head, of the
// ledger and of the public objects. An error means that something could not be checked.
func Check(ctx context.Context, l Ledger, public storage.Blobs, log register.Log) (events int64, found []Finding, err error) {
	c := &check{public: public, log: log, hashes: map[int64]certcopy.Digest{}}
	chained, err := c.chain(ctx, l)
	if err != nil {
		return chained, c.found, err
	}
	if err := c.heads(ctx, l); err != nil {
		return chained, c.found, err
	}
	events, waiting, _, err := l.AuditCounts(ctx)
	if err == nil && events != chained+waiting {
		c.says("audit", fmt.Sprintf("Nhật ký kiểm toán có %d sự kiện nhưng chuỗi và hàng chờ có %d.", events, chained+waiting),
			fmt.Sprintf("The audit holds %d events, but chain and queue hold %d.", events, chained+waiting))
	}
	return events, c.found, err
}

func (c *check) chain(ctx context.Context, l Ledger) (size int64, err error) {
	var before certcopy.Digest
	seq := int64(0)
	for b, err := range l.AuditBatches(ctx, 1) {
		if err != nil {
			return size, fmt.Errorf("audit: %w", err)
		}
		seq++
		size += int64(len(b.Events))
		subject := fmt.Sprintf("audit %d", b.Seq)
		hash, err := storage.ChainHash(before, b.Events)
		if err != nil {
			return size, err
		}
		if b.Seq != seq || b.Size != size || hash != b.Hash {
			c.says(subject, "Các sự kiện kiểm toán không cho ra giá trị băm của chuỗi: có sự kiện bị sửa, xóa hoặc đổi chỗ.",
				"The events of the audit do not give the hash of the chain: one was changed, removed or moved.")
			seq, size = b.Seq, b.Size // say it once, and look on
		}
		before = b.Hash
		c.hashes[b.Seq] = b.Hash
	}
	return size, nil
}

func (c *check) heads(ctx context.Context, l Ledger) error {
	recorded := map[int64]bool{}
	for h, err := range l.AuditHeads(ctx) {
		if err != nil {
			return fmt.Errorf("heads of the audit: %w", err)
		}
		recorded[h.Size] = true
		c.head(fmt.Sprintf("audit head %d", h.Size), h.Size, h.Note)
	}
	stored := map[int64]bool{}
	for info, err := range c.public.List(ctx, HeadPrefix) {
		if err != nil && !errors.Is(err, storage.ErrDamaged) {
			return fmt.Errorf("heads of the audit: %w", err)
		}
		var seq int64
		note, openErr := readHead(ctx, c.public, info.Key)
		if _, scanErr := fmt.Sscanf(info.Key, HeadPrefix+"%d", &seq); err != nil || openErr != nil || scanErr != nil {
			c.says(info.Key, "Tệp đầu chuỗi kiểm toán bị hỏng.", "The file of a head of the audit is damaged.")
			continue
		}
		stored[seq] = true
		c.head(info.Key, seq, note)
	}
	for seq := range recorded {
		if !stored[seq] {
			c.says(fmt.Sprintf("audit head %d", seq), "Đầu chuỗi kiểm toán không có trong kho công khai.", "The head of the audit is not in the public store.")
		}
	}
	return nil
}

// head compares one signed head with the chain.
func (c *check) head(subject string, seq int64, note []byte) {
	h, err := c.log.OpenAuditHead(note)
	switch {
	case err != nil || h.Seq != seq:
		c.says(subject, "Đầu chuỗi kiểm toán không do khóa của nhật ký này ký.", "The head of the audit is not signed by the key of this log.")
	case c.hashes[seq] != h.Hash:
		c.says(subject, "Chuỗi kiểm toán không phải chuỗi đã ký: đã bị cắt hoặc viết lại.", "The audit's chain is not the one that was signed: it was cut or rewritten.")
	}
}
