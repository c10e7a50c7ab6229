package confine

import (
	"fmt"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// giveUpRights sets the limits the kernel enforces and then the filter. It fails closed: a
// child that could not be filtered on a kernel that knows filters does not see the input.
func giveUpRights(h header) error {
	for what, max := range map[int]uint64{
		unix.RLIMIT_CORE:  0,
		unix.RLIMIT_FSIZE: 0,
		unix.RLIMIT_CPU:   uint64(h.Time),
		// Anonymous memory the kernel has handed out, touched or not: a backstop behind the
		// parent's look at resident memory, wide enough for what the runtime only reserves.
		unix.RLIMIT_DATA: uint64(2*h.Memory) + 512<<20,
	} {
		if err := unix.Setrlimit(what, &unix.Rlimit{Cur: max, Max: max}); err != nil {
			return fmt.Errorf("resource limit %d: %w", what, err)
		}
	}
	return filterCalls()
}

// allowed are the system calls of a program that computes: memory, threads, time, signals to
// itself, and reading and writing what it already holds. There is no open, no socket, no
// exec, no kill and no ptrace among them, nor anything that names a path.
var allowed = append([]uint32{
	unix.SYS_READ, unix.SYS_WRITE, unix.SYS_READV, unix.SYS_WRITEV, unix.SYS_PREAD64, unix.SYS_PWRITE64,
	unix.SYS_LSEEK, unix.SYS_CLOSE, unix.SYS_FSTAT, unix.SYS_FCNTL,
	unix.SYS_MMAP, unix.SYS_MUNMAP, unix.SYS_MPROTECT, unix.SYS_MREMAP, unix.SYS_MADVISE, unix.SYS_BRK, unix.SYS_MINCORE,
	unix.SYS_MEMBARRIER, unix.SYS_FUTEX, unix.SYS_SET_ROBUST_LIST, unix.SYS_RSEQ, unix.SYS_SET_TID_ADDRESS,
	unix.SYS_CLONE, unix.SYS_CLONE3, unix.SYS_EXIT, unix.SYS_EXIT_GROUP,
	unix.SYS_RT_SIGACTION, unix.SYS_RT_SIGPROCMASK, unix.SYS_RT_SIGRETURN, unix.SYS_SIGALTSTACK, unix.SYS_TGKILL,
	unix.SYS_RESTART_SYSCALL,
	unix.SYS_SCHED_YIELD, unix.SYS_SCHED_GETAFFINITY, unix.SYS_GETPID, unix.SYS_GETTID, unix.SYS_GETRUSAGE,
	unix.SYS_NANOSLEEP, unix.SYS_CLOCK_NANOSLEEP, unix.SYS_CLOCK_GETTIME, unix.SYS_GETTIMEOFDAY,
	unix.SYS_TIMER_CREATE, unix.SYS_TIMER_SETTIME, unix.SYS_TIMER_DELETE, unix.SYS_SETITIMER,
	unix.SYS_EPOLL_CREATE1, unix.SYS_EPOLL_CTL, unix.SYS_EPOLL_PWAIT, unix.SYS_EPOLL_PWAIT2, unix.SYS_EVENTFD2,
	unix.SYS_PIPE2, unix.SYS_PPOLL, unix.SYS_GETRANDOM, unix.SYS_PRCTL,
}, allowedHere...)

// filterCalls installs the filter on every thread. All other calls answer EPERM, so that a
// library that only asks gets a no rather than an end.
func filterCalls() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	prog := filter(allowed)
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("no new privileges: %w", err)
	}
	// The flag above belongs to a thread; the filter is handed to all of them with it, so
	// both calls must come from the same one.
	f := unix.SockFprog{Len: uint16(len(prog)), Filter: &prog[0]}
	_, _, e := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC,
		uintptr(unsafe.Pointer(&f))) //nolint:gosec // the kernel's interface
	runtime.KeepAlive(prog)
	if e != 0 && e != unix.ENOSYS {
		return fmt.Errorf("seccomp: %w", e)
	}
	return nil
}

// Offsets in struct seccomp_data.
const (
	offsetCall = 0
	offsetArch = 4
)

// filter compiles the list to classic BPF: another architecture's calls end the process,
// those on the list pass, the rest is refused.
func filter(calls []uint32) []unix.SockFilter {
	load := func(at uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: at}
	}
	ret := func(k uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: k} }
	equal := func(k uint32, yes, no uint8) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: yes, Jf: no, K: k}
	}
	p := []unix.SockFilter{load(offsetArch), equal(auditArch, 1, 0), ret(unix.SECCOMP_RET_KILL_PROCESS), load(offsetCall)}
	for _, c := range calls {
		p = append(p, equal(c, 0, 1), ret(unix.SECCOMP_RET_ALLOW))
	}
	return append(p, ret(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
}
