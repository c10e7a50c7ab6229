package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// ErrHeld: another process has the directory of a private server.
var ErrHeld = errors.New("directory in use")

// HeldError says who has the directory. errors.Is(err, ErrHeld) finds it.
type HeldError struct {
	Dir string
	PID int // of the program that started the server; 0 if unknown
}

// Error names the directory and the process.
func (e *HeldError) Error() string {
	return fmt.Sprintf("%s is in use by process %d", e.Dir, e.PID)
}

// Is reports whether target is ErrHeld.
func (e *HeldError) Is(target error) bool { return target == ErrHeld }

// dying is how long a server whose program was killed may take to shut down.
const dying = 15 * time.Second

// hold takes the directory's lock. A server inherits the lock from the program that starts
// it; if that program is gone, its server is shutting down, and hold waits for it.
func hold(ctx context.Context, dir string) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	giveUp := time.NewTimer(dying)
	defer giveUp.Stop()
	for {
		err := syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errors.Join(err, lock.Close())
		}
		if holder := readPID(lock); holder != 0 && alive(holder) {
			return nil, errors.Join(held(dir, holder), lock.Close())
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(ctx.Err(), lock.Close())
		case <-giveUp.C:
			return nil, errors.Join(held(dir, serverPID(dir)), lock.Close())
		case <-time.After(10 * time.Millisecond):
		}
	}
	// A server that somebody started by hand has no part in the lock.
	if pid := serverPID(dir); pid != 0 && runsIn(pid, filepath.Join(dir, "data")) {
		return nil, errors.Join(held(dir, pid), lock.Close())
	}
	if err := writePID(lock); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func held(dir string, pid int) error {
	return certcopy.Errorf(certcopy.Unavailable, dir, &HeldError{Dir: dir, PID: pid}, certcopy.Msg(
		fmt.Sprintf("Thư mục dữ liệu đang được tiến trình %d sử dụng. Hãy dùng tiến trình đó, hoặc dừng nó rồi chạy lại.", pid),
		fmt.Sprintf("The data directory is in use by process %d. Use that process, or stop it and start again.", pid)))
}

func readPID(f *os.File) int {
	b := make([]byte, 20)
	n, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return 0
	}
	pid, _ := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	return pid
}

func writePID(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// serverPID returns the process the data directory names as its server; 0 if none.
func serverPID(dir string) int {
	b, err := os.ReadFile(filepath.Join(dir, "data", "postmaster.pid"))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(b), "\n")
	pid, _ := strconv.Atoi(strings.TrimSpace(first))
	return pid
}

// runsIn reports whether the process works in dir, as a server does in its data directory.
// Where that cannot be seen, a process that lives is believed to.
func runsIn(pid int, dir string) bool {
	cwd, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", pid))
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) && alive(pid)
	}
	return cwd == dir
}

// alive reports whether the process exists and is no zombie.
func alive(pid int) bool {
	if err := syscall.Kill(pid, 0); err != nil && !errors.Is(err, syscall.EPERM) {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}
