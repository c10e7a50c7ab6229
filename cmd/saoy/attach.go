package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/postgres"
)

// runFile tells other commands how to reach the process that has the directory open.
type runFile struct {
	PID int    `json:"pid"`
	DSN string `json:"dsn"` // of the private server; its socket's directory is the owner's only
	URL string `json:"url"` // of the sites; empty if the process serves none
}

func (p place) writeRunFile(r runFile) error {
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return writeDurably(p.runFile(), b)
}

// holder returns the run file of a living process; ok is false if there is none.
func (p place) holder() (r runFile, ok bool) {
	b, err := os.ReadFile(p.runFile())
	if err != nil || json.Unmarshal(b, &r) != nil || r.PID <= 0 {
		return r, false
	}
	err = syscall.Kill(r.PID, 0)
	return r, err == nil || errors.Is(err, syscall.EPERM)
}

// patience is how long a command waits for another process that is just starting or just
// stopping on the same directory.
const patience = 60 * time.Second

// server starts the directory's private server or attaches to the process that has it. With
// alone it does not attach: certcopy.Conflict names the holder.
func (p place) server(ctx context.Context, alone bool) (local *postgres.Local, attached runFile, err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		local, err = postgres.StartLocal(ctx, p.postgres())
		if err == nil || !errors.Is(err, postgres.ErrHeld) {
			return local, runFile{}, err
		}
		if r, ok := p.holder(); ok {
			if alone {
				return nil, r, heldBy(string(p), r)
			}
			return nil, r, nil
		}
		// The holder has not written its file yet, or is on its way out.
		select {
		case <-ctx.Done():
			return nil, runFile{}, err
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func heldBy(dir string, r runFile) error {
	where := r.URL
	if where == "" {
		where = "-"
	}
	return certcopy.Errorf(certcopy.Conflict, dir, nil, certcopy.Msg(
		fmt.Sprintf("Thư mục này đang do tiến trình %d dùng (địa chỉ %s). Hãy dừng tiến trình đó, hoặc chọn thư mục khác bằng --data.", r.PID, where),
		fmt.Sprintf("Process %d is using this directory (address %s). Stop it, or choose another directory with --data.", r.PID, where)))
}
