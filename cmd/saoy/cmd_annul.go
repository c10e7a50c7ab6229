package main

import (
	"context"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
)

// annulCommand declares an issued copy without legal value.
type annulCommand struct {
	dataFlag
	Code     string `arg:"" help:"Verification code of the copy, or its address."`
	Decision string `required:"" help:"Number of the decision."`
	Date     string `required:"" help:"Date of the decision, YYYY-MM-DD."`
	Reason   string `required:"" help:"Reason, as the decision gives it; it becomes public."`
	By       string `required:"" help:"Sign-in name of the official who enters it."`
}

// Run records the decision, its leaf and the state; the public page says so from then on.
func (c annulCommand) Run(ctx context.Context) error {
	date, err := time.Parse(time.DateOnly, c.Date)
	if err != nil {
		return certcopy.Errorf(certcopy.Invalid, "date", err, certcopy.Msg(
			"Ngày phải viết theo dạng NĂM-THÁNG-NGÀY, ví dụ 2026-11-22.", "The date must be YYYY-MM-DD, for example 2026-11-22."))
	}
	return onCopy(ctx, c.dataFlag, c.Code, c.By, func(a *app, id certcopy.CopyID, by certcopy.AccountID) error {
		if err := a.flow.Annul(ctx, id, certcopy.Decision{Number: c.Decision, Date: date, Reason: c.Reason, By: by}); err != nil {
			return err
		}
		fmt.Println("Đã hủy bỏ giá trị / annulled:", a.verifyURL(mustCode(c.Code)))
		return nil
	})
}

// voidCommand voids the number of a copy that was never issued.
type voidCommand struct {
	dataFlag
	Code   string `arg:"" help:"Verification code of the copy."`
	Reason string `required:"" help:"Code of the reason, for example wrong-scan."`
	Text   string `help:"The reason in words, for the office."`
	By     string `required:"" help:"Sign-in name of the official who enters it."`
}

// Run records the void and its leaf.
func (c voidCommand) Run(ctx context.Context) error {
	return onCopy(ctx, c.dataFlag, c.Code, c.By, func(a *app, id certcopy.CopyID, by certcopy.AccountID) error {
		if err := a.flow.Void(ctx, id, by, c.Reason, c.Text); err != nil {
			return err
		}
		fmt.Println("Đã hủy số / void:", a.verifyURL(mustCode(c.Code)))
		return nil
	})
}

// onCopy opens the installation and does f to the copy of a code for an official.
func onCopy(ctx context.Context, data dataFlag, typed, login string, f func(*app, certcopy.CopyID, certcopy.AccountID) error) error {
	code, err := link.FindCode(typed)
	if err != nil {
		return err
	}
	a, err := open(ctx, Config{dataFlag: data, Listen: defaultListen, Workers: 1}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	if !a.attached {
		defer a.startWork(ctx)()
	}
	id, err := a.store.CopyByCode(ctx, code.Hash())
	if err != nil {
		return certcopy.Errorf(certcopy.NotFound, "code", err, certcopy.Msg(
			"Không có bản sao nào mang mã này. Hãy kiểm tra lại mã.", "No copy has this code. Check the code."))
	}
	by, err := a.store.AccountByLogin(ctx, login)
	if err != nil {
		return certcopy.Errorf(certcopy.NotFound, "by", err, certcopy.Msg(
			"Không có tài khoản này. Hãy kiểm tra tên đăng nhập.", "There is no such account. Check the sign-in name."))
	}
	if !by.Has(certcopy.Certifier, certcopy.Admin) {
		return certcopy.Errorf(certcopy.Forbidden, "by", nil, certcopy.Msg(
			"Tài khoản này không có thẩm quyền. Cần người thực hiện chứng thực hoặc quản trị viên.",
			"This account may not do it. A certifier or an administrator is needed."))
	}
	return f(a, id, by.ID)
}

// mustCode returns the canonical form of a code that was parsed before.
func mustCode(typed string) string {
	code, err := link.FindCode(typed)
	if err != nil {
		return typed
	}
	return code.String()
}
