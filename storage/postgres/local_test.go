package postgres_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/postgres"
)

// holdEnv makes the test binary a program that holds a private server until it is killed.
const holdEnv = "SAOY_TEST_HOLD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(holdEnv); dir != "" {
		holdServer(dir)
	}
	os.Exit(m.Run())
}

func holdServer(dir string) {
	local, err := postgres.StartLocal(context.Background(), dir)
	if err != nil {
		fmt.Println("error:", err)
		os.Exit(1)
	}
	fmt.Println(local.PID())
	select {}
}

// program starts a process that holds the server of dir and returns it with its server's pid.
func program(t *testing.T, dir string) (*exec.Cmd, int) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), holdEnv+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil {
		t.Fatal(line)
	}
	return cmd, pid
}

// startLocal starts a server or skips the test.
func startLocal(t *testing.T, dir string) *postgres.Local {
	t.Helper()
	l, err := postgres.StartLocal(t.Context(), dir)
	if errors.Is(err, postgres.ErrNoPostgres) && os.Getenv("SAOY_REQUIRE") != "all" {
		t.Skipf("needs PostgreSQL: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(after, "Z")
}

func TestLocalKeepsWhatWasCommitted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "ledger with a space and 'quotes'")
	begin := time.Now()
	l := startLocal(t, dir)
	t.Logf("cold start %s", time.Since(begin).Round(time.Millisecond))
	conn, err := pgx.Connect(t.Context(), l.DSN())
	if err != nil {
		t.Fatal(err)
	}
	var fsync, listen string
	if err := conn.QueryRow(t.Context(), `SELECT current_setting('fsync'), current_setting('listen_addresses')`).Scan(&fsync, &listen); err != nil {
		t.Fatal(err)
	}
	if fsync != "on" || listen != "" {
		t.Errorf("fsync %s, listens on %q", fsync, listen)
	}
	if _, err := conn.Exec(t.Context(), `CREATE TABLE kept AS SELECT 1`); err != nil {
		t.Fatal(err)
	}
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if running(l.PID()) {
		t.Error("the server runs on after Stop")
	}
	begin = time.Now()
	l = startLocal(t, dir)
	t.Logf("warm start %s", time.Since(begin).Round(time.Millisecond))
	defer l.Stop(t.Context())
	if conn, err = pgx.Connect(t.Context(), l.DSN()); err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `SELECT * FROM kept`); err != nil {
		t.Error(err)
	}
}

func TestLocalIsHeldByOne(t *testing.T) {
	dir := t.TempDir()
	l := startLocal(t, dir)
	defer l.Stop(t.Context())
	_, err := postgres.StartLocal(t.Context(), dir)
	var held *postgres.HeldError
	if !errors.Is(err, postgres.ErrHeld) || !errors.As(err, &held) || held.PID != os.Getpid() {
		t.Fatalf("second start: %v", err)
	}
	if m := certcopy.MessageOf(err); !strings.Contains(m.VI, strconv.Itoa(os.Getpid())) || m.EN == "" {
		t.Errorf("message %v", m)
	}
}

// Killed without warning, a program leaves no server behind, and the next start works at once,
// even while the old server is still going down.
func TestLocalDiesWithItsProgram(t *testing.T) {
	dir := t.TempDir()
	startLocal(t, dir).Stop(t.Context())
	for range 5 {
		cmd, server := program(t, dir)
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		begin := time.Now()
		l := startLocal(t, dir)
		t.Logf("start after a kill %s", time.Since(begin).Round(time.Millisecond))
		if running(server) {
			t.Error("two servers on one directory")
		}
		if err := l.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cmd, server := program(t, dir)
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	for end := time.Now().Add(10 * time.Second); running(server); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			_ = syscall.Kill(server, syscall.SIGKILL)
			t.Fatal("the server outlived its program")
		}
	}
}

// A server that is itself killed, and leaves its lock files, is started again.
func TestLocalRecoversFromItsServersDeath(t *testing.T) {
	dir := t.TempDir()
	l := startLocal(t, dir)
	if err := syscall.Kill(l.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-l.Done()
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	l = startLocal(t, dir)
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// A kill during initdb leaves an unfinished directory aside, not one that looks finished.
func TestLocalIgnoresAnUnfinishedDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "data.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := startLocal(t, dir).Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestLocalInALongDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), strings.Repeat("d", 120))
	l := startLocal(t, dir)
	if len(l.SocketDir()) > 90 {
		t.Errorf("socket in %s", l.SocketDir())
	}
	if info, err := os.Stat(l.SocketDir()); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("socket directory %v, %v", info.Mode(), err)
	}
	if err := l.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(l.SocketDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket's directory was left: %v", err)
	}
}

func TestLocalRefusesAnotherUsersDirectory(t *testing.T) {
	dir := t.TempDir()
	if err := startLocal(t, dir).Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "mode"), []byte("plain 54321\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := postgres.StartLocal(t.Context(), dir)
	if !errors.Is(err, postgres.ErrMode) || certcopy.MessageOf(err).VI == "" {
		t.Fatalf("%v", err)
	}
}

// Where there are no user namespaces, root serves the directory as another user, also one that
// lies where other users may not pass, such as root's home.
func TestLocalAsAnotherUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	defer postgres.ForbidNamespaces()()
	for want, parent := range map[string]os.FileMode{"setuid ": 0o755, "setuid-passing ": 0o700} {
		above, err := os.MkdirTemp("/tmp", "saoy-setuid-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(above)
		if err := os.Chmod(above, parent); err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(above, "d")
		for range 2 { // made, then found
			if err := startLocal(t, dir).Stop(t.Context()); err != nil {
				t.Fatalf("%s: %v", want, err)
			}
		}
		mode, err := os.ReadFile(filepath.Join(dir, "mode"))
		if err != nil || !strings.HasPrefix(string(mode), want) {
			t.Errorf("mode %q, %v, want %s", mode, err, want)
		}
	}
}

func TestLocalWithoutPostgres(t *testing.T) {
	restore := postgres.ForgetBinaries()
	defer restore()
	t.Setenv("PATH", t.TempDir())
	_, err := postgres.StartLocal(t.Context(), t.TempDir())
	if !errors.Is(err, postgres.ErrNoPostgres) || !strings.Contains(certcopy.MessageOf(err).VI, "apt-get install") {
		t.Fatalf("%v", err)
	}
}
