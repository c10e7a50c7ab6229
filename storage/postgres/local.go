package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// maxSocketDir is the longest directory in which a socket still fits into sun_path.
const maxSocketDir = 107 - len("/.s.PGSQL.5432")

// localUser and localDatabase are those of a private server.
const (
	localUser     = "saoy"
	localDatabase = "saoy"
)

// Local is a private PostgreSQL server: a child process on a unix socket in a directory only
// its owner may enter, with no network address. It dies with the program that started it,
// even by SIGKILL, and whoever starts it next waits for the last process to be gone.
type Local struct {
	dir    string
	socket string
	mode   mode
	lock   *os.File
	pid    int
	done   chan struct{} // closed when the server has exited
	failed error         // why it exited; read after done
	clean  sync.Once     // frees the directory
}

// StartLocal starts the server of directory dir, making the directory and the database in it
// when they are absent, and returns when it answers. Settings are further server settings,
// "fsync=off" for tests.
//
// ErrNoPostgres if this machine has no PostgreSQL, ErrHeld if another process has the
// directory, ErrMode if it was made by a user this process cannot act as; each carries words
// for people. The caller stops what it started.
func StartLocal(ctx context.Context, dir string, settings ...string) (*Local, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("private server: %w", err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("private server: %w", err)
	}
	lock, err := hold(ctx, dir)
	if err != nil {
		return nil, fmt.Errorf("private server: %w", err)
	}
	l := &Local{dir: dir, lock: lock, done: make(chan struct{})}
	if err := l.start(ctx, settings); err != nil {
		l.cleanUp()
		return nil, fmt.Errorf("private server in %s: %w", dir, err)
	}
	return l, nil
}

// DSN is the connection string of the server's database, for as long as it runs.
func (l *Local) DSN() string { return l.dsn(localDatabase) }

// SocketDir is the directory of the server's socket.
func (l *Local) SocketDir() string { return l.socket }

// PID is the server's process.
func (l *Local) PID() int { return l.pid }

// Done is closed when the server has exited, asked or not.
func (l *Local) Done() <-chan struct{} { return l.done }

// Stop asks the server to end its sessions and exit, and waits. Nothing committed is lost,
// whatever happens meanwhile. Stop is harmless when repeated.
func (l *Local) Stop(ctx context.Context) error {
	defer l.cleanUp()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGQUIT, syscall.SIGKILL} {
		select {
		case <-l.done: // its number may by now be another's
			return nil
		default:
			_ = syscall.Kill(l.pid, sig)
		}
		select {
		case <-l.done:
		case <-ctx.Done(): // too slow for the caller: the harsher signal
		case <-time.After(20 * time.Second):
		}
	}
	<-l.done
	return nil
}

func (l *Local) dsn(database string) string {
	return fmt.Sprintf("host='%s' user=%s dbname=%s sslmode=disable", strings.ReplaceAll(l.socket, "'", `\'`), localUser, database)
}

func (l *Local) data() string { return filepath.Join(l.dir, "data") }

// start goes from a held directory to a server that answers.
func (l *Local) start(ctx context.Context, settings []string) error {
	bin, err := findBinaries(ctx, l.data())
	if err != nil {
		return err
	}
	if l.mode, err = chooseMode(ctx, l.dir, bin); err != nil {
		return err
	}
	if err := l.makeSocketDir(); err != nil {
		return err
	}
	if err := l.initialise(ctx, bin, settings); err != nil {
		return err
	}
	if err := l.launch(bin, settings); err != nil {
		return err
	}
	if err := l.ready(ctx); err != nil {
		stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = l.Stop(stopping)
		return err
	}
	return nil
}

// makeSocketDir uses the directory itself when its path is short enough, so that a killed
// program leaves nothing behind elsewhere.
func (l *Local) makeSocketDir() error {
	l.socket = filepath.Join(l.dir, "s")
	if len(l.socket) > maxSocketDir {
		short, err := os.MkdirTemp("/tmp", "saoy-")
		if err != nil {
			return err
		}
		l.socket = short
	} else if err := os.RemoveAll(l.socket); err != nil { // stale: the lock proves that no server runs
		return err
	} else if err := os.Mkdir(l.socket, 0o700); err != nil {
		return err
	}
	return l.mode.own(l.socket)
}

// initialise makes the data directory. It is made aside and renamed, so that a kill in the
// middle leaves no half of one.
func (l *Local) initialise(ctx context.Context, bin string, settings []string) error {
	if _, err := os.Stat(filepath.Join(l.data(), "PG_VERSION")); err == nil {
		return nil
	}
	fresh := l.data() + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	if err := os.Mkdir(fresh, 0o700); err != nil {
		return err
	}
	if err := l.mode.own(fresh); err != nil {
		return err
	}
	args := []string{"-D", fresh, "-U", localUser, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-instructions"}
	for _, s := range settings {
		if s == "fsync=off" {
			args = append(args, "--no-sync")
		}
	}
	cmd := exec.CommandContext(ctx, filepath.Join(bin, "initdb"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", serverEnvironment(), l.mode.attributes()
	// Its processes hold the lock too: after a kill of this program they take a moment to clean
	// up, and the next start must not begin in the directory they are removing.
	cmd.ExtraFiles = []*os.File{l.lock}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w: %s", err, lastLines(string(out)))
	}
	if err := l.mode.record(l.dir); err != nil {
		return err
	}
	if err := os.Rename(fresh, l.data()); err != nil {
		return err
	}
	return syncDir(l.dir)
}

// syncDir makes the entries of a directory durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// launch starts the server. The thread that forks it must live as long as the process: the
// kernel sends the parent-death signal when that thread ends, not the program.
func (l *Local) launch(bin string, settings []string) error {
	log, err := os.OpenFile(l.logFile(), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	// A stale one names a process that is gone, or by now another's.
	_ = os.Remove(filepath.Join(l.data(), "postmaster.pid"))
	args := []string{"-D", l.data(), "-k", l.socket}
	for _, s := range append([]string{"listen_addresses=", "unix_socket_permissions=0700", "port=5432", "jit=off",
		"timezone=UTC", "log_timezone=UTC", "log_min_messages=warning", "max_connections=120"}, settings...) {
		args = append(args, "-c", s)
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", serverEnvironment(), l.mode.attributes()
	cmd.Stdout, cmd.Stderr = log, log
	// The server inherits the lock: the directory is free only when its last process is gone.
	cmd.ExtraFiles = []*os.File{l.lock}
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			l.failed = cmd.Wait()
			close(l.done)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start postgres: %w", err)
	}
	l.pid = cmd.Process.Pid
	return nil
}

// ready waits until the server answers and its database exists. After a crash the server
// first replays its log, which may take minutes; ctx bounds it.
func (l *Local) ready(ctx context.Context) error {
	for {
		err := l.ensureDatabase(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-l.done:
			return fmt.Errorf("%w: postgres exited (%v): %s", storage.ErrUnavailable, l.failed, l.logTail())
		case <-ctx.Done():
			return fmt.Errorf("%w: %w: %v", storage.ErrUnavailable, ctx.Err(), err)
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (l *Local) ensureDatabase(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, l.dsn(localDatabase))
	if err == nil {
		return conn.Close(ctx)
	}
	if sqlState(err) != undefinedDatabase {
		return err
	}
	if conn, err = pgx.Connect(ctx, l.dsn("postgres")); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+localDatabase)
	return errors.Join(err, conn.Close(ctx))
}

// cleanUp frees the directory. The lock stays with the last process of a server that was
// killed; without a name in it, the next start waits for that one's end.
func (l *Local) cleanUp() {
	l.clean.Do(func() {
		_ = l.lock.Truncate(0)
		if l.socket != "" {
			_ = os.RemoveAll(l.socket)
		}
		_ = l.lock.Close()
	})
}

func (l *Local) logFile() string { return filepath.Join(l.dir, "postgres.log") }

func (l *Local) logTail() string {
	b, err := os.ReadFile(l.logFile())
	if err != nil {
		return err.Error()
	}
	return lastLines(string(b))
}

func lastLines(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(lines[max(0, len(lines)-5):], "; ")
}

func serverEnvironment() []string {
	return []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
}

// ErrNoPostgres: this machine has no PostgreSQL 15 or newer.
var ErrNoPostgres = errors.New("no PostgreSQL on this machine")

// InstallCommand installs PostgreSQL on Debian without starting a server of the system's.
const InstallCommand = "apt-get install --no-install-recommends postgresql-common && " +
	"sed -i 's/^#*create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf && " +
	"apt-get install --no-install-recommends postgresql"

func noPostgres(looked []string) error {
	return certcopy.Errorf(certcopy.Unavailable, "PostgreSQL", fmt.Errorf("%w; looked in %s", ErrNoPostgres, strings.Join(looked, ", ")),
		certcopy.Msg("Máy này chưa có PostgreSQL 15 trở lên. Hãy cài đặt bằng lệnh: "+InstallCommand+" rồi chạy lại.",
			"This machine has no PostgreSQL 15 or newer. Install it with: "+InstallCommand+" and start again."))
}
