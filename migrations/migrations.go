// Package migrations holds the database's schema as forward-only steps, embedded in the
// binary, and applies them.
//
// The next step takes the next number. A released step is never changed, and none is put
// between released ones: a database that has passed them would refuse to go on.
package migrations

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Files are the steps.
//
//go:embed *.sql
var Files embed.FS

// QueueSchema is the schema in which the job queue keeps its tables.
const QueueSchema = "river"

// ErrNewer: the database was migrated by a newer program that says that this one must not touch it.
var ErrNewer = errors.New("the database's schema is newer than this program")

// Up brings the database to the newest step and returns its number. Programs that start at
// once wait for each other. Up needs the database's owner, and a role that may create roles
// unless the saoy_ roles exist.
func Up(ctx context.Context, url string) (version int64, err error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	config.MaxConns = 4
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return 0, fmt.Errorf("migrate: %w", err)
	}
	defer pool.Close()
	unlock, err := exclusively(ctx, pool)
	if err != nil {
		return 0, fmt.Errorf("migrate: wait for another migration: %w", err)
	}
	defer unlock()
	if version, err = schema(ctx, pool); err != nil {
		return version, fmt.Errorf("migrate: %w", err)
	}
	if err := queue(ctx, pool); err != nil {
		return version, fmt.Errorf("migrate: job queue: %w", err)
	}
	return version, nil
}

// Newest is the number of the last step this program knows.
func Newest() (int64, error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, new(sql.DB), Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, err
	}
	sources := provider.ListSources()
	return sources[len(sources)-1].Version, nil
}

// exclusively takes an advisory lock on a connection of its own. It polls instead of waiting in
// the server because a waiting statement holds a snapshot, on which a concurrent index build
// of the lock's holder would wait in turn.
func exclusively(ctx context.Context, pool *pgxpool.Pool) (unlock func(), err error) {
	conn, err := pool.Acquire(ctx)
	if err != nil {
		return nil, err
	}
	key := lockKey()
	for {
		var locked bool
		if err := conn.QueryRow(ctx, `SELECT pg_try_advisory_lock($1)`, key).Scan(&locked); err != nil {
			conn.Release()
			return nil, err
		}
		if locked {
			break
		}
		select {
		case <-ctx.Done():
			conn.Release()
			return nil, ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
	return func() {
		// Closing the connection frees the lock even if the server cannot answer any more.
		raw := conn.Hijack()
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
		defer cancel()
		_ = raw.Close(closing)
	}, nil
}

func lockKey() int64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, "saoy migrations")
	return int64(h.Sum64())
}

// schema applies the embedded steps.
func schema(ctx context.Context, pool *pgxpool.Pool) (int64, error) {
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return 0, err
	}
	if _, err := provider.Up(ctx); err != nil {
		return 0, err
	}
	current, target, err := provider.GetVersions(ctx)
	if err == nil && current > target {
		err = Tolerated(ctx, pool, current, target)
	}
	return current, err
}

// Tolerated reports whether a program whose newest step is known may work on a schema that is
// further: steps only add, so it may, unless one of them says otherwise. Else ErrNewer.
func Tolerated(ctx context.Context, pool *pgxpool.Pool, current, known int64) error {
	var oldest int64
	if err := pool.QueryRow(ctx, `SELECT step FROM oldest_program`).Scan(&oldest); err != nil || known < oldest {
		return fmt.Errorf("%w: %d, not %d", ErrNewer, current, known)
	}
	return nil
}

// queue applies the job queue's own migrations and lets the roles use its tables.
func queue(ctx context.Context, pool *pgxpool.Pool) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{
		Schema: QueueSchema, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return err
	}
	return pgx.BeginFunc(ctx, pool, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			GRANT SELECT ON goose_db_version TO saoy_office, saoy_public, saoy_worker, saoy_retention;
			GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA river TO saoy_worker;
			GRANT USAGE ON ALL SEQUENCES IN SCHEMA river TO saoy_worker, saoy_office;
			GRANT SELECT, INSERT, UPDATE ON river.river_job TO saoy_office;`)
		return err
	})
}
