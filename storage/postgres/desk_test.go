package postgres_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/text/unicode/norm"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/storagetest"
)

const (
	here  certcopy.AgencyID  = "xa-dong"
	there certcopy.AgencyID  = "xa-tay"
	clerk certcopy.AccountID = "00000000-0000-7000-8000-000000000001"
	alien certcopy.AccountID = "00000000-0000-7000-8000-000000000002"
)

var noon = time.Date(2026, 7, 1, 5, 0, 0, 0, time.UTC)

// desktop is a store over two agencies with a person each, and the
// database as its owner.
func desktop(t *testing.T) (*postgres.Store, *pgx.Conn) {
	t.Helper()
	ctx := t.Context()
	dsn := storagetest.Postgres(t)
	owner, err := pgx.Connect(ctx, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = owner.Close(context.Background()) })
	s, err := postgres.Open(ctx, postgres.Config{URL: dsn}) // founding two agencies is the owner's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	for agency, who := range map[certcopy.AgencyID]certcopy.AccountID{here: clerk, there: alien} {
		must(t, s.OpenOffice(ctx, storage.Office{
			Agency: certcopy.Agency{ID: agency, Code: "H08", Name: "UBND xã", Place: "Đông", Province: "Gia Lai", Book: certcopy.DefaultBook},
			From:   noon.AddDate(-1, 0, 0),
			People: []storage.Person{{ID: who, Login: "canbo." + string(agency), Name: "Trần Thị Bình", PasswordHash: "x", Roles: []certcopy.Role{certcopy.Clerk}}},
		}))
	}
	return s, owner
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// addCopy inserts a request with one copy, changed at a minute after noon, and returns its id.
func addCopy(t *testing.T, owner *pgx.Conn, agency certcopy.AgencyID, minute int, requester, title string) certcopy.CopyID {
	t.Helper()
	who := clerk
	if agency == there {
		who = alien
	}
	var id certcopy.CopyID
	at := noon.Add(time.Duration(minute) * time.Minute)
	must(t, owner.QueryRow(t.Context(), `WITH r AS (
			INSERT INTO request (id, agency, requester, channel, created_by, created_at) VALUES (gen_random_uuid(), $1, $2, 'counter', $3, $4) RETURNING id)
		INSERT INTO copy (id, request, agency, position, code, code_hash, created_at, document_type, title, issuing_body, pages, copies, changed_at)
		SELECT gen_random_uuid(), id, $1, 1, id::text, sha256(id::text::bytea), $4, 'bang-dai-hoc', $5, 'Đại học', 1, 1, $4 FROM r RETURNING id`,
		agency, requester, who, at, title).Scan(&id))
	return id
}

// forced puts a copy into a state without walking there, as only the owner with the triggers off can.
func forced(t *testing.T, owner *pgx.Conn, id certcopy.CopyID, state certcopy.State, confirmed bool) {
	t.Helper()
	ctx := t.Context()
	for _, sql := range []string{
		`ALTER TABLE copy DISABLE TRIGGER USER`,
		fmt.Sprintf(`UPDATE copy SET state = '%[1]s', checked = true, clean_digest = sha256('a'), submission = sha256('s'), submitted_at = created_at,
			certified_by = CASE WHEN %[2]v OR '%[1]s' <> 'submitted' THEN '%[3]s'::uuid END, certified_name = 'A',
			certified_at = CASE WHEN %[2]v OR '%[1]s' <> 'submitted' THEN created_at END,
			sealed_at = CASE WHEN %[2]v AND '%[1]s' = 'signed' THEN created_at END WHERE id = '%[4]s'`, state, confirmed, clerk, id),
		`ALTER TABLE copy ENABLE TRIGGER USER`,
	} {
		if _, err := owner.Exec(ctx, sql); err != nil {
			t.Fatal(err)
		}
	}
}

func ids(list []certcopy.Copy) string {
	var b strings.Builder
	for _, c := range list {
		b.WriteString(string(c.ID) + " ")
	}
	return b.String()
}

func join(list ...certcopy.CopyID) string {
	var b strings.Builder
	for _, id := range list {
		b.WriteString(string(id) + " ")
	}
	return b.String()
}

func TestDeskListPagesWithoutSkipping(t *testing.T) {
	s, owner := desktop(t)
	var want []certcopy.CopyID
	for i := range 7 {
		want = append(want, addCopy(t, owner, here, i/2, "Nguyễn Văn An", "Bằng")) // pairs share a time
	}
	addCopy(t, owner, there, 0, "Người khác", "Bằng")
	for _, newest := range []bool{false, true} {
		seen := map[certcopy.CopyID]bool{}
		var at desk.Cursor
		for pages := 0; ; pages++ {
			l, err := s.CopyList(t.Context(), desk.Filter{Agency: here, Newest: newest}, at, 3)
			must(t, err)
			for _, c := range l.Copies {
				if seen[c.ID] || c.Agency != here {
					t.Errorf("copy %s of %s is shown again or of another agency", c.ID, c.Agency)
				}
				seen[c.ID] = true
			}
			if pages == 0 { // somebody works meanwhile: what was shown leaves the list
				_, err := owner.Exec(t.Context(), `UPDATE copy SET changed_at = $2 WHERE id = $1`, l.Copies[0].ID, map[bool]time.Time{false: noon.Add(-time.Hour), true: noon.Add(time.Hour)}[newest])
				must(t, err)
			}
			if at = l.Next; at.IsZero() {
				break
			}
			back, err := desk.ParseCursor(at.String())
			must(t, err)
			at = back
		}
		if len(seen) != len(want) {
			t.Errorf("newest=%v: %d of %d copies were shown", newest, len(seen), len(want))
		}
	}
}

func TestDeskQueues(t *testing.T) {
	s, owner := desktop(t)
	wait := addCopy(t, owner, here, 1, "A", "B")
	done := addCopy(t, owner, here, 2, "A", "B")
	seal := addCopy(t, owner, here, 3, "A", "B")
	sealed := addCopy(t, owner, here, 4, "A", "B")
	draft := addCopy(t, owner, here, 5, "A", "B")
	forced(t, owner, wait, certcopy.Submitted, false)
	forced(t, owner, done, certcopy.Submitted, true)
	forced(t, owner, seal, certcopy.Signed, false)
	forced(t, owner, sealed, certcopy.Signed, true)
	for _, c := range []struct {
		f    desk.Filter
		want string
	}{
		{desk.Filter{Agency: here, States: []certcopy.State{certcopy.Submitted}, Unconfirmed: true}, join(wait)},
		{desk.Filter{Agency: here, States: []certcopy.State{certcopy.Submitted}}, join(wait, done)},
		{desk.Filter{Agency: here, States: []certcopy.State{certcopy.Signed}, Unconfirmed: true}, join(seal)},
		{desk.Filter{Agency: here, States: []certcopy.State{}}, ""},
		{desk.Filter{Agency: here, CreatedBy: clerk, Since: noon.Add(5 * time.Minute)}, join(draft)},
		{desk.Filter{Agency: here, CreatedBy: alien}, ""},
		{desk.Filter{Agency: there}, ""},
	} {
		l, err := s.CopyList(t.Context(), c.f, desk.Cursor{}, 10)
		must(t, err)
		if got := ids(l.Copies); got != c.want {
			t.Errorf("%+v: %q, want %q", c.f, got, c.want)
		}
	}
	n, err := s.Counts(t.Context(), here, noon)
	must(t, err)
	if n.ToCertify != 1 || n.ToSeal != 1 || n.Today != 5 || n.ByState[certcopy.Received] != 1 || n.ByState[certcopy.Submitted] != 2 {
		t.Errorf("counts are %+v", n)
	}
	list, err := s.CopiesByID(t.Context(), here, []certcopy.CopyID{seal, addCopy(t, owner, there, 1, "A", "B"), wait})
	must(t, err)
	if got := ids(list); got != join(seal, wait) {
		t.Errorf("by id: %q", got)
	}
	if list[0].Submission != certcopy.DigestOf([]byte("s")) || list[0].CertifiedBy.Account != clerk {
		t.Errorf("facts are %+v", list[0])
	}
}

func TestDeskSearch(t *testing.T) {
	s, owner := desktop(t)
	duc := addCopy(t, owner, here, 1, "NGUYỄN THỊ ĐỨC HƯƠNG", "Bằng tốt nghiệp 100%")
	addCopy(t, owner, here, 2, "Lê Văn Tám", "Giấy khai sinh")
	addCopy(t, owner, there, 3, "Nguyễn Thị Đức Hương", "Bằng")
	forced(t, owner, duc, certcopy.Submitted, true)
	_, err := owner.Exec(t.Context(), `ALTER TABLE book_row DISABLE TRIGGER USER`)
	must(t, err)
	_, err = owner.Exec(t.Context(), `INSERT INTO book_row (agency, book, year, seq, volume, date, copy, requester, title, signer_account, signer_name, signer_title, copies, original_pages, entered_at)
		VALUES ($1, 'SCT/BS', 2026, 1, 1, '2026-07-01', $2, 'x', 'y', $3, 'z', '', 1, 1, now())`, here, duc, clerk)
	must(t, err)
	for typed, found := range map[string]bool{
		"duc huong": true, "Đức": true, "ĐỨC HƯƠNG": true, norm.NFD.String("Đức"): true, "nguyen thi": true, "bang tot": true, "100%": true, "1": true,
		"2": false, "%": true, "_": false, "huong duc": false, "": false, "'; drop table copy; --": false, "99999999999999999999": false,
	} {
		list, err := s.Search(t.Context(), here, typed)
		must(t, err)
		if got := ids(list) == join(duc); got != found {
			t.Errorf("%q: found %q", typed, ids(list))
		}
	}
	list, err := s.Search(t.Context(), here, "1")
	must(t, err)
	if n := list[0].Number; n.Seq != 1 || n.Year != 2026 || n.Book != "SCT/BS" || n.Date.Format(time.DateOnly) != "2026-07-01" {
		t.Errorf("number is %+v", n)
	}
}

func TestSessions(t *testing.T) {
	s, _ := desktop(t)
	ctx := t.Context()
	tok, other := certcopy.DigestOf([]byte("token")), certcopy.DigestOf([]byte("other"))
	must(t, s.StartSession(ctx, tok, clerk, noon))
	signedIn := func(name string, d certcopy.Digest, at time.Time, want bool) {
		t.Helper()
		a, err := s.Session(ctx, d, at)
		if want && (err != nil || a.ID != clerk || !a.Has(certcopy.Clerk)) || !want && !errors.Is(err, storage.ErrNotFound) {
			t.Errorf("%s: %+v %v", name, a, err)
		}
	}
	signedIn("at once", tok, noon, true)
	signedIn("unknown token", other, noon, false)
	signedIn("after 29 minutes", tok, noon.Add(29*time.Minute), true)
	signedIn("kept alive", tok, noon.Add(58*time.Minute), true)
	signedIn("idle", tok, noon.Add(58*time.Minute+account.SessionIdle), false)
	must(t, s.StartSession(ctx, other, clerk, noon))
	for at := time.Duration(0); at < account.SessionLifetime; at += 20 * time.Minute {
		signedIn(fmt.Sprint("after ", at), other, noon.Add(at), true)
	}
	signedIn("too old however busy", other, noon.Add(account.SessionLifetime), false)

	must(t, s.StartSession(ctx, certcopy.DigestOf([]byte("third")), clerk, noon))
	must(t, s.SetPassword(ctx, clerk, "new", certcopy.DigestOf([]byte("third"))))
	signedIn("the others end with the password", tok, noon, false)
	signedIn("the one that changed it stays", certcopy.DigestOf([]byte("third")), noon, true)
	a, err := s.AccountByLogin(ctx, "canbo.xa-dong")
	must(t, err)
	a.Disabled = noon
	must(t, s.ChangeAccount(ctx, a))
	signedIn("disabled", certcopy.DigestOf([]byte("third")), noon, false)
	a.Agency = there
	if err := s.ChangeAccount(ctx, a); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("an account of another agency was changed: %v", err)
	}
	must(t, s.EndSession(ctx, certcopy.DigestOf([]byte("no such"))))
}

func TestLoginFailures(t *testing.T) {
	s, _ := desktop(t)
	ctx := t.Context()
	login := certcopy.DigestOf([]byte("an"))
	for i := range 3 {
		must(t, s.AddLoginFailure(ctx, login, "192.0.2.0/24", noon.Add(time.Duration(i)*time.Minute)))
	}
	must(t, s.AddLoginFailure(ctx, certcopy.DigestOf([]byte("binh")), "192.0.2.0/24", noon.Add(4*time.Minute)))
	f, err := s.LoginFailures(ctx, login, "192.0.2.0/24", noon.Add(5*time.Minute))
	must(t, err)
	if f.ByLogin != 3 || f.ByNetwork != 4 || !f.LastByLogin.Equal(noon.Add(2*time.Minute)) || !f.LastByNetwork.Equal(noon.Add(4*time.Minute)) {
		t.Errorf("failures are %+v", f)
	}
	must(t, s.ClearLoginFailures(ctx, login))
	f, err = s.LoginFailures(ctx, login, "198.51.100.0/24", noon.Add(5*time.Minute))
	must(t, err)
	if f != (account.Failures{}) {
		t.Errorf("failures of a stranger are %+v", f)
	}
}

func TestSharingLinks(t *testing.T) {
	s, owner := desktop(t)
	ctx := t.Context()
	id := addCopy(t, owner, here, 1, "A", "B")
	tok := certcopy.DigestOf([]byte("token"))
	must(t, s.CreateLink(ctx, tok, desk.Link{Copy: id, CreatedBy: clerk, CreatedAt: noon, Expires: noon.AddDate(0, 0, desk.LinkDays)}))
	public, err := postgres.Open(ctx, postgres.Config{URL: owner.Config().ConnString(), Role: postgres.PublicRole})
	must(t, err)
	defer public.Close()
	open := func(name string, at time.Time, count bool, openings int, opens bool) {
		t.Helper()
		l, err := public.OpenLink(ctx, tok, "192.0.2.0/24", at, count)
		if err != nil || l.Copy != id || l.Openings != openings || l.Opens(at) != opens {
			t.Errorf("%s: %+v %v", name, l, err)
		}
	}
	open("first", noon.Add(time.Hour), true, 1, true)
	open("a robot looks", noon.Add(time.Hour), false, 1, true)
	open("second", noon.Add(2*time.Hour), true, 2, true)
	open("expired", noon.AddDate(0, 0, 31), true, 2, false)
	if _, err := public.OpenLink(ctx, certcopy.DigestOf([]byte("guess")), "", noon, true); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("a guessed token: %v", err)
	}
	links, err := s.Links(ctx, id)
	must(t, err)
	if len(links) != 1 || links[0].Openings != 2 || !links[0].LastOpen.Equal(noon.Add(2*time.Hour)) {
		t.Fatalf("links are %+v", links)
	}
	if err := s.RevokeLink(ctx, addCopy(t, owner, here, 2, "A", "B"), links[0].ID, clerk, noon); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("the link of another copy was revoked: %v", err)
	}
	must(t, s.RevokeLink(ctx, id, links[0].ID, clerk, noon.Add(3*time.Hour)))
	must(t, s.RevokeLink(ctx, id, links[0].ID, clerk, noon.Add(9*time.Hour)))
	open("revoked", noon.Add(4*time.Hour), true, 2, false)
	links, err = s.Links(ctx, id)
	must(t, err)
	if !links[0].Revoked.Equal(noon.Add(3 * time.Hour)) {
		t.Errorf("revoked at %v", links[0].Revoked)
	}
	if err := public.CreateLink(ctx, certcopy.DigestOf([]byte("own")), desk.Link{Copy: id, CreatedBy: clerk, CreatedAt: noon, Expires: noon.AddDate(1, 0, 0)}); err == nil {
		t.Error("the public site made itself a link")
	}
	if err := public.RevokeLink(ctx, id, links[0].ID, clerk, noon); err == nil {
		t.Error("the public site revoked a link")
	}
	if _, err := public.Session(ctx, tok, noon); err == nil {
		t.Error("the public site reads sessions")
	}
}

func TestRefusedFiles(t *testing.T) {
	s, owner := desktop(t)
	id := addCopy(t, owner, here, 1, "A", "B")
	for _, want := range [][]desk.RefusedFile{
		{{Name: "ảnh 1.docx", Message: certcopy.Msg("không phải ảnh", "not an image")}, {Name: "b", Message: certcopy.Msg("x", "y")}},
		{{Name: "c", Message: certcopy.Msg("x", "y")}}, nil,
	} {
		must(t, s.SetRefusedFiles(t.Context(), id, want))
		got, err := s.RefusedFiles(t.Context(), id)
		must(t, err)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
}

func TestAccountsAndAuthorisations(t *testing.T) {
	s, _ := desktop(t)
	ctx := t.Context()
	a := account.Account{Agency: here, Login: "chutich", Name: "Nguyễn Văn An", Title: "CHỦ TỊCH", PasswordHash: "h", Roles: []certcopy.Role{certcopy.Certifier}}
	id, err := s.CreateAccount(ctx, a)
	must(t, err)
	if _, err := s.CreateAccount(ctx, a); !errors.Is(err, storage.ErrExists) {
		t.Errorf("one login name for two: %v", err)
	}
	got, err := s.AccountByLogin(ctx, "chutich")
	must(t, err)
	if a.ID = id; fmt.Sprint(got) != fmt.Sprint(a) {
		t.Errorf("%+v, want %+v", got, a)
	}
	if list, err := s.Accounts(ctx, here); err != nil || len(list) != 2 {
		t.Errorf("%d accounts, %v", len(list), err)
	}
	d := account.Authorisation{Account: id, Scope: account.MayCertify, From: noon.Truncate(24 * time.Hour), Decision: "12/QĐ-UBND"}
	must(t, s.Authorise(ctx, here, d))
	if err := s.Authorise(ctx, there, d); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another agency authorised: %v", err)
	}
	list, err := s.Authorisations(ctx, here)
	must(t, err)
	if len(list) != 1 || list[0].Decision != d.Decision || !list[0].From.Equal(d.From) || !list[0].Revoked.IsZero() || !list[0].To.IsZero() {
		t.Fatalf("authorisations are %+v", list)
	}
	if err := s.RevokeAuthorisation(ctx, there, list[0].ID); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("another agency revoked: %v", err)
	}
	must(t, s.RevokeAuthorisation(ctx, here, list[0].ID))
	if list, _ = s.Authorisations(ctx, here); list[0].Revoked.IsZero() {
		t.Error("not revoked")
	}
}

func TestDocumentTypes(t *testing.T) {
	s, owner := desktop(t)
	_, err := owner.Exec(t.Context(), `UPDATE document_type SET to_date = '2026-06-30' WHERE code = 'ho-chieu'`)
	must(t, err)
	// 17:30 UTC on the 30th is already the 1st in Viet Nam.
	for at, want := range map[time.Time]bool{time.Date(2026, 6, 30, 16, 30, 0, 0, time.UTC): true, time.Date(2026, 6, 30, 17, 30, 0, 0, time.UTC): false} {
		list, err := s.DocumentTypes(t.Context(), at)
		must(t, err)
		found := false
		for _, d := range list {
			found = found || d.Code == "ho-chieu"
		}
		if found != want || len(list) < 20 || list[len(list)-1].Code != "khac" || !list[0].InVNeID {
			t.Errorf("%v: %v", at, list)
		}
	}
}
