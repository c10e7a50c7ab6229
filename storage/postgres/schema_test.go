package postgres_test

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/migrations"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

var states = []certcopy.State{
	certcopy.Received, certcopy.Scanned, certcopy.Submitted, certcopy.Numbered, certcopy.Stamped, certcopy.Signed, certcopy.Sealed,
	certcopy.Registered, certcopy.Released, certcopy.Returned, certcopy.Refused, certcopy.Withdrawn, certcopy.Void, certcopy.Annulled,
}

// The table in SQL and the one in Go say the same of every pair of states.
func TestTransitionsAreThoseOfTheVocabulary(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	conn := owner(t, o)
	for _, from := range states {
		for _, to := range states {
			var may bool
			if err := conn.QueryRow(t.Context(), `SELECT EXISTS (SELECT FROM copy_transition WHERE from_state = $1 AND to_state = $2)`, from, to).Scan(&may); err != nil {
				t.Fatal(err)
			}
			if may != from.MayBecome(to) {
				t.Errorf("%s to %s: SQL says %t", from, to, may)
			}
		}
	}
	if n := count(t, o, `SELECT count(*) FROM copy_transition WHERE NOT (from_state = ANY($1) AND to_state = ANY($1))`, states); n != 0 {
		t.Errorf("%d transitions of unknown states", n)
	}
}

// The trigger, not only the table: from each state that can be reached, each other one.
func TestTriggerHoldsTheOrder(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	conn := owner(t, o)
	for _, from := range states {
		id, err := o.Walk(t.Context(), from)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range states {
			if to == from || from.MayBecome(to) {
				continue
			}
			_, err := conn.Exec(t.Context(), `UPDATE copy SET state = $2, reason = 'test' WHERE id = $1`, id, to)
			if err == nil || !strings.Contains(err.Error(), "cannot become") {
				t.Errorf("%s became %s: %v", from, to, err)
			}
		}
	}
	id, err := o.Walk(t.Context(), certcopy.Submitted)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `UPDATE copy SET certified_by = submitted_by, certified_at = now(), certified_name = 'x', state = 'numbered' WHERE id = $1`, id); err == nil {
		t.Error("a copy became numbered without a row in the book")
	}
}

// What no role of the service may do, and what not even the owner may.
func TestRolesAreRefused(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	if _, err := o.Walk(t.Context(), certcopy.Annulled); err != nil {
		t.Fatal(err)
	}
	const all = "saoy_service saoy_office saoy_public saoy_worker saoy_retention"
	for _, c := range []struct{ roles, sql string }{
		{all + " saoy", `UPDATE book_row SET title = 'x'`},
		{all + " saoy", `DELETE FROM book_row`},
		{all + " saoy", `TRUNCATE book_row`},
		{all + " saoy", `UPDATE leaf SET bytes = 'x'`},
		{all + " saoy", `DELETE FROM leaf`},
		{all + " saoy", `UPDATE tree_hash SET hash = sha256('x')`},
		{all + " saoy", `DELETE FROM tree_hash`},
		{all + " saoy", `DELETE FROM tree_head`},
		{all + " saoy", `UPDATE tree_head SET size = 0`},
		{all + " saoy", `UPDATE tree_head SET root = sha256('x')`},
		{all + " saoy", `UPDATE checkpoint SET note = 'x'`},
		{all + " saoy", `DELETE FROM checkpoint`},
		{all + " saoy", `DELETE FROM annulment`},
		{all, `DELETE FROM copy`},
		{all, `DELETE FROM request`},
		{all, `UPDATE copy SET code_hash = sha256('x')`},
		{all, `UPDATE request SET requester = 'x'`},
		{all, `UPDATE artifact SET bytes = 'x'`},
		{all, `UPDATE file_key SET wrapped = 'x'`},
		{all, `DROP TABLE leaf`},
		{all, `ALTER TABLE leaf DISABLE TRIGGER ALL`},
		{all, `CREATE TABLE mine (x int)`},
		{"saoy_service saoy_office saoy_public saoy_worker", `DELETE FROM copy_private`},
		{"saoy_service saoy_office saoy_public saoy_worker", `DELETE FROM request_private`},
		{"saoy_service saoy_office saoy_public saoy_worker", `DELETE FROM file_key`},
		{"saoy_office saoy_public saoy_retention", `INSERT INTO checkpoint (size, note) VALUES (99, 'x')`},
		{"saoy_office saoy_public saoy_retention", `UPDATE counter SET last_seq = 99`},
		{"saoy_office saoy_public", `UPDATE copy SET final_digest = sha256('x')`},
		{"saoy_public", `SELECT requester FROM book_row`},
		{"saoy_public", `SELECT title FROM copy`},
		{"saoy_public", `SELECT * FROM request`},
		{"saoy_public", `SELECT * FROM request_private`},
		{"saoy_public", `SELECT password_hash FROM account`},
		{"saoy_public", `SELECT * FROM artifact`},
		{"saoy_public", `INSERT INTO leaf (index, copy, kind, bytes, at) SELECT 99, copy, 'issue', 'x', now() FROM leaf LIMIT 1`},
		{"saoy_public", `UPDATE tree_head SET size = 99`},
		{all + " saoy", `UPDATE audit_event SET action = 'x'`},
		{all + " saoy", `DELETE FROM audit_event`},
		{all + " saoy", `TRUNCATE audit_event`},
		{all + " saoy", `DELETE FROM audit_batch`},
		{all + " saoy", `UPDATE audit_batch SET hash = sha256('x')`},
		{all, `INSERT INTO audit_event (at, kind, action, phase, role) VALUES (now(), 'view', 'x', 'done', 'x')`},
		{"saoy_public", `SELECT audit('view', 'x', 'done', NULL, NULL, NULL, NULL, NULL, NULL)`},
		{"saoy_public", `SELECT * FROM audit_event`},
		{"saoy_office saoy_public saoy_retention", `INSERT INTO audit_batch (seq, events, hash, size) VALUES (1, '{1}', sha256('x'), 1)`},
		{"saoy_office saoy_public", `DELETE FROM audit_pending`},
		{all + " saoy", `UPDATE erasure SET decision_number = 'x'`},
		{all + " saoy", `DELETE FROM erasure`},
		{"saoy_service saoy_office saoy_public saoy_worker", `INSERT INTO erasure (copy, reason, decision_number, at) SELECT id, 'request', '1', now() FROM copy`},
		{"saoy_service saoy_office saoy_public saoy_worker", `SELECT lock_copy(gen_random_uuid())`},
		{all + " saoy", `DELETE FROM retention_policy`},
		{"saoy_public saoy_worker saoy_retention", `INSERT INTO retention_policy (agency, from_date, decision_number, by_account) SELECT agency, now(), '1', id FROM account`},
		{all, `UPDATE oldest_program SET step = 0`},
	} {
		for role := range strings.FieldsSeq(c.roles) {
			conn := owner(t, o)
			if role != "saoy" {
				if _, err := conn.Exec(t.Context(), `SET ROLE `+role); err != nil {
					t.Fatal(err)
				}
			}
			if tag, err := conn.Exec(t.Context(), c.sql); err == nil {
				t.Errorf("%s may: %s (%s)", role, c.sql, tag)
			}
			if err := conn.Close(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
}

// The retention role may delete exactly what may be deleted, and may change nothing but when an
// object is looked at again and, by leaves of its own, the head of the tree.
func TestRetentionDeletesWhatMayBeDeleted(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	list := func(privilege string) (tables string) {
		err := owner(t, o).QueryRow(t.Context(), `SELECT coalesce(string_agg(c.relname, ' ' ORDER BY c.relname), '') FROM pg_class c
			WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace AND
				(has_table_privilege('saoy_retention', c.oid, $1) OR $1 <> 'DELETE' AND has_any_column_privilege('saoy_retention', c.oid, $1))`, privilege).Scan(&tables)
		if err != nil {
			t.Fatal(err)
		}
		return tables
	}
	for privilege, want := range map[string]string{
		"DELETE": "api_reply api_token artifact copy_private doomed_object file_key link_opening login_failure refused_file request_private scan session sharing_link state_file upload upload_piece",
		"UPDATE": "doomed_object tree_head",
		"INSERT": "doomed_object erasure leaf tree_hash",
	} {
		if got := list(privilege); got != want {
			t.Errorf("%s: %s\nwant %s", privilege, got, want)
		}
	}
}

// The public role sees the facts of issued copies and no more.
func TestPublicSeesPublicFacts(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	conn := owner(t, o)
	if _, err := conn.Exec(t.Context(), `SET ROLE saoy_public`); err != nil {
		t.Fatal(err)
	}
	for _, s := range states {
		id, err := o.Walk(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		var agency, typ string
		err = conn.QueryRow(t.Context(), `SELECT agency_name, document_type_vi FROM public_copy WHERE id = $1`, id).Scan(&agency, &typ)
		if s.Public() {
			if err != nil || agency != "Ủy ban nhân dân xã Ân Tường Đông" || typ != "Giấy khai sinh" {
				t.Errorf("%s: %q %q %v", s, agency, typ, err)
			}
		} else if !errors.Is(err, pgx.ErrNoRows) {
			t.Errorf("%s is public: %v", s, err)
		}
	}
}

// Each role can do its part of the flow with its own connection.
func TestRolesSuffice(t *testing.T) {
	_, o := storagetest.NewOffice(t, false)
	as := func(r postgres.Role) storagetest.Office {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Role: r})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		other := o
		other.Ledger = s
		return other
	}
	office, worker, public := as(postgres.OfficeRole), as(postgres.WorkerRole), as(postgres.PublicRole)
	desk := storage.WithActor(t.Context(), storage.Actor{Agency: o.Agency, Account: o.Clerk})
	id, err := office.Walk(desk, certcopy.Submitted)
	if err != nil {
		t.Fatal(err)
	}
	if err := office.Ledger.Certify(desk, o.Confirmation(o.Certifier, id)); err != nil {
		t.Fatal(err)
	}
	for {
		c, err := worker.Ledger.Copy(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if c.State == certcopy.Released {
			break
		}
		if c.State == certcopy.Signed && c.SealedAt.IsZero() {
			if err := office.Ledger.ConfirmSeal(desk, o.Confirmation(o.SealKeeper, id)); err != nil {
				t.Fatal(err)
			}
		}
		if err := worker.Step(t.Context(), c, certcopy.Released); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := office.Ledger.Annul(desk, id, o.Decision(), storagetest.LeafOf(id, storage.LeafAnnul)); err != nil {
		t.Error(err)
	}
	if size, _, err := public.Ledger.Head(t.Context()); err != nil || size != 2 {
		t.Errorf("size %d, %v", size, err)
	}
	if _, err := public.Ledger.ReadHashes(t.Context(), []int64{0, 1, 2}); err != nil {
		t.Error(err)
	}
	if _, err := public.Ledger.Copy(t.Context(), id); err == nil {
		t.Error("the public role reads a copy with its private facts")
	}
}

// Programs that start at once on one database, and databases of one server migrated at once.
func TestMigrateAtOnce(t *testing.T) {
	var wg sync.WaitGroup
	for range 3 {
		dsn := storagetest.EmptyDatabase(t)
		for range 2 {
			wg.Go(func() {
				want, err := migrations.Newest()
				if err != nil {
					t.Error(err)
				}
				if got, err := postgres.Migrate(t.Context(), dsn); err != nil || got != want {
					t.Errorf("at step %d, %v; want %d", got, err, want)
				}
			})
		}
	}
	wg.Wait()
}

// The owner of a production database is no superuser.
func TestOwnerNeedNotBeSuperuser(t *testing.T) {
	dsn := storagetest.EmptyDatabase(t)
	if strings.Contains(dsn, "://") {
		t.Skip("needs a connection string of key=value form")
	}
	conn, err := pgx.Connect(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(t.Context())
	if _, err := conn.Exec(t.Context(), `DO $$ BEGIN
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'saoy_test_owner') THEN CREATE ROLE saoy_test_owner LOGIN CREATEROLE; END IF;
		EXECUTE format('ALTER DATABASE %I OWNER TO saoy_test_owner', current_database()); END $$`); err != nil {
		t.Fatal(err)
	}
	dsn += " user=saoy_test_owner"
	if _, err := postgres.Migrate(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	for _, role := range []postgres.Role{postgres.AllRoles, postgres.OfficeRole, postgres.PublicRole, postgres.WorkerRole, postgres.RetentionRole} {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: dsn, Role: role})
		if err != nil {
			t.Errorf("%s: %v", role, err)
			continue
		}
		if _, _, err := s.Head(t.Context()); err != nil {
			t.Errorf("%s: %v", role, err)
		}
		s.Close()
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	empty := storagetest.EmptyDatabase(t)
	if _, err := postgres.Open(t.Context(), postgres.Config{URL: empty}); !errors.Is(err, postgres.ErrNotMigrated) {
		t.Errorf("empty database: %v", err)
	}
	if _, err := postgres.Open(t.Context(), postgres.Config{URL: "host=/nowhere dbname=x"}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("no server: %v", err)
	}
	_, err := postgres.Open(t.Context(), postgres.Config{URL: "postgres://u:secret@h:notaport/x"})
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Errorf("malformed: %v", err)
	}
	_, o := storagetest.NewOffice(t, true)
	execute(t, o, `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, true)`)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN})
	if err != nil {
		t.Fatalf("a newer schema that only adds: %v", err)
	}
	s.Close()
	if _, err := postgres.Migrate(t.Context(), o.DSN); err != nil {
		t.Errorf("migrating to a schema that is newer already: %v", err)
	}
	execute(t, o, `UPDATE oldest_program SET step = 9999`)
	if _, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN}); !errors.Is(err, migrations.ErrNewer) {
		t.Errorf("newer database: %v", err)
	}
}

// Leaves appended at once form one tree, whose hashes are those of its leaves.
func TestLogIsTheTreeOfItsLeaves(t *testing.T) {
	s, o := storagetest.NewOffice(t, true)
	var wg sync.WaitGroup
	for range 12 {
		wg.Go(func() {
			if _, err := o.Walk(t.Context(), certcopy.Registered); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(ix []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(ix))
		for i, x := range ix {
			out[i] = hashes[x]
		}
		return out, nil
	})
	n := int64(0)
	for leaf, err := range s.Leaves(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		added, err := tlog.StoredHashes(n, leaf, reader)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, added...)
		n++
	}
	want, err := tlog.TreeHash(n, reader)
	if err != nil {
		t.Fatal(err)
	}
	size, root, err := s.Head(t.Context())
	if err != nil || size != 12 || n != 12 || tlog.Hash(root) != want {
		t.Fatalf("size %d of %d leaves, root %s, want %s, %v", size, n, root, want, err)
	}
	indexes := make([]int64, len(hashes))
	for i := range indexes {
		indexes[i] = int64(len(hashes) - 1 - i)
	}
	stored, err := s.ReadHashes(t.Context(), indexes)
	if err != nil {
		t.Fatal(err)
	}
	for i, h := range stored {
		if tlog.Hash(h) != hashes[indexes[i]] {
			t.Errorf("stored hash %d differs", indexes[i])
		}
	}
	if _, err := s.ReadHashes(t.Context(), []int64{0, 9999}); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("missing hash: %v", err)
	}
}
