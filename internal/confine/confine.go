// Package confine runs one function on untrusted bytes in a child process of the same binary.
//
// The child is the running executable started again with a marker in its environment. It
// inherits no other variable, no descriptor but its input and output, and so no key and no
// connection. On Linux it gets a network namespace of its own where the machine allows
// user namespaces, and before it sees a byte of the input it gives up, by a seccomp filter
// on all its threads, every system call that opens a file or a socket, starts a program or
// touches another process. The parent kills its process group when it is out of time or
// memory or writes too much, and each of these ends is an error of its own.
//
// A program that uses the package calls Main first thing in main, and in TestMain.
package confine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"
)

// Job is what a task works on.
type Job struct {
	Args   []byte      // what the caller passed beside the input; trusted
	Input  io.ReaderAt // the untrusted bytes
	Size   int64       // length of Input
	Output io.Writer   // goes to the caller, who drops it unless the task returns nil
}

// Task is a function that can run confined.
type Task struct {
	// Prepare runs before the child gives up its rights; it must not touch the input. It may
	// open what Run needs, such as a compiled module. May be nil.
	Prepare func(args []byte) error
	// Run works on the input. A *certcopy.Error it returns arrives at the caller as one; of
	// any other error only the text does, as a *TaskError.
	Run func(ctx context.Context, j Job) error
}

// Limits bound one call. A zero field means its default.
type Limits struct {
	Memory int64         // resident bytes of the child; default 512 MiB
	Time   time.Duration // from the start of the child, not of the wait for a free slot; default 30 s
	Output int64         // bytes of output; default 128 MiB
	// Silence is how long the child may go on without writing output; default Time. A task
	// that writes a result per page is so held to a time per page.
	Silence time.Duration
}

// Defaults of Limits.
const (
	DefaultMemory = 512 << 20
	DefaultTime   = 30 * time.Second
	DefaultOutput = 128 << 20
)

func (l Limits) orDefaults() Limits {
	if l.Memory <= 0 {
		l.Memory = DefaultMemory
	}
	if l.Time <= 0 {
		l.Time = DefaultTime
	}
	if l.Output <= 0 {
		l.Output = DefaultOutput
	}
	if l.Silence <= 0 {
		l.Silence = l.Time
	}
	return l
}

// Call names a task and its input.
type Call struct {
	Task  string
	Args  []byte // at most 1 MiB
	Input io.ReaderAt
	Size  int64
	Limits
}

// Ends of a child that are the fault of its input, testable with errors.Is.
var (
	ErrTime   = errors.New("out of time")
	ErrMemory = errors.New("out of memory")
	ErrOutput = errors.New("too much output")
)

// ErrNotServed is returned by Run in a process that never called Main: its child would be
// the whole program once more.
var ErrNotServed = errors.New("confine.Main was not called in this process")

// LimitError says which limit ended the child; it wraps ErrTime, ErrMemory or ErrOutput.
type LimitError struct {
	Task  string
	Limit string // the limit as text: "512 MiB", "30s"
	Err   error
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("confined %s: %v (limit %s)", e.Task, e.Err, e.Limit)
}

// Unwrap returns ErrTime, ErrMemory or ErrOutput.
func (e *LimitError) Unwrap() error { return e.Err }

// CrashError says that the child ended without an answer.
type CrashError struct {
	Task   string
	State  string // "exit status 2", "signal: segmentation fault"
	Stderr string // its first words, at most 4 KiB
}

func (e *CrashError) Error() string {
	return fmt.Sprintf("confined %s: crashed: %s: %s", e.Task, e.State, firstLine(e.Stderr))
}

// TaskError is an error the task itself returned.
type TaskError struct {
	Task string
	Text string
}

func (e *TaskError) Error() string { return fmt.Sprintf("confined %s: %s", e.Task, e.Text) }

func firstLine(s string) string {
	for i := range len(s) {
		if s[i] == '\n' {
			return s[:i]
		}
	}
	return s
}
