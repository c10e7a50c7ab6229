package migrations

import (
	"strings"
	"testing"
)

// firstRelease is the last step before programs of one version had to run beside another's.
const firstRelease = 8

// Every step since then is safe beside a running program of the version before.
func TestStepsAreSafeBesideTheVersionBefore(t *testing.T) {
	steps, err := Steps()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range steps {
		if s.Version <= firstRelease {
			continue
		}
		if !strings.Contains(s.SQL, "-- +goose Up") || strings.Contains(s.SQL, "-- +goose Down") {
			t.Errorf("%s does not go forward only", s.Name)
		}
		for _, why := range s.Hinders {
			t.Errorf("%s %s", s.Name, why)
		}
	}
}

func TestWhatHinders(t *testing.T) {
	for statement, want := range map[string]bool{
		`CREATE TABLE x (a int);`:                                         false,
		`CREATE TABLE x (a int); CREATE INDEX x_a ON x (a);`:              false,
		`CREATE INDEX copy_x ON copy (title);`:                            true,
		`CREATE INDEX CONCURRENTLY IF NOT EXISTS copy_x ON copy (title);`: false,
		`ALTER TABLE copy ADD COLUMN x int;`:                              false,
		`ALTER TABLE copy ADD COLUMN x int NOT NULL DEFAULT 0;`:           false,
		`ALTER TABLE copy ADD COLUMN x int NOT NULL;`:                     true,
		`ALTER TABLE copy ADD COLUMN x uuid DEFAULT gen_random_uuid();`:   true,
		`ALTER TABLE copy DROP COLUMN title;`:                             true,
		`ALTER TABLE copy RENAME COLUMN title TO name;`:                   true,
		`ALTER TABLE copy ALTER COLUMN title TYPE varchar(10);`:           true,
		`ALTER TABLE copy ADD CONSTRAINT c CHECK (pages > 0);`:            true,
		`ALTER TABLE copy ADD CONSTRAINT c CHECK (pages > 0) NOT VALID;`:  false,
		`DROP TABLE copy;`:                        true,
		`UPDATE copy SET title = '';`:             true,
		`REVOKE SELECT ON copy FROM saoy_office;`: true,
		`CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN DROP TABLE copy; RETURN 1; END $$;`: false,
	} {
		made := map[string]bool{}
		found := ""
		for _, s := range statements("-- +goose Up\n-- a comment; with a semicolon\n" + statement) {
			for _, m := range createTable.FindAllStringSubmatch(s, -1) {
				made[m[1]] = true
			}
			found += hinders(s, made)
		}
		if (found != "") != want {
			t.Errorf("%s: %q", statement, found)
		}
	}
}
