package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/fsck"
)

// fsckCommand checks everything stored against everything else. It changes nothing.
type fsckCommand struct {
	dataFlag
	JSON bool `help:"Print exactly one JSON object on standard output."`
}

// Run prints what does not fit. Exit status 0: clean, work in progress is listed; 1:
// findings; 2: it could not be checked.
func (c fsckCommand) Run(ctx context.Context) error {
	if _, err := os.Stat(c.Data); err != nil {
		return &exitError{exitUnusable, certcopy.Errorf(certcopy.NotFound, c.Data, nil, certcopy.Msg(
			"Không có thư mục dữ liệu này. Hãy kiểm tra --data.", "There is no such data directory. Check --data."))}
	}
	report, err := c.check(ctx)
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(report)
	} else {
		err = printFsck(report)
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
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen}, toCheck)
	if err != nil {
		return fsck.Report{}, err
	}
	defer a.close()
	return fsck.Check(ctx, a.checker)
}

func (a *app) checker() *fsck.Checker {
	return &fsck.Checker{
		Ledger: a.store, Vault: a.vault.Blobs, Scratch: a.flow.Scratch, Public: a.public, Files: a.vault,
		Examine: a.flow.Examine, Log: a.logKey.Log(),
	}
}

func printFsck(r fsck.Report) error {
	for _, f := range r.Findings {
		fmt.Printf("%s\t%s\n\t%s\n\t%s\n", f.Kind, f.Subject, f.VI, f.EN)
	}
	for _, line := range r.InProgress {
		fmt.Println("đang làm / in progress:", line)
	}
	_, err := fmt.Printf("%d bản sao / copies, %d số / numbers, %d lá / leaves, %d tệp / files, %d sai lệch / findings\n",
		r.Copies, r.Numbers, r.Leaves, r.Files, len(r.Findings))
	return err
}
