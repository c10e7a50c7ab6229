package main

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/saoy/saoy/storage/s3/s3test"
)

// TestSoakProvince: four workers and three agencies; every few seconds a worker, PostgreSQL or
// S3 is killed, without warning, and comes back. In the end every request has exactly one
// copy, numbers have no gap, and every file is valid. It prints how long it took until a copy
// was released again after a fault.
//
// Without SAOY_SOAK it lasts half a minute, with SAOY_SOAK=1 five, with a duration as long.
func TestSoakProvince(t *testing.T) {
	if testing.Short() {
		t.Skip("kills servers again and again; not with -short")
	}
	lasts := soakTime(t)
	p := newProvince(t, 4)
	ctx, cancel := context.WithTimeout(t.Context(), lasts+10*time.Minute)
	defer cancel()
	end := time.Now().Add(lasts)
	done, copies := p.load(ctx, 4, func(int) bool { return time.Now().Before(end) })

	var faults []time.Time
	r := rand.New(rand.NewPCG(11, uint64(lasts)))
	for i := 0; time.Now().Before(end); i++ {
		pause(ctx, 1500*time.Millisecond+time.Duration(r.IntN(3000))*time.Millisecond)
		switch i % 4 {
		case 0, 2:
			p.workers[r.IntN(len(p.workers))].kill()
		case 1:
			p.killPostgres(time.Duration(r.IntN(1500)) * time.Millisecond)
		case 3:
			p.killS3(time.Duration(r.IntN(2500)) * time.Millisecond)
		}
		faults = append(faults, time.Now())
	}
	<-done
	close(p.released)
	var releases []time.Time
	for at := range p.released {
		releases = append(releases, at)
	}
	n := copies()
	p.check(n)
	back := recoveries(faults, releases)
	t.Logf("%d copies, %d faults in %s; a copy was released again after %s (median), %s (p99), %s (longest)", n, len(faults), lasts,
		quantile(back, 0.5).Round(time.Millisecond), quantile(back, 0.99).Round(time.Millisecond), quantile(back, 1).Round(time.Millisecond))
	if n < 3 || len(faults) < 4 {
		t.Errorf("%d copies and %d faults are no soak", n, len(faults))
	}
}

func soakTime(t *testing.T) time.Duration {
	switch text := os.Getenv("SAOY_SOAK"); text {
	case "":
		return 30 * time.Second
	case "1":
		return 5 * time.Minute
	default:
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatalf("SAOY_SOAK: %v", err)
		}
		return d
	}
}

// killPostgres kills the server as a power cut would and starts it again after a while.
func (p *province) killPostgres(away time.Duration) {
	p.Helper()
	if err := syscall.Kill(p.local.PID(), syscall.SIGKILL); err != nil {
		p.Fatal(err)
	}
	<-p.local.Done()
	_ = p.local.Stop(context.Background()) // frees the directory
	time.Sleep(away)
	p.startPostgres()
}

// killS3 kills the object store and starts it again, at the same address, after a while.
func (p *province) killS3(away time.Duration) {
	p.Helper()
	p.s3.Stop()
	time.Sleep(away)
	p.s3 = s3test.Start(p, filepath.Join(p.dir, "s3"), p.s3.Address)
}
