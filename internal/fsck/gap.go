package fsck

import (
	"context"
	"fmt"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// readGaps reads the numbers that were left out of the books by decision, after a restoration.
func (k *Checker) readGaps(ctx context.Context) error {
	gaps, err := k.Ledger.Gaps(ctx)
	if err != nil {
		return fmt.Errorf("gaps: %w", err)
	}
	k.gaps = map[bookKey][]storage.Gap{}
	for _, g := range gaps {
		key := bookKey{g.Agency, g.Book}
		k.gaps[key] = append(k.gaps[key], g)
		k.report.LeftOut += g.Last - g.First + 1
	}
	return nil
}

// overGaps returns the last number after which the next row stands: n, or the end of a gap
// that begins right behind it, or with the year that follows.
func (k *Checker) overGaps(key bookKey, n certcopy.Number) certcopy.Number {
	for _, g := range k.gaps[key] {
		if g.Year == n.Year && g.First == n.Seq+1 || g.Year > n.Year && g.First == 1 {
			n.Year, n.Seq = g.Year, g.Last
		}
	}
	return n
}
