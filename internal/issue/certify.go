package issue

import (
	"context"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Certify records the confirmation of a certifier over one or many copies, of all or of
// none. Numbering and signing follow as durable jobs.
func (f *Flow) Certify(ctx context.Context, c storage.Confirmation) error {
	if err := bounded(c); err != nil {
		return err
	}
	return f.Ledger.Certify(ctx, c)
}

// Seal records the confirmation of a seal keeper over one or many copies, of all or of none.
func (f *Flow) Seal(ctx context.Context, c storage.Confirmation) error {
	if err := bounded(c); err != nil {
		return err
	}
	return f.Ledger.ConfirmSeal(ctx, c)
}

func bounded(c storage.Confirmation) error {
	if n := len(c.Shown); n == 0 || n > certcopy.MaxCopiesPerCall {
		return certcopy.Errorf(certcopy.Invalid, "copies", nil, certcopy.Msg(
			"Hãy chọn từ 1 đến 100 bản sao cho một lần xác nhận.",
			"Choose 1 to 100 copies for one confirmation."))
	}
	return nil
}

// Leave takes a copy out before it has a number: returned to the clerk, refused, withdrawn.
func (f *Flow) Leave(ctx context.Context, l storage.Leaving) error {
	if l.Reason == "" || l.To == certcopy.Refused && l.Text == "" {
		return certcopy.Errorf(certcopy.Invalid, "reason", nil, certcopy.Msg(
			"Thiếu lý do. Hãy chọn lý do; từ chối thì phải ghi rõ bằng lời.",
			"The reason is missing. Choose one; a refusal needs it in words."))
	}
	return f.Ledger.Leave(ctx, l)
}
