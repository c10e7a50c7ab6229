package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// interruptedCommand: interrupted SIGNAL STATUS COMMAND… runs a command, sends it the signal
// as soon as it has begun its output, and wants the exit status. Its standard error is shown.
func interruptedCommand(ts *testscript.TestScript, _ bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	name, err := exec.LookPath(args[2])
	ts.Check(err)
	cmd := exec.Command(name, args[3:]...)
	cmd.Dir, cmd.Env = ts.MkAbs("."), []string{"PASS=" + ts.Getenv("PASS"), "HOME=" + ts.Getenv("HOME"), "PATH=" + ts.Getenv("PATH")}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	ts.Check(cmd.Start())
	ts.Check(awaitOutput(cmd.Dir))
	ts.Check(cmd.Process.Signal(signals[args[0]]))
	err = cmd.Wait()
	ts.Logf("%s", stderr.Bytes())
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.String() != "exit status "+args[1] {
		ts.Fatalf("%v, want exit status %s", err, args[1])
	}
	if !bytes.Contains(stderr.Bytes(), []byte("Stopped on request")) {
		ts.Fatalf("it does not say that it was stopped")
	}
}

// awaitOutput returns when a command has begun a file aside.
func awaitOutput(dir string) error {
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if found, err := filepath.Glob(filepath.Join(dir, ".saoy-*")); err != nil || len(found) > 0 {
			return err
		}
	}
	return errors.New("no output was begun")
}
