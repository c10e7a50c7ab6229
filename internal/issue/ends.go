package issue

import (
	"context"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Void ends a numbered copy that was never issued: the number stays in the book, with the
// reason, the person and a leaf of its own. reason is a code, text a person's words.
func (f *Flow) Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string) error {
	if reason == "" {
		return certcopy.Errorf(certcopy.Invalid, "reason", nil, certcopy.Msg(
			"Thiếu lý do hủy số. Hãy chọn một lý do.", "The reason for voiding is missing. Choose one."))
	}
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return err
	}
	if !c.State.MayBecome(certcopy.Void) {
		return ended(c, "chỉ hủy được số của bản sao đã lấy số mà chưa phát hành", "only a numbered copy that is not issued yet can be voided")
	}
	leaf, err := register.OfCopy(c, storage.LeafVoid)
	if err != nil {
		return err
	}
	leaf.Date, leaf.Reason = c.Number.Date, reason
	_, err = f.Ledger.Void(ctx, id, by, reason, text, leaf.Maker())
	return err
}

// Annul declares an issued copy without legal value, by a decision that is public for ever.
func (f *Flow) Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision) error {
	if err := validText("decision.number", d.Number, 100); err != nil {
		return err
	}
	if err := validText("decision.reason", d.Reason, certcopy.MaxTitleRunes); err != nil {
		return err
	}
	c, err := f.Ledger.Copy(ctx, id)
	if err != nil {
		return err
	}
	if !c.State.MayBecome(certcopy.Annulled) {
		return ended(c, "chỉ hủy bỏ được giá trị của bản sao đã phát hành", "only an issued copy can be annulled")
	}
	if today := certcopy.Day(f.Now()); d.Date.IsZero() || d.Date.Before(c.Number.Date) || d.Date.After(today) {
		return certcopy.Errorf(certcopy.Invalid, "decision.date", nil, certcopy.Msg(
			"Ngày của quyết định phải từ ngày chứng thực đến hôm nay. Hãy xem lại quyết định.",
			"The decision's date must be between the day of certification and today. Look at the decision again."))
	}
	leaf, err := register.OfCopy(c, storage.LeafAnnul)
	if err != nil {
		return err
	}
	leaf.DecisionNumber, leaf.DecisionDate = d.Number, d.Date
	_, err = f.Ledger.Annul(ctx, id, d, leaf.Maker())
	return err
}

func ended(c certcopy.Copy, vi, en string) error {
	return certcopy.Errorf(certcopy.Conflict, string(c.ID), nil, certcopy.Msg(
		"Bản sao đang ở trạng thái “"+string(c.State)+"”: "+vi+".", "The copy is "+string(c.State)+": "+en+"."))
}
