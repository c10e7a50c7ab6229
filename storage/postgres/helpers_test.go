package postgres_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/storage/storagetest"
)

// owner connects to the office's database as its owner.
func owner(t testing.TB, o storagetest.Office) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), o.DSN)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func execute(t testing.TB, o storagetest.Office, sql string, args ...any) {
	t.Helper()
	if _, err := owner(t, o).Exec(t.Context(), sql, args...); err != nil {
		t.Fatal(err)
	}
}

func count(t testing.TB, o storagetest.Office, sql string, args ...any) (n int64) {
	t.Helper()
	if err := owner(t, o).QueryRow(t.Context(), sql, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
