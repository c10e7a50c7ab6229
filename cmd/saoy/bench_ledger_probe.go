package main

import (
	"context"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// ledgerProbe is one ledger that is measured, by its own methods.
type ledgerProbe struct {
	store   *postgres.Store
	filler  *ledgerFiller
	waiting []certcopy.CopyID // for their numbers
}

// The operations that are measured.
const (
	opNumber = "number" // taking a number: lock, row of the book, state, job
	opAppend = "append" // registering: state, leaf, hashes, head
	opLookUp = "look-up"
	opQueue  = "queue"  // a page of what waits for the certifier
	opNewest = "newest" // a page of the newest copies of an office
	opCounts = "counts" // the office's figures of the day
)

var ledgerOperations = []string{opNumber, opAppend, opLookUp, opQueue, opNewest, opCounts}

// ledgerStep is one operation; without a name it only prepares the next.
type ledgerStep struct {
	name string
	once func(ctx context.Context, i int) error
}

// steps are the operations in an order in which each finds what it needs.
func (p *ledgerProbe) steps() []ledgerStep {
	return []ledgerStep{
		{opQueue, func(ctx context.Context, i int) error {
			_, err := p.store.CopyList(ctx, desk.Filter{Agency: p.agency(i), States: []certcopy.State{certcopy.Submitted}}, desk.Cursor{}, 50)
			return err
		}},
		{opNewest, func(ctx context.Context, i int) error {
			_, err := p.store.CopyList(ctx, desk.Filter{Agency: p.agency(i), Newest: true}, desk.Cursor{}, 50)
			return err
		}},
		{opCounts, func(ctx context.Context, i int) error {
			_, err := p.store.Counts(ctx, p.agency(i), time.Now().Truncate(24*time.Hour))
			return err
		}},
		{opLookUp, func(ctx context.Context, _ int) error {
			_, err := p.store.PublicByCode(ctx, p.filler.codes[p.filler.random.IntN(len(p.filler.codes))])
			return err
		}},
		{opNumber, func(ctx context.Context, i int) error {
			_, err := p.store.TakeNumber(ctx, p.waiting[i])
			return err
		}},
		{"", func(ctx context.Context, i int) error { return p.filler.seal(ctx, p.waiting[i]) }},
		{opAppend, func(ctx context.Context, i int) error {
			_, err := p.store.Register(ctx, p.waiting[i], certcopy.FinalFile{Digest: certcopy.Digest(p.filler.digest()), Size: 412_345, Pages: 2, Level: "B-LT"}, p.leaf)
			return err
		}},
	}
}

// measureLedgers runs each operation on each ledger in turns, so that what disturbs one
// disturbs the other, and returns the medians in milliseconds.
func measureLedgers(ctx context.Context, probes []*ledgerProbe, rounds int) ([]map[string]float64, error) {
	medians := make([]map[string]float64, len(probes))
	steps := make([][]ledgerStep, len(probes))
	for n, p := range probes {
		var err error
		if p.waiting, err = p.filler.waiting(ctx, rounds); err != nil {
			return nil, err
		}
		medians[n], steps[n] = map[string]float64{}, p.steps()
	}
	for s, step := range steps[0] {
		times := make([][]time.Duration, len(probes))
		for i := range rounds {
			for n := range probes {
				start := time.Now()
				if err := steps[n][s].once(ctx, i); err != nil {
					return nil, fmt.Errorf("%s: %w", step.name, err)
				}
				times[n] = append(times[n], time.Since(start))
			}
		}
		for n := range probes {
			if step.name != "" {
				medians[n][step.name] = milliseconds(median(times[n]))
			}
		}
	}
	for _, p := range probes {
		if err := p.filler.reread(ctx); err != nil {
			return nil, err
		}
	}
	return medians, nil
}

func (p *ledgerProbe) agency(i int) certcopy.AgencyID {
	return p.filler.offices[i%benchAgencies].Agency.ID
}

// leaf is of the size of a real one.
func (p *ledgerProbe) leaf(at time.Time) ([]byte, error) {
	c, err := p.filler.make(p.filler.offices[0], 1, at)
	return c.leaf, err
}

// waiting adds copies that are certified and wait for their number, without a job that would
// take it.
func (f *ledgerFiller) waiting(ctx context.Context, n int) ([]certcopy.CopyID, error) {
	all, ids := make([]benchCopy, n), make([]certcopy.CopyID, n)
	for i := range all {
		c, err := f.make(f.offices[i%benchAgencies], 1, time.Now())
		if err != nil {
			return nil, err
		}
		all[i], ids[i] = c, certcopy.CopyID(c.id.String())
	}
	for _, t := range benchTables {
		if t.name == "book_row" || t.name == "file_key" {
			continue
		}
		if err := f.copyRows(ctx, t, all); err != nil {
			return nil, fmt.Errorf("%s: %w", t.name, err)
		}
	}
	_, err := f.owner.Exec(ctx, `UPDATE copy SET state = 'submitted', final_digest = NULL, final_size = NULL, final_pages = NULL, final_level = NULL,
		sealed_at = NULL, sealed_by = NULL WHERE id = ANY($1)`, ids)
	return ids, err
}

// seal takes a copy to where it is registered, past the steps that sign.
func (f *ledgerFiller) seal(ctx context.Context, id certcopy.CopyID) error {
	_, err := f.owner.Exec(ctx, `UPDATE copy SET state = 'sealed' WHERE id = $1 AND state = 'numbered'`, id)
	return err
}

// reread learns what the measurements added: numbers, leaves, and the hashes on the edge.
func (f *ledgerFiller) reread(ctx context.Context) error {
	for i, o := range f.offices {
		var seq int64
		if err := f.owner.QueryRow(ctx, `SELECT last_seq FROM counter WHERE agency = $1`, o.Agency.ID).Scan(&seq); err != nil {
			return err
		}
		f.seqs[int64(i)] = seq
	}
	if err := f.owner.QueryRow(ctx, `SELECT size FROM tree_head`).Scan(&f.size); err != nil {
		return err
	}
	rows, err := f.owner.Query(ctx, `SELECT ix, hash FROM tree_hash ORDER BY ix DESC LIMIT 4096`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var ix int64
		var hash []byte
		if err := rows.Scan(&ix, &hash); err != nil {
			return err
		}
		f.edge[ix] = hash
	}
	return rows.Err()
}

var _ storage.LeafMaker = (*ledgerProbe)(nil).leaf
