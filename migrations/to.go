package migrations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// ErrNotEmpty: there is something in the database already.
var ErrNotEmpty = errors.New("the database is not empty")

// To brings an empty database to an earlier step, and to one of the job queue's steps: the
// schema in which a backup was made. ErrNotEmpty if it holds anything, ErrNewer if this
// program does not know the step. Up goes on from there. With begun, an earlier To may have been
// broken off, and the database may hold what that one made.
func To(ctx context.Context, url string, version int64, queueVersion int, begun bool) error {
	newest, err := Newest()
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if version > newest {
		return fmt.Errorf("%w: %d, not %d", ErrNewer, version, newest)
	}
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	defer pool.Close()
	unlock, err := exclusively(ctx, pool)
	if err != nil {
		return fmt.Errorf("migrate: wait for another migration: %w", err)
	}
	defer unlock()
	if !begun {
		if err := empty(ctx, pool); err != nil {
			return err
		}
	}
	db := stdlib.OpenDBFromPool(pool)
	defer db.Close()
	if err := upTo(ctx, db, version); err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if err := queueTo(ctx, pool, queueVersion); err != nil {
		return fmt.Errorf("migrate: job queue: %w", err)
	}
	return nil
}

func empty(ctx context.Context, pool *pgxpool.Pool) error {
	var relations int
	err := pool.QueryRow(ctx, `SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname NOT LIKE 'pg\_%' AND n.nspname <> 'information_schema'`).Scan(&relations)
	if err != nil {
		return fmt.Errorf("migrate: %w", err)
	}
	if relations > 0 {
		return fmt.Errorf("%w: %d relations", ErrNotEmpty, relations)
	}
	return nil
}

func upTo(ctx context.Context, db *sql.DB, version int64) error {
	provider, err := goose.NewProvider(goose.DialectPostgres, db, Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return err
	}
	_, err = provider.UpTo(ctx, version)
	return err
}

func queueTo(ctx context.Context, pool *pgxpool.Pool, version int) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Schema: QueueSchema, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, &rivermigrate.MigrateOpts{TargetVersion: version})
	return err
}
