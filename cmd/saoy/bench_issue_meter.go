package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/pades"
	"github.com/saoy/saoy/storage"
)

// issueMeter counts the calls that the flow makes, and how long each kind takes.
type issueMeter struct {
	mu    sync.Mutex
	calls map[string]int           // guarded by mu
	times map[string]time.Duration // guarded by mu
	bytes map[string]int64         // guarded by mu

	certifier issue.Keyring
	stamps    signer.TimeStamper
}

// The parts that are counted.
const (
	partKey    = "key"        // both signatures
	partStamp  = "time-stamp" // the authority's work too, which is in this process
	partProof  = "revocation" // OCSP answers, as above, with their verification
	partPut    = "put"        // durable writes of all stores
	partGet    = "get"
	partIntake = "intake" // the child process that reads the scan
	partSelf   = "examine"
)

// newIssueMeter puts itself between the flow and everything it calls.
func newIssueMeter(a *app) *issueMeter {
	m := &issueMeter{certifier: a.flow.Keys, stamps: a.flow.Stamps}
	m.reset()
	f := a.flow
	f.Scratch, f.Public, f.Vault.Blobs = meteredBlobs{f.Scratch, m}, meteredBlobs{f.Public, m}, meteredBlobs{f.Vault.Blobs, m}
	f.Keys, f.Stamps = meteredKeys{f.Keys, m}, meteredStamps{f.Stamps, m}
	f.Examine, f.Intake = meteredExaminer{f.Examine, m}, meteredReader{f.Intake, m}
	collector := f.Revocation
	f.Revocation = pades.CollectorFunc(func(ctx context.Context, c *x509.Certificate, others []*x509.Certificate) (d pades.ValidationData, err error) {
		defer m.add(partProof, time.Now(), 0)
		return collector.Collect(ctx, c, others)
	})
	return m
}

func (m *issueMeter) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls, m.times, m.bytes = map[string]int{}, map[string]time.Duration{}, map[string]int64{}
}

func (m *issueMeter) add(part string, start time.Time, size int64) {
	took := time.Since(start)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls[part]++
	m.times[part] += took
	m.bytes[part] += size
}

func (m *issueMeter) parts(copies int) map[string]issuePart {
	m.mu.Lock()
	defer m.mu.Unlock()
	parts := map[string]issuePart{}
	for name, n := range m.calls {
		parts[name] = issuePart{Calls: round3(float64(n) / float64(copies)), Milli: round3(milliseconds(m.times[name]) / float64(copies))}
	}
	return parts
}

// limits measures each resource alone and returns the copies per second it would allow: the
// keys' and authorities' work on all cores, the hashing of all that is stored, and as many
// durable puts and commits at once as there are workers.
func (m *issueMeter) limits(ctx context.Context, a *app, parts map[string]issuePart, workers int) (map[string]float64, error) {
	cores := float64(runtime.GOMAXPROCS(0))
	sign, err := m.signAlone(ctx, a)
	if err != nil {
		return nil, err
	}
	stamp, err := timed(20, func() error {
		_, err := m.stamps.TimeStamp(ctx, make([]byte, 32), crypto.SHA256)
		return err
	})
	if err != nil {
		return nil, err
	}
	ocsp, err := ocspAlone(a)
	if err != nil {
		return nil, err
	}
	// One signature of each of the two roles, one of each time-stamp, one of each OCSP answer:
	// two signers and two time-stamps are proved good.
	operations := parts[partKey].Calls*sign.Seconds() + parts[partStamp].Calls*stamp.Seconds() + parts[partProof].Calls*ocsp.Seconds()
	limits := map[string]float64{partKey: round3(cores / operations)}
	m.mu.Lock()
	puts, size := float64(m.calls[partPut]), float64(m.bytes[partPut])
	m.mu.Unlock()
	perCopy := size / puts * parts[partPut].Calls
	limits["hash"] = round3(cores * hashAlone() / perCopy)
	rate, err := putAlone(ctx, a.flow.Scratch, int(size/puts), workers)
	if err != nil {
		return nil, err
	}
	limits[partPut] = round3(rate / parts[partPut].Calls)
	if rate, err = commitAlone(ctx, a.ownerURL(), workers); err != nil {
		return nil, err
	}
	limits["commit"] = round3(rate / parts["commit"].Calls)
	return limits, nil
}

func (m *issueMeter) signAlone(ctx context.Context, a *app) (time.Duration, error) {
	people, err := a.demonstrators(ctx)
	if err != nil {
		return 0, err
	}
	id, err := m.certifier.Certifier(ctx, people.certifier)
	if err != nil {
		return 0, err
	}
	return timed(50, func() error {
		_, err := id.Key.Sign(ctx, make([]byte, 32), crypto.SHA256)
		return err
	})
}

func ocspAlone(a *app) (time.Duration, error) {
	return timed(20, func() error {
		_, err := a.authority.OCSPAnswer(a.authority.TSA.Certificate)
		return err
	})
}

// timed is the mean of n calls.
func timed(n int, f func() error) (time.Duration, error) {
	start := time.Now()
	for range n {
		if err := f(); err != nil {
			return 0, err
		}
	}
	return time.Since(start) / time.Duration(n), nil
}

// together runs f in as many goroutines for two seconds and returns its rate.
func together(ctx context.Context, n int, f func(ctx context.Context) error) (perSecond float64, err error) {
	const lasts = 2 * time.Second
	var mu sync.Mutex
	done := 0
	var all sync.WaitGroup
	start := time.Now()
	for range n {
		all.Go(func() {
			for time.Since(start) < lasts {
				failed := f(ctx)
				mu.Lock()
				if failed != nil {
					err = failed
				}
				done++
				mu.Unlock()
				if failed != nil {
					return
				}
			}
		})
	}
	all.Wait()
	return float64(done) / time.Since(start).Seconds(), err
}

func putAlone(ctx context.Context, b storage.Blobs, size, workers int) (float64, error) {
	return together(ctx, workers, func(ctx context.Context) error {
		body := make([]byte, size)
		if _, err := rand.Read(body); err != nil {
			return err
		}
		d := certcopy.DigestOf(body)
		return b.Create(ctx, "bench/"+d.String(), bytes.NewReader(body), int64(size), d, time.Time{})
	})
}

func commitAlone(ctx context.Context, url string, workers int) (float64, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return 0, err
	}
	defer pool.Close()
	if _, err := pool.Exec(ctx, `CREATE TABLE bench_commit (at timestamptz, what text)`); err != nil {
		return 0, err
	}
	return together(ctx, workers, func(ctx context.Context) error {
		_, err := pool.Exec(ctx, `INSERT INTO bench_commit VALUES (now(), 'about as much as a change of state')`)
		return err
	})
}

// meteredBlobs is a store that is measured.
type meteredBlobs struct {
	storage.Blobs
	m *issueMeter
}

func (b meteredBlobs) Create(ctx context.Context, key string, r io.Reader, size int64, d certcopy.Digest, till time.Time) error {
	defer b.m.add(partPut, time.Now(), size)
	return b.Blobs.Create(ctx, key, r, size, d, till)
}

func (b meteredBlobs) Open(ctx context.Context, key string) (io.ReadCloser, storage.BlobInfo, error) {
	defer b.m.add(partGet, time.Now(), 0)
	return b.Blobs.Open(ctx, key)
}

type meteredKeys struct {
	issue.Keyring
	m *issueMeter
}

func (k meteredKeys) Certifier(ctx context.Context, account certcopy.AccountID) (signer.Identity, error) {
	return k.wrap(k.Keyring.Certifier(ctx, account))
}

func (k meteredKeys) Agency(ctx context.Context, agency certcopy.AgencyID) (signer.Identity, error) {
	return k.wrap(k.Keyring.Agency(ctx, agency))
}

func (k meteredKeys) wrap(id signer.Identity, err error) (signer.Identity, error) {
	if err == nil {
		id.Key = meteredKey{id.Key, k.m}
	}
	return id, err
}

type meteredKey struct {
	signer.Key
	m *issueMeter
}

func (k meteredKey) Sign(ctx context.Context, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	defer k.m.add(partKey, time.Now(), 0)
	return k.Key.Sign(ctx, digest, o)
}

type meteredStamps struct {
	signer.TimeStamper
	m *issueMeter
}

func (s meteredStamps) TimeStamp(ctx context.Context, digest []byte, h crypto.Hash) ([]byte, error) {
	defer s.m.add(partStamp, time.Now(), 0)
	return s.TimeStamper.TimeStamp(ctx, digest, h)
}

type meteredExaminer struct {
	issue.Examiner
	m *issueMeter
}

func (e meteredExaminer) Examine(ctx context.Context, file []byte, at time.Time) (string, error) {
	defer e.m.add(partSelf, time.Now(), 0)
	return e.Examiner.Examine(ctx, file, at)
}

type meteredReader struct {
	issue.Reader
	m *issueMeter
}

func (r meteredReader) Read(ctx context.Context, u intake.Upload) (*intake.Result, error) {
	defer r.m.add(partIntake, time.Now(), 0)
	return r.Reader.Read(ctx, u)
}

// childTime is the processor time of children that have ended.
func childTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u) // fails only for a wrong argument
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func slogDiscard() *slog.Logger { return slog.New(slog.DiscardHandler) }
