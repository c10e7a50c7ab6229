package postgres

import (
	"context"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
)

// Agencies take turns. The queue works jobs by priority, then by age. An agency's first
// waiting copies have the first priority, the next ones the second, and so on; as they are
// done the rest moves up. So one commune with a thousand copies is passed by others with
// a few, and is never passed for ever: its first ones always have the first priority.
const (
	firstLevel  = 4
	secondLevel = 16
	thirdLevel  = 64
)

// priorityAt is the priority of the i-th waiting copy of an agency, from 0.
func priorityAt(i int) int {
	switch {
	case i < firstLevel:
		return 1
	case i < secondLevel:
		return 2
	case i < thirdLevel:
		return 3
	}
	return 4
}

// levelEvery is how often waiting copies move up; levelShare bounds the part of its time that
// a worker's connection spends on it, however long the queue is.
const (
	levelEvery = time.Second
	levelShare = 20
)

// keepLevel moves waiting copies up until ctx ends.
func (s *Store) keepLevel(ctx context.Context) {
	wait := time.NewTimer(levelEvery)
	defer wait.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-wait.C:
		}
		pause := levelEvery
		var took float64
		// Without an answer now there will be another turn.
		if err := s.level(ctx, &took); err == nil {
			pause = max(pause, time.Duration(took*levelShare*float64(time.Millisecond)))
		}
		wait.Reset(pause)
	}
}

// level gives every waiting copy the priority of its place among its agency's. One worker at a
// time does it; took is how many milliseconds it was at work.
func (s *Store) level(ctx context.Context, took *float64) error {
	return s.tx(ctx, "take turns", func(tx pgx.Tx) error {
		var mine bool
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(hashtext('saoy turns'))`).Scan(&mine); err != nil || !mine {
			return err
		}
		if _, err := tx.Exec(ctx, fmt.Sprintf(`UPDATE river.river_job j SET priority = w.level FROM (
				SELECT id, CASE WHEN n <= %d THEN 1 WHEN n <= %d THEN 2 WHEN n <= %d THEN 3 ELSE 4 END AS level FROM (
					SELECT q.id, row_number() OVER (PARTITION BY c.agency ORDER BY q.scheduled_at, q.id) AS n
					FROM river.river_job q JOIN copy c ON c.id = (q.args->>'copy_id')::uuid
					WHERE q.state = 'available' AND q.kind = 'copy_advance') place) w
			WHERE j.id = w.id AND j.priority <> w.level AND j.state = 'available'`, firstLevel, secondLevel, thirdLevel)); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT extract(epoch FROM clock_timestamp() - now()) * 1000`).Scan(took)
	})
}

// Waiting returns how long an agency's copies will wait.
func (s *Store) Waiting(ctx context.Context, agency certcopy.AgencyID) (w desk.Waiting, err error) {
	var done int
	var seconds float64
	err = s.pool.QueryRow(ctx, `SELECT mine, ahead, total, done, seconds FROM queue_ahead($1)`, agency).Scan(&w.Mine, &w.Ahead, &w.Total, &done, &seconds)
	if err != nil {
		return w, fmt.Errorf("waiting: %w", ours(err))
	}
	if done > 0 {
		w.PerMinute = float64(done) / math.Max(seconds/60, 1.0/6) // not from less than ten seconds
	}
	return w, nil
}

// notFull refuses more work for copies beyond the ceiling, with how long to wait.
func (s *Store) notFull(ctx context.Context, agency certcopy.AgencyID, more int) error {
	if s.config.Ceiling == 0 {
		return nil
	}
	w, err := s.Waiting(ctx, agency)
	if err != nil || w.Total+more <= s.config.Ceiling {
		return err
	}
	minutes := 1
	if w.PerMinute > 0 {
		minutes = max(1, int(math.Ceil(float64(w.Total+more-s.config.Ceiling)/w.PerMinute)))
	}
	return certcopy.Errorf(certcopy.Unavailable, "queue", fmt.Errorf("%w: %d copies wait", storage.ErrUnavailable, w.Total), certcopy.Msg(
		fmt.Sprintf("Hệ thống đang xử lý %d bản sao, đã đến giới hạn. Chưa có gì bị mất; hãy thử lại sau khoảng %d phút.", w.Total, minutes),
		fmt.Sprintf("%d copies are being worked on, which is the limit. Nothing is lost; try again in about %d minutes.", w.Total, minutes)))
}
