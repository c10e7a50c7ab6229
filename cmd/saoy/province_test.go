package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/fsck"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/s3/s3test"
)

// province is an installation as a province runs it, on one machine: PostgreSQL and S3 as
// servers of the operator's, workers as processes of the real binary, three agencies. The
// test's own process is the office: it receives, uploads and confirms.
type province struct {
	*testing.T
	dir, binary string
	scan        string
	local       *postgres.Local
	s3          *s3test.Server
	office      *app
	people      []demonstrators // of each agency
	workers     []*worker
	released    chan time.Time // when each copy was seen released
}

// newProvince founds one. The database's server gets the settings; more databases to connect to
// come before the own one in its connection string.
func newProvince(t *testing.T, workers int, settings ...string) *province {
	t.Helper()
	p := &province{T: t, dir: shortDir(t), released: make(chan time.Time, 10_000)}
	p.binary = filepath.Join(withBinary(t), "bin", "saoy")
	p.scan = filepath.Join(p.dir, "scan.jpg")
	if err := writeScan(p.scan); err != nil {
		t.Fatal(err)
	}
	p.s3 = s3test.Start(t, filepath.Join(p.dir, "s3"), "127.0.0.1:0")
	p.startPostgres(settings...)
	t.Cleanup(func() { _ = p.local.Stop(context.Background()) })
	p.configure(p.local.DSN())
	p.found()
	for range workers {
		p.workers = append(p.workers, p.startWorker())
	}
	return p
}

// shortDir is a directory in which a socket's path is short enough to stay the same.
func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "saoy-p-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (p *province) startPostgres(settings ...string) {
	p.Helper()
	local, err := postgres.StartLocal(context.Background(), filepath.Join(p.dir, "pg"), settings...)
	if errors.Is(err, postgres.ErrNoPostgres) && os.Getenv("SAOY_REQUIRE") != "all" {
		p.Skipf("needs PostgreSQL: %v", err)
	}
	if err != nil {
		p.Fatal(err)
	}
	p.local = local
}

// configure writes the file that all processes read.
func (p *province) configure(dsn string) {
	p.Helper()
	var c strings.Builder
	fmt.Fprintf(&c, "data: %s\nworkers: 2\ndatabase:\n  url_file: %s\n", filepath.Join(p.dir, "d"), filepath.Join(p.dir, "url"))
	for _, store := range []string{"vault", "log", "scratch"} {
		bucket := p.s3.Bucket(p, store != "scratch")
		fmt.Fprintf(&c, "%s:\n  s3:\n    endpoint: http://%s\n    bucket: %s\n    credentials: %s\n    timeout: 5s\n", store, p.s3.Address, bucket, filepath.Join(p.dir, "s3.keys"))
	}
	p.write("s3.keys", "AWS_ACCESS_KEY_ID="+s3test.Keys.ID+"\nAWS_SECRET_ACCESS_KEY="+string(s3test.Keys.Secret)+"\n")
	p.write("saoy.yaml", c.String())
	p.write("url", dsn)
}

func (p *province) write(name, text string) {
	p.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.Fatal(err)
	}
}

func (p *province) config() Config {
	return Config{dataFlag: dataFlag{ConfigFile: filepath.Join(p.dir, "saoy.yaml")}}
}

// found opens the office of the demonstration and two more agencies with keys of their own.
func (p *province) found() {
	p.Helper()
	var err error
	if p.office, err = open(p.Context(), p.config(), alone); err != nil {
		p.Fatal(err)
	}
	p.Cleanup(func() { _ = p.office.close() })
	for i := range 3 {
		d, err := p.agency(certcopy.AgencyID(fmt.Sprintf("xa-%d", i+1)))
		if err != nil {
			p.Fatal(err)
		}
		p.people = append(p.people, d)
	}
}

func (p *province) agency(id certcopy.AgencyID) (demonstrators, error) {
	d := demonstrators{agency: id, clerk: certcopy.AccountID(uuid.NewString()), certifier: certcopy.AccountID(uuid.NewString()), sealKeeper: certcopy.AccountID(uuid.NewString())}
	person := func(id certcopy.AccountID, login string, role certcopy.Role, scopes ...string) storage.Person {
		return storage.Person{ID: id, Login: login + string(d.agency), Name: "Nguyễn Văn " + login, Title: "CHỦ TỊCH", Roles: []certcopy.Role{role}, Scopes: scopes, Decision: "1/QĐ"}
	}
	signature, err := p.office.store.Look(p.Context(), "an-tuong-dong", p.demoCertifier())
	if err != nil {
		return d, err
	}
	seal, err := p.office.store.Look(p.Context(), "an-tuong-dong", "")
	if err != nil {
		return d, err
	}
	o := storage.Office{From: time.Now().AddDate(0, 0, -30), Seal: seal,
		Agency: certcopy.Agency{ID: id, Code: "H08." + string(id), Name: "Ủy ban nhân dân " + string(id), Place: "Ân", Province: "Gia Lai", Book: certcopy.DefaultBook,
			SealAtOnce: true, Demonstration: true},
		People: []storage.Person{person(d.clerk, "canbo", certcopy.Clerk), person(d.certifier, "chutich", certcopy.Certifier, "certify"), person(d.sealKeeper, "vanthu", certcopy.SealKeeper, "seal")}}
	o.People[1].Signature = signature
	for account, profile := range map[certcopy.AccountID]signertest.Profile{
		d.certifier: signertest.Official("Nguyễn Văn chutich", "Chủ tịch", o.Agency.Name, "CCCD:000000000000"),
		"":          signertest.Agency(o.Agency.Name, "MST:0000000000"),
	} {
		leaf, err := p.office.authority.Issue(profile)
		if err != nil {
			return d, err
		}
		uri, err := p.office.writeSoftKey(string(id), leaf.Identity)
		if err != nil {
			return d, err
		}
		o.Keys = append(o.Keys, storage.SigningKey{Agency: id, Account: account, Kind: "soft", URI: uri, Certificate: leaf.Certificate.Raw,
			NotBefore: leaf.Certificate.NotBefore, NotAfter: leaf.Certificate.NotAfter, Demonstration: true})
	}
	return d, p.office.store.OpenOffice(p.Context(), o)
}

func (p *province) demoCertifier() certcopy.AccountID {
	people, err := p.office.store.Accounts(p.Context(), "an-tuong-dong")
	if err != nil {
		p.Fatal(err)
	}
	return holder(people, certcopy.Certifier)
}

// worker is a process of the real binary that is started again whenever it has ended, as a
// service manager does.
type worker struct {
	p    *province
	mu   sync.Mutex
	cmd  *exec.Cmd // guarded by mu
	stop chan struct{}
	done chan struct{}
	log  *safeBuffer
}

func (p *province) startWorker() *worker {
	w := &worker{p: p, stop: make(chan struct{}), done: make(chan struct{}), log: new(safeBuffer)}
	address := freeAddress(p.T)
	go func() {
		defer close(w.done)
		for {
			select {
			case <-w.stop:
				return
			default:
				w.once(address)
				time.Sleep(100 * time.Millisecond)
			}
		}
	}()
	p.Cleanup(w.end)
	return w
}

func (w *worker) once(address string) {
	cmd := exec.Command(w.p.binary, "serve", "--config", filepath.Join(w.p.dir, "saoy.yaml"), "--role", "worker", "--listen", address)
	cmd.Stdout, cmd.Stderr = w.log, w.log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	w.mu.Lock()
	err := cmd.Start()
	w.cmd = cmd
	w.mu.Unlock()
	if err == nil {
		_ = cmd.Wait()
	}
}

func (w *worker) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cmd != nil && w.cmd.Process != nil {
		_ = w.cmd.Process.Kill()
	}
}

func (w *worker) end() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.kill()
	<-w.done
}

// certify takes the copy of a request from wherever it is to its release, whatever fails.
func (p *province) certify(ctx context.Context, agency int, request string) (certcopy.Copy, error) {
	command := certifyCommand{RequestID: request, Requester: "Người yêu cầu " + request, Type: "khac", Copies: 1, Scans: []string{p.scan}}
	var last error
	for tries := 1; ctx.Err() == nil; tries++ {
		copy, err := p.step(ctx, command, p.people[agency])
		if err == nil && copy.State == certcopy.Released {
			p.released <- time.Now()
			return copy, nil
		}
		if err != nil {
			last = err
			if tries%100 == 0 {
				p.Logf("%s, after %d tries: %v", request, tries, err)
			}
		}
		pause(ctx, 100*time.Millisecond)
	}
	return certcopy.Copy{}, fmt.Errorf("%s: %w, last: %w", request, ctx.Err(), last)
}

// step does what is due for the copy.
func (p *province) step(ctx context.Context, command certifyCommand, people demonstrators) (certcopy.Copy, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	id, err := command.receive(ctx, p.office, people)
	if id == "" { // an upload whose outcome was not known may have been made twice: two pages, still one copy
		return certcopy.Copy{}, err
	}
	copy, err := p.office.store.Copy(ctx, id)
	if err != nil || copy.State == certcopy.Released {
		return copy, err
	}
	return copy, command.act(ctx, p.office, people, copy)
}

// load certifies copies for the agencies in turns, several at once, until more says no; then
// done is closed and all are released, or the test has failed.
func (p *province) load(ctx context.Context, clients int, more func(i int) bool) (done chan struct{}, copies func() int) {
	done = make(chan struct{})
	var mu sync.Mutex
	made := 0
	var all sync.WaitGroup
	for range clients {
		all.Go(func() {
			for {
				mu.Lock()
				i := made
				if !more(i) {
					mu.Unlock()
					return
				}
				made++
				mu.Unlock()
				if _, err := p.certify(ctx, i%len(p.people), fmt.Sprintf("load-%05d", i)); err != nil {
					p.Errorf("copy %d: %v", i, err)
				}
			}
		})
	}
	go func() {
		all.Wait()
		close(done)
	}()
	return done, func() int { mu.Lock(); defer mu.Unlock(); return made }
}

// check ends the workers and asks fsck about every byte: as many copies as there were
// requests, all released, numbers of each agency from 1 on without a gap.
func (p *province) check(copies int) {
	p.Helper()
	for _, w := range p.workers {
		w.end()
	}
	report, err := fsck.Check(context.Background(), p.office.checker)
	if err != nil {
		p.Fatal(err)
	}
	for _, f := range report.Findings {
		p.Errorf("fsck: %s %s: %s", f.Kind, f.Subject, f.EN)
	}
	if report.Copies != copies || report.Numbers != copies || report.Leaves != int64(copies) || report.Files != copies || len(report.InProgress) > 0 {
		p.Errorf("fsck counts %d copies, %d numbers, %d leaves, %d files, in progress %v; want %d of each", report.Copies, report.Numbers, report.Leaves, report.Files, report.InProgress, copies)
	}
	counters, err := p.office.store.Counters(context.Background())
	if err != nil {
		p.Fatal(err)
	}
	sum := int64(0)
	for _, n := range counters {
		sum += n.Seq
	}
	if sum != int64(copies) {
		p.Errorf("the counters gave %d numbers, want %d", sum, copies)
	}
	if p.Failed() {
		for i, w := range p.workers {
			p.Logf("worker %d:\n%s", i, tail(w.log.String(), 4000))
		}
	}
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }

// recoveries matches each fault with the first release after it.
func recoveries(faults, releases []time.Time) (all []time.Duration) {
	slices.SortFunc(releases, time.Time.Compare)
	for _, f := range faults {
		i, _ := slices.BinarySearchFunc(releases, f, time.Time.Compare)
		if i < len(releases) {
			all = append(all, releases[i].Sub(f))
		}
	}
	slices.Sort(all)
	return all
}

// quantile is of sorted durations.
func quantile(sorted []time.Duration, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(float64(len(sorted))*q))]
}
