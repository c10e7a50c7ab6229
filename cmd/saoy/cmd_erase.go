package main

import (
	"context"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// eraseCommand destroys a copy's file and private facts.
type eraseCommand struct {
	dataFlag
	Code     string `arg:"" help:"Verification code of the copy, or its address."`
	Decision string `required:"" help:"Number of the decision or application on which it rests; it becomes public."`
	Reason   string `help:"Why: request of the person whose data it is, or order of an authority." enum:"request,order" default:"request"`
	By       string `required:"" help:"Sign-in name of the official who enters it."`
}

// Run erases: the file's key at once, its object when its lock ends. Number, digest and log
// stay, and the public page says when and under what the file was erased.
func (c eraseCommand) Run(ctx context.Context) error {
	return onCopy(ctx, c.dataFlag, c.Code, c.By, func(a *app, id certcopy.CopyID, by certcopy.AccountID) error {
		eraser, done, err := a.eraser(ctx)
		if err != nil {
			return err
		}
		defer done()
		e, err := eraser.Erase(ctx, storage.Erasure{Copy: id, Reason: storage.ErasureReason(c.Reason), Decision: c.Decision, By: by})
		if err != nil {
			return err
		}
		fmt.Printf("Đã xóa tệp và dữ liệu cá nhân / erased: %s  %s\n", e.At.In(certcopy.Vietnam).Format("02/01/2006 15:04"), a.verifyURL(mustCode(c.Code)))
		return nil
	})
}
