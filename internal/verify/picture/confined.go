package picture

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/render"
)

// Names of the confined tasks.
const (
	lookTask = "picture"
	readTask = "picture-codes"
)

// Limits of one child. It stops drawing by itself at drawTime and keeps what it has; Time is
// for a page that never ends.
const (
	lookMemory = 640 << 20
	lookTime   = 20 * time.Second
	drawTime   = 10 * time.Second
	maxLook    = 32 << 20
)

// Confined draws in a child process without network, files or keys, killed at its limits.
type Confined struct {
	Runner *confine.Runner
	// Cache is where the compiled machine that draws was left by render.New in this process;
	// a child cannot write there, and without it spends seconds compiling.
	Cache string
}

// Tasks are what confine.Main must serve in a program that uses Confined.
func Tasks() map[string]confine.Task {
	c := &child{}
	return map[string]confine.Task{lookTask: {Prepare: c.prepare, Run: c.look}, readTask: {Prepare: c.prepare, Run: c.codes}}
}

// request is what the child is told beside the file.
type request struct {
	Cache string
	Ask   Ask
}

func (c Confined) run(ctx context.Context, task string, q request, r io.ReaderAt, size int64) (*bytes.Buffer, error) {
	args, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = c.Runner.Run(ctx, confine.Call{Task: task, Args: args, Input: r, Size: size,
		Limits: confine.Limits{Memory: lookMemory, Time: lookTime, Output: maxLook}}, &out)
	return &out, err
}

// Look draws a file. A file that cannot be drawn, or ends the child, gives what could be
// drawn and says that it is incomplete; an error is the machine's, or ctx's.
func (c Confined) Look(ctx context.Context, r io.ReaderAt, size int64, a Ask) (*Look, error) {
	l := &Look{}
	if a.Empty() {
		return l, nil
	}
	out, err := c.run(ctx, lookTask, request{c.Cache, a}, r, size)
	if err != nil && !fault(err) {
		return nil, fmt.Errorf("draw the file: %w", err)
	}
	l.Incomplete = err != nil
	for d := gob.NewDecoder(out); ; {
		var p part
		if d.Decode(&p) != nil { // the end, or where the child was ended
			return l, nil
		}
		l.add(p)
	}
}

// fault reports whether the file, and not the machine, ended the child.
func fault(err error) bool {
	var crash *confine.CrashError
	var limit *confine.LimitError
	var task *confine.TaskError
	return errors.As(err, &limit) || errors.As(err, &crash) || errors.As(err, &task)
}

// child is what lives in the child process.
type child struct{ renderer *render.Renderer }

// prepare loads the machine from the disk while there still is one.
func (c *child) prepare(args []byte) error {
	var q request
	if err := json.Unmarshal(args, &q); err != nil {
		return err
	}
	var err error
	c.renderer, err = render.New(context.Background(), q.Cache, 2)
	return err
}

func (c *child) look(ctx context.Context, j confine.Job) error {
	var q request
	if err := json.Unmarshal(j.Args, &q); err != nil {
		return err
	}
	file, err := readAll(j.Input, j.Size)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, drawTime)
	defer cancel()
	out := gob.NewEncoder(j.Output)
	return drawAll(ctx, c.renderer, file, q.Ask, func(p part) error { return out.Encode(p) })
}
