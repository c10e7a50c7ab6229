package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// claim holds an idempotency key by an advisory lock of a connection of its own: if the
// process dies, the server frees it, and the next attempt goes on at once.
type claim struct {
	store       *Store
	conn        *pgxpool.Conn
	client, key string
	lock        int64
	reply       *storage.Reply
}

// Claim implements storage.Clients. A claim holds one connection of the pool, so the caller
// must bound how many there are.
func (s *Store) Claim(ctx context.Context, client, key string, request certcopy.Digest) (storage.Claim, error) {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return nil, ours(err)
	}
	c := &claim{store: s, conn: conn, client: client, key: key}
	if err := c.take(ctx, request); err != nil {
		c.Release()
		return nil, err
	}
	return c, nil
}

func (c *claim) take(ctx context.Context, request certcopy.Digest) error {
	var held bool
	err := c.conn.QueryRow(ctx, `SELECT l, pg_try_advisory_lock(l) FROM hashtextextended('saoy idempotency key ' || $1 || ' ' || $2, 0) l`, c.client, c.key).Scan(&c.lock, &held)
	if err != nil {
		return ours(err)
	}
	if !held {
		c.lock = 0
		return fmt.Errorf("idempotency key: %w", storage.ErrConflict)
	}
	if _, err := c.conn.Exec(ctx, `INSERT INTO api_reply (client, key, request) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`, c.client, c.key, request[:]); err != nil {
		return ours(err)
	}
	var asked, body []byte
	var status *int
	var kind *string
	if err := c.conn.QueryRow(ctx, `SELECT request, status, content_type, body FROM api_reply WHERE client = $1 AND key = $2`, c.client, c.key).
		Scan(&asked, &status, &kind, &body); err != nil {
		return ours(err)
	}
	if string(asked) != string(request[:]) {
		return fmt.Errorf("idempotency key: %w", storage.ErrExists)
	}
	if status != nil {
		c.reply = &storage.Reply{Status: *status, ContentType: orZero(kind), Body: body}
	}
	return nil
}

// Reply implements storage.Claim.
func (c *claim) Reply() (storage.Reply, bool) {
	if c.reply == nil {
		return storage.Reply{}, false
	}
	return *c.reply, true
}

// Keep implements storage.Claim.
func (c *claim) Keep(ctx context.Context, r storage.Reply) error {
	if r.Body == nil {
		r.Body = []byte{}
	}
	_, err := c.store.write(ctx, "reply", `UPDATE api_reply SET status = $3, content_type = $4, body = $5 WHERE client = $1 AND key = $2 AND status IS NULL`,
		c.client, c.key, r.Status, r.ContentType, r.Body)
	return err
}

// Release implements storage.Claim. A connection whose lock cannot be given up is closed.
func (c *claim) Release() {
	if c.conn == nil {
		return
	}
	conn := c.conn
	c.conn = nil
	// The caller's context may be over; the lock must go all the same.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if c.lock != 0 {
		if _, err := conn.Exec(ctx, `SELECT pg_advisory_unlock($1)`, c.lock); err != nil {
			_ = conn.Hijack().Close(ctx)
			return
		}
	}
	conn.Release()
}
