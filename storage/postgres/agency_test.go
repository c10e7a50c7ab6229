package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

// two are two agencies in one database, each with a copy in every table.
func two(t *testing.T) (s *postgres.Store, a, b storagetest.Office, ofA, ofB certcopy.CopyID) {
	t.Helper()
	s, a = storagetest.NewOffice(t, true)
	b = a
	b.Agency = "hoai-an"
	b.Clerk, b.Certifier, b.SealKeeper = certcopy.AccountID(storagetest.UUID()), certcopy.AccountID(storagetest.UUID()), certcopy.AccountID(storagetest.UUID())
	person := func(id certcopy.AccountID, login string, role certcopy.Role, scopes ...string) storage.Person {
		return storage.Person{ID: id, Login: login, Name: "Người của " + login, Roles: []certcopy.Role{role}, Scopes: scopes, Decision: "9/QĐ"}
	}
	err := s.OpenOffice(t.Context(), storage.Office{
		Agency: certcopy.Agency{ID: b.Agency, Code: "H08.36", Name: "UBND xã Hoài Ân", Place: "Hoài Ân", Province: "Gia Lai", Book: certcopy.DefaultBook, SealAtOnce: true},
		From:   time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), Seal: []byte("png"),
		People: []storage.Person{person(b.Clerk, "canbo2", certcopy.Clerk), person(b.Certifier, "chutich2", certcopy.Certifier, "certify"), person(b.SealKeeper, "vanthu2", certcopy.SealKeeper)},
		Keys:   []storage.SigningKey{{Agency: b.Agency, Kind: "soft", URI: "file:x", Certificate: []byte("x"), NotBefore: time.Unix(0, 0), NotAfter: time.Unix(1e9, 0)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, a, b, everywhere(t, s, a), everywhere(t, s, b)
}

// everywhere leaves a row of the office in every table that is kept apart.
func everywhere(t *testing.T, s *postgres.Store, o storagetest.Office) certcopy.CopyID {
	t.Helper()
	id, err := o.Walk(t.Context(), certcopy.Annulled)
	if err != nil {
		t.Fatal(err)
	}
	client := "client-" + string(o.Agency)
	token := certcopy.DigestOf([]byte(client))
	for _, err := range []error{
		s.StartSession(t.Context(), token, o.Clerk, time.Now()),
		s.CreateClient(t.Context(), storage.Client{ID: client, Agency: o.Agency, Name: client, Account: o.Clerk}),
		s.CreateToken(t.Context(), client, token, []string{"requests"}, time.Now().AddDate(1, 0, 0)),
		s.SetRefusedFiles(t.Context(), id, []desk.RefusedFile{{Name: "x"}}),
		s.SetRetention(t.Context(), storage.RetentionPolicy{Agency: o.Agency, From: time.Now(), FileYears: 1, Decision: "1", By: o.Certifier}),
		s.CreateLink(t.Context(), token, desk.Link{Copy: id, CreatedBy: o.Clerk, CreatedAt: time.Now(), Expires: time.Now().AddDate(0, 0, 1)}),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.OpenLink(t.Context(), token, "10.0.0.0", time.Now(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutFileKey(t.Context(), id, []byte("k")); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Generation(t.Context(), id, certcopy.ByAgency); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutArtifact(t.Context(), storage.ArtifactKey{Copy: id, Role: certcopy.ByAgency, Generation: 1, Kind: storage.Signature}, []byte("s")); err != nil {
		t.Fatal(err)
	}
	execute(t, o, `INSERT INTO scan (id, copy, position, file_name, size, digest, pages) VALUES (gen_random_uuid(), $1, 0, 'x', 1, sha256('x'), 1)`, id)
	execute(t, o, `INSERT INTO doomed_object (store, key, copy, due) VALUES ('vault', $1::text, $1::text::uuid, now())`, string(id))
	execute(t, o, `INSERT INTO api_reply (client, key, request) VALUES ($1, 'key-0001', sha256('x'))`, client)
	execute(t, o, `INSERT INTO look (agency, png) VALUES ($1, 'x')`, string(o.Agency))
	execute(t, o, `INSERT INTO erasure (copy, reason, decision_number, at) VALUES ($1, 'request', '1', now())`, id)
	return id
}

// apart are the tables whose rows belong to an agency, with the condition that a row is of
// the agency $1.
var apart = map[string]string{
	"request": `agency = $1`, "copy": `agency = $1`, "book_row": `agency = $1`, "counter": `agency = $1`, "signing_key": `agency = $1`,
	"look": `agency = $1`, "retention_policy": `agency = $1`, "audit_event": `agency = $1`, "account": `agency = $1`, "authorisation": `agency = $1`,
	"api_client": `agency = $1`, "api_token": ofClient, "api_reply": ofClient, "session": `account IN (SELECT id FROM account WHERE agency = $1)`,
	"request_private": `request IN (SELECT id FROM request WHERE agency = $1)`, "link_opening": `link IN (SELECT id FROM sharing_link WHERE ` + ofCopy + `)`,
	"copy_private": ofCopy, "scan": ofCopy, "generation": ofCopy, "artifact": ofCopy, "state_file": ofCopy, "file_key": ofCopy, "annulment": ofCopy,
	"refused_file": ofCopy, "doomed_object": ofCopy, "sharing_link": ofCopy, "erasure": ofCopy,
}

const (
	ofCopy   = `copy IN (SELECT id FROM copy WHERE agency = $1)`
	ofClient = `client IN (SELECT id FROM api_client WHERE agency = $1)`
)

// Each role, working for agency A, by plain SQL without any condition: it sees rows of A and
// none of B. What the role may not read at all counts as not seen.
func TestAgenciesDoNotSeeOneAnother(t *testing.T) {
	_, a, b, _, _ := two(t)
	for table, of := range apart {
		total := count(t, a, `SELECT count(*) FROM `+table)
		mine, theirs := count(t, a, `SELECT count(*) FROM `+table+` WHERE `+of, a.Agency), count(t, a, `SELECT count(*) FROM `+table+` WHERE `+of, b.Agency)
		if mine == 0 && table != "signing_key" || theirs == 0 || mine+theirs > total {
			t.Fatalf("%s: the test has %d and %d rows of %d", table, mine, theirs, total)
		}
		for _, role := range []string{"saoy_service", "saoy_office", "saoy_worker", "saoy_retention"} {
			for setting, want := range map[string]int64{string(a.Agency): mine, string(b.Agency): theirs, "nobody": 0} {
				if got, ok := seen(t, a, role, setting, table); ok && got != want {
					t.Errorf("%s for %s sees %d rows of %s, want %d", role, setting, got, table, want)
				}
			}
		}
		got, ok := seen(t, a, "saoy_office", "", table)
		signsIn := map[string]bool{"account": true, "authorisation": true, "api_client": true, "api_token": true, "session": true}[table]
		if ok && !signsIn && got != 0 {
			t.Errorf("the office without an agency sees %d rows of %s", got, table)
		}
		if got, ok := seen(t, a, "saoy_worker", "", table); ok && got != total {
			t.Errorf("the worker sees %d rows of %d of %s", got, total, table)
		}
	}
}

// seen counts the rows a role sees; false if it may not read the table.
func seen(t *testing.T, o storagetest.Office, role, agency, table string) (n int64, may bool) {
	t.Helper()
	conn := owner(t, o)
	defer conn.Close(context.WithoutCancel(t.Context()))
	if _, err := conn.Exec(t.Context(), `SELECT set_config('saoy.agency', $1, false)`, agency); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Exec(t.Context(), `SET ROLE `+role); err != nil {
		t.Fatal(err)
	}
	err := conn.QueryRow(t.Context(), `SELECT count(*) FROM `+table).Scan(&n)
	if err != nil && !strings.Contains(err.Error(), "permission denied") {
		t.Fatalf("%s reads %s: %v", role, table, err)
	}
	return n, err == nil
}

// Every table with rows of an agency, a copy, a request or an account is kept apart; one that
// is added later is not forgotten.
func TestNoTableIsForgotten(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	// What everyone may know, and what holds nothing but where things stand.
	open := map[string]bool{"agency": true, "agency_name": true, "book": true, "leaf": true, "book_gap": true}
	rows, err := owner(t, o).Query(t.Context(), `SELECT DISTINCT c.relname FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
		WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND NOT c.relrowsecurity
			AND a.attname IN ('agency', 'copy', 'request', 'account', 'client', 'link') ORDER BY 1`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			t.Fatal(err)
		}
		if !open[table] {
			t.Errorf("%s has no row security: add it as migrations/0011_agencies.sql does", table)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
}

// Through the store: whatever a page asks for by identifier, another agency's is not there,
// cannot be changed, and the connection forgets for whom it worked.
func TestAnActorReachesItsOwn(t *testing.T) {
	s, a, b, ofA, ofB := two(t)
	asA := storage.WithActor(t.Context(), storage.Actor{Agency: a.Agency, Account: a.Clerk})
	if _, err := s.Copy(asA, ofA); err != nil {
		t.Error(err)
	}
	if _, err := s.Copy(asA, ofB); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a copy of another agency: %v", err)
	}
	c, err := s.Copy(t.Context(), ofB)
	if err != nil {
		t.Fatal(err)
	}
	fresh, err := b.Walk(t.Context(), certcopy.Scanned)
	if err != nil {
		t.Fatal(err)
	}
	for what, err := range map[string]error{
		"edit":   s.EditCopy(asA, fresh, 2, c.Original),
		"leave":  s.Leave(asA, storage.Leaving{Copy: fresh, From: certcopy.Scanned, To: certcopy.Withdrawn, By: a.Clerk, Reason: "x"}),
		"submit": s.Submit(asA, storage.Submission{Copy: fresh, Revision: 2, By: a.Clerk, Checked: true, Digest: certcopy.DigestOf(nil)}),
		"link":   s.RevokeLink(asA, ofB, 2, a.Clerk, time.Now()),
	} {
		if err == nil {
			t.Errorf("%s of another agency's copy was done", what)
		}
	}
	if list, err := s.CopyList(asA, desk.Filter{Agency: b.Agency}, desk.Cursor{}, 10); err != nil || len(list.Copies) != 0 {
		t.Errorf("a list of another agency: %d copies, %v", len(list.Copies), err)
	}
	// What everyone may know, everyone may know: also of another agency's copy.
	if p, err := s.PublicByID(asA, ofB); err != nil || p.ErasedAt.IsZero() {
		t.Errorf("the public facts of another agency's copy: %+v, %v", p, err)
	}
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			ctx, own, other := asA, ofA, ofB
			if i%2 == 1 {
				ctx, own, other = storage.WithActor(t.Context(), storage.Actor{Agency: b.Agency}), ofB, ofA
			}
			for range 5 {
				if _, err := s.Copy(ctx, own); err != nil {
					t.Error(err)
				}
				if _, err := s.Copy(ctx, other); !errors.Is(err, storage.ErrNotFound) {
					t.Error("a connection remembered another actor:", err)
				}
				if _, err := s.Copy(t.Context(), other); err != nil {
					t.Error("a connection remembered an actor:", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestStatementsEnd(t *testing.T) {
	_, o := storagetest.NewOffice(t, true)
	s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Role: postgres.PublicRole, StatementTimeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	execute(t, o, `CREATE OR REPLACE VIEW public_erasure AS SELECT copy, reason, decision_number, at FROM erasure WHERE pg_sleep(5) IS NOT NULL`)
	id, err := o.Walk(t.Context(), certcopy.Annulled)
	if err != nil {
		t.Fatal(err)
	}
	execute(t, o, `INSERT INTO erasure (copy, reason, decision_number, at) VALUES ($1, 'request', '1', now())`, id)
	if _, err := s.PublicByID(t.Context(), id); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("a statement of five seconds: %v", err)
	}
	for want, role := range map[string]postgres.Role{"5s": postgres.PublicRole, "1min": postgres.OfficeRole, "10min": postgres.RetentionRole} {
		s, err := postgres.Open(t.Context(), postgres.Config{URL: o.DSN, Role: role})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := postgres.Setting(t.Context(), s, "statement_timeout"); err != nil || got != want {
			t.Errorf("%s: statement_timeout %s, %v", role, got, err)
		}
		if got, err := postgres.Setting(t.Context(), s, "role"); err != nil || got != fmt.Sprint(role) {
			t.Errorf("role %s, %v", got, err)
		}
		s.Close()
	}
}
