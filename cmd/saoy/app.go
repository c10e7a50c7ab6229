package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/confine"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/intake"
	"github.com/saoy/saoy/internal/issue"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/internal/verify"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// app is an installation that this process has open.
type app struct {
	config Config
	place  place
	base   link.Base
	log    *slog.Logger

	local     *postgres.Local // nil if attached or with a server of the operator's
	attached  bool            // another process does the work
	store     *postgres.Store
	files     storage.Blobs // the vault's objects, encrypted
	vault     *vault.Vault
	public    storage.Blobs
	logKey    *register.Signer // signs in workers; elsewhere it verifies only
	authority *demo.Authority  // nil unless this process works in a demonstration
	keys      *keyring
	flow      *issue.Flow
	previews  *previews
	verifier  *verify.Verifier
	results   *results
	// installation is what was fixed when it was founded.
	installation storage.Installation
	closers      []func()
	figures      *figures
	// draining: this process was told to end and takes no more requests from a balancer.
	draining atomic.Bool
}

// openMode says what a command needs of an installation.
type openMode int

const (
	// attachable: use the process that has the directory, if there is one.
	attachable openMode = iota
	// alone: be that process, or fail.
	alone
	// toCheck: as attachable, but found nothing and refuse no damage.
	toCheck
	// records: as attachable, but the ledger only.
	records
)

// open opens an installation, founding it if it is new and this process may, and finishes what
// an earlier kill left of that. The caller closes it.
func open(ctx context.Context, c Config, mode openMode) (a *app, err error) {
	if c, err = c.load(); err != nil {
		return nil, err
	}
	a = &app{config: c, place: c.place(), figures: new(figures), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
			a = nil
		}
	}()
	if a.base, err = c.base(); err != nil {
		return a, err
	}
	if err = a.place.refuseRestoring(); err != nil {
		return a, err
	}
	if err = a.place.make(); err != nil {
		return a, err
	}
	if err = a.openLedger(ctx, mode); err != nil {
		return a, err
	}
	if mode != toCheck {
		if err = a.refuseUnaccepted(ctx); err != nil {
			return a, err
		}
	}
	if err = a.openInstallation(ctx, mode); err != nil || mode == records {
		return a, err
	}
	if err = a.openStores(ctx); err != nil {
		return a, err
	}
	if err = a.assemble(); err != nil || mode == toCheck {
		return a, err
	}
	if err = a.foundDemonstration(ctx); err != nil {
		return a, err
	}
	if err = a.flow.CheckLog(ctx); err != nil {
		return a, fmt.Errorf("the log: %w", err)
	}
	return a, nil
}

// openLedger connects to the ledger. A process that runs everything migrates it first, unless
// another has it open; one that runs a part has no right to.
func (a *app) openLedger(ctx context.Context, mode openMode) error {
	url := a.config.Database.url
	if url == "" {
		local, holder, err := a.place.server(ctx, mode == alone)
		if err != nil {
			return err
		}
		a.local, a.attached = local, local == nil
		url = holder.DSN
		if local != nil {
			url = local.DSN()
			if err := a.place.writeRunFile(runFile{PID: os.Getpid(), DSN: url}); err != nil {
				return err
			}
			if _, err := postgres.Migrate(ctx, url); err != nil {
				return err
			}
		}
	}
	config := postgres.Config{URL: url, Role: a.config.databaseRole(), MaxConns: a.config.Database.MaxConnections, Fee: feeOf}
	var err error
	a.store, err = postgres.Open(ctx, config)
	if !errors.Is(err, postgres.ErrNotMigrated) {
		return err
	}
	if !a.config.whole() {
		return certcopy.Errorf(certcopy.Unavailable, "database", err, certcopy.Msg(
			"Cơ sở dữ liệu chưa được nâng cấp cho chương trình này. Hãy chạy `saoy migrate` bằng tài khoản chủ sở hữu cơ sở dữ liệu rồi khởi động lại.",
			"The database is not at this program's schema. Run `saoy migrate` as the database's owner, then start again."))
	}
	if _, err := postgres.Migrate(ctx, url); err != nil {
		return err
	}
	a.store, err = postgres.Open(ctx, config)
	return err
}

// openStores opens what lies beside the ledger, as far as the parts of this process need it.
func (a *app) openStores(ctx context.Context) (err error) {
	var scratch storage.Blobs
	if a.files, scratch, a.public, err = a.openBlobs(ctx); err != nil {
		return err
	}
	a.flow = &issue.Flow{
		Ledger: a.store, Public: a.public, Wordings: a.store, Log: a.logKey,
		VerifyURL: a.verifyURL, Now: time.Now, Rand: rand.Reader,
	}
	if !a.config.opensFiles() {
		return nil
	}
	a.flow.Scratch = scratch
	a.vault.Blobs, a.vault.Retention = a.files, days(a.config.Vault.RetentionDays)
	a.flow.Vault = a.vault
	a.flow.Keys, a.flow.Looks = a.keys, a.keys
	return nil
}

// assemble gives the flow what it needs beside the stores. Only a process that works signs and
// time-stamps; one that is attached leaves that to the process it is attached to.
func (a *app) assemble() error {
	if err := a.openAuthority(); err != nil {
		return err
	}
	anchors, err := a.anchors()
	if err != nil {
		return err
	}
	runner := confine.New(runtime.GOMAXPROCS(0))
	a.previews = &previews{cache: a.place.cache()}
	a.flow.Examine = examiner{anchors: anchors}
	a.flow.Intake = scans{intake.New(runner, a.place.cache()), a.previews}
	a.flow.Render = a.previews
	strangers := verify.Confined{Runner: runner, Anchors: anchors, Now: time.Now}
	a.verifier = &verify.Verifier{Register: a.store, Examiner: strangers, CertifierField: stamp.CertifierField, AgencyField: stamp.AgencyField}
	if err := a.openResults(anchors.Anchors(), strangers); err != nil {
		return err
	}
	if a.authority != nil {
		a.flow.Revocation = newCollector(anchors, a.authority.Transport(http.DefaultTransport))
		a.flow.Stamps = a.authority
		return nil
	}
	a.flow.Revocation = agedCollector(anchors, a.config.Revocation.transport(), a.config.Revocation.MaxAge)
	stamps, err := a.config.timeStamper(anchors)
	a.flow.Stamps = timedStamps{stamps, a.figures}
	return err
}

// anchors returns what this installation trusts: what its file lists, and in a demonstration its
// own authority.
func (a *app) anchors() (*trust.Store, error) {
	if a.config.Anchors != "" && !a.installation.Demonstration {
		return loadAnchors(string(a.config.Anchors))
	}
	return a.demonstrationAnchors()
}

func (a *app) verifyURL(code string) string {
	c, err := link.ParseCode(code)
	if err != nil {
		return ""
	}
	return link.VerifyURL(a.base, c)
}

// origin is the name of the log of an installation at base.
func origin(base link.Base) string {
	_, place, _ := strings.Cut(base.String(), "://")
	return place + "/log"
}

// close ends everything in the reverse order of opening. It may be called on a half-open app.
func (a *app) close() error {
	if a.previews != nil {
		a.previews.close()
	}
	if a.keys != nil {
		a.keys.close()
	}
	for _, end := range slices.Backward(a.closers) {
		end()
	}
	if a.store != nil {
		a.store.Close()
	}
	if a.local == nil {
		return nil
	}
	// The run file goes first: who reads it from now on finds nobody.
	err := os.Remove(a.place.runFile())
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return errors.Join(err, a.local.Stop(ctx))
}
