package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/issue"
)

// benchIssueCommand certifies copies end to end in an installation of its own, with its worker
// in this process, and measures the same run's least possible work beside it. The stores are
// those of the configuration if it names buckets, else directories.
type benchIssueCommand struct {
	ConfigFile string `help:"Configuration with the buckets to use; see examples/saoy.yaml." name:"config" type:"path"`
	JSON       bool   `help:"Print exactly one JSON object on standard output."`
	Copies     int    `help:"Copies that are counted; a few before them are not." default:"100"`
	Workers    int    `help:"Copies worked on at once." default:"4"`
	Dir        string `help:"Where the installation is made; it is removed afterwards. Default: the system's place for temporary files." type:"path"`
}

// issueBench is the result.
type issueBench struct {
	Copies    int     `json:"copies"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"copies_per_second"`
	Cores     int     `json:"cores"`
	// CPU is how much processor time of this process and its children a copy took, in
	// milliseconds; the database's server is not among them.
	CPU float64 `json:"cpu_ms_per_copy"`
	// Parts is where time went, in milliseconds a copy, summed over workers that run side by side.
	Parts map[string]issuePart `json:"parts"`
	// Limits are the copies per second that each resource alone would allow, by what the same
	// run measured alone; Limit is the tightest.
	Limits  map[string]float64 `json:"limits_copies_per_second"`
	Limit   float64            `json:"limit_copies_per_second"`
	OfLimit float64            `json:"of_limit"`
	Loss    string             `json:"biggest_loss"`
}

// issuePart is one kind of call.
type issuePart struct {
	Calls float64 `json:"calls_per_copy"`
	Milli float64 `json:"ms_per_copy"`
}

// Run certifies and measures.
func (c benchIssueCommand) Run(ctx context.Context) error {
	dir, err := os.MkdirTemp(c.Dir, "saoy-bench-issue-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	config, err := Config{dataFlag: dataFlag{Data: filepath.Join(dir, "d"), ConfigFile: c.ConfigFile}, Workers: c.Workers, Roles: allRoles}.load()
	if err != nil {
		return err
	}
	config.Database.url = "" // a server of its own: what is written here is thrown away
	a, err := open(ctx, config, alone)
	if err != nil {
		return err
	}
	defer a.close()
	a.log = slogDiscard()
	result, err := c.measure(ctx, a)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(result)
	}
	result.print()
	return nil
}

func (c benchIssueCommand) measure(ctx context.Context, a *app) (*issueBench, error) {
	people, err := a.demonstrators(ctx)
	if err != nil {
		return nil, err
	}
	m := newIssueMeter(a)
	scan, err := benchScan()
	if err != nil {
		return nil, err
	}
	stop := a.startWork(ctx)
	line := &issueLine{app: a, people: people, scan: scan, copies: c.Copies, clients: 2 * c.Workers}
	if err := line.run(ctx, "warm", max(4, c.Copies/10)); err != nil {
		stop()
		return nil, err
	}
	m.reset()
	transactions, err := writtenTransactions(ctx, a)
	if err != nil {
		stop()
		return nil, err
	}
	start, cpu := time.Now(), processorTime()+childTime()
	err = line.run(ctx, "copy", c.Copies)
	took, used := time.Since(start), processorTime()+childTime()-cpu
	stop()
	if err != nil {
		return nil, err
	}
	after, err := writtenTransactions(ctx, a)
	if err != nil {
		return nil, err
	}
	r := &issueBench{Copies: c.Copies, Seconds: round3(took.Seconds()), PerSecond: round3(float64(c.Copies) / took.Seconds()),
		Cores: runtime.GOMAXPROCS(0), CPU: round3(milliseconds(used) / float64(c.Copies)), Parts: m.parts(c.Copies)}
	commits := float64(after-transactions) / float64(c.Copies)
	r.Parts["commit"] = issuePart{Calls: round3(commits)}
	if r.Limits, err = m.limits(ctx, a, r.Parts, c.Workers); err != nil {
		return nil, err
	}
	return r, r.conclude()
}

// conclude finds the tightest limit and what costs most beyond it.
func (r *issueBench) conclude() error {
	r.Limit = math.Inf(1)
	for _, l := range r.Limits {
		r.Limit = min(r.Limit, l)
	}
	r.OfLimit = round3(r.PerSecond / r.Limit)
	most := 0.0
	for name, p := range r.Parts {
		if _, limited := r.Limits[name]; !limited && p.Milli > most {
			r.Loss, most = name, p.Milli
		}
	}
	return nil
}

func (r *issueBench) print() {
	fmt.Printf("%d copies in %.1f s: %.2f copies/s on %d cores, %.0f ms of processor time a copy\n", r.Copies, r.Seconds, r.PerSecond, r.Cores, r.CPU)
	names := make([]string, 0, len(r.Parts))
	for name := range r.Parts {
		names = append(names, name)
	}
	slices.SortFunc(names, func(x, y string) int { return cmp.Compare(r.Parts[y].Milli, r.Parts[x].Milli) })
	for _, name := range names {
		limit := ""
		if l, ok := r.Limits[name]; ok {
			limit = fmt.Sprintf("alone: %.1f copies/s", l)
		}
		fmt.Printf("  %-12s %6.1f calls %9.2f ms a copy  %s\n", name, r.Parts[name].Calls, r.Parts[name].Milli, limit)
	}
	fmt.Printf("limit %.1f copies/s; reached %.0f %%; biggest loss: %s\n", r.Limit, 100*r.OfLimit, r.Loss)
}

// issueLine certifies copies as an office with several desks does.
type issueLine struct {
	app     *app
	people  demonstrators
	scan    []byte
	copies  int
	clients int
}

// run certifies n copies and returns when all are released.
func (l *issueLine) run(ctx context.Context, name string, n int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	requests := make(chan int)
	var all sync.WaitGroup
	for range l.clients {
		all.Go(func() {
			for i := range requests {
				if err := l.one(ctx, fmt.Sprintf("%s-%d", name, i)); err != nil {
					cancel(err)
				}
			}
		})
	}
	for i := range n {
		select {
		case requests <- i:
		case <-ctx.Done():
		}
	}
	close(requests)
	all.Wait()
	return context.Cause(ctx)
}

// one takes a copy from nothing to its release.
func (l *issueLine) one(ctx context.Context, request string) error {
	flow := l.app.flow
	r, _, err := flow.Receive(ctx, certcopy.Request{Agency: l.people.agency, Channel: "bench", ExternalID: request, CreatedBy: l.people.clerk,
		Requester: certcopy.Requester{Name: "Nguyễn Văn An"}}, []certcopy.Original{{Type: "khac", Title: "Giấy tờ " + request, Pages: 1, Copies: 1}})
	if err != nil {
		return err
	}
	c, err := l.app.store.Copy(ctx, r.Copies[0])
	if err != nil {
		return err
	}
	command := certifyCommand{RequestID: request, Pages: 1}
	for c.State != certcopy.Released {
		if c.State == certcopy.Received {
			_, err = flow.Upload(ctx, c.ID, c.Revision, []issue.Upload{{Name: "scan.jpg", Body: bytes.NewReader(l.scan)}})
		} else {
			err = command.act(ctx, l.app, l.people, c)
		}
		if err != nil {
			return err
		}
		if c, err = l.next(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// next waits until the copy is no longer as it was seen.
func (l *issueLine) next(ctx context.Context, seen certcopy.Copy) (certcopy.Copy, error) {
	for {
		c, err := l.app.store.Copy(ctx, seen.ID)
		if err != nil || c.State != seen.State || c.Revision != seen.Revision {
			return c, err
		}
		if !pause(ctx, 25*time.Millisecond) {
			return c, context.Cause(ctx)
		}
	}
}

// writtenTransactions counts the transactions that wrote something.
func writtenTransactions(ctx context.Context, a *app) (n int64, err error) {
	conn, err := pgx.Connect(ctx, a.ownerURL())
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	err = conn.QueryRow(ctx, `SELECT pg_snapshot_xmax(pg_current_snapshot())::text::int8`).Scan(&n)
	return n, err
}

// benchScan is a page of A4 at 200 dpi that a scanner made of paper, about 300 KB.
func benchScan() ([]byte, error) {
	const width, height = 1654, 2339
	r := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // noise of paper
	page := image.NewGray(image.Rect(0, 0, width, height))
	for i := range page.Pix {
		page.Pix[i] = 238 + uint8(r.IntN(14))
	}
	for y := 200; y < 1700; y += 48 {
		for x := 150; x < width-150; x++ {
			if r.IntN(4) > 1 {
				page.SetGray(x, y+r.IntN(20), color.Gray{Y: uint8(r.IntN(70))})
			}
		}
	}
	var b bytes.Buffer
	for quality := 80; ; quality -= 5 {
		b.Reset()
		if err := jpeg.Encode(&b, page, &jpeg.Options{Quality: quality}); err != nil {
			return nil, err
		}
		if b.Len() <= 330<<10 || quality <= 30 {
			return b.Bytes(), nil
		}
	}
}

// hashAlone is how many bytes a second one core hashes.
func hashAlone() float64 {
	b := make([]byte, 1<<20)
	start := time.Now()
	n := 0
	for ; n < 64; n++ {
		b[0] = sha256.Sum256(b)[0]
	}
	return float64(n<<20) / time.Since(start).Seconds()
}
