// Package postgres is the Ledger on PostgreSQL 15 or newer, the job queue in the same
// database, and a private server as a child process for installations without one.
//
// One exported method is one transaction. The SQL stands beside the method that runs it;
// states, their order, consecutive numbers and the permanence of book and log are held by
// the schema as well (package migrations), and each process works under a role that may do
// only what its part of the flow needs.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"

	"github.com/saoy/saoy/migrations"
	"github.com/saoy/saoy/storage"
)

// Role is the database role under which a Store works. The login of Config.URL must be the
// owner or a member of the role.
type Role string

// The roles, as migrations create them.
const (
	// AllRoles may do what office, public site and workers may: one process that serves all.
	AllRoles Role = "saoy_service"
	// OfficeRole serves the officials: intake, confirmations, voids, annulments.
	OfficeRole Role = "saoy_office"
	// PublicRole serves everyone: it reads public facts and the log.
	PublicRole Role = "saoy_public"
	// WorkerRole takes numbers, signs, registers and publishes.
	WorkerRole Role = "saoy_worker"
	// RetentionRole deletes what may be deleted.
	RetentionRole Role = "saoy_retention"
)

// ErrNotMigrated: the database lacks steps that this program needs; migrate it first.
var ErrNotMigrated = errors.New("the database is not migrated")

// Config says where the ledger is.
type Config struct {
	// URL is a PostgreSQL connection string, as a URL or in key=value form.
	URL string
	// ReadURL names a streaming standby that answers the public's look-ups; empty: there is none.
	// What it does not know, or would answer with facts older than 10 s, the primary is asked,
	// a few at a time, so that a copy just released is found and one just annulled is not valid.
	ReadURL string
	// Role is taken on by every connection; empty means AllRoles.
	Role Role
	// MaxConns bounds the pool; 0 means 16.
	MaxConns int
	// StatementTimeout bounds each statement but those that read whole tables; 0 means 5 s for
	// the public role, 10 minutes for the retention role, 60 s for the others.
	StatementTimeout time.Duration
	// Ceiling is how many copies of all agencies may be on their way between confirmation and
	// registration; a confirmation beyond it is refused with the time to wait. 0: no ceiling.
	Ceiling int
	// Fee computes the fee in đồng that enters the book, from the pages of the original, the
	// number of copies and the day. If nil, the column stays empty for ever.
	Fee func(pages, copies int, day time.Time) int64
}

// Store is the ledger in one database. It is safe for concurrent use.
type Store struct {
	config Config
	pool   *pgxpool.Pool
	// replica answers the public's look-ups; nil if there is none.
	replica *replica
	queue   *river.Client[pgx.Tx] // inserts only; Work has a client of its own
	fee     func(pages, copies int, day time.Time) int64

	listening sync.Mutex // guards ear
	ear       *ear
}

// Open connects to a migrated database; one that a newer program migrated will do if that
// program says so. ErrNotMigrated or migrations.ErrNewer if the schema is
// not this program's, storage.ErrUnavailable if the server does not answer.
func Open(ctx context.Context, c Config) (*Store, error) {
	config, err := poolConfig(c)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", ours(err))
	}
	if err := checkSchema(ctx, pool); err != nil {
		pool.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	queue, err := insertOnly(pool)
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	s := &Store{config: c, pool: pool, queue: queue, fee: c.Fee}
	if c.ReadURL != "" {
		if s.replica, err = openReplica(ctx, c); err != nil {
			pool.Close()
			return nil, err
		}
	}
	return s, nil
}

// As opens another Store of the same database under another role, with a few connections of its
// own. The login must be allowed to take the role on. The caller closes it.
func (s *Store) As(ctx context.Context, role Role) (*Store, error) {
	c := s.config
	c.Role, c.MaxConns, c.ReadURL = role, 3, ""
	return Open(ctx, c)
}

// Migrate brings the database to this program's schema and returns its step; see
// migrations.Up. storage.ErrUnavailable if the server does not answer.
func Migrate(ctx context.Context, url string) (version int64, err error) {
	version, err = migrations.Up(ctx, url)
	if err != nil && isConnection(err) {
		return version, ours(err)
	}
	return version, err // which names the step that does not apply
}

// Close ends all connections, after those in use are given back.
func (s *Store) Close() {
	s.listening.Lock()
	if s.ear != nil {
		s.ear.close()
	}
	s.listening.Unlock()
	if s.replica != nil {
		s.replica.pool.Close()
	}
	s.pool.Close()
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return ours(s.pool.Ping(ctx)) }

func poolConfig(c Config) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(c.URL)
	if err != nil {
		// The driver's message repeats the connection string, which may hold a password.
		return nil, errors.New("open ledger: the connection string is malformed")
	}
	role := c.Role
	if role == "" {
		role = AllRoles
	}
	config.MaxConns = int32(max(c.MaxConns, 0))
	if config.MaxConns == 0 {
		config.MaxConns = 16
	}
	config.ConnConfig.ConnectTimeout = 10 * time.Second
	config.ConnConfig.RuntimeParams["application_name"] = "saoy"
	// A transaction that its program forgot must not hold the counter or the tree for ever.
	config.ConnConfig.RuntimeParams["idle_in_transaction_session_timeout"] = "60000"
	config.ConnConfig.RuntimeParams["lock_timeout"] = "30000"
	config.ConnConfig.RuntimeParams["statement_timeout"] = strconv.FormatInt(statementTimeout(c, role).Milliseconds(), 10)
	config.PrepareConn = prepare
	config.AfterConnect = func(ctx context.Context, conn *pgx.Conn) error {
		// Times are UTC inside.
		conn.TypeMap().RegisterType(&pgtype.Type{Name: "timestamptz", OID: pgtype.TimestamptzOID, Codec: &pgtype.TimestamptzCodec{ScanLocation: time.UTC}})
		_, err := conn.Exec(ctx, "SET ROLE "+pgx.Identifier{string(role)}.Sanitize())
		return err
	}
	return config, nil
}

func statementTimeout(c Config, role Role) time.Duration {
	switch {
	case c.StatementTimeout > 0:
		return c.StatementTimeout
	case role == PublicRole:
		return 5 * time.Second
	case role == RetentionRole:
		return 10 * time.Minute
	}
	return time.Minute
}

// checkSchema compares the database's step with the newest this program knows.
func checkSchema(ctx context.Context, pool *pgxpool.Pool) error {
	want, err := migrations.Newest()
	if err != nil {
		return err
	}
	var have int64
	err = pool.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`).Scan(&have)
	switch {
	case sqlState(err) == undefinedTable, sqlState(err) == invalidParameter:
		return fmt.Errorf("%w: it is empty", ErrNotMigrated)
	case err != nil:
		return ours(err)
	case have < want:
		return fmt.Errorf("%w: it is at step %d, the program needs %d", ErrNotMigrated, have, want)
	case have > want:
		return migrations.Tolerated(ctx, pool, have, want)
	}
	return nil
}

var _ storage.Ledger = (*Store)(nil)
