package postgres_test

import (
	"bytes"
	"errors"
	"net"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// cut is where a line to the server is cut.
type cut int32

const (
	nowhere      cut = iota
	beforeCommit     // the server never sees the COMMIT
	afterCommit      // the server commits, its answer is lost
	atOnce           // at the first statement
)

// line is a proxy that cuts connections.
type line struct {
	where  atomic.Int32
	server string
	wg     sync.WaitGroup
}

// newLine returns a line to the office's server and the connection string through it.
func newLine(t *testing.T, o storagetest.Office) (*line, string) {
	t.Helper()
	config, err := pgx.ParseConfig(o.DSN)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(config.Host) {
		t.Skip("needs a server on a unix socket")
	}
	l := &line{server: filepath.Join(config.Host, ".s.PGSQL.5432")}
	dir := t.TempDir()
	listener, err := net.Listen("unix", filepath.Join(dir, ".s.PGSQL.5432"))
	if err != nil {
		t.Fatal(err)
	}
	l.wg.Go(func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			l.wg.Go(func() { l.serve(c) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); l.wg.Wait() })
	return l, "host=" + dir + " user=" + config.User + " dbname=" + config.Database + " sslmode=disable"
}

func (l *line) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("unix", l.server)
	if err != nil {
		return
	}
	defer server.Close()
	var silent atomic.Bool
	l.wg.Go(func() {
		defer client.Close()
		b := make([]byte, 1<<16)
		for {
			n, err := server.Read(b)
			if err != nil || silent.Load() {
				return // the answer is lost
			}
			if _, err := client.Write(b[:n]); err != nil {
				return
			}
		}
	})
	b := make([]byte, 1<<16)
	for {
		n, err := client.Read(b)
		if err != nil {
			return
		}
		isCommit := bytes.Contains(b[:n], []byte("commit\x00"))
		switch where := cut(l.where.Load()); {
		case where == atOnce, where == beforeCommit && isCommit:
			return
		case where == afterCommit && isCommit:
			silent.Store(true)
		}
		if _, err := server.Write(b[:n]); err != nil {
			return
		}
	}
}

// Whatever becomes of the line, the caller is told the truth: not done, or not known.
func TestLostConnections(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	l, dsn := newLine(t, o)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: dsn})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	ids := many(t, o, 4)
	for i, c := range []struct {
		where cut
		err   error
		done  bool
	}{
		{nowhere, nil, true},
		{beforeCommit, storage.ErrOutcomeUnknown, false},
		{afterCommit, storage.ErrOutcomeUnknown, true},
		{atOnce, storage.ErrUnavailable, false},
	} {
		l.where.Store(int32(c.where))
		_, err := s.TakeNumber(t.Context(), ids[i])
		l.where.Store(int32(nowhere))
		if !errors.Is(err, c.err) {
			t.Errorf("cut %d: %v, want %v", c.where, err, c.err)
		}
		read, err := o.Ledger.Copy(t.Context(), ids[i])
		if done := read.State == certcopy.Numbered; err != nil || done != c.done {
			t.Errorf("cut %d: done %t, %v; want %t", c.where, done, err, c.done)
		}
		// The store works on as soon as the line does, and numbers have no gap.
		if read.State != certcopy.Numbered {
			if _, err := s.TakeNumber(t.Context(), ids[i]); err != nil {
				t.Errorf("after cut %d: %v", c.where, err)
			}
		}
	}
	if n := count(t, o, `SELECT max(seq) FROM book_row`); n != 4 {
		t.Errorf("last number %d", n)
	}
}

// A server that is shut down under the store is "try again", and then it works again.
func TestServerEndsSessions(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	ids := many(t, o, 1)
	execute(t, o, `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`)
	for range 20 { // each pooled connection may be one of the dead
		_, err := s.TakeNumber(t.Context(), ids[0])
		if err == nil {
			return
		}
		if !errors.Is(err, storage.ErrUnavailable) {
			t.Fatal(err)
		}
	}
	t.Error("never worked again")
}

// Two copies confirmed in opposite orders, and many at once, never end in an error.
func TestNoDeadlockReachesTheCaller(t *testing.T) {
	s, o := storagetest.NewOffice(t, false)
	var ids []certcopy.CopyID
	for range 6 {
		id, err := o.Walk(t.Context(), certcopy.Submitted)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	var won atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			err := s.Certify(t.Context(), o.Confirmation(o.Certifier, ids...))
			switch {
			case err == nil:
				won.Add(1)
			case !errors.Is(err, storage.ErrConflict):
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if won.Load() != 1 {
		t.Errorf("%d confirmed the same copies", won.Load())
	}
}
