package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/internal/link"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/storage"
)

// openInstallation reads what was fixed when the installation was founded and the secrets that
// the parts of this process need; a process that runs everything founds it if it is new.
func (a *app) openInstallation(ctx context.Context, mode openMode) error {
	recorded, err := a.store.Installation(ctx)
	founded := err == nil
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return err
	}
	if !founded && !a.config.whole() && mode != toCheck {
		return certcopy.Errorf(certcopy.Unavailable, "database", nil, certcopy.Msg(
			"Bản cài đặt này chưa được lập. Hãy chạy `saoy agency add` trước, với cùng tệp cấu hình.",
			"This installation is not founded yet. Run `saoy agency add` first, with the same configuration."))
	}
	a.installation = recorded
	if founded && mode == records {
		return a.matches(recorded)
	}
	if err := a.openSecrets(founded, recorded); err != nil || mode == toCheck {
		return err
	}
	return a.found(ctx, founded, recorded)
}

// openSecrets reads the secrets of this process's parts. Those of an installation that exists
// are never made anew: with other keys its files stay shut and its log cannot go on.
func (a *app) openSecrets(founded bool, recorded storage.Installation) (err error) {
	s := secrets{dir: a.config.secretsDir(), mayMake: !founded}
	if a.config.opensFiles() {
		master, err := s.master()
		if err != nil {
			return err
		}
		a.vault = &vault.Vault{Keys: a.store, Master: master}
	}
	a.keys = newKeyring(a.store, a.place.keys(), secrets{dir: s.dir}.passphrase, a.config)
	a.keys.figures = a.figures
	if a.config.runs(roleWorker) {
		a.logKey, err = s.logKey(origin(a.base))
		return err
	}
	log, err := register.ParseLogKey(recorded.LogKey)
	a.logKey = register.Watching(log)
	return err
}

// found records what is permanent about the installation, and refuses what contradicts it.
func (a *app) found(ctx context.Context, founded bool, got storage.Installation) (err error) {
	want := storage.Installation{PublicURL: a.base.String(), LogKey: a.logKey.Log().Key(), Demonstration: !a.config.Production}
	if !founded {
		if got, err = a.store.Found(ctx, want); err != nil {
			return err
		}
	}
	a.installation = got
	if got.LogKey != want.LogKey {
		return certcopy.Errorf(certcopy.Invalid, a.config.secretsDir(), nil, certcopy.Msg(
			"Khóa của nhật ký không phải khóa của cơ sở dữ liệu này. Hãy khôi phục đúng thư mục secrets đi cùng cơ sở dữ liệu.",
			"The key of the log is not the one of this database. Restore the secrets directory that belongs to the database."))
	}
	if err := a.matches(got); err != nil {
		return err
	}
	return a.checkMaster(ctx)
}

// matches refuses a configuration that contradicts what was recorded at the founding.
func (a *app) matches(got storage.Installation) (err error) {
	if a.config.Production && got.Demonstration {
		return demonstrationRefused(a.config.Data)
	}
	if a.config.PublicURL != "" && got.PublicURL != a.base.String() {
		return certcopy.Errorf(certcopy.Conflict, "public_url", nil, certcopy.Msg(
			"Địa chỉ công khai đã được ghi vĩnh viễn là "+got.PublicURL+" vì nó nằm trong mọi mã QR. Hãy dùng lại địa chỉ đó.",
			"The public address was recorded for ever as "+got.PublicURL+", because every QR holds it. Use that address again."))
	}
	// Without an explicit address the recorded one holds, whatever port is listened on today.
	a.base, err = link.ParseBase(got.PublicURL)
	return err
}

// checkMaster refuses a master key that is not the one to which this installation's files are
// encrypted.
func (a *app) checkMaster(ctx context.Context) error {
	if a.vault == nil {
		return nil
	}
	mine := a.vault.Master.Recipient().String()
	recorded, err := a.store.VaultRecipient(ctx)
	if errors.Is(err, storage.ErrNotFound) && a.config.whole() {
		recorded, err = a.store.SetVaultRecipient(ctx, mine)
	}
	if err == nil && recorded != mine {
		err = certcopy.Errorf(certcopy.Invalid, a.config.secretsDir(), nil, certcopy.Msg(
			"Khóa chủ của kho ("+masterFile+") không phải khóa của bản cài đặt này: các tệp đã lưu sẽ không mở được. Hãy khôi phục đúng tệp.",
			"The vault's master key ("+masterFile+") is not the one of this installation: its files could not be opened. Restore the right one."))
	}
	return err
}

// openAuthority opens the demonstration's authority in the process that works.
func (a *app) openAuthority() (err error) {
	if a.attached || !a.installation.Demonstration {
		return nil
	}
	a.authority, err = demo.OpenAuthority(a.place.demo(), a.base.String(), time.Now)
	return err
}

// foundDemonstration opens the office of a demonstration that has none.
func (a *app) foundDemonstration(ctx context.Context) error {
	if a.authority == nil {
		return nil
	}
	agencies, err := a.store.Agencies(ctx)
	if err != nil || len(agencies) > 0 {
		return err
	}
	return a.authority.Found(ctx, a.store, a.writeSoftKey, time.Now())
}

// demonstrationAnchors are those of the authority in the directory, if it has one.
func (a *app) demonstrationAnchors() (*trust.Store, error) {
	b, err := os.ReadFile(filepath.Join(a.place.demo(), "ca.pem"))
	if errors.Is(err, os.ErrNotExist) || !a.installation.Demonstration {
		return trust.NewStore(), nil
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
	return trust.NewStore(anchors...), nil
}

// writeSoftKey stores a key in DIR/keys and returns its URI.
func (a *app) writeSoftKey(name string, id signer.Identity) (string, error) {
	file := name + "-" + hex.EncodeToString(id.Certificate.SerialNumber.Bytes()) + ".p12"
	passphrase, err := secrets{dir: a.config.secretsDir(), mayMake: true}.passphrase()
	if err != nil {
		return "", err
	}
	b, err := softkey.Encode(id, passphrase.Reveal())
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
