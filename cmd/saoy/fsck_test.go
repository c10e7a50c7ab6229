package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/fsck"
)

// TestFsckNamesEveryDamage damages a real installation in every way that its own roles could
// not, one at a time, and wants each named and nothing else when it is put right.
func TestFsckNamesEveryDamage(t *testing.T) {
	t.Parallel()
	a := issued(t, 3)
	if found := a.fsck(t); len(found) > 0 {
		t.Fatalf("before any damage: %v", found)
	}
	for _, d := range []struct {
		name     string
		do, undo string
		want     []fsck.Kind
	}{
		{
			"swap two digests",
			`UPDATE copy c SET final_digest = (SELECT o.final_digest FROM copy o JOIN book_row b ON b.copy = o.id WHERE b.seq = 3 - (SELECT seq FROM book_row WHERE copy = c.id))
			 WHERE id IN (SELECT copy FROM book_row WHERE seq IN (1, 2))`,
			"same", []fsck.Kind{fsck.CopyLeaf, fsck.FileMissing, fsck.FileStray},
		},
		{"drop a number", `CREATE TABLE kept AS SELECT * FROM book_row WHERE seq = 2; DELETE FROM book_row WHERE seq = 2`,
			`INSERT INTO book_row SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.BookGap, fsck.BookCopy}},
		{"drop the last number", `CREATE TABLE kept AS SELECT * FROM book_row WHERE seq = 3; DELETE FROM book_row WHERE seq = 3`,
			`INSERT INTO book_row SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.BookCounter, fsck.BookCopy}},
		{"a number twice", `CREATE TABLE kept AS SELECT * FROM book_row WHERE seq = 2; UPDATE book_row SET seq = 5 WHERE seq = 2`,
			`DELETE FROM book_row WHERE seq = 5; INSERT INTO book_row SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.BookGap, fsck.BookCounter, fsck.CopyLeaf}},
		{"a date goes back", `UPDATE book_row SET date = date - 1 WHERE seq = 2`, `UPDATE book_row SET date = date + 1 WHERE seq = 2`,
			[]fsck.Kind{fsck.BookDate, fsck.CopyLeaf}},
		{"a name is changed in the book", `UPDATE book_row SET requester = 'Người khác' WHERE seq = 1`,
			`UPDATE book_row b SET requester = r.requester FROM copy c JOIN request r ON r.id = c.request WHERE c.id = b.copy`, []fsck.Kind{fsck.BookCopy}},
		{"the counter is set back", `UPDATE counter SET last_seq = 2`, `UPDATE counter SET last_seq = 3`, []fsck.Kind{fsck.BookCounter}},
		{"a title is changed", `UPDATE copy SET title = title || '!' WHERE id = (SELECT copy FROM book_row WHERE seq = 2)`,
			`UPDATE copy SET title = rtrim(title, '!')`, []fsck.Kind{fsck.CopySubmission, fsck.BookCopy, fsck.CopyLeaf}},
		{"cut the log", `CREATE TABLE kept AS SELECT * FROM leaf WHERE index = 2; CREATE TABLE kept2 AS SELECT * FROM tree_head;
			DELETE FROM leaf WHERE index = 2; UPDATE tree_head SET size = 2`,
			`INSERT INTO leaf SELECT * FROM kept; DELETE FROM tree_head; INSERT INTO tree_head SELECT * FROM kept2; DROP TABLE kept; DROP TABLE kept2`,
			[]fsck.Kind{fsck.LogCut, fsck.LogHash, fsck.CopyLeaf}},
		{"a leaf is rewritten", `CREATE TABLE kept AS SELECT * FROM leaf WHERE index = 1;
			UPDATE leaf SET bytes = convert_to(replace(convert_from(bytes, 'UTF8'), 'number: 2', 'number: 9'), 'UTF8') WHERE index = 1`,
			`DELETE FROM leaf WHERE index = 1; INSERT INTO leaf SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.LogHash, fsck.BadCheckpoint, fsck.CopyLeaf}},
		{"a hash is rewritten", `CREATE TABLE kept AS SELECT * FROM tree_hash WHERE ix = 2; UPDATE tree_hash SET hash = sha256('x') WHERE ix = 2`,
			`DELETE FROM tree_hash WHERE ix = 2; INSERT INTO tree_hash SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.LogHash}},
		{"forge a checkpoint", `CREATE TABLE kept AS SELECT * FROM checkpoint; UPDATE checkpoint SET note = convert_to(replace(convert_from(note, 'UTF8'), '/log', '/lag'), 'UTF8')`,
			`DELETE FROM checkpoint; INSERT INTO checkpoint SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.BadCheckpoint}},
		{"delete a row", `CREATE TABLE kept AS SELECT * FROM file_key; DELETE FROM file_key WHERE copy = (SELECT copy FROM book_row WHERE seq = 1)`,
			`DELETE FROM file_key; INSERT INTO file_key SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.FileMissing}},
		{"a leaf's copy is annulled in the table only", `UPDATE copy SET state = 'annulled' WHERE id = (SELECT copy FROM book_row WHERE seq = 1)`,
			`UPDATE copy SET state = 'released'`, []fsck.Kind{fsck.CopyLeaf}},
		{"a salt is deleted without an erasure", `CREATE TABLE kept AS SELECT * FROM copy_private; DELETE FROM copy_private WHERE copy = (SELECT copy FROM book_row WHERE seq = 1)`,
			`DELETE FROM copy_private; INSERT INTO copy_private SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.CopyLeaf}},
		{"an erasure that never happened", `INSERT INTO erasure (copy, reason, decision_number, at) SELECT copy, 'request', '1', now() FROM book_row WHERE seq = 1`,
			`DELETE FROM erasure`, []fsck.Kind{fsck.ErasureList, fsck.ErasureUndone, fsck.CopyLeaf}},
		{"an event of the audit is changed", `CREATE TABLE kept AS SELECT * FROM audit_event WHERE action = 'copy.certify' ORDER BY id LIMIT 1;
			UPDATE audit_event SET account = gen_random_uuid() WHERE id = (SELECT id FROM kept)`,
			`UPDATE audit_event e SET account = k.account FROM kept k WHERE k.id = e.id; DROP TABLE kept`, []fsck.Kind{fsck.AuditChain}},
		{"an event of the audit is removed", `CREATE TABLE kept AS SELECT * FROM audit_event WHERE kind = 'key' ORDER BY id LIMIT 1;
			DELETE FROM audit_event WHERE id = (SELECT id FROM kept)`,
			`INSERT INTO audit_event OVERRIDING SYSTEM VALUE SELECT * FROM kept; DROP TABLE kept`, []fsck.Kind{fsck.AuditChain}},
		{"the audit's chain is cut", `CREATE TABLE kept AS SELECT * FROM audit_batch; CREATE TABLE kept2 AS SELECT * FROM audit_head;
			DELETE FROM audit_head; DELETE FROM audit_batch WHERE seq = (SELECT max(seq) FROM audit_batch)`,
			`DELETE FROM audit_batch; INSERT INTO audit_batch SELECT * FROM kept; INSERT INTO audit_head SELECT * FROM kept2; DROP TABLE kept; DROP TABLE kept2`,
			[]fsck.Kind{fsck.AuditChain}},
	} {
		t.Run(d.name, func(t *testing.T) {
			if d.undo == "same" {
				d.undo = d.do
			}
			a.sql(t, d.do)
			defer func() {
				a.sql(t, d.undo)
				if found := a.fsck(t); len(found) > 0 {
					t.Fatalf("after it was put right: %v", found)
				}
			}()
			wantKinds(t, a.fsck(t), d.want)
		})
	}
	t.Run("flip a byte of any object", func(t *testing.T) { flipEverything(t, a) })
}

// flipEverything flips one byte of each stored object in turn.
func flipEverything(t *testing.T, a *app) {
	objects := 0
	for _, dir := range []string{a.place.vault(), a.place.public(), a.place.scratch()} {
		err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
			if err != nil || e.IsDir() || !strings.HasSuffix(path, "@") {
				return err
			}
			objects++
			whole, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, at := range []int{bytes.IndexByte(whole, '\n') + 1, len(whole) / 2, len(whole) - 1} {
				changed := bytes.Clone(whole)
				changed[at] ^= 4
				rewrite(t, path, changed)
				if found := a.fsck(t); len(found) == 0 {
					t.Errorf("byte %d of %s was flipped, and nothing was found", at, path)
				}
			}
			rewrite(t, path, whole)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if objects < 10 {
		t.Errorf("only %d objects", objects)
	}
	if found := a.fsck(t); len(found) > 0 {
		t.Errorf("after they were put right: %v", found)
	}
}

func rewrite(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func wantKinds(t *testing.T, found []fsck.Finding, want []fsck.Kind) {
	t.Helper()
	var got []fsck.Kind
	for _, f := range found {
		if f.VI == "" || f.EN == "" || f.Subject == "" {
			t.Errorf("a finding without words: %+v", f)
		}
		got = append(got, f.Kind)
	}
	for _, k := range want {
		if !slices.Contains(got, k) {
			t.Errorf("%s was not found, only %v", k, found)
		}
	}
	for _, k := range got {
		if !slices.Contains(want, k) {
			t.Errorf("%s was found beside what was done: %v", k, found)
		}
	}
}

// issued is an installation with so many released copies, open for the test.
func issued(t *testing.T, copies int) *app {
	t.Helper()
	dir := t.TempDir()
	scan := filepath.Join(dir, "scan.jpg")
	if err := writeScan(scan); err != nil {
		t.Fatal(err)
	}
	a, err := open(t.Context(), Config{dataFlag: dataFlag{Data: filepath.Join(dir, "d")}, Listen: defaultListen, Workers: 2}, alone)
	if err != nil {
		t.Fatal(err)
	}
	stop := a.startWork(context.WithoutCancel(t.Context()))
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Error(err)
		}
	})
	defer stop()
	for i := range copies {
		command := certifyCommand{RequestID: fmt.Sprint("fsck-", i), Requester: "Nguyễn Văn Ánh", Type: "khac", Copies: 1, Scans: []string{scan}}
		if c, _, err := command.issue(t.Context(), a); err != nil || c.State != certcopy.Released {
			t.Fatalf("copy %d: %s, %v", i, c.State, err)
		}
	}
	return a
}

func (a *app) fsck(t *testing.T) []fsck.Finding {
	t.Helper()
	report, err := fsck.Check(t.Context(), a.checker)
	if err != nil {
		t.Fatal(err)
	}
	return report.Findings
}

// sql runs statements as the owner of the database, with its triggers off.
func (a *app) sql(t *testing.T, statements string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), a.local.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.PgConn().Exec(t.Context(), "SET session_replication_role = replica;"+statements).ReadAll(); err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
}
