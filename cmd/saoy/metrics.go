package main

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/saoy/saoy/signer"
)

// figures are what this process measures of its use of others. Who and what was signed is not
// among them.
type figures struct {
	mu    sync.Mutex
	calls map[string]*calls // by what was called; guarded by mu
}

// calls are the calls of one kind.
type calls struct {
	buckets [len(callBounds) + 1]int64 // how many took at most so long; the last: longer
	seconds float64
	failed  int64
}

// callBounds are the bounds of the buckets in seconds.
var callBounds = [...]float64{0.01, 0.05, 0.1, 0.5, 1, 5, 30, 120}

// measure records one call.
func (f *figures) measure(what string, took time.Duration, err error) {
	if f == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls == nil {
		f.calls = map[string]*calls{}
	}
	c := f.calls[what]
	if c == nil {
		c = new(calls)
		f.calls[what] = c
	}
	i, _ := slices.BinarySearch(callBounds[:], took.Seconds())
	c.buckets[i]++
	c.seconds += took.Seconds()
	if err != nil {
		c.failed++
	}
}

// write adds the figures in the text format of Prometheus, version 0.0.4.
func (f *figures) write(b *bytes.Buffer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fmt.Fprintln(b, "# HELP saoy_call_seconds Duration of calls of this process to keys and time-stamp authorities.")
	fmt.Fprintln(b, "# TYPE saoy_call_seconds histogram")
	for _, what := range slices.Sorted(maps.Keys(f.calls)) {
		c, sum := f.calls[what], int64(0)
		for i, bound := range callBounds {
			sum += c.buckets[i]
			fmt.Fprintf(b, "saoy_call_seconds_bucket{call=%q,le=\"%g\"} %d\n", what, bound, sum)
		}
		sum += c.buckets[len(callBounds)]
		fmt.Fprintf(b, "saoy_call_seconds_bucket{call=%q,le=\"+Inf\"} %d\nsaoy_call_seconds_sum{call=%q} %g\nsaoy_call_seconds_count{call=%q} %d\n",
			what, sum, what, c.seconds, what, sum)
	}
	fmt.Fprintln(b, "# HELP saoy_call_failures_total Calls that failed.")
	fmt.Fprintln(b, "# TYPE saoy_call_failures_total counter")
	for _, what := range slices.Sorted(maps.Keys(f.calls)) {
		fmt.Fprintf(b, "saoy_call_failures_total{call=%q} %d\n", what, f.calls[what].failed)
	}
}

// timedStamps measures a time-stamp authority.
type timedStamps struct {
	signer.TimeStamper
	figures *figures
}

// TimeStamp implements signer.TimeStamper.
func (t timedStamps) TimeStamp(ctx context.Context, digest []byte, hash crypto.Hash) ([]byte, error) {
	start := time.Now()
	token, err := t.TimeStamper.TimeStamp(ctx, digest, hash)
	t.figures.measure("time-stamp", time.Since(start), err)
	return token, err
}

// serveMetrics answers at the address of the configuration until ctx ends.
func (a *app) serveMetrics(ctx context.Context) error {
	if a.config.Metrics == "" {
		return nil
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", a.config.Metrics)
	if err != nil {
		return badConfig("metrics", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", a.metrics)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	go func() {
		if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			a.log.Error("metrics", "err", err)
		}
	}()
	return nil
}

func (a *app) metrics(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	var b bytes.Buffer
	a.ledgerFigures(ctx, &b)
	a.figures.write(&b)
	fmt.Fprintln(&b, "# HELP saoy_store_up Whether a store answers this process.\n# TYPE saoy_store_up gauge")
	answers := a.storesAnswer(ctx)
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		fmt.Fprintf(&b, "saoy_store_up{store=%q} %d\n", name, up(answers[name]))
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	_, _ = w.Write(b.Bytes())
}

func (a *app) ledgerFigures(ctx context.Context, b *bytes.Buffer) {
	f, err := a.store.Figures(ctx)
	fmt.Fprintf(b, "# HELP saoy_ledger_up Whether the ledger answers.\n# TYPE saoy_ledger_up gauge\nsaoy_ledger_up %d\n", up(err == nil))
	if err != nil {
		return
	}
	fmt.Fprintln(b, "# HELP saoy_copies Copies on their way, by state; of those that wait because of a trouble, also by what people read.\n# TYPE saoy_copies gauge")
	for _, s := range slices.Sorted(maps.Keys(f.Copies)) {
		fmt.Fprintf(b, "saoy_copies{state=%q} %d\n", s, f.Copies[s])
	}
	fmt.Fprintln(b, "# HELP saoy_copies_waiting Copies that wait, by why.\n# TYPE saoy_copies_waiting gauge")
	for _, why := range slices.Sorted(maps.Keys(f.Waiting)) {
		fmt.Fprintf(b, "saoy_copies_waiting{trouble=%q} %d\n", why, f.Waiting[why])
	}
	fmt.Fprintf(b, "# HELP saoy_log_unpublished_leaves Leaves that no checkpoint covers yet.\n# TYPE saoy_log_unpublished_leaves gauge\nsaoy_log_unpublished_leaves %d\n", f.Unpublished)
	fmt.Fprintf(b, "# HELP saoy_checkpoint_age_seconds Age of the newest checkpoint.\n# TYPE saoy_checkpoint_age_seconds gauge\nsaoy_checkpoint_age_seconds %g\n", f.CheckpointAge.Seconds())
}

func up(b bool) int {
	if b {
		return 1
	}
	return 0
}
