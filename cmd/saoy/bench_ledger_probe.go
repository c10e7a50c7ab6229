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

// ledgerProbe measures the ledger's own methods, one after the other.
type ledgerProbe struct {
	store  *postgres.Store
	filler *ledgerFiller
	rounds int
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

// all returns the median of each operation in milliseconds.
func (p *ledgerProbe) all(ctx context.Context) (map[string]float64, error) {
	waiting, err := p.filler.waiting(ctx, p.rounds)
	if err != nil {
		return nil, err
	}
	medians := map[string]float64{}
	for _, op := range []struct {
		name string
		once func(i int) error
	}{
		{opQueue, func(i int) error {
			_, err := p.store.CopyList(ctx, desk.Filter{Agency: p.agency(i), States: []certcopy.State{certcopy.Submitted}}, desk.Cursor{}, 50)
			return err
		}},
		{opNewest, func(i int) error {
			_, err := p.store.CopyList(ctx, desk.Filter{Agency: p.agency(i), Newest: true}, desk.Cursor{}, 50)
			return err
		}},
		{opCounts, func(i int) error {
			_, err := p.store.Counts(ctx, p.agency(i), time.Now().Truncate(24*time.Hour))
			return err
		}},
		{opLookUp, func(int) error {
			_, err := p.store.PublicByCode(ctx, p.filler.codes[p.filler.random.IntN(len(p.filler.codes))])
			return err
		}},
		{opNumber, func(i int) error {
			_, err := p.store.TakeNumber(ctx, waiting[i])
			return err
		}},
		{"", func(i int) error { return p.filler.seal(ctx, waiting[i]) }},
		{opAppend, func(i int) error {
			_, err := p.store.Register(ctx, waiting[i], certcopy.FinalFile{Digest: certcopy.Digest(p.filler.digest()), Size: 412_345, Pages: 2, Level: "B-LT"}, p.leaf)
			return err
		}},
	} {
		ms, err := p.median(op.once)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", op.name, err)
		}
		if op.name != "" {
			medians[op.name] = ms
		}
	}
	return medians, p.filler.reread(ctx)
}

func (p *ledgerProbe) agency(i int) certcopy.AgencyID {
	return p.filler.offices[i%benchAgencies].Agency.ID
}

// leaf is of the size of a real one.
func (p *ledgerProbe) leaf(at time.Time) ([]byte, error) {
	c, err := p.filler.make(p.filler.offices[0], 1, at)
	return c.leaf, err
}

func (p *ledgerProbe) median(once func(i int) error) (float64, error) {
	times := make([]time.Duration, 0, p.rounds)
	for i := range p.rounds {
		start := time.Now()
		if err := once(i); err != nil {
			return 0, err
		}
		times = append(times, time.Since(start))
	}
	return milliseconds(median(times)), nil
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
