package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/storage"
)

// Record adds an event to the audit, see storage.Auditor. What a key is about to do is durable
// when it returns; that something was seen may be lost if the server loses its power within
// the next second.
func (s *Store) Record(ctx context.Context, e storage.AuditEvent) error {
	return s.tx(ctx, "audit", func(tx pgx.Tx) error {
		batch := &pgx.Batch{}
		if e.Kind == storage.AuditView {
			batch.Queue(`SET LOCAL synchronous_commit = off`)
		}
		batch.Queue(`SELECT audit($1, $2, $3, nullif($4, ''), nullif($5, '')::uuid, nullif($6, ''), nullif($7, '')::uuid, $8, $9)`,
			e.Kind, e.Action, e.Phase, string(e.Agency), string(e.Account), e.Client, string(e.Copy), e.Subject, digestOrNull(e.Digest))
		return tx.SendBatch(ctx, batch).Close()
	})
}

const auditColumns = `SELECT e.id, e.at, e.kind, e.action, e.phase, e.role, coalesce(e.agency, ''), coalesce(e.account::text, ''), e.client,
	coalesce(e.copy::text, ''), e.subject, e.digest FROM audit_event e `

func scanEvent(row pgx.CollectableRow) (e storage.AuditEvent, err error) {
	var d []byte
	err = row.Scan(&e.ID, &e.At, &e.Kind, &e.Action, &e.Phase, &e.Role, &e.Agency, &e.Account, &e.Client, &e.Copy, &e.Subject, &d)
	e.Digest = digest(d)
	return e, err
}

// AuditEvents returns at most limit events, the newest first.
func (s *Store) AuditEvents(ctx context.Context, f storage.AuditFilter, limit int) ([]storage.AuditEvent, error) {
	found, err := s.pool.Query(ctx, auditColumns+`WHERE ($1 = '' OR e.agency = $1) AND ($2 = '' OR e.account = nullif($2, '')::uuid)
		AND ($3 = '' OR e.copy = nullif($3, '')::uuid) AND ($4 = '' OR e.kind = $4) AND ($5::timestamptz IS NULL OR e.at >= $5)
		AND ($6::timestamptz IS NULL OR e.at < $6) AND ($7 = 0 OR e.id < $7) ORDER BY e.id DESC LIMIT $8`,
		string(f.Agency), string(f.Account), string(f.Copy), string(f.Kind), nullable(f.Since), nullable(f.Till), f.Before, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", ours(err))
	}
	list, err := pgx.CollectRows(found, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", ours(err))
	}
	return list, nil
}

// eventsPerBatch bounds one link of the chain.
const eventsPerBatch = 2000

// ChainAudit binds the events that are not in the chain yet, one batch after the other, and
// returns how many. Several processes may call it at once: one works, the others return.
func (s *Store) ChainAudit(ctx context.Context) (events int, err error) {
	for {
		n := 0
		err := s.tx(ctx, "chain the audit", func(tx pgx.Tx) (err error) {
			n, err = chainBatch(ctx, tx)
			return err
		})
		if events += n; err != nil || n < eventsPerBatch {
			return events, err
		}
	}
}

func chainBatch(ctx context.Context, tx pgx.Tx) (int, error) {
	var mine bool
	if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(hashtext('saoy audit'))`).Scan(&mine); err != nil || !mine {
		return 0, err
	}
	found, err := tx.Query(ctx, auditColumns+`JOIN audit_pending p ON p.event = e.id ORDER BY e.id LIMIT $1`, eventsPerBatch)
	if err != nil {
		return 0, err
	}
	events, err := pgx.CollectRows(found, scanEvent)
	if err != nil || len(events) == 0 {
		return 0, err
	}
	last, err := lastBatch(ctx, tx)
	if err != nil {
		return 0, err
	}
	hash, err := storage.ChainHash(last.Hash, events)
	if err != nil {
		return 0, err
	}
	ids := make([]int64, len(events))
	for i, e := range events {
		ids[i] = e.ID
	}
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO audit_batch (seq, events, hash, size) VALUES ($1, $2, $3, $4)`, last.Seq+1, ids, hash[:], last.Size+int64(len(ids)))
	batch.Queue(`DELETE FROM audit_pending WHERE event = ANY($1)`, ids)
	return len(ids), tx.SendBatch(ctx, batch).Close()
}

// rower is a pool or a transaction.
type rower interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}

// lastBatch returns the head of the chain, without its events; zero if there is none.
func lastBatch(ctx context.Context, q rower) (b storage.AuditBatch, err error) {
	var hash []byte
	err = q.QueryRow(ctx, `SELECT seq, size, hash FROM audit_batch ORDER BY seq DESC LIMIT 1`).Scan(&b.Seq, &b.Size, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return b, nil
	}
	b.Hash = digest(hash)
	return b, err
}

// AuditHead returns the head of the chain, without its events, and the batch of the newest
// signed head; zeros if there is none.
func (s *Store) AuditHead(ctx context.Context) (head storage.AuditBatch, signed int64, err error) {
	if head, err = lastBatch(ctx, s.pool); err == nil {
		err = s.pool.QueryRow(ctx, `SELECT coalesce(max(seq), 0) FROM audit_head`).Scan(&signed)
	}
	if err != nil {
		return head, 0, fmt.Errorf("head of the audit: %w", ours(err))
	}
	return head, signed, nil
}

// PutAuditHead records a signed head; one that is there already stays.
func (s *Store) PutAuditHead(ctx context.Context, seq int64, note []byte) error {
	_, err := s.write(ctx, "head of the audit", `INSERT INTO audit_head (seq, note) VALUES ($1, $2) ON CONFLICT DO NOTHING`, seq, note)
	return err
}

// AuditHeads yields the recorded signed heads, the oldest first.
func (s *Store) AuditHeads(ctx context.Context) iter.Seq2[storage.SignedCheckpoint, error] {
	return rows(ctx, s, "heads of the audit", `SELECT seq, note FROM audit_head ORDER BY seq`, func(row pgx.Row) (c storage.SignedCheckpoint, err error) {
		err = row.Scan(&c.Size, &c.Note)
		return c, err
	})
}

// AuditBatches yields the chain with its events from batch from on. An event that the chain
// names and the table has not is missing from its batch.
func (s *Store) AuditBatches(ctx context.Context, from int64) iter.Seq2[storage.AuditBatch, error] {
	return func(yield func(storage.AuditBatch, error) bool) {
		links := rows(ctx, s, "audit", `SELECT seq, size, hash, events FROM audit_batch WHERE seq >= $1 ORDER BY seq`, scanLinkOfChain, from)
		for l, err := range links {
			if err == nil {
				l.AuditBatch.Events, err = s.eventsOf(ctx, l.ids)
			}
			if !yield(l.AuditBatch, err) || err != nil {
				return
			}
		}
	}
}

// chainLink is a row of the chain.
type chainLink struct {
	storage.AuditBatch
	ids []int64
}

func scanLinkOfChain(row pgx.Row) (l chainLink, err error) {
	var hash []byte
	err = row.Scan(&l.Seq, &l.Size, &hash, &l.ids)
	l.Hash = digest(hash)
	return l, err
}

func (s *Store) eventsOf(ctx context.Context, ids []int64) ([]storage.AuditEvent, error) {
	found, err := s.pool.Query(ctx, auditColumns+`JOIN unnest($1::bigint[]) WITH ORDINALITY AS w (id, n) ON w.id = e.id ORDER BY w.n`, ids)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", ours(err))
	}
	events, err := pgx.CollectRows(found, scanEvent)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", ours(err))
	}
	return events, nil
}

// AuditCounts returns how many events there are, how many wait to be chained, and since when
// the oldest of those waits.
func (s *Store) AuditCounts(ctx context.Context) (events, waiting int64, since time.Time, err error) {
	type counts struct {
		events, waiting int64
		since           *time.Time
	}
	for c, err := range rows(ctx, s, "audit", `SELECT (SELECT count(*) FROM audit_event), count(*), min(e.at) FROM audit_pending p LEFT JOIN audit_event e ON e.id = p.event`,
		func(row pgx.Row) (c counts, err error) {
			err = row.Scan(&c.events, &c.waiting, &c.since)
			return c, err
		}) {
		return c.events, c.waiting, timeOrZero(c.since), err
	}
	return 0, 0, since, storage.ErrNotFound
}
