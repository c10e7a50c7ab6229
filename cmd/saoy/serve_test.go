package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// server is a real "saoy serve" in a process of its own.
type server struct {
	t                    *testing.T
	binary, dir, address string
	cmd                  *exec.Cmd
	output               *safeBuffer
}

// safeBuffer is written by the process's output and read by the test.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer // guarded by mu
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{t: t, binary: filepath.Join(t.TempDir(), "saoy"), dir: filepath.Join(t.TempDir(), "d"), address: freeAddress(t)}
	if out, err := exec.Command("go", "build", "-o", s.binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill(syscall.SIGTERM)
		}
	})
	return s
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// start returns when the site answers.
func (s *server) start() {
	s.t.Helper()
	s.output = new(safeBuffer)
	s.cmd = exec.Command(s.binary, "serve", "--data", s.dir, "--listen", s.address)
	s.cmd.Stdout, s.cmd.Stderr = s.output, s.output
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	for deadline := time.Now().Add(90 * time.Second); ; {
		res, err := http.Get("http://" + s.address + "/healthz")
		if err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("the site does not answer\n%s", s.output)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *server) kill(with syscall.Signal) {
	_ = s.cmd.Process.Signal(with)
	_ = s.cmd.Wait()
	s.cmd = nil
}

// password is the common password, as the greeting prints it.
func (s *server) password() string {
	s.t.Helper()
	b, err := os.ReadFile(filepath.Join(s.dir, "demo", "password"))
	if err != nil {
		s.t.Fatal(err)
	}
	p := strings.TrimSpace(string(b))
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(s.output.String(), p); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("the greeting does not say how to sign in:\n%s", s.output)
		}
	}
	return p
}

// TestServeHoldsItsDirectory: a second serve is told who holds the directory, a kill leaves no
// orphan, and the next start is served again with nothing lost.
func TestServeHoldsItsDirectory(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.start()
	for _, address := range []string{s.address, freeAddress(t)} {
		out, err := exec.Command(s.binary, "serve", "--data", s.dir, "--listen", address).CombinedOutput()
		if err == nil || !strings.Contains(string(out), s.address) || !strings.Contains(string(out), "--data") {
			t.Errorf("second serve on %s: %v\n%s", address, err, out)
		}
	}
	scan := filepath.Join(t.TempDir(), "scan.jpg")
	if err := writeScan(scan); err != nil {
		t.Fatal(err)
	}
	certify := func(request string) {
		t.Helper()
		out, err := exec.Command(s.binary, "certify", "--data", s.dir, "--request-id", request, "-o", scan+".pdf", scan).CombinedOutput()
		if err != nil {
			t.Fatalf("certify beside a serve: %v\n%s", err, out)
		}
	}
	certify("attached")
	s.kill(syscall.SIGKILL)
	for deadline := time.Now().Add(10 * time.Second); postgresLeft(s.dir) != ""; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("orphans after a kill: %s", postgresLeft(s.dir))
		}
	}
	s.start()
	certify("after-a-kill")
	if out, err := exec.Command(s.binary, "fsck", "--deep", "--data", s.dir).CombinedOutput(); err != nil {
		t.Errorf("fsck: %v\n%s", err, out)
	}
	s.kill(syscall.SIGTERM)
	if left := postgresLeft(s.dir); left != "" {
		t.Errorf("orphans after a stop: %s", left)
	}
}

// TestProductionRefusesDemonstration: what a demonstration made never serves in earnest, and a
// demonstration never serves others.
func TestProductionRefusesDemonstration(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.start()
	s.kill(syscall.SIGTERM)
	out, err := exec.Command(s.binary, "serve", "--data", s.dir, "--listen", s.address, "--production").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "trình diễn") {
		t.Errorf("production on demonstration data: %v\n%s", err, out)
	}
	out, err = exec.Command(s.binary, "serve", "--data", s.dir, "--listen", "0.0.0.0:0").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "127.0.0.1") {
		t.Errorf("a demonstration for everybody: %v\n%s", err, out)
	}
}
