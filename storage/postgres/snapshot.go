package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Snapshot is the whole database as of one moment, for a backup: whatever the service writes
// meanwhile is not in it. It holds one connection and one transaction until Close.
type Snapshot struct {
	conn *pgx.Conn
	tx   pgx.Tx
}

// OpenSnapshot begins a snapshot of a migrated database. The login must own the database:
// what row security would hide from it is an error, not a smaller backup.
func OpenSnapshot(ctx context.Context, url string) (*Snapshot, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", ours(err))
	}
	s := &Snapshot{conn: conn}
	s.tx, err = conn.BeginTx(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly})
	if err == nil {
		_, err = s.tx.Exec(ctx, `SET LOCAL row_security = off; SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0;
			SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 3;
			SET LOCAL bytea_output = 'hex'`)
	}
	if err != nil {
		_ = conn.Close(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("snapshot: %w", ours(err))
	}
	return s, nil
}

// Close ends the snapshot.
func (s *Snapshot) Close(ctx context.Context) error { return s.conn.Close(context.WithoutCancel(ctx)) }

// State says what the snapshot holds.
func (s *Snapshot) State(ctx context.Context) (d storage.DatabaseState, err error) {
	var root []byte
	i := &d.Installation
	err = s.tx.QueryRow(ctx, `SELECT (SELECT max(version_id) FROM goose_db_version WHERE is_applied), (SELECT max(version) FROM river.river_migration),
			i.public_url, i.log_key, i.demonstration, i.founded_at, h.size, h.root,
			(SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1), (SELECT count(*) FROM copy), (SELECT count(*) FROM book_row)
		FROM installation i, tree_head h`).
		Scan(&d.Schema, &d.Queue, &i.PublicURL, &i.LogKey, &i.Demonstration, &i.FoundedAt, &d.Size, &root, &d.Checkpoint, &d.Copies, &d.Numbers)
	i.FoundedAt, d.Root = i.FoundedAt.UTC(), digest(root)
	if err != nil {
		return d, fmt.Errorf("snapshot: %w", ours(err))
	}
	return d, nil
}

// Tables lists the tables in an order in which they can be filled: what a row refers to comes
// before it. Tables that say which migrations were applied, or that do not survive a crash
// of the server anyway, are left out.
func (s *Snapshot) Tables(ctx context.Context) ([]storage.Table, error) {
	rows, err := s.tx.Query(ctx, `SELECT n.nspname, c.relname, c.oid,
			ARRAY(SELECT a.attname::text FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = '' ORDER BY a.attnum),
			ARRAY(SELECT DISTINCT k.confrelid::int8 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'f' AND k.confrelid <> c.oid)
		FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
		WHERE n.nspname IN ('public', 'river') AND c.relkind = 'r' AND c.relpersistence = 'p' AND c.relname NOT IN ('goose_db_version', 'river_migration')
		ORDER BY n.nspname, c.relname`)
	if err != nil {
		return nil, fmt.Errorf("snapshot: tables: %w", ours(err))
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t relation, err error) {
		err = row.Scan(&t.Schema, &t.Name, &t.oid, &t.Columns, &t.refers)
		return t, err
	})
	if err != nil {
		return nil, fmt.Errorf("snapshot: tables: %w", ours(err))
	}
	return inOrder(all)
}

// relation is a table with those its rows refer to.
type relation struct {
	storage.Table
	oid    uint32
	refers []int64
}

// inOrder puts tables after those they refer to.
func inOrder(all []relation) ([]storage.Table, error) {
	var ordered []storage.Table
	placed := map[int64]bool{}
	for len(ordered) < len(all) {
		before := len(ordered)
		for _, t := range all {
			if placed[int64(t.oid)] || !allPlaced(placed, t.refers) {
				continue
			}
			placed[int64(t.oid)] = true
			ordered = append(ordered, t.Table)
		}
		if len(ordered) == before {
			return nil, errors.New("snapshot: tables refer to each other in a circle")
		}
	}
	return ordered, nil
}

func allPlaced(placed map[int64]bool, oids []int64) bool {
	for _, oid := range oids {
		if !placed[oid] {
			return false
		}
	}
	return true
}

// Rows writes the rows of a table in PostgreSQL's text form of COPY and returns how many.
func (s *Snapshot) Rows(ctx context.Context, t storage.Table, w io.Writer) (rows int64, err error) {
	tag, err := s.conn.PgConn().CopyTo(ctx, w, "COPY "+tableName(t)+" ("+columnNames(t)+") TO STDOUT")
	if err != nil {
		return 0, fmt.Errorf("snapshot: %s: %w", t.Name, ours(err))
	}
	return tag.RowsAffected(), nil
}

// Sequences returns the sequences of the tables. They count on outside of transactions, so
// they may be ahead of the rows, never behind.
func (s *Snapshot) Sequences(ctx context.Context) ([]storage.Sequence, error) {
	rows, err := s.tx.Query(ctx, `SELECT schemaname, sequencename, coalesce(last_value, 0) FROM pg_sequences
		WHERE schemaname IN ('public', 'river') AND sequencename <> 'goose_db_version_id_seq' ORDER BY 1, 2`)
	if err != nil {
		return nil, fmt.Errorf("snapshot: sequences: %w", ours(err))
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[storage.Sequence])
	if err != nil {
		return nil, fmt.Errorf("snapshot: sequences: %w", ours(err))
	}
	return all, nil
}

// keptAtOnce bounds the memory of Copies.
const keptAtOnce = 5000

// Copies yields every copy in the order of the identifiers, which is that of the keys of its
// objects.
func (s *Snapshot) Copies(ctx context.Context) iter.Seq2[storage.KeptCopy, error] {
	return func(yield func(storage.KeptCopy, error) bool) {
		after := "00000000-0000-0000-0000-000000000000"
		for {
			page, err := s.copiesAfter(ctx, after)
			for _, c := range page {
				if !yield(c, nil) {
					return
				}
			}
			if err != nil {
				yield(storage.KeptCopy{}, fmt.Errorf("snapshot: copies: %w", ours(err)))
				return
			}
			if len(page) < keptAtOnce {
				return
			}
			after = string(page[len(page)-1].ID)
		}
	}
}

func (s *Snapshot) copiesAfter(ctx context.Context, after string) ([]storage.KeptCopy, error) {
	rows, err := s.tx.Query(ctx, `SELECT c.id, c.state, c.final_digest, k.copy IS NOT NULL
		FROM copy c LEFT JOIN file_key k ON k.copy = c.id WHERE c.id > $1::uuid ORDER BY c.id LIMIT $2`, after, keptAtOnce)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c storage.KeptCopy, err error) {
		var final []byte
		err = row.Scan(&c.ID, &c.State, &final, &c.HasKey)
		c.Final = digest(final)
		return c, err
	})
}

// Hashes reads stored hashes of the log's tree as of the snapshot.
func (s *Snapshot) Hashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error) {
	hashes, err := readHashes(ctx, s.tx, indexes)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", ours(err))
	}
	return hashes, nil
}

func tableName(t storage.Table) string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

func columnNames(t storage.Table) string {
	quoted := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		quoted[i] = pgx.Identifier{c}.Sanitize()
	}
	return strings.Join(quoted, ", ")
}
