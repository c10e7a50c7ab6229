package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/saoy/saoy/storage"
)

// SQLSTATEs that decide something, see PostgreSQL's appendix A.
const (
	uniqueViolation      = "23505"
	foreignKeyViolation  = "23503"
	checkViolation       = "23514"
	invalidText          = "22P02"
	invalidParameter     = "22023"
	serializationFailure = "40001"
	deadlockDetected     = "40P01"
	lockNotAvailable     = "55P03"
	undefinedTable       = "42P01"
	undefinedDatabase    = "3D000"
	readOnlyTransaction  = "25006"
)

// sqlState returns the server's code for err; "" if it is not the server's.
func sqlState(err error) string {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code
	}
	return ""
}

// ours turns a driver's error into one of storage; it keeps the server's message, which
// names tables and constraints, and drops its detail, which repeats values of rows. Errors
// that are ours already pass.
func ours(err error) error {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pgx.ErrNoRows):
		return storage.ErrNotFound
	case errors.As(err, &pg):
		return fromServer(pg)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case isConnection(err):
		return fmt.Errorf("%w: %v", storage.ErrUnavailable, err)
	}
	return err
}

func fromServer(pg *pgconn.PgError) error {
	kind := kindOf(pg.Code)
	if kind == nil {
		return fmt.Errorf("postgres: %s (SQLSTATE %s)", pg.Message, pg.Code)
	}
	return fmt.Errorf("%w: %s (SQLSTATE %s)", kind, pg.Message, pg.Code)
}

// kindOf returns the storage error a SQLSTATE stands for, or nil for a defect.
func kindOf(code string) error {
	switch code {
	case uniqueViolation:
		return storage.ErrExists
	case checkViolation, serializationFailure, deadlockDetected:
		return storage.ErrConflict
	case foreignKeyViolation, invalidText:
		return storage.ErrNotFound
	case lockNotAvailable, readOnlyTransaction:
		return storage.ErrUnavailable
	case "XX001", "XX002": // data_corrupted, index_corrupted
		return storage.ErrDamaged
	}
	switch code[:2] {
	case "08", "53", "57", "58": // connection, resources, operator intervention, system
		return storage.ErrUnavailable
	}
	return nil
}

// isConnection reports whether err comes from the way to the server.
func isConnection(err error) bool {
	var connect *pgconn.ConnectError
	var network net.Error
	return errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) || pgconn.SafeToRetry(err) ||
		err.Error() == "conn closed"
}
