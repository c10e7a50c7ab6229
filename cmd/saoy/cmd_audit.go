package main

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"os"
	"time"

	"github.com/saoy/saoy/internal/audit"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/storage"
)

// auditCommand prints the audit.
type auditCommand struct {
	dataFlag
	Since  string `help:"Events from this day or moment on: 2026-11-22 (in Viet Nam) or 2026-11-22T08:00:00Z."`
	Till   string `help:"Events before this day or moment."`
	Agency string `help:"Events of this agency only."`
	Kind   string `help:"Events of this kind only: key, view, change, export, sign-in." enum:",key,view,change,export,sign-in" default:""`
	Code   string `help:"Events of the copy with this verification code only."`
	JSON   bool   `help:"Print exactly one JSON object on standard output: the events in their canonical form, and the head of the chain."`
}

// pageOfEvents bounds what is held in memory of an export.
const pageOfEvents = 5000

// Run prints the events, the newest first. That the audit was taken out is itself an event.
func (c auditCommand) Run(ctx context.Context) error {
	f := storage.AuditFilter{Agency: certcopy.AgencyID(c.Agency), Kind: storage.AuditKind(c.Kind)}
	var err error
	if f.Since, err = moment("since", c.Since); err != nil {
		return err
	}
	if f.Till, err = moment("till", c.Till); err != nil {
		return err
	}
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Listen: defaultListen}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	if c.Code != "" {
		code, err := link.FindCode(c.Code)
		if err != nil {
			return err
		}
		if f.Copy, err = a.store.CopyByCode(ctx, code.Hash()); err != nil {
			return certcopy.Errorf(certcopy.NotFound, "code", err, certcopy.Msg(
				"Không có bản sao nào mang mã này. Hãy kiểm tra lại mã.", "No copy has this code. Check the code."))
		}
	}
	if err := a.store.Record(ctx, storage.AuditEvent{Kind: storage.AuditExport, Action: "saoy audit", Phase: storage.AuditDone, Agency: f.Agency, Copy: f.Copy}); err != nil {
		return err
	}
	if _, err := a.store.ChainAudit(ctx); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	if err := c.print(ctx, a, out, f); err != nil {
		return err
	}
	return out.Flush()
}

func (c auditCommand) print(ctx context.Context, a *app, out *bufio.Writer, f storage.AuditFilter) error {
	head, _, err := a.store.AuditHead(ctx)
	if err != nil {
		return err
	}
	between := ""
	if c.JSON {
		fmt.Fprintf(out, `{"batches":%d,"chained":%d,"hash":"%s","events":[`, head.Seq, head.Size, head.Hash)
	}
	for {
		events, err := a.store.AuditEvents(ctx, f, pageOfEvents)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := c.printEvent(out, between, e); err != nil {
				return err
			}
			between, f.Before = ",\n", e.ID
		}
		if len(events) < pageOfEvents {
			break
		}
	}
	if c.JSON {
		_, err = out.WriteString("]}\n")
	}
	return err
}

func (c auditCommand) printEvent(out *bufio.Writer, between string, e storage.AuditEvent) error {
	if !c.JSON {
		_, err := fmt.Fprintf(out, "%s  %-7s %-8s %-28s %s  %s  %s  %s\n", e.At.In(certcopy.Vietnam).Format("2006-01-02 15:04:05"), e.Kind, e.Phase, e.Action,
			e.Agency, cmp.Or(string(e.Account), e.Client), e.Copy, e.Subject)
		return err
	}
	line, err := e.Line()
	if err != nil {
		return err
	}
	_, _ = out.WriteString(between) // Flush tells
	_, err = out.Write(line)
	return err
}

// moment reads a day in Viet Nam or a moment; zero for the empty text.
func moment(name, typed string) (time.Time, error) {
	if typed == "" {
		return time.Time{}, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, typed, certcopy.Vietnam); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, typed)
	if err != nil {
		return t, certcopy.Errorf(certcopy.Invalid, name, nil, certcopy.Msg(
			"Thời điểm phải viết như 2026-11-22 hoặc 2026-11-22T08:00:00Z.", "A moment is written like 2026-11-22 or 2026-11-22T08:00:00Z."))
	}
	return t, nil
}

// How often the audit is bound into its chain, and its head signed.
const (
	chainEvery    = time.Second
	signHeadEvery = time.Minute
)

// keepAudit chains the audit and signs its head until ctx ends, and once more then.
func (a *app) keepAudit(ctx context.Context) {
	keeper := &audit.Keeper{Ledger: a.store, Public: a.public, Log: a.logKey}
	chain, sign := time.NewTicker(chainEvery), time.NewTicker(signHeadEvery)
	defer chain.Stop()
	defer sign.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
			defer cancel()
			if _, err = a.store.ChainAudit(ending); err == nil {
				_, err = keeper.Sign(ending)
			}
			if err != nil {
				a.log.Warn("the audit's last events will be chained by the next process", "err", err)
			}
			return
		case <-chain.C:
			_, err = a.store.ChainAudit(ctx)
		case <-sign.C:
			_, err = keeper.Sign(ctx)
		}
		if err != nil && ctx.Err() == nil {
			a.log.Error("the audit is not chained", "err", err)
		}
	}
}
