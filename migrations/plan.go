package migrations

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"regexp"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"
)

// Step is a step that a database has not passed yet.
type Step struct {
	Version int64
	Name    string // file
	SQL     string // what it runs
	// Hinders are the statements that would disturb a program of the version before while it
	// runs: those that take something away, rewrite a table, or hold up its writers. None: the
	// step is safe beside it.
	Hinders []string
}

// Plan returns the steps that the database at url has not passed, in order, and changes nothing.
// A database that was never migrated has passed none.
func Plan(ctx context.Context, url string) ([]Step, error) {
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	passed := map[int64]bool{}
	var there bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('goose_db_version') IS NOT NULL`).Scan(&there); err != nil {
		return nil, fmt.Errorf("plan: %w", err)
	}
	if there {
		rows, err := conn.Query(ctx, `SELECT version_id FROM goose_db_version WHERE is_applied`)
		if err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		versions, err := pgx.CollectRows(rows, pgx.RowTo[int64])
		if err != nil {
			return nil, fmt.Errorf("plan: %w", err)
		}
		for _, v := range versions {
			passed[v] = true
		}
	}
	all, err := Steps()
	var pending []Step
	for _, s := range all {
		if !passed[s.Version] {
			pending = append(pending, s)
		}
	}
	return pending, err
}

// Steps returns all steps this program knows, in order.
func Steps() ([]Step, error) {
	provider, err := goose.NewProvider(goose.DialectPostgres, new(sql.DB), Files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	var steps []Step
	made := map[string]bool{} // tables that a step made itself are used by nobody yet
	for _, source := range provider.ListSources() {
		text, err := fs.ReadFile(Files, source.Path)
		if err != nil {
			return nil, err
		}
		s := Step{Version: source.Version, Name: source.Path, SQL: string(text)}
		clear(made)
		for _, statement := range statements(s.SQL) {
			for _, t := range createTable.FindAllStringSubmatch(statement, -1) {
				made[t[1]] = true
			}
			if why := hinders(statement, made); why != "" {
				s.Hinders = append(s.Hinders, why)
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// statements cuts a step into its statements, without comments. What stands between goose's
// marks, or within $$, is one.
func statements(text string) (list []string) {
	text = comment.ReplaceAllString(text, "")
	var b strings.Builder
	quoted := false
	for _, part := range strings.SplitAfter(text, ";") {
		b.WriteString(part)
		if strings.Count(part, "$$")%2 == 1 {
			quoted = !quoted
		}
		if !quoted {
			if s := strings.Join(strings.Fields(b.String()), " "); s != "" && s != ";" {
				list = append(list, s)
			}
			b.Reset()
		}
	}
	return list
}

var (
	comment     = regexp.MustCompile(`(?m)^\s*--.*$|--.*$`)
	createTable = regexp.MustCompile(`(?i)^CREATE TABLE (?:IF NOT EXISTS )?([a-z_]+)`)
	alterTable  = regexp.MustCompile(`(?i)^ALTER TABLE (?:ONLY )?([a-z_]+) `)
	plainIndex  = regexp.MustCompile(`(?i)^CREATE (?:UNIQUE )?INDEX [a-z_]+ ON ([a-z_]+)`)
)

// harmless are beginnings of statements that only add.
var harmless = regexp.MustCompile(`(?i)^(CREATE TABLE|CREATE INDEX CONCURRENTLY|CREATE UNIQUE INDEX CONCURRENTLY|CREATE (OR REPLACE )?(FUNCTION|VIEW)|CREATE (CONSTRAINT )?TRIGGER|CREATE SCHEMA|CREATE POLICY|GRANT|INSERT|COMMENT|DO \$\$|REVOKE EXECUTE ON FUNCTION)`)

// adds are changes of a table that neither rewrite it nor take anything away from a program that
// does not know of them.
var adds = regexp.MustCompile(`(?i)^ALTER TABLE (ONLY )?[a-z_]+ (ADD COLUMN|ENABLE ROW LEVEL SECURITY|ALTER COLUMN [a-z_]+ SET (STORAGE|STATISTICS|DEFAULT)|ADD CONSTRAINT [a-z_]+ .* NOT VALID|VALIDATE CONSTRAINT|SET \()`)

// hinders says why a statement would disturb a running program of the version before; "" if
// it would not.
func hinders(statement string, made map[string]bool) string {
	if m := alterTable.FindStringSubmatch(statement); m != nil {
		if made[m[1]] {
			return ""
		}
		volatile := regexp.MustCompile(`(?i)ADD COLUMN .*(GENERATED ALWAYS AS|DEFAULT [a-z_]+\()`).MatchString(statement)
		notNull := regexp.MustCompile(`(?i)ADD COLUMN .*NOT NULL`).MatchString(statement) && !regexp.MustCompile(`(?i)DEFAULT`).MatchString(statement)
		if adds.MatchString(statement) && !volatile && !notNull {
			return ""
		}
		return "rewrites or restricts a table: " + statement
	}
	if m := plainIndex.FindStringSubmatch(statement); m != nil {
		if made[m[1]] {
			return ""
		}
		return "holds up writers while it is built: " + statement
	}
	if harmless.MatchString(statement) {
		return ""
	}
	return "may take something away: " + statement
}
