package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/retention"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// retentionCommand sets and carries out how long things are kept.
type retentionCommand struct {
	Set  retentionSetCommand  `cmd:"" help:"Record how long an agency keeps files, contacts and working files."`
	Show retentionShowCommand `cmd:"" help:"Print the policies."`
	Run  retentionRunCommand  `cmd:"" help:"Erase and delete what the policies no longer keep, and what waited for its lock."`
}

// retentionSetCommand records a policy.
type retentionSetCommand struct {
	dataFlag
	Agency      string `required:"" help:"Identifier of the agency."`
	FileYears   int    `help:"Years from the registration until a copy's file is erased; 0 keeps it for ever."`
	ContactDays int    `help:"Days from the end of a request's last copy until identity number and contact are deleted; 0 keeps them."`
	WorkingDays int    `help:"Days from a copy's end until its scans and intermediate files are deleted; 0 keeps them."`
	From        string `help:"The day from which it holds, YYYY-MM-DD; today if left out."`
	Decision    string `required:"" help:"Number of the decision."`
	By          string `required:"" help:"Sign-in name of the administrator who enters it."`
}

// Run records the policy. Policies are permanent; another one takes its place from its day on.
func (c retentionSetCommand) Run(ctx context.Context) error {
	from := certcopy.Day(time.Now())
	if c.From != "" {
		var err error
		if from, err = time.Parse(time.DateOnly, c.From); err != nil {
			return certcopy.Errorf(certcopy.Invalid, "from", err, certcopy.Msg(
				"Ngày phải viết theo dạng NĂM-THÁNG-NGÀY, ví dụ 2026-11-22.", "The date must be YYYY-MM-DD, for example 2026-11-22."))
		}
	}
	if c.FileYears < 0 || c.FileYears > 200 || c.ContactDays < 0 || c.ContactDays > 73000 || c.WorkingDays < 0 || c.WorkingDays > 73000 {
		return certcopy.Errorf(certcopy.Invalid, "retention", nil, certcopy.Msg(
			"Thời hạn lưu không hợp lệ: từ 0 đến 200 năm, 0 đến 73000 ngày; 0 là giữ mãi.",
			"The period is not valid: 0 to 200 years, 0 to 73000 days; 0 keeps for ever."))
	}
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	by, err := a.store.AccountByLogin(ctx, c.By)
	if err != nil || by.Agency != certcopy.AgencyID(c.Agency) || !by.Has(certcopy.Admin, certcopy.Certifier) {
		return certcopy.Errorf(certcopy.Forbidden, "by", err, certcopy.Msg(
			"Cần tài khoản quản trị viên hoặc người thực hiện chứng thực của chính cơ quan này.",
			"An administrator's or certifier's account of this agency is needed."))
	}
	return a.store.SetRetention(ctx, storage.RetentionPolicy{Agency: by.Agency, From: from, FileYears: c.FileYears, ContactDays: c.ContactDays,
		WorkingDays: c.WorkingDays, Decision: c.Decision, By: by.ID})
}

// retentionShowCommand prints the policies.
type retentionShowCommand struct {
	dataFlag
	Agency string `help:"Identifier of the agency; all if left out."`
}

// Run prints one line a policy.
func (c retentionShowCommand) Run(ctx context.Context) error {
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	policies, err := a.store.RetentionPolicies(ctx, certcopy.AgencyID(c.Agency))
	if err != nil {
		return err
	}
	if len(policies) == 0 {
		fmt.Println("Chưa có quy định nào: mọi thứ được giữ mãi. / No policy: everything is kept for ever.")
	}
	for _, p := range policies {
		fmt.Printf("%s  từ / from %s  tệp / files %s  liên hệ / contacts %s  tệp làm việc / working files %s  %s\n", p.Agency, p.From.Format(time.DateOnly),
			kept(p.FileYears, "năm / years"), kept(p.ContactDays, "ngày / days"), kept(p.WorkingDays, "ngày / days"), p.Decision)
	}
	return nil
}

func kept(n int, unit string) string {
	if n == 0 {
		return "giữ mãi / for ever"
	}
	return fmt.Sprintf("%d %s", n, unit)
}

// retentionRunCommand carries the policies out.
type retentionRunCommand struct {
	dataFlag
	JSON bool `help:"Print exactly one JSON object on standard output."`
}

// Run does what serve does every few hours, at once.
func (c retentionRunCommand) Run(ctx context.Context) error {
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	eraser, done, err := a.eraser(ctx)
	if err != nil {
		return err
	}
	defer done()
	o, err := eraser.Run(ctx)
	if err != nil {
		return err
	}
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(o)
	}
	fmt.Printf("%d bản sao xóa tệp / files erased, %d làm lại theo danh sách / replayed, %d liên hệ / contacts, %d tệp làm việc / working files, %d đối tượng / objects, %d còn khóa / still locked\n",
		o.Erased, o.Replayed, o.Contacts, o.Working, o.Objects, o.Locked)
	return nil
}

// eraser returns what destroys in this installation, under the retention role.
func (a *app) eraser(ctx context.Context) (e *retention.Eraser, done func(), err error) {
	ledger, err := a.store.As(ctx, postgres.RetentionRole)
	if err != nil {
		return nil, nil, certcopy.Errorf(certcopy.Unavailable, string(postgres.RetentionRole), err, certcopy.Msg(
			"Tài khoản cơ sở dữ liệu này không được giữ vai trò xóa dữ liệu. Hãy chạy với DATABASE_URL của tài khoản thuộc vai trò đó.",
			"This database login may not take on the role that erases. Run it with the DATABASE_URL of a member of that role."))
	}
	return &retention.Eraser{Ledger: ledger, Vault: a.vault.Blobs, Scratch: a.flow.Scratch, Public: a.public, Now: time.Now}, ledger.Close, nil
}

// retainEvery is how often a process that works carries out the policies.
const retainEvery = 6 * time.Hour

// retain carries out the policies until ctx ends. A login that may not take the role on leaves
// it to another process, or to "saoy retention run" by a timer.
func (a *app) retain(ctx context.Context) {
	tick := time.NewTicker(retainEvery)
	defer tick.Stop()
	for {
		a.retainOnce(ctx)
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (a *app) retainOnce(ctx context.Context) {
	eraser, done, err := a.eraser(ctx)
	if err == nil {
		defer done()
		var o retention.Outcome
		if o, err = eraser.Run(ctx); err == nil && o != (retention.Outcome{}) {
			a.log.Info("retention", "erased", o.Erased, "replayed", o.Replayed, "contacts", o.Contacts, "working", o.Working, "objects", o.Objects, "locked", o.Locked)
		}
	}
	if err != nil && ctx.Err() == nil {
		a.log.Warn("retention was not carried out", "err", err)
	}
}
