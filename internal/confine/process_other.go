//go:build !linux

package confine

import (
	"errors"
	"io"
	"os"
	"syscall"
	"time"
)

// Elsewhere than on Linux, which is what a service runs on, a child has limits of time and
// output, a memory target and an empty environment, but no filter.

func executable() (string, error) { return os.Executable() }

func isolation(bool) *syscall.SysProcAttr { return &syscall.SysProcAttr{} }

func refusedNamespaces(error) bool { return false }

func killGroup(p *os.Process) { _ = p.Kill() }

func brokenPipe(err error) bool { return errors.Is(err, syscall.EPIPE) }

func resident(int) int64 { return 0 }

func closeStrays() error { return nil }

func giveUpRights(header) error { return nil }

func inputFile(r io.ReaderAt, size int64) (*os.File, error) {
	f, err := os.CreateTemp("", "confined")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(f.Name())
	if r == nil {
		return f, nil
	}
	if _, err := io.Copy(f, io.NewSectionReader(r, 0, size)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ProcessorTime is what this process has used of the processors, all threads together.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
