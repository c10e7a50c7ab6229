// Package s3test runs a real S3 server for tests: the module beside it, built once and kept.
package s3test

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/saoy/saoy/storage/s3"
)

// Program is the server's name below $SAOY_TOOLS/bin, where `make tools` puts it.
const Program = "versitygw-test"

// Keys are the server's only keys.
var Keys = s3.Keys{ID: "saoy-test", Secret: "a secret of the tests"}

// Server is a running server.
type Server struct {
	Address string // host:port
	Dir     string // what it stores: objects/BUCKET/NAME
	caFile  string // "" without TLS
	client  *minio.Client
	count   atomic.Int64
	life    io.Closer // its standard input: it ends when this process does
	cmd     *exec.Cmd
}

var shared struct {
	once   sync.Once
	server *Server
	err    error
}

// Shared returns the server that the tests of this process share, started at the first call; it
// ends with the process, and what it stored with it.
// The test is skipped by name if the server cannot be had, or fails with SAOY_REQUIRE=all.
func Shared(t testing.TB) *Server {
	t.Helper()
	shared.once.Do(func() {
		var dir string
		if dir, shared.err = os.MkdirTemp("", "saoy-s3-"); shared.err == nil {
			shared.server, shared.err = start(dir, "", "-remove")
		}
	})
	var absent *absentError
	if errors.As(shared.err, &absent) && os.Getenv("SAOY_REQUIRE") != "all" {
		t.Skipf("needs %s: %v", Program, shared.err)
	}
	if shared.err != nil {
		t.Fatalf("no S3 server for tests: %v", shared.err)
	}
	return shared.server
}

// Start starts a server of the test's own, on the address of an earlier one if it is given.
func Start(t testing.TB, dir, address string) *Server {
	t.Helper()
	Shared(t) // builds, or skips
	return own(t, dir, "", "-listen", address)
}

// StartTLS is Start with a certificate, whose file it returns.
func StartTLS(t testing.TB, dir string) (s *Server, caFile string) {
	t.Helper()
	Shared(t)
	cert, key := certificate(t)
	return own(t, dir, cert, "-cert", cert, "-key", key), cert
}

func own(t testing.TB, dir, caFile string, args ...string) *Server {
	t.Helper()
	s, err := start(dir, caFile, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s
}

func start(dir, caFile string, args ...string) (*Server, error) {
	program, err := program()
	if err != nil {
		return nil, err
	}
	s := &Server{Dir: dir}
	s.cmd = exec.Command(program, append([]string{"-dir", dir}, args...)...)
	s.cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID="+Keys.ID, "AWS_SECRET_ACCESS_KEY="+string(Keys.Secret))
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var log strings.Builder
	s.cmd.Stderr = &log
	if s.life, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		s.Stop()
		return nil, fmt.Errorf("%s ended: %s", Program, log.String())
	}
	s.Address, s.caFile = strings.TrimSpace(line), caFile
	return s, s.connect()
}

func (s *Server) connect() (err error) {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	if s.caFile != "" {
		transport.TLSClientConfig = &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the administrator of a test
	}
	s.client, err = minio.New(s.Address, &minio.Options{
		Creds: credentials.NewStaticV4(Keys.ID, string(Keys.Secret), ""), Region: "us-east-1", Secure: s.caFile != "", Transport: transport,
	})
	return err
}

// Stop ends the server as a crash would.
func (s *Server) Stop() {
	_ = s.life.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// Client speaks to the server as its administrator.
func (s *Server) Client() *minio.Client { return s.client }

// Bucket makes an empty bucket, with versioning and object lock or with neither.
func (s *Server) Bucket(t testing.TB, lock bool) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", s.count.Add(1))
	if err := s.client.MakeBucket(t.Context(), name, minio.MakeBucketOptions{ObjectLocking: lock}); err != nil {
		t.Fatal(err)
	}
	return name
}

// Config is a store in the bucket.
func (s *Server) Config(bucket string) s3.Config {
	endpoint := "http://" + s.Address
	if s.caFile != "" {
		endpoint = "https://" + s.Address
	}
	return s3.Config{Endpoint: endpoint, CAFile: s.caFile, Bucket: bucket, Credentials: Keys, Now: time.Now, Timeout: 10 * time.Second}
}

type absentError struct{ err error }

func (e *absentError) Error() string { return e.err.Error() }

// program returns the server's path: from $SAOY_TOOLS, or built from its module into the user's
// cache under a name that changes with its source.
func program() (string, error) {
	if path := filepath.Join(os.Getenv("SAOY_TOOLS"), "bin", Program); os.Getenv("SAOY_TOOLS") != "" {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	_, self, _, _ := runtime.Caller(0)
	module := filepath.Join(filepath.Dir(self), "..", "testserver")
	version := sha256.New()
	for _, name := range []string{"main.go", "go.mod", "go.sum"} {
		b, err := os.ReadFile(filepath.Join(module, name))
		if err != nil {
			return "", &absentError{err}
		}
		version.Write(b)
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", &absentError{err}
	}
	path := filepath.Join(cache, "saoy", fmt.Sprintf("%s-%x", Program, version.Sum(nil)[:6]))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return path, build(module, path)
}

// build compiles the server aside and renames it: several test processes may be at it.
func build(module, path string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	aside := fmt.Sprintf("%s.%d", path, os.Getpid())
	defer os.Remove(aside) // renamed if it went well
	cmd := exec.CommandContext(ctx, "go", "build", "-o", aside, ".")
	cmd.Dir = module
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-buildvcs=false")
	if out, err := cmd.CombinedOutput(); err != nil {
		return &absentError{fmt.Errorf("go build in %s: %w: %.600s", module, err, out)}
	}
	return os.Rename(aside, path)
}
