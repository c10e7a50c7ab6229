package postgres

import (
	"context"
	"time"
)

// Figures are what an operator watches: of copies on their way, never of people.
type Figures struct {
	Copies  map[string]int64 // by state, those that somebody or something is to carry on
	Waiting map[string]int64 // by the English words for why they wait
	// Unpublished is how many leaves no checkpoint covers yet; CheckpointAge that of the newest,
	// zero if there is none.
	Unpublished   int64
	CheckpointAge time.Duration
}

// maxTroubles bounds the different reasons; the rest is "other".
const maxTroubles = 20

// Figures counts. Its cost grows with the copies on their way, not with those that are done. The
// role of the public site sees the log only.
func (s *Store) Figures(ctx context.Context) (f Figures, err error) {
	f.Copies, f.Waiting = map[string]int64{}, map[string]int64{}
	var seconds float64
	err = s.pool.QueryRow(ctx, `SELECT h.size - coalesce(max(c.size), 0), coalesce(extract(epoch FROM book_clock() - max(c.created_at)), 0)
		FROM tree_head h LEFT JOIN (SELECT size, created_at FROM checkpoint ORDER BY size DESC LIMIT 1) c ON true GROUP BY h.size`).
		Scan(&f.Unpublished, &seconds)
	if err != nil {
		return f, ours(err)
	}
	f.CheckpointAge = time.Duration(seconds * float64(time.Second))
	if s.config.Role == PublicRole {
		return f, nil
	}
	rows, err := s.pool.Query(ctx, `SELECT c.state, c.trouble_en, count(*) FROM agency a JOIN copy c ON c.agency = a.id
		WHERE c.state IN ('received', 'scanned', 'submitted', 'returned', 'numbered', 'stamped', 'signed', 'sealed', 'registered') GROUP BY c.state, c.trouble_en`)
	if err != nil {
		return f, ours(err)
	}
	defer rows.Close()
	for rows.Next() {
		var state, trouble string
		var n int64
		if err := rows.Scan(&state, &trouble, &n); err != nil {
			return f, ours(err)
		}
		f.Copies[state] += n
		if trouble == "" || state == "submitted" { // what was given back says why, with words of its own
			continue
		}
		if f.Waiting[trouble] == 0 && len(f.Waiting) >= maxTroubles {
			trouble = "other"
		}
		f.Waiting[trouble] += n
	}
	return f, ours(rows.Err())
}
