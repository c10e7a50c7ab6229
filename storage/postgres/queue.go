package postgres

import (
	"log/slog"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"

	"github.com/saoy/saoy/migrations"
)

// insertOnly returns a client that can enqueue in our transactions but works nothing.
func insertOnly(pool *pgxpool.Pool) (*river.Client[pgx.Tx], error) {
	return river.NewClient(riverpgxv5.New(pool), &river.Config{
		Schema: migrations.QueueSchema, Logger: slog.New(slog.DiscardHandler),
	})
}
