package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/saoy/saoy/signer/pades"
)

// benchThroughputCommand measures how many signatures a second come from one core and from
// several, in turns, by the clock on the wall.
type benchThroughputCommand struct {
	JSON  bool          `help:"Print one JSON object per row, one line each."`
	Keys  []string      `help:"Types of keys." default:"RSA-2048,P-256"`
	Size  string        `help:"Size of the file, with KB or MB." default:"350KB"`
	Cores int           `help:"Cores to be used; 0: all." default:"0"`
	Time  time.Duration `help:"Time for each row." default:"6s"`
}

// throughputRow is one line of the result; rates are medians.
type throughputRow struct {
	Key     string  `json:"key"`
	Size    string  `json:"size"`
	Cores   int     `json:"cores"`
	OneCore float64 `json:"one_core_per_s"`
	All     float64 `json:"per_s"`
	Ratio   float64 `json:"ratio"`
	// Efficiency is the ratio by processor time: what it would be if nothing else ran here.
	Efficiency float64 `json:"ratio_cpu"`
}

// Run measures each key.
func (c benchThroughputCommand) Run(ctx context.Context) error {
	authority, err := newBenchAuthority()
	if err != nil {
		return err
	}
	n, err := parseSize(c.Size)
	if err != nil {
		return explain("--size", err)
	}
	base, err := scannedFile(n)
	if err != nil {
		return err
	}
	if c.Cores <= 0 {
		c.Cores = runtime.NumCPU()
	}
	if !c.JSON {
		fmt.Printf("%-9s %-6s %5s %14s %10s %6s %9s\n", "key", "size", "cores", "one_core_per_s", "per_s", "ratio", "ratio_cpu")
	}
	for _, key := range c.Keys {
		id, err := authority.official(key)
		if err != nil {
			return explain(key, err)
		}
		row, err := c.row(ctx, func(out *bytes.Buffer) error {
			out.Reset()
			_, err := pades.Sign(ctx, bytes.NewReader(base), int64(len(base)), out, id.Identity, pades.Options{SigningTime: time.Now()}, pades.Means{})
			return err
		})
		if err != nil {
			return explain(key, err)
		}
		row.Key = key
		c.print(row)
	}
	return nil
}

func (c benchThroughputCommand) print(r throughputRow) {
	if c.JSON {
		_ = json.NewEncoder(os.Stdout).Encode(r) // a closed pipe ends the program
		return
	}
	fmt.Printf("%-9s %-6s %5d %14.0f %10.0f %6.2f %9.2f\n", r.Key, r.Size, r.Cores, r.OneCore, r.All, r.Ratio, r.Efficiency)
}

// row measures one core and all of them in turns of a quarter of a second.
func (c benchThroughputCommand) row(ctx context.Context, once func(*bytes.Buffer) error) (throughputRow, error) {
	const turn = 250 * time.Millisecond
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	var one, all []rate
	for end := time.Now().Add(c.Time); len(one) < 3 || time.Now().Before(end); {
		for _, side := range []struct {
			cores int
			rates *[]rate
		}{{1, &one}, {c.Cores, &all}} {
			runtime.GOMAXPROCS(side.cores)
			r, err := rateOf(ctx, side.cores, turn, once)
			if err != nil {
				return throughputRow{}, err
			}
			*side.rates = append(*side.rates, r)
		}
	}
	o, a := medianRate(one), medianRate(all)
	return throughputRow{Size: c.Size, Cores: c.Cores, OneCore: math.Round(o.wall), All: math.Round(a.wall), Ratio: hundredths(a.wall / o.wall),
		Efficiency: hundredths(float64(c.Cores) * a.processor / o.processor)}, nil
}

func hundredths(v float64) float64 { return math.Round(100*v) / 100 }

// rate is how often something is done in a second of the clock, and of the processor.
type rate struct{ wall, processor float64 }

func medianRate(all []rate) rate {
	middle := func(of func(rate) float64) float64 {
		values := make([]float64, len(all))
		for i, r := range all {
			values[i] = of(r)
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return rate{middle(func(r rate) float64 { return r.wall }), middle(func(r rate) float64 { return r.processor })}
}

// rateOf is how often a second something is done by several at once.
func rateOf(ctx context.Context, workers int, turn time.Duration, once func(*bytes.Buffer) error) (rate, error) {
	var done atomic.Int64
	var group sync.WaitGroup
	errs := make(chan error, workers)
	start, used := time.Now(), processorTime()
	for range workers {
		group.Go(func() {
			var out bytes.Buffer
			for time.Since(start) < turn && ctx.Err() == nil {
				if err := once(&out); err != nil {
					errs <- err
					return
				}
				done.Add(1)
			}
		})
	}
	group.Wait()
	elapsed, used := time.Since(start), processorTime()-used
	close(errs)
	if err := <-errs; err != nil {
		return rate{}, err
	}
	n := float64(done.Load())
	return rate{n / elapsed.Seconds(), n / used.Seconds()}, ctx.Err()
}
