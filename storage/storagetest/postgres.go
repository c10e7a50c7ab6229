// Package storagetest is the other half of the contracts in package storage: conformance
// suites that every implementation passes, a switch that makes an implementation fail in
// chosen ways, and real databases for tests.
package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/storage/postgres"
)

// cluster is the server of this test process.
var cluster struct {
	once     sync.Once
	admin    string // connection string of a database from which others are created
	template string
	err      error
	count    atomic.Int64
	life     io.WriteCloser // never written: the kernel closes it when this process ends
}

// Postgres returns the connection string of a migrated database of the test's own, which is
// dropped when the test ends. The server is TEST_DATABASE_URL (its user must be allowed to
// create databases and roles), else one private server for the test process, with durability
// off. Without PostgreSQL the test is skipped, or fails if SAOY_REQUIRE is "all".
func Postgres(t testing.TB) (dsn string) {
	t.Helper()
	needCluster(t)
	return database(t, cluster.template)
}

// EmptyDatabase is like Postgres, but the database is not migrated.
func EmptyDatabase(t testing.TB) (dsn string) {
	t.Helper()
	needCluster(t)
	return database(t, "template0")
}

func needCluster(t testing.TB) {
	t.Helper()
	cluster.once.Do(startCluster)
	if errors.Is(cluster.err, postgres.ErrNoPostgres) && os.Getenv("SAOY_REQUIRE") != "all" {
		t.Skipf("needs PostgreSQL: %v", cluster.err)
	}
	if cluster.err != nil {
		t.Fatalf("no database for tests: %v", cluster.err)
	}
}

func database(t testing.TB, template string) (dsn string) {
	t.Helper()
	name := fmt.Sprintf("saoy_test_%d_%d", os.Getpid(), cluster.count.Add(1))
	if err := admin(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY FILE_COPY", name, template)); err != nil {
		t.Fatalf("create the test's database: %v", err)
	}
	t.Cleanup(func() {
		if err := admin("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)"); err != nil {
			t.Logf("drop the test's database: %v", err)
		}
	})
	return withDatabase(cluster.admin, name)
}

// startCluster starts or finds the server and makes the migrated template.
func startCluster() {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	cluster.admin = os.Getenv("TEST_DATABASE_URL")
	if cluster.admin == "" {
		if cluster.admin, cluster.err = startServer(ctx); cluster.err != nil {
			return
		}
	}
	cluster.template = fmt.Sprintf("saoy_template_%d", os.Getpid())
	if cluster.err = admin("CREATE DATABASE " + cluster.template); cluster.err != nil {
		return
	}
	_, cluster.err = postgres.Migrate(ctx, withDatabase(cluster.admin, cluster.template))
}

// startServer starts a server in a directory that is swept when this process has ended.
func startServer(ctx context.Context) (dsn string, err error) {
	dir, err := os.MkdirTemp("", "saoy-test-")
	if err != nil {
		return "", err
	}
	if err := sweep(dir); err != nil {
		return "", err
	}
	local, err := postgres.StartLocal(ctx, dir, "fsync=off", "full_page_writes=off", "synchronous_commit=off", "autovacuum=off")
	if err != nil {
		return "", err
	}
	return local.DSN(), nil
}

// sweep starts a shell that waits for the end of this process, then for the server's, and
// removes the directory: a test process has no hook that runs however it ends.
func sweep(dir string) error {
	cmd := exec.Command("/bin/sh", "-c",
		`cat; for i in 1 2 3 4 5 6 7 8 9 10; do flock -n "$0/lock" true && break; sleep 0.2; done; rm -rf "$0"`, dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	var err error
	if cluster.life, err = cmd.StdinPipe(); err != nil {
		return err
	}
	return cmd.Start()
}

// admin runs one statement outside any test's database.
func admin(statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, cluster.admin)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	_, err = conn.Exec(ctx, statement)
	return err
}

// withDatabase returns the connection string with another database's name.
func withDatabase(dsn, name string) string {
	if u, err := url.Parse(dsn); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		u.Path = "/" + name
		return u.String()
	}
	return dsn + " dbname=" + name
}
