package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/s3/s3test"
)

// TestServersFail: what each server's failure does is stated beside it; after each, all copies
// are released, fsck is clean about every byte, and numbers have no gap.
func TestServersFail(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers; not with -short")
	}
	// One province for all, because it takes long to found; each fault meets work in progress.
	p := newProvince(t, 2)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	copies := 0
	under := func(name string, fault func(t *testing.T)) {
		t.Run(name, func(t *testing.T) {
			first := copies
			copies += 3
			left := make(chan error, 3)
			for i := range 3 {
				go func() {
					_, err := p.certify(ctx, i, fmt.Sprint("fault-", first+i))
					left <- err
				}()
			}
			fault(t)
			for range 3 {
				if err := <-left; err != nil {
					t.Error(err)
				}
			}
		})
	}
	// PostgreSQL is killed: transactions in progress are undone, calls fail as unavailable or
	// as unknown and are read back, workers reconnect by themselves.
	under("PostgreSQL is killed", func(*testing.T) {
		time.Sleep(500 * time.Millisecond)
		p.killPostgres(2 * time.Second)
	})
	// S3 is away: what needs it waits with words and is tried again, for ever; nothing is
	// numbered anew. Ten minutes differ from ten seconds only in how often it is tried.
	under("S3 is away", func(t *testing.T) {
		p.s3.Stop()
		time.Sleep(10 * time.Second)
		p.s3 = s3test.Start(p, filepath.Join(p.dir, "s3"), p.s3.Address)
	})
	// The database's clock jumps back: no number is given before the last one's day; the copy
	// says so and goes on when the clock is right.
	under("the clock jumps back", func(t *testing.T) {
		p.clock(t, "clock_timestamp() - interval '3 days'")
		defer p.clock(t, "clock_timestamp()")
		p.waits(t, "Đồng hồ")
	})
	p.check(copies)
}

// clock replaces the clock of the book.
func (p *province) clock(t *testing.T, expression string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), p.local.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if _, err := conn.Exec(context.Background(), `CREATE OR REPLACE FUNCTION book_clock() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL UNSAFE RETURN `+expression); err != nil {
		t.Fatal(err)
	}
}

// waits returns when a copy says in these words why it waits.
func (p *province) waits(t *testing.T, words string) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		ids, err := p.office.store.Pending(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			if c, err := p.office.store.Copy(context.Background(), id); err == nil && strings.Contains(c.Trouble.VI, words) {
				return
			}
		}
	}
	t.Errorf("no copy says %q", words)
}

// TestPrimaryFailsOver: the primary dies for good and its synchronous standby is promoted. The
// connection string names both, and the processes find the one that takes writes. Because the
// standby confirms every commit, no number that anybody has seen is lost.
func TestPrimaryFailsOver(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers; not with -short")
	}
	p := newProvince(t, 0)
	standby := p.standby()
	p.write("url", fmt.Sprintf("host='%s,%s' port=5432,5432 user=saoy dbname=saoy sslmode=disable target_session_attrs=read-write", p.local.SocketDir(), standby.SocketDir()))
	if err := p.office.close(); err != nil {
		t.Fatal(err)
	}
	var err error
	if p.office, err = open(t.Context(), p.config(), alone); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		p.workers = append(p.workers, p.startWorker())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	before, err := p.certify(ctx, 0, "before")
	if err != nil {
		t.Fatal(err)
	}
	const copies = 6
	done, _ := p.load(ctx, 3, func(i int) bool { return i < copies })
	time.Sleep(time.Second)
	if err := syscall.Kill(p.local.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-p.local.Done()
	conn, err := pgx.Connect(ctx, standby.DSN())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(ctx, `SELECT pg_promote()`); err != nil {
		t.Fatal(err)
	}
	_ = conn.Close(ctx)
	<-done
	if after, err := p.office.store.Copy(ctx, before.ID); err != nil || after.Number != before.Number {
		t.Errorf("number %s is %s after the failover: %v", before.Number, after.Number, err)
	}
	p.check(copies + 1)
}

// standby makes a streaming standby of the primary, which from then on waits for it at each
// commit.
func (p *province) standby() *postgres.Local {
	p.Helper()
	dir := filepath.Join(p.dir, "sb")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		p.Fatal(err)
	}
	out, err := exec.Command("pg_config", "--bindir").Output()
	binary := filepath.Join(strings.TrimSpace(string(out)), "pg_basebackup")
	if _, statErr := os.Stat(binary); err != nil || statErr != nil {
		found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_basebackup")
		if len(found) == 0 {
			p.Skip("needs pg_basebackup")
		}
		binary = found[len(found)-1]
	}
	if out, err := exec.Command(binary, "-h", p.local.SocketDir(), "-U", "saoy", "-D", filepath.Join(dir, "data"), "-R", "-X", "stream", "-c", "fast").CombinedOutput(); err != nil {
		p.Fatalf("pg_basebackup: %v\n%s", err, out)
	}
	mode, err := os.ReadFile(filepath.Join(p.dir, "pg", "mode")) // how a server may be run on this machine
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "mode"), mode, 0o600)
	}
	if err != nil {
		p.Fatal(err)
	}
	if !strings.HasPrefix(string(mode), "plain") && !strings.HasPrefix(string(mode), "userns") {
		p.Skipf("the standby's files would be another user's: mode %s", mode)
	}
	standby, err := postgres.StartLocal(context.Background(), dir)
	if err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = standby.Stop(context.Background()) })
	conn, err := pgx.Connect(context.Background(), p.local.DSN())
	if err != nil {
		p.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range []string{`ALTER SYSTEM SET synchronous_standby_names = '*'`, `SELECT pg_reload_conf()`} {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			p.Fatal(err)
		}
	}
	return standby
}

// TestDiskIsFull: on a full disk a copy is refused or waits, and says so; nothing half written
// counts. When there is room again, the same request gives the same copy.
func TestDiskIsFull(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a disk; not with -short")
	}
	p := newBackupPlace(t)
	disk := filepath.Join(p.dir, "disk")
	if err := os.Mkdir(disk, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256m,mode=0700"); err != nil {
		t.Skipf("needs the right to mount a small disk: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(disk, syscall.MNT_DETACH) })
	data := filepath.Join(disk, "d")
	p.certify(data, "first")
	for _, room := range []int{0, 200 << 10, 1 << 20, 3 << 20} {
		p.fill(disk, room)
		request := fmt.Sprint("full-", room)
		out, err := p.try("certify", "--data", data, "--request-id", request, "--timeout", "15s", "-o", filepath.Join(p.dir, request+".pdf"), "scan.jpg")
		if err == nil && room == 0 {
			t.Errorf("a copy was certified on a full disk: %s", out)
		}
		t.Logf("%d bytes of room: %v", room, err)
		if err := os.Remove(filepath.Join(disk, "filler")); err != nil {
			t.Fatal(err)
		}
		p.certify(data, request)
	}
	if out := p.run("fsck", "--deep", "--data", data); !strings.Contains(out, "5 bản sao / copies, 5 số / numbers, 5 lá / leaves") {
		t.Errorf("fsck: %s", out)
	}
}

// fill leaves so much room on the disk.
func (p backupPlace) fill(disk string, room int) {
	p.Helper()
	f, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		p.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	size := int64(0)
	for {
		n, err := f.Write(block)
		size += int64(n)
		if err != nil {
			break
		}
	}
	if err := f.Truncate(max(0, size-int64(room))); err != nil {
		p.Fatal(err)
	}
}
