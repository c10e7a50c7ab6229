package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"time"
)

// served is set by Main, so that Run can refuse to start a child that would not be served.
var served atomic.Bool

// Runner runs tasks confined, so many at once and no more. It is safe for use by several
// goroutines.
type Runner struct {
	slots chan struct{}
	// plain is set once the machine has refused a child in namespaces of its own.
	plain atomic.Bool
}

// New makes a Runner of at least one slot. Memory in use is at most slots times the limit
// of a call.
func New(slots int) *Runner { return &Runner{slots: make(chan struct{}, max(slots, 1))} }

// Run starts a child, has it run the task on the input, and copies what the task writes to
// out. What reached out counts only if Run returns nil. The input is not read by the
// parent, except to copy it for the child when it is not a file.
//
// Errors: *LimitError (test with errors.Is for ErrTime, ErrMemory, ErrOutput), *CrashError,
// *TaskError, a *certcopy.Error of the task's own, ctx's error, ErrNotServed.
func (r *Runner) Run(ctx context.Context, c Call, out io.Writer) error {
	if !served.Load() {
		return ErrNotServed
	}
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	in, err := inputFile(c.Input, c.Size)
	if err != nil {
		return fmt.Errorf("confined %s: input: %w", c.Task, err)
	}
	defer in.Close()
	k, err := r.start(c, in)
	if err != nil {
		return fmt.Errorf("confined %s: start: %w", c.Task, err)
	}
	return k.wait(ctx, out)
}

// child is a started process.
type child struct {
	call   Call
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	stdout io.ReadCloser
	stderr *words
	ended  atomic.Pointer[error] // why the parent killed it
}

func (r *Runner) start(c Call, in *os.File) (*child, error) {
	c.Limits = c.Limits.orDefaults()
	isolated := !r.plain.Load()
	k, err := startChild(c, in, isolated)
	if err != nil && isolated && refusedNamespaces(err) {
		r.plain.Store(true)
		k, err = startChild(c, in, false)
	}
	return k, err
}

func startChild(c Call, in *os.File, isolated bool) (*child, error) {
	path, err := executable()
	if err != nil {
		return nil, err
	}
	k := &child{call: c, stderr: &words{}}
	k.cmd = exec.Command(path) // our own executable
	k.cmd.Args = []string{"saoy-confined", c.Task}
	k.cmd.Env = []string{marker + "=1", fmt.Sprintf("GOMEMLIMIT=%d", c.Memory/4*3), "GOTRACEBACK=single", "LANG=C"}
	k.cmd.Dir = "/"
	k.cmd.ExtraFiles = []*os.File{in}
	k.cmd.Stderr = k.stderr
	k.cmd.SysProcAttr = isolation(isolated)
	if k.stdin, err = k.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if k.stdout, err = k.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := k.cmd.Start(); err != nil {
		return nil, err
	}
	return k, nil
}

// wait serves the child to its end. It returns only after the process is gone.
func (k *child) wait(ctx context.Context, out io.Writer) error {
	watched, stop := context.WithCancel(context.Background())
	gone := make(chan struct{})
	go func() { defer close(gone); k.watch(ctx, watched) }()
	t, err := k.exchange(out)
	if err != nil && !errors.Is(err, errNoTrailer) {
		k.kill(err)
	}
	state := k.cmd.Wait()
	stop()
	<-gone
	return k.verdict(t, err, state)
}

func (k *child) exchange(out io.Writer) (trailer, error) {
	h := header{Task: k.call.Task, Args: k.call.Args, Size: k.call.Size, Memory: k.call.Memory,
		Time: int64(k.call.Time/time.Second)*8 + 8}
	if err := writeHeader(k.stdin, h); err != nil {
		// A child that is gone already says why on its way out; anything else is ours.
		if !brokenPipe(err) {
			return trailer{}, err
		}
	}
	silence := time.AfterFunc(k.call.Silence, func() { k.kill(ErrTime) })
	defer silence.Stop()
	t, err := readFrames(k.stdout, heard{out, silence, k.call.Silence}, k.call.Output)
	_ = k.stdin.Close()
	return t, err
}

// heard starts the wait for the next sign of life anew at each write.
type heard struct {
	io.Writer
	silence *time.Timer
	wait    time.Duration
}

func (h heard) Write(p []byte) (int, error) {
	h.silence.Reset(h.wait)
	return h.Writer.Write(p)
}

// verdict makes one error of how the child ended.
func (k *child) verdict(t trailer, read, state error) error {
	if p := k.ended.Load(); p != nil {
		return k.limit(*p)
	}
	if read == nil {
		return t.err(k.call.Task)
	}
	said := k.stderr.String()
	if strings.Contains(said, "out of memory") || strings.Contains(said, "cannot allocate memory") || strings.Contains(said, "failed to allocate") {
		return k.limit(ErrMemory)
	}
	how := "closed its output"
	if state != nil {
		how = state.Error()
	}
	return &CrashError{Task: k.call.Task, State: how, Stderr: said}
}

func (k *child) limit(err error) error {
	e := &LimitError{Task: k.call.Task, Err: err}
	switch {
	case errors.Is(err, ErrTime):
		e.Limit = k.call.Time.String() + ", silent for " + k.call.Silence.String()
	case errors.Is(err, ErrMemory):
		e.Limit = fmt.Sprintf("%d MiB", k.call.Memory>>20)
	case errors.Is(err, ErrOutput):
		e.Limit = fmt.Sprintf("%d MiB", k.call.Output>>20)
	default:
		return err
	}
	return e
}

// kill ends the child for a reason; the first reason stands.
func (k *child) kill(why error) {
	k.ended.CompareAndSwap(nil, &why)
	killGroup(k.cmd.Process)
}

// watch kills the child when ctx ends, its time is over or its memory too large, until
// the child is done.
func (k *child) watch(ctx, done context.Context) {
	deadline := time.NewTimer(k.call.Time)
	defer deadline.Stop()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for {
		select {
		case <-done.Done():
			return
		case <-ctx.Done():
			k.kill(ctx.Err())
			return
		case <-deadline.C:
			k.kill(ErrTime)
			return
		case <-look.C:
			if resident(k.cmd.Process.Pid) > k.call.Memory {
				k.kill(ErrMemory)
				return
			}
		}
	}
}

// words keeps the first bytes written to it, where a Go program says why it ends.
type words struct{ b bytes.Buffer }

func (t *words) Write(p []byte) (int, error) {
	if room := 4096 - t.b.Len(); room > 0 {
		t.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *words) String() string { return t.b.String() }
