package confine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"golang.org/x/sys/unix"
)

func TestMain(m *testing.M) {
	Main(testTasks)
	os.Exit(m.Run())
}

var kept [][]byte // keeps what a hungry task eats reachable

var testTasks = map[string]Task{
	"echo": {Run: func(_ context.Context, j Job) error {
		fmt.Fprintf(j.Output, "%s|", j.Args)
		_, err := io.Copy(j.Output, io.NewSectionReader(j.Input, 0, j.Size))
		return err
	}},
	"nothing": {Run: func(context.Context, Job) error { return nil }},
	"print":   {Run: func(context.Context, Job) error { _, err := fmt.Println("a library's chatter"); return err }},
	"eat": {Run: func(context.Context, Job) error {
		for {
			b := make([]byte, 8<<20)
			for i := 0; i < len(b); i += 4096 {
				b[i] = 1
			}
			kept = append(kept, b)
		}
	}},
	"reserve": {Run: func(context.Context, Job) error {
		kept = append(kept, make([]byte, 64<<30))
		return nil
	}},
	"forever": {Run: func(context.Context, Job) error {
		for { //nolint:staticcheck // spins on purpose
		}
	}},
	"chatter": {Run: func(_ context.Context, j Job) error {
		fmt.Fprint(j.Output, "page 1")
		select {}
	}},
	"panic":   {Run: func(context.Context, Job) error { panic("index out of range, say") }},
	"recurse": {Run: func(context.Context, Job) error { return recurse(0) }},
	"exit":    {Run: func(context.Context, Job) error { os.Exit(0); return nil }},
	"flood": {Run: func(_ context.Context, j Job) error {
		b := make([]byte, 1<<20)
		for {
			if _, err := j.Output.Write(b); err != nil {
				return err
			}
		}
	}},
	"fail": {Run: func(context.Context, Job) error { return errors.New("page 3: no such page") }},
	"refuse": {Run: func(context.Context, Job) error {
		return fmt.Errorf("reading: %w", certcopy.Errorf(certcopy.Invalid, "a.pdf", errors.New("xref"), certcopy.Msg("hỏng", "damaged")))
	}},
	"dial":   {Run: func(_ context.Context, j Job) error { _, err := net.Dial("tcp", string(j.Args)); return err }},
	"listen": {Run: func(context.Context, Job) error { _, err := net.Listen("tcp", "127.0.0.1:0"); return err }},
	"unix":   {Run: func(_ context.Context, j Job) error { _, err := net.Dial("unix", string(j.Args)); return err }},
	"open":   {Run: func(_ context.Context, j Job) error { _, err := os.ReadFile(string(j.Args)); return err }},
	"create": {Run: func(_ context.Context, j Job) error { return os.WriteFile(string(j.Args), nil, 0o600) }},
	"exec":   {Run: func(context.Context, Job) error { return exec.Command("/bin/true").Run() }},
	"kill":   {Run: func(context.Context, Job) error { return syscall.Kill(os.Getppid(), syscall.SIGTERM) }},
	"change": {Run: func(context.Context, Job) error {
		_, err := os.NewFile(inputFD, "in").WriteAt([]byte("x"), 0)
		return err
	}},
	"inherit": {
		// Prepare may still look at /proc, and runs after strays are closed.
		Prepare: func([]byte) error {
			prepared = fmt.Appendln(nil, os.Environ())
			dir, err := os.ReadDir("/proc/self/fd")
			for _, e := range dir {
				to, _ := os.Readlink("/proc/self/fd/" + e.Name())
				prepared = fmt.Appendln(prepared, "fd", e.Name(), to)
			}
			return err
		},
		Run: func(_ context.Context, j Job) error { _, err := j.Output.Write(prepared); return err },
	},
	"prepared": {
		Prepare: func(args []byte) error { var err error; prepared, err = os.ReadFile(string(args)); return err },
		Run:     func(_ context.Context, j Job) error { _, err := j.Output.Write(prepared); return err },
	},
}

var prepared []byte

func recurse(n int) error {
	var room [1024]byte
	room[n%1024] = 1
	if err := recurse(n + 1); err != nil { //nolint:staticcheck // without end on purpose
		return fmt.Errorf("%v: %w", room[0], err)
	}
	return nil
}

func call(t *testing.T, c Call) (string, error) {
	t.Helper()
	var out bytes.Buffer
	err := New(1).Run(t.Context(), c, &out)
	return out.String(), err
}

func TestInputAndOutput(t *testing.T) {
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // several frames
	f, err := os.CreateTemp(t.TempDir(), "in")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Write(big); err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]io.ReaderAt{"memory": bytes.NewReader(big), "file": f} {
		t.Run(name, func(t *testing.T) {
			got, err := call(t, Call{Task: "echo", Args: []byte("args"), Input: in, Size: int64(len(big))})
			if err != nil || got != "args|"+string(big) {
				t.Fatalf("got %d bytes, error %v", len(got), err)
			}
		})
	}
	if got, err := call(t, Call{Task: "print"}); err != nil || got != "" {
		t.Errorf("printing task: %q, %v", got, err)
	}
	if got, err := call(t, Call{Task: "echo"}); err != nil || got != "|" {
		t.Fatalf("no input: %q, %v", got, err)
	}
}

func TestEndsOfAChild(t *testing.T) {
	tests := []struct {
		task   string
		limits Limits
		want   error
	}{
		{"eat", Limits{Memory: 128 << 20}, ErrMemory},
		{"reserve", Limits{Memory: 128 << 20}, ErrMemory},
		{"forever", Limits{Time: 300 * time.Millisecond}, ErrTime},
		{"chatter", Limits{Silence: 300 * time.Millisecond}, ErrTime},
		{"flood", Limits{Output: 3 << 20}, ErrOutput},
	}
	for _, tt := range tests {
		t.Run(tt.task, func(t *testing.T) {
			_, err := call(t, Call{Task: tt.task, Limits: tt.limits})
			var le *LimitError
			if !errors.Is(err, tt.want) || !errors.As(err, &le) || le.Task != tt.task {
				t.Fatalf("got %v, want %v", err, tt.want)
			}
		})
	}
	for _, task := range []string{"panic", "recurse", "exit"} {
		t.Run(task, func(t *testing.T) {
			_, err := call(t, Call{Task: task})
			var ce *CrashError
			if !errors.As(err, &ce) {
				t.Fatalf("got %v, want a crash", err)
			}
			if task == "panic" && !strings.Contains(err.Error(), "index out of range, say") {
				t.Errorf("the crash does not say why: %v", err)
			}
		})
	}
}

func TestErrorsOfTheTask(t *testing.T) {
	_, err := call(t, Call{Task: "fail"})
	var te *TaskError
	if !errors.As(err, &te) || te.Text != "page 3: no such page" {
		t.Errorf("got %v", err)
	}
	_, err = call(t, Call{Task: "refuse"})
	if certcopy.CodeOf(err) != certcopy.Invalid || certcopy.MessageOf(err).VI != "hỏng" {
		t.Errorf("got %v", err)
	}
	if _, err = call(t, Call{Task: "no such"}); !errors.As(err, &te) {
		t.Errorf("unknown task: %v", err)
	}
}

// A write into the sealed input may also fail for the file size limit of zero.
var refused = regexp.MustCompile("operation not permitted|file too large")

func TestRightsAreGone(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			c.Close()
		}
	}()
	socket := t.TempDir() + "/s"
	ul, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ul.Close()
	file := t.TempDir() + "/f"
	for task, arg := range map[string]string{
		"dial": l.Addr().String(), "listen": "", "unix": socket, "open": "/etc/hostname", "create": file, "exec": "", "kill": "", "change": "",
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/plain=%v", task, plain), func(t *testing.T) {
				r := New(1)
				r.plain.Store(plain)
				err := r.Run(t.Context(), Call{Task: task, Args: []byte(arg), Input: strings.NewReader("abc"), Size: 3}, io.Discard)
				var te *TaskError
				if !errors.As(err, &te) || !refused.MatchString(te.Text) {
					t.Fatalf("got %v, want a refusal", err)
				}
			})
		}
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("the child made a file")
	}
}

func TestPrepareRunsBeforeRightsAreGone(t *testing.T) {
	got, err := call(t, Call{Task: "prepared", Args: []byte("/proc/self/comm")})
	if err != nil || got == "" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestNothingIsInherited(t *testing.T) {
	t.Setenv("SAOY_TEST_SECRET", "hunter2")
	f, err := os.Open("/etc/hostname")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	stray, err := unix.Dup(int(f.Fd())) // without CLOEXEC, as a careless starter leaves one
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(stray)
	got, err := call(t, Call{Task: "inherit"})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "hunter2") || strings.Contains(got, f.Name()) || strings.Contains(got, "socket:") || strings.Contains(got, "HOME") {
		t.Errorf("inherited: %s", got)
	}
}

func TestCallerGivesUp(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := New(1).Run(ctx, Call{Task: "forever"}, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	r := New(1)
	r.slots <- struct{}{} // the only slot is taken
	if err := r.Run(ctx, Call{Task: "nothing"}, io.Discard); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("waiting for a slot: %v", err)
	}
}

func TestBadWriterEndsTheChild(t *testing.T) {
	broken := errors.New("disk full")
	err := New(1).Run(t.Context(), Call{Task: "flood"}, writerFunc(func([]byte) (int, error) { return 0, broken }))
	if !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestNotServedWithoutMain(t *testing.T) {
	served.Store(false)
	defer served.Store(true)
	if _, err := call(t, Call{Task: "nothing"}); !errors.Is(err, ErrNotServed) {
		t.Fatalf("got %v", err)
	}
}

func FuzzReadFrames(f *testing.F) {
	var b bytes.Buffer
	w := frames{&b}
	if _, err := w.Write([]byte("page")); err != nil {
		f.Fatal(err)
	}
	if err := w.end(errors.New("x")); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1})
	f.Fuzz(func(t *testing.T, in []byte) {
		var out bytes.Buffer
		_, err := readFrames(bytes.NewReader(in), &out, 1<<16)
		if out.Len() > 1<<16 {
			t.Fatalf("%d bytes passed the limit, error %v", out.Len(), err)
		}
	})
}

func BenchmarkStart(b *testing.B) {
	for _, plain := range []bool{false, true} {
		b.Run(fmt.Sprintf("plain=%v", plain), func(b *testing.B) {
			r := New(1)
			r.plain.Store(plain)
			for b.Loop() {
				if err := r.Run(b.Context(), Call{Task: "nothing"}, io.Discard); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
