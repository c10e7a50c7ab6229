package confine

import (
	"bytes"
	"errors"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// executable is this very binary, even when its file was replaced since it started.
func executable() (string, error) { return "/proc/self/exe", nil }

// isolation puts the child in a process group of its own and, if asked, in a user and a
// network namespace: there is no interface in it, not even a loopback that is up.
func isolation(namespaces bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: true}
	if namespaces {
		a.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 65534, HostID: os.Getgid(), Size: 1}}
	}
	return a
}

// refusedNamespaces reports whether a start failed because the machine (a container's
// seccomp profile, a limit of 0, a kernel without them) has no namespaces for us.
func refusedNamespaces(err error) bool {
	for _, e := range []error{unix.EPERM, unix.EACCES, unix.EINVAL, unix.ENOSPC, unix.EUSERS, unix.ENOSYS} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

func killGroup(p *os.Process) { _ = unix.Kill(-p.Pid, unix.SIGKILL) }

func brokenPipe(err error) bool { return errors.Is(err, unix.EPIPE) }

// resident returns the bytes of memory a process holds, 0 when it is gone.
func resident(pid int) int64 {
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 3 {
		return 0
	}
	pages, _ := strconv.ParseInt(string(f[1]), 10, 64)
	return pages * int64(os.Getpagesize())
}

// inputFile gives the child a descriptor of its own that can only read: a file is opened
// again, anything else is copied into sealed anonymous memory.
func inputFile(r io.ReaderAt, size int64) (*os.File, error) {
	if f, ok := r.(*os.File); ok {
		return os.Open("/proc/self/fd/" + strconv.Itoa(int(f.Fd())))
	}
	fd, err := unix.MemfdCreate("confined-input", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "confined-input")
	if r != nil {
		if _, err := io.Copy(f, io.NewSectionReader(r, 0, size)); err != nil {
			_ = f.Close()
			return nil, err
		}
	}
	_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// closeStrays closes what reached this process without being meant for it: a descriptor that
// whoever started the parent left open across exec. The runtime's own stay.
func closeStrays() error {
	dir, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range dir {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= inputFD {
			continue
		}
		to, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err != nil || strings.HasPrefix(to, "anon_inode:") || strings.HasPrefix(to, "/sys/fs/cgroup/") {
			continue
		}
		_ = unix.Close(fd)
	}
	return nil
}

// ProcessorTime is what this process has used of the processors, all threads together.
func ProcessorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
