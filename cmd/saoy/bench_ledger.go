package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/postgres"
)

// benchLedgerCommand fills a database of its own with released copies, as the flow leaves them
// once their working files are gone, and measures what a ledger does at each size.
type benchLedgerCommand struct {
	JSON   bool   `help:"Print exactly one JSON object on standard output."`
	Copies int64  `help:"Copies at the last size. Ten millions take about 35 GB of disk." default:"1000000"`
	Rounds int    `help:"Measurements of each operation at each size." default:"300"`
	Dir    string `help:"Where the database is made; it is removed afterwards. Default: the system's place for temporary files." type:"path"`
}

// ledgerBench is the result. Times are medians in milliseconds, of one caller.
type ledgerBench struct {
	Sizes []ledgerSize `json:"sizes"`
	// Growth is the time at the last size by the time of a ledger of 10 thousand copies that was
	// measured in turns with it.
	Growth map[string]float64 `json:"growth"`
	// At50M is what the slope between the first and the last size gives for 50 million copies:
	// milliseconds if the time grows with the logarithm of the size.
	At50M          map[string]float64 `json:"at_50m_ms"`
	GBAt50M        float64            `json:"at_50m_gb"`
	BytesPerCopy   map[string]float64 `json:"bytes_per_copy"` // of each table with its indexes
	Bytes          float64            `json:"bytes_per_copy_all"`
	IndexBytes     float64            `json:"index_bytes_per_copy_all"`
	Agencies       int                `json:"agencies"`
	ServerSettings []string           `json:"server_settings"`
}

// ledgerSize is what was measured at one size.
type ledgerSize struct {
	Copies  int64              `json:"copies"`
	Milli   map[string]float64 `json:"ms"`
	Small   map[string]float64 `json:"small_ms"` // of the ledger of 10 thousand copies, in turns
	Filled  float64            `json:"fill_seconds"`
	TotalGB float64            `json:"gb"`
}

// benchServer are the settings of the bench's server, beside the default ones: room for the
// load; what is measured is durable as in production.
var benchServer = []string{"shared_buffers=1GB", "max_wal_size=4GB", "checkpoint_timeout=30min", "maintenance_work_mem=512MB"}

// firstSize is the size against which growth is counted.
const firstSize = 10_000

// Run fills and measures.
func (c benchLedgerCommand) Run(ctx context.Context) error {
	if c.Copies < firstSize {
		return certcopy.Errorf(certcopy.Invalid, "--copies", nil, certcopy.Msg("Cần ít nhất 10000 bản sao.", "At least 10000 copies are needed."))
	}
	dir, err := os.MkdirTemp(c.Dir, "saoy-bench-ledger-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	local, err := postgres.StartLocal(ctx, filepath.Join(dir, "pg"), benchServer...)
	if err != nil {
		return err
	}
	defer local.Stop(context.WithoutCancel(ctx)) //nolint:errcheck // its directory goes with it
	b, err := c.measure(ctx, local)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(b)
	}
	b.print()
	return nil
}

// sizes are 10 thousand, 1 million and the last.
func (c benchLedgerCommand) sizes() []int64 {
	all := []int64{firstSize, 1_000_000, c.Copies}
	all = slices.DeleteFunc(all, func(n int64) bool { return n > c.Copies })
	return slices.Compact(all)
}

// measure keeps one ledger at the first size and lets another grow beside it.
func (c benchLedgerCommand) measure(ctx context.Context, local *postgres.Local) (*ledgerBench, error) {
	small, closeSmall, err := newLedgerProbe(ctx, local, "small")
	if err != nil {
		return nil, err
	}
	defer closeSmall()
	large, closeLarge, err := newLedgerProbe(ctx, local, "large")
	if err != nil {
		return nil, err
	}
	defer closeLarge()
	if err := small.filler.fill(ctx, firstSize); err != nil {
		return nil, err
	}
	b := &ledgerBench{Growth: map[string]float64{}, At50M: map[string]float64{}, BytesPerCopy: map[string]float64{}, Agencies: benchAgencies, ServerSettings: benchServer}
	for _, n := range c.sizes() {
		start := time.Now()
		if err := large.filler.fill(ctx, n); err != nil {
			return nil, fmt.Errorf("fill %d: %w", n, err)
		}
		size := ledgerSize{Copies: n, Filled: math.Round(time.Since(start).Seconds())}
		medians, err := measureLedgers(ctx, []*ledgerProbe{small, large}, c.Rounds)
		if err != nil {
			return nil, fmt.Errorf("at %d: %w", n, err)
		}
		size.Small, size.Milli = medians[0], medians[1]
		if err := b.weigh(ctx, large.filler.owner, large.filler.copies, &size); err != nil {
			return nil, err
		}
		b.Sizes = append(b.Sizes, size)
		fmt.Fprintf(os.Stderr, "%d copies: filled in %.0f s, %.1f GB, %v, small %v\n", n, size.Filled, size.TotalGB, size.Milli, size.Small)
	}
	b.extrapolate()
	return b, nil
}

// newLedgerProbe makes a database of that name.
func newLedgerProbe(ctx context.Context, local *postgres.Local, name string) (*ledgerProbe, func(), error) {
	admin, err := pgx.Connect(ctx, local.DSN())
	if err != nil {
		return nil, nil, err
	}
	_, err = admin.Exec(ctx, "CREATE DATABASE "+name)
	if err = errors.Join(err, admin.Close(ctx)); err != nil {
		return nil, nil, err
	}
	dsn := local.DSN() + " dbname=" + name
	if _, err := postgres.Migrate(ctx, dsn); err != nil {
		return nil, nil, err
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: dsn, Fee: feeOf})
	if err != nil {
		return nil, nil, err
	}
	owner, err := pgx.Connect(ctx, dsn)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	end := func() {
		_ = owner.Close(context.WithoutCancel(ctx))
		store.Close()
	}
	filler, err := newLedgerFiller(ctx, store, owner)
	if err != nil {
		end()
		return nil, nil, err
	}
	return &ledgerProbe{store: store, filler: filler}, end, nil
}

// weigh asks how large the tables are.
func (b *ledgerBench) weigh(ctx context.Context, owner *pgx.Conn, copies int64, size *ledgerSize) error {
	rows, err := owner.Query(ctx, `SELECT c.relname, pg_total_relation_size(c.oid), pg_indexes_size(c.oid) FROM pg_class c
		JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public' AND c.relkind = 'r' ORDER BY 1`)
	if err != nil {
		return err
	}
	var name string
	var total, indexes int64
	b.Bytes, b.IndexBytes = 0, 0
	_, err = pgx.ForEachRow(rows, []any{&name, &total, &indexes}, func() error {
		b.Bytes += float64(total)
		b.IndexBytes += float64(indexes)
		if per := math.Round(float64(total) / float64(copies)); per > 0 {
			b.BytesPerCopy[name] = per
		}
		return nil
	})
	size.TotalGB = math.Round(b.Bytes/1e7) / 100
	b.Bytes, b.IndexBytes = math.Round(b.Bytes/float64(copies)), math.Round(b.IndexBytes/float64(copies))
	return err
}

// extrapolate compares the sizes and goes on to 50 million.
func (b *ledgerBench) extrapolate() {
	last := b.Sizes[len(b.Sizes)-1]
	decades := math.Log10(float64(last.Copies) / firstSize)
	for what, ms := range last.Milli {
		b.Growth[what] = round3(ms / last.Small[what])
		slope := 0.0
		if decades > 0 {
			slope = (ms - last.Small[what]) / decades
		}
		b.At50M[what] = round3(ms + slope*math.Log10(50e6/float64(last.Copies)))
	}
	b.GBAt50M = math.Round(b.Bytes * 50e6 / 1e9)
}

func round3(x float64) float64 { return math.Round(x*1000) / 1000 }

func (b *ledgerBench) print() {
	fmt.Printf("%-10s", "ms")
	for _, s := range b.Sizes {
		fmt.Printf(" %12d", s.Copies)
	}
	fmt.Printf(" %8s %12s\n", "growth", "at 50M")
	for _, what := range ledgerOperations {
		fmt.Printf("%-10s", what)
		for _, s := range b.Sizes {
			fmt.Printf(" %12.3f", s.Milli[what])
		}
		fmt.Printf(" %8.2f %12.3f\n", b.Growth[what], b.At50M[what])
	}
	fmt.Printf("%.0f bytes a copy, %.0f of them indexes; %.0f GB at 50M\n", b.Bytes, b.IndexBytes, b.GBAt50M)
	for _, name := range slices.Sorted(maps.Keys(b.BytesPerCopy)) {
		fmt.Printf("  %-18s %6.0f\n", name, b.BytesPerCopy[name])
	}
}
