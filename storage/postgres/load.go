package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/migrations"
	"github.com/saoy/saoy/storage"
)

// Load fills an empty database from a backup, in one transaction: a kill in the middle leaves
// the empty schema, with which the next Load begins.
type Load struct {
	url    string
	conn   *pgx.Conn
	tx     pgx.Tx
	tables []storage.Table
}

// BeginLoad makes the schema of the backup's steps and empties the tables of what the
// migrations put there. The login must own the database.
//
// storage.ErrExists: the database holds an installation; migrations.ErrNewer: the backup was
// made by a newer program.
func BeginLoad(ctx context.Context, url string, schema int64, queue int, tables []storage.Table) (*Load, error) {
	if err := prepareLoad(ctx, url, schema, queue); err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("load: %w", ours(err))
	}
	l := &Load{url: url, conn: conn, tables: tables}
	if err := l.begin(ctx); err != nil {
		l.Close(ctx)
		return nil, fmt.Errorf("load: %w", ours(err))
	}
	return l, nil
}

// prepareLoad migrates an empty database, or one that an earlier Load left without an installation.
func prepareLoad(ctx context.Context, url string, schema int64, queue int) error {
	err := migrations.To(ctx, url, schema, queue, false)
	if !errors.Is(err, migrations.ErrNotEmpty) {
		return err
	}
	founded, err := isFounded(ctx, url)
	if err != nil {
		return err
	}
	if founded {
		return fmt.Errorf("%w: the database holds an installation", storage.ErrExists)
	}
	return migrations.To(ctx, url, schema, queue, true)
}

// isFounded reports whether the database holds an installation, or anything that no Load made.
func isFounded(ctx context.Context, url string) (founded bool, err error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return false, ours(err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	var migrated, table bool
	if err = conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL, to_regclass('installation') IS NOT NULL`).Scan(&migrated, &table); err != nil || !migrated || !table {
		return !migrated, ours(err)
	}
	err = conn.QueryRow(ctx, `SELECT EXISTS (SELECT FROM installation)`).Scan(&founded)
	return founded, ours(err)
}

func (l *Load) begin(ctx context.Context) (err error) {
	if l.tx, err = l.conn.Begin(ctx); err != nil {
		return err
	}
	if _, err = l.tx.Exec(ctx, `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'`); err != nil {
		return err
	}
	// The triggers hold what may change and in which order; the rows of a backup have passed
	// them before. Foreign keys and CHECKs stay on.
	for _, t := range l.tables {
		if _, err = l.tx.Exec(ctx, "ALTER TABLE "+tableName(t)+" DISABLE TRIGGER USER"); err != nil {
			return fmt.Errorf("%s.%s: %w", t.Schema, t.Name, err)
		}
	}
	for i := len(l.tables) - 1; i >= 0; i-- {
		if _, err = l.tx.Exec(ctx, "DELETE FROM "+tableName(l.tables[i])); err != nil {
			return fmt.Errorf("%s.%s: %w", l.tables[i].Schema, l.tables[i].Name, err)
		}
	}
	return nil
}

// Rows fills a table from PostgreSQL's text form of COPY and returns how many rows it took.
// Tables come in the order in which the snapshot listed them.
func (l *Load) Rows(ctx context.Context, t storage.Table, r io.Reader) (rows int64, err error) {
	tag, err := l.conn.PgConn().CopyFrom(ctx, r, "COPY "+tableName(t)+" ("+columnNames(t)+") FROM STDIN")
	if err != nil {
		return 0, fmt.Errorf("load %s: %w", t.Name, ours(err))
	}
	return tag.RowsAffected(), nil
}

// Hashes reads stored hashes of the log's tree, as loaded.
func (l *Load) Hashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error) {
	hashes, err := readHashes(ctx, l.tx, indexes)
	if err != nil {
		return nil, fmt.Errorf("load: %w", ours(err))
	}
	return hashes, nil
}

// Finish sets the sequences, puts the triggers back, records the restoration, commits, and
// brings the database to this program's schema.
func (l *Load) Finish(ctx context.Context, sequences []storage.Sequence, r storage.Restoration) error {
	for _, s := range sequences {
		if s.Last == 0 {
			continue
		}
		if _, err := l.tx.Exec(ctx, `SELECT setval($1::text::regclass, $2)`, pgx.Identifier{s.Schema, s.Name}.Sanitize(), s.Last); err != nil {
			return fmt.Errorf("load: sequence %s: %w", s.Name, ours(err))
		}
	}
	for _, t := range l.tables {
		if _, err := l.tx.Exec(ctx, "ALTER TABLE "+tableName(t)+" ENABLE TRIGGER USER"); err != nil {
			return fmt.Errorf("load: %s: %w", t.Name, ours(err))
		}
	}
	if _, err := l.tx.Exec(ctx, `INSERT INTO restoration (backup, size, known, known_size) VALUES ($1, $2, $3, $4)`,
		r.Backup, r.Size, r.Known, r.KnownSize); err != nil {
		return fmt.Errorf("load: restoration: %w", ours(err))
	}
	// Nobody works these jobs any more.
	if _, err := l.tx.Exec(ctx, makeAvailable); err != nil {
		return fmt.Errorf("load: jobs: %w", ours(err))
	}
	if err := l.tx.Commit(ctx); err != nil {
		return fmt.Errorf("load: %w", ours(err))
	}
	if _, err := l.conn.Exec(ctx, `ANALYZE`); err != nil {
		return fmt.Errorf("load: %w", ours(err))
	}
	_, err := Migrate(ctx, l.url)
	return err
}

// Close ends the load; one that was not finished leaves nothing.
func (l *Load) Close(ctx context.Context) { _ = l.conn.Close(context.WithoutCancel(ctx)) }
