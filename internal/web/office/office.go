// Package office is the site of the officials: the clerk receives, scans, submits and hands
// over; the certifier examines and certifies; the seal keeper seals; the administrator keeps
// the accounts.
//
// Every page works without scripts. A form names the revision or the digest that was shown,
// so that a second click, a second browser or a lost reply changes nothing twice; who may do
// what stands in one table, in routes.go. The package holds no state and no key: it calls the
// flow and reads the desk.
package office

import (
	"context"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"time"

	"github.com/go-chi/chi/v5"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/calendar"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/desk"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/staging"
	"github.com/saoy/saoy/internal/web"
	"github.com/saoy/saoy/storage"
)

// Prefix is where the office's addresses begin.
const Prefix = "/office"

// Flow is what the office asks of the flow, see package issue.
type Flow interface {
	Receive(ctx context.Context, r certcopy.Request, originals []certcopy.Original) (certcopy.Request, bool, error)
	AddOriginal(ctx context.Context, r certcopy.RequestID, o certcopy.Original) (certcopy.CopyID, error)
	EditOriginal(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error
	Upload(ctx context.Context, id certcopy.CopyID, revision int, files []Upload) (UploadResult, error)
	Arrange(ctx context.Context, id certcopy.CopyID, revision int, order []certcopy.ScanID) (certcopy.Copy, error)
	ArrangePages(ctx context.Context, id certcopy.CopyID, revision int, order []PagePlace) (certcopy.Copy, error)
	ReplacePage(ctx context.Context, id certcopy.CopyID, revision, page int, file Upload) (UploadResult, error)
	Sheets(ctx context.Context, id certcopy.CopyID) ([]Sheet, error)
	EditPages(ctx context.Context, id certcopy.CopyID, revision int, pages []int, e intake.Edit) (certcopy.Copy, error)
	Variant(ctx context.Context, id certcopy.CopyID, page, widthPx int, e intake.Edit) (jpeg []byte, size int64, err error)
	Framed(ctx context.Context, id certcopy.CopyID, page, widthPx int, f intake.Frame) (jpeg []byte, err error)
	FramePage(ctx context.Context, id certcopy.CopyID, revision, page int, f intake.Frame) (certcopy.Copy, error)
	Fit(ctx context.Context, id certcopy.CopyID, revision int, budget int64) (certcopy.Copy, error)
	Submit(ctx context.Context, s storage.Submission) error
	Certify(ctx context.Context, c storage.Confirmation) error
	Seal(ctx context.Context, c storage.Confirmation) error
	Leave(ctx context.Context, l storage.Leaving) error
	Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string) error
	Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision) error
	PageImage(ctx context.Context, id certcopy.CopyID, page, widthPx int) ([]byte, error)
	Final(ctx context.Context, id certcopy.CopyID) (io.ReadCloser, certcopy.FinalFile, error)
	SharedKey(ctx context.Context, id certcopy.CopyID) (certcopy.Secret, error)
}

// Ledger is what the office reads of the ledger.
type Ledger interface {
	Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error)
	Request(ctx context.Context, id certcopy.RequestID) (certcopy.Request, error)
	Agency(ctx context.Context, id certcopy.AgencyID) (certcopy.Agency, error)
	Scans(ctx context.Context, id certcopy.CopyID) ([]certcopy.Scan, error)
}

// Desk is what the office reads and writes besides the flow; the methods' contracts stand at
// postgres.Store.
type Desk interface {
	AccountByLogin(ctx context.Context, login string) (account.Account, error)
	Accounts(ctx context.Context, agency certcopy.AgencyID) ([]account.Account, error)
	CreateAccount(ctx context.Context, a account.Account) (certcopy.AccountID, error)
	ChangeAccount(ctx context.Context, a account.Account) error
	SetPassword(ctx context.Context, id certcopy.AccountID, hash string, keep certcopy.Digest) error
	Authorisations(ctx context.Context, agency certcopy.AgencyID) ([]account.Authorisation, error)
	Authorise(ctx context.Context, agency certcopy.AgencyID, a account.Authorisation) error
	RevokeAuthorisation(ctx context.Context, agency certcopy.AgencyID, id int64) error

	StartSession(ctx context.Context, token certcopy.Digest, id certcopy.AccountID, now time.Time) error
	Session(ctx context.Context, token certcopy.Digest, now time.Time) (account.Account, error)
	EndSession(ctx context.Context, token certcopy.Digest) error
	LoginFailures(ctx context.Context, login certcopy.Digest, network string, now time.Time) (account.Failures, error)
	AddLoginFailure(ctx context.Context, login certcopy.Digest, network string, now time.Time) error
	ClearLoginFailures(ctx context.Context, login certcopy.Digest) error

	Waiting(ctx context.Context, agency certcopy.AgencyID) (desk.Waiting, error)
	Record(ctx context.Context, e storage.AuditEvent) error
	AuditEvents(ctx context.Context, f storage.AuditFilter, limit int) ([]storage.AuditEvent, error)
	CopyByCode(ctx context.Context, code certcopy.Digest) (certcopy.CopyID, error)

	CopyList(ctx context.Context, f desk.Filter, from desk.Cursor, limit int) (desk.List, error)
	CopiesByID(ctx context.Context, agency certcopy.AgencyID, ids []certcopy.CopyID) ([]certcopy.Copy, error)
	LowResolutionReason(ctx context.Context, id certcopy.CopyID) (string, error)
	RequestCopies(ctx context.Context, id certcopy.RequestID) ([]certcopy.Copy, error)
	Search(ctx context.Context, agency certcopy.AgencyID, typed string) ([]certcopy.Copy, error)
	Counts(ctx context.Context, agency certcopy.AgencyID, day time.Time) (desk.Counts, error)
	DocumentTypes(ctx context.Context, day time.Time) ([]desk.DocumentType, error)
	SetRefusedFiles(ctx context.Context, id certcopy.CopyID, refused []desk.RefusedFile) error
	RefusedFiles(ctx context.Context, id certcopy.CopyID) ([]desk.RefusedFile, error)
	CreateLink(ctx context.Context, token certcopy.Digest, l desk.Link) error
	Links(ctx context.Context, id certcopy.CopyID) ([]desk.Link, error)
	RevokeLink(ctx context.Context, id certcopy.CopyID, link int64, by certcopy.AccountID, now time.Time) error

	Wordings(ctx context.Context, agency certcopy.AgencyID) ([]desk.Wording, error)
	AddWording(ctx context.Context, agency certcopy.AgencyID, w desk.Wording) error
	Pictures(ctx context.Context, agency certcopy.AgencyID) ([]desk.Picture, error)
	AddPicture(ctx context.Context, agency certcopy.AgencyID, p desk.Picture) error
}

// Config is what the site is made of. All fields but Budgets are required.
type Config struct {
	// Web is the shared part; its Prefix, Pages, Texts, Assets, Funcs and Viewer are set here.
	Web    web.Config
	Flow   Flow
	Ledger Ledger
	Desk   Desk
	// Base is the public address, printed in QR codes and sharing links.
	Base link.Base
	// Fee computes the fee in đồng from the pages of the original, the number of copies and the day.
	Fee func(pages, copies int, day time.Time) int64
	// Budgets are the file sizes that destinations take; nil means issue.DefaultBudgets.
	Budgets []issue.Budget
	// Draw draws sample pages of the statement.
	Draw issue.Renderer
	// Staging takes files that arrive in pieces.
	Staging *staging.Area
}

// Office serves the officials' site. It is safe for concurrent use.
type Office struct {
	site   *web.Site
	flow   Flow
	ledger Ledger
	desk   Desk
	base   link.Base
	fee    func(pages, copies int, day time.Time) int64
	// budgets are the file sizes that destinations take.
	budgets []issue.Budget
	draw    issue.Renderer
	staging *staging.Area
	days    *calendar.Calendar
	now     func() time.Time
	rand    io.Reader
	secure  bool
	// hashing bounds how many passwords are examined at once, because each takes 19 MiB.
	hashing chan struct{}
	router  http.Handler
}

// maxHashing is how many passwords are examined at once.
const maxHashing = 4

//go:embed pages/*.html text/*.json assets/*
var files embed.FS

// New parses the pages and returns the site; mount it at Prefix.
func New(c Config) (*Office, error) {
	o := &Office{flow: c.Flow, ledger: c.Ledger, desk: c.Desk, base: c.Base, fee: c.Fee, days: calendar.National(), now: c.Web.Now, rand: c.Web.Rand,
		draw: c.Draw, staging: c.Staging, secure: c.Web.Secure, hashing: make(chan struct{}, maxHashing)}
	if o.budgets = c.Budgets; o.budgets == nil {
		o.budgets = issue.DefaultBudgets()
	}
	w := c.Web
	w.Prefix, w.Funcs, w.Viewer = Prefix, funcs(), o.viewer
	for _, f := range []struct {
		dir string
		to  *fs.FS
	}{{"pages", &w.Pages}, {"text", &w.Texts}, {"assets", &w.Assets}} {
		sub, err := fs.Sub(files, f.dir)
		if err != nil {
			return nil, fmt.Errorf("office: %w", err)
		}
		*f.to = sub
	}
	var err error
	if o.site, err = web.New(w); err != nil {
		return nil, fmt.Errorf("office: %w", err)
	}
	o.router = o.newRouter()
	return o, nil
}

// ServeHTTP answers requests below Prefix. The routes hold whole paths, so what a chi router
// above has already matched is put aside.
func (o *Office) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx := context.WithValue(r.Context(), chi.RouteCtxKey, (*chi.Context)(nil))
	o.router.ServeHTTP(w, r.WithContext(ctx))
}
