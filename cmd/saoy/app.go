package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
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
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
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
	vault     *vault.Vault
	public    storage.Blobs
	logKey    *register.Signer
	authority *demo.Authority // nil unless this process works in a demonstration
	keys      *keyring
	flow      *issue.Flow
	previews  *previews
	verifier  *verify.Verifier
	results   *results
	// installation is what was fixed when it was founded.
	installation storage.Installation
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
)

// open opens an installation, founding it if the directory is new, and finishes what an
// earlier kill left of that. The caller closes it.
func open(ctx context.Context, c Config, mode openMode) (a *app, err error) {
	a = &app{config: c, place: place(c.Data), log: slog.New(slog.NewTextHandler(os.Stderr, nil))}
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
	if err = a.openStores(ctx); err != nil {
		return a, err
	}
	if mode != toCheck {
		if err = a.refuseUnaccepted(ctx); err != nil {
			return a, err
		}
		if err = a.found(ctx); err != nil {
			return a, err
		}
	}
	if err = a.assemble(); err != nil || mode == toCheck {
		return a, err
	}
	if err = a.flow.CheckLog(ctx); err != nil {
		return a, fmt.Errorf("the log: %w", err)
	}
	return a, nil
}

// openLedger connects to the ledger and migrates it, unless another process has done so.
func (a *app) openLedger(ctx context.Context, mode openMode) error {
	url := a.config.DatabaseURL
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
		}
	}
	if !a.attached {
		if _, err := postgres.Migrate(ctx, url); err != nil {
			return err
		}
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: url, Fee: feeOf})
	a.store = store
	return err
}

// openBlobs opens the stores of final files, of files in progress, and of checkpoints.
func (a *app) openBlobs(context.Context) (files, scratch, public storage.Blobs, err error) {
	if files, err = disk.Open(a.place.vault(), time.Now); err != nil {
		return nil, nil, nil, err
	}
	if scratch, err = disk.Open(a.place.scratch(), time.Now); err != nil {
		return nil, nil, nil, err
	}
	public, err = disk.Open(a.place.public(), time.Now)
	return files, scratch, public, err
}

// openStores opens what lies in the data directory beside the ledger.
func (a *app) openStores(ctx context.Context) error {
	files, scratch, public, err := a.openBlobs(ctx)
	if err != nil {
		return err
	}
	a.public = public
	master, err := a.place.master()
	if err != nil {
		return err
	}
	a.vault = &vault.Vault{Blobs: files, Keys: a.store, Master: master}
	if a.logKey, err = a.place.logKey(origin(a.base)); err != nil {
		return err
	}
	passphrase, err := a.place.passphrase()
	if err != nil {
		return err
	}
	a.keys = &keyring{book: a.store, dir: a.place.keys(), passphrase: passphrase}
	a.flow = &issue.Flow{
		Ledger: a.store, Scratch: scratch, Vault: a.vault, Public: a.public, Keys: a.keys, Looks: a.keys, Wordings: a.store, Log: a.logKey,
		VerifyURL: a.verifyURL, Now: time.Now, Rand: rand.Reader,
	}
	return nil
}

// found records what is permanent about the installation and, in a demonstration without an
// agency, opens its office.
func (a *app) found(ctx context.Context) error {
	want := storage.Installation{PublicURL: a.base.String(), LogKey: a.logKey.Log().Key(), Demonstration: !a.config.Production}
	got, err := a.store.Found(ctx, want)
	if err != nil {
		return err
	}
	a.installation = got
	if got.LogKey != want.LogKey {
		return certcopy.Errorf(certcopy.Invalid, a.place.secrets(), nil, certcopy.Msg(
			"Khóa của nhật ký không phải khóa của cơ sở dữ liệu này. Hãy khôi phục đúng thư mục secrets đi cùng cơ sở dữ liệu.",
			"The key of the log is not the one of this database. Restore the secrets directory that belongs to the database."))
	}
	if a.config.Production && got.Demonstration {
		return demonstrationRefused(a.config.Data)
	}
	if a.config.PublicURL != "" && got.PublicURL != want.PublicURL {
		return certcopy.Errorf(certcopy.Conflict, "public_url", nil, certcopy.Msg(
			"Địa chỉ công khai đã được ghi vĩnh viễn là "+got.PublicURL+" vì nó nằm trong mọi mã QR. Hãy dùng lại địa chỉ đó.",
			"The public address was recorded for ever as "+got.PublicURL+", because every QR holds it. Use that address again."))
	}
	// Without an explicit address the recorded one holds, whatever port is listened on today.
	if a.base, err = link.ParseBase(got.PublicURL); err != nil {
		return err
	}
	if a.attached || !got.Demonstration {
		return nil
	}
	return a.foundDemonstration(ctx)
}

func (a *app) foundDemonstration(ctx context.Context) (err error) {
	if a.authority, err = demo.OpenAuthority(a.place.demo(), a.base.String(), time.Now); err != nil {
		return err
	}
	agencies, err := a.store.Agencies(ctx)
	if err != nil || len(agencies) > 0 {
		return err
	}
	return a.authority.Found(ctx, a.store, a.writeSoftKey, time.Now())
}

// assemble gives the flow what it needs beside the stores. Only a process that works signs and
// time-stamps; one that is attached leaves that to the process it is attached to.
func (a *app) assemble() error {
	anchors, err := a.anchors()
	if err != nil {
		return err
	}
	store := trust.NewStore(anchors...)
	runner := confine.New(runtime.GOMAXPROCS(0))
	a.previews = &previews{cache: a.place.cache()}
	a.flow.Examine = examiner{anchors: store}
	a.flow.Intake = scans{intake.New(runner, a.place.cache()), a.previews}
	a.flow.Render = a.previews
	strangers := verify.Confined{Runner: runner, Anchors: store, Now: time.Now}
	a.verifier = &verify.Verifier{Register: a.store, Examiner: strangers, CertifierField: stamp.CertifierField, AgencyField: stamp.AgencyField}
	if err := a.openResults(anchors, strangers); err != nil {
		return err
	}
	if a.authority == nil {
		return nil
	}
	transport := a.authority.Transport(http.DefaultTransport)
	a.flow.Revocation = newCollector(store, transport)
	a.flow.Stamps = a.authority
	return nil
}

// anchors returns what this installation trusts: in a demonstration its own authority.
func (a *app) anchors() ([]trust.Anchor, error) {
	b, err := os.ReadFile(filepath.Join(a.place.demo(), "ca.pem"))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("trust anchors: %w", err)
	}
	certificates, err := trust.ParsePEM(b)
	if err != nil {
		return nil, fmt.Errorf("trust anchors: %w", err)
	}
	var anchors []trust.Anchor
	for _, c := range certificates {
		anchors = append(anchors, trust.Anchor{Name: anchorName, Certificate: c})
	}
	return anchors, nil
}

// writeSoftKey stores a key in DIR/keys and returns its URI.
func (a *app) writeSoftKey(name string, id signer.Identity) (string, error) {
	file := name + "-" + hex.EncodeToString(id.Certificate.SerialNumber.Bytes()) + ".p12"
	b, err := softkey.Encode(id, a.keys.passphrase.Reveal())
	if err != nil {
		return "", err
	}
	return softScheme + file, writeDurably(filepath.Join(a.place.keys(), file), b)
}

func demonstrationRefused(dir string) error {
	return certcopy.Errorf(certcopy.Invalid, dir, nil, certcopy.Msg(
		"Đây là bản cài đặt trình diễn: khóa và chứng thư của nó không có giá trị pháp lý, nên không chạy được ở chế độ chính thức. Hãy dùng một thư mục mới.",
		"This is a demonstration installation: its keys and certificates have no legal value, so it does not start in production mode. Use a new directory."))
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
