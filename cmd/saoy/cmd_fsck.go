package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/saoy/saoy/internal/fsck"
)

// fsckCommand checks everything stored against everything else. It changes nothing.
//
// It reads all rows of the ledger, computes the log anew from its leaves, checks every
// checkpoint's signature, opens every stored object to its end, decrypts every final file,
// compares its digest with book and leaf, and validates its signatures as a receiver would.
// With Quick it opens no file, and only asks the stores for each that should be there and each
// that should not.
type fsckCommand struct {
	dataFlag
	Deep  bool `help:"Read every stored byte and validate every file's signatures. That is what happens without --quick." xor:"depth"`
	Quick bool `help:"Open no file: rows, log, checkpoints, and whether each file is there." xor:"depth"`
	JSON  bool `help:"Print exactly one JSON object on standard output."`
}

// Run prints what does not fit. Exit status 0: clean, work in progress is listed; 1:
// findings; 2: it could not be checked.
func (c fsckCommand) Run(ctx context.Context) error {
	if _, err := os.Stat(c.Data); err != nil {
		return &exitError{exitUnusable, noData(c.Data)}
	}
	report, err := c.check(ctx)
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = c.print(report)
	}
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if len(report.Findings) > 0 {
		return &exitError{status: exitFailed}
	}
	return nil
}

func (c fsckCommand) check(ctx context.Context) (fsck.Report, error) {
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Roles: allRoles}, toCheck)
	if err != nil {
		return fsck.Report{}, err
	}
	defer a.close()
	return fsck.Check(ctx, func() *fsck.Checker {
		k := a.checker()
		k.Quick = c.Quick
		return k
	})
}

func (a *app) checker() *fsck.Checker {
	return &fsck.Checker{
		Ledger: a.store, Vault: a.files, Scratch: a.flow.Scratch, Public: a.public, Files: a.vault,
		Examine: a.flow.Examine, Log: a.logKey.Log(),
	}
}

func (c fsckCommand) print(r fsck.Report) error {
	for _, f := range r.Findings {
		fmt.Printf("%s\t%s\n\t%s\n\t%s\n", f.Kind, f.Subject, f.VI, f.EN)
	}
	for _, line := range r.InProgress {
		fmt.Println("đang làm / in progress:", line)
	}
	if r.LeftOut > 0 {
		fmt.Printf("%d số bỏ cách theo quyết định sau khôi phục / numbers left out by decision after a restoration\n", r.LeftOut)
	}
	if c.Quick {
		fmt.Println("Chưa đọc nội dung tệp; để kiểm tra cả nội dung và chữ ký, bỏ --quick / files were not opened; without --quick their bytes and signatures are checked")
	}
	_, err := fmt.Printf("%d bản sao / copies, %d số / numbers, %d lá / leaves, %d tệp / files, %d sai lệch / findings\n",
		r.Copies, r.Numbers, r.Leaves, r.Files, len(r.Findings))
	return err
}
