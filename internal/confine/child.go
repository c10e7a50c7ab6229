package confine

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime/debug"
)

// inputFD is the descriptor of the input in the child: the first after the standard three.
const inputFD = 3

// Main returns at once in an ordinary process. In a child started by Run it serves the
// task it is asked for and exits; it never returns there. Call it before anything else
// that has an effect. Two tasks of one name are a defect of the program, and the later set wins.
func Main(sets ...map[string]Task) {
	if os.Getenv(marker) == "" {
		served.Store(true)
		return
	}
	tasks := map[string]Task{}
	for _, set := range sets {
		for name, t := range set {
			tasks[name] = t
		}
	}
	os.Exit(serve(tasks))
}

func serve(tasks map[string]Task) int {
	h, err := readHeader(os.Stdin)
	if err != nil {
		return 3 // the parent is gone, or this is not its child
	}
	go leaveWithParent()
	out := frames{os.Stdout}
	// What a library prints must not pass for output.
	os.Stdout = os.Stderr
	if err := out.end(run(tasks, h, out)); err != nil {
		return 4
	}
	return 0
}

// leaveWithParent ends this process when the parent closes its side, by will or by death.
func leaveWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(5)
}

func run(tasks map[string]Task, h header, out io.Writer) error {
	task, ok := tasks[h.Task]
	if !ok {
		return fmt.Errorf("no task %q", h.Task)
	}
	// A deep recursion over hostile input ends long before it has the machine's memory.
	debug.SetMaxStack(64 << 20)
	if err := closeStrays(); err != nil {
		return fmt.Errorf("close strays: %w", err)
	}
	if task.Prepare != nil {
		if err := task.Prepare(h.Args); err != nil {
			return fmt.Errorf("prepare: %w", err)
		}
	}
	if err := giveUpRights(h); err != nil {
		return fmt.Errorf("give up rights: %w", err)
	}
	in := os.NewFile(inputFD, "input")
	return task.Run(context.Background(), Job{
		Args: h.Args, Input: io.NewSectionReader(in, 0, h.Size), Size: h.Size, Output: out,
	})
}
