package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/backup"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/fsck"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/postgres"
)

// restoreCommand puts a backup back into an empty place.
type restoreCommand struct {
	dataFlag
	placeFlags
	From       string   `required:"" help:"Where backups lie: a directory, or s3://BUCKET/PREFIX."`
	Backup     string   `help:"Which one; default: the newest complete one."`
	Manifest   string   `help:"SHA-256 that the manifest must have, as saoy backup printed it." name:"manifest-sha256"`
	Identity   string   `help:"File with the key (AGE-SECRET-KEY-…) of an encrypted backup." type:"existingfile"`
	Checkpoint []string `help:"Newest published checkpoint of the log that can be found: a file or an https address. Repeatable."`
	Published  []string `help:"Store of published objects that outlived the installation (its DIR/log, or s3://BUCKET/PREFIX): newest checkpoint and list of erasures are taken from it. Repeatable."`
	Check      bool     `help:"Only read the whole backup and compare it with its digests."`
	JSON       bool     `help:"Print exactly one JSON object on standard output."`
}

// restored is what the command prints.
type restored struct {
	Backup     string         `json:"backup"`
	Copies     int64          `json:"copies"`
	Numbers    int64          `json:"numbers"`
	Leaves     int64          `json:"leaves"`
	Files      int64          `json:"files"`
	Bytes      int64          `json:"bytes"`
	Absent     int64          `json:"absent"`
	Lost       []string       `json:"lost"`
	KnownSize  int64          `json:"known_size"`
	LostLeaves int64          `json:"lost_leaves"`
	Erased     int            `json:"erased"` // copies that were erased after the backup, and are so again
	Findings   []fsck.Finding `json:"findings"`
}

// Run restores, or checks. Exit status 0: everything of the backup is there and right; 1: it
// is there, and something is named that was lost before or does not fit; 2: nothing is restored.
func (c restoreCommand) Run(ctx context.Context) error {
	out, err := c.run(ctx)
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if err := c.print(out); err != nil {
		return &exitError{exitUnusable, err}
	}
	if len(out.Lost)+len(out.Findings) > 0 {
		return &exitError{status: exitFailed}
	}
	return nil
}

func (c restoreCommand) run(ctx context.Context) (out restored, err error) {
	from, err := c.open(ctx, c.From)
	if err != nil {
		return out, err
	}
	m, digest, err := backup.Read(ctx, from, c.Backup)
	if err != nil {
		return out, err
	}
	if c.Manifest != "" && c.Manifest != digest.String() {
		return out, certcopy.Errorf(certcopy.Invalid, m.ID, fmt.Errorf("manifest has SHA-256 %s", digest), certcopy.Msg(
			"Đây không phải bản sao lưu mà người sao lưu đã ghi lại. Đừng khôi phục; hãy lấy bản khác.",
			"This is not the backup that was noted down when it was made. Do not restore it; take another one."))
	}
	identities, err := c.identities()
	if err != nil {
		return out, err
	}
	r := &backup.Return{From: from, Manifest: m, Identities: identities, Tell: new(app).tell}
	if c.Check {
		o, err := r.Check(ctx)
		return summary(m, o), err
	}
	if r.Known, err = c.known(ctx); err != nil {
		return out, err
	}
	for _, where := range c.Published {
		b, err := c.open(ctx, where)
		if err != nil {
			return out, err
		}
		r.Published = append(r.Published, b)
	}
	if err := r.Learn(ctx); err != nil {
		return out, err
	}
	return c.restore(ctx, r)
}

func summary(m backup.Manifest, o backup.Outcome) restored {
	return restored{Backup: m.ID, Copies: m.Copies, Numbers: m.Numbers, Leaves: m.Size, Files: o.Files, Bytes: o.Bytes, Absent: o.Absent,
		Lost: append(o.Lost, m.Missing...), KnownSize: o.Restoration.KnownSize, LostLeaves: o.LostLeaves(), Findings: []fsck.Finding{}}
}

// restore fills the directory. An attempt that was interrupted is gone on with.
func (c restoreCommand) restore(ctx context.Context, r *backup.Return) (out restored, err error) {
	config, err := Config{dataFlag: c.dataFlag, Roles: allRoles}.load()
	if err != nil {
		return out, err
	}
	a := &app{config: config, place: config.place()}
	defer a.close()
	resumed, err := a.place.beginRestoring(r.Manifest.ID)
	if err != nil {
		return out, err
	}
	if err := a.place.make(); err != nil {
		return out, err
	}
	if err := c.secrets(ctx, r, a); err != nil {
		return out, err
	}
	if r.Stores, err = a.emptyStores(ctx, resumed); err != nil {
		return out, err
	}
	if config.Database.url == "" {
		if a.local, _, err = a.place.server(ctx, true); err != nil {
			return out, err
		}
	}
	o, err := loadInto(ctx, a.ownerURL(), r, resumed)
	if err != nil {
		return out, err
	}
	out = summary(r.Manifest, o)
	if !a.hasSecrets(r.Manifest.Installation.Demonstration) {
		return out, noSecrets(c.Data)
	}
	err = c.settle(ctx, a, r, &out)
	return out, err
}

// settle erases again what was erased after the backup, lets the directory be used, and checks
// everything in it.
func (c restoreCommand) settle(ctx context.Context, a *app, r *backup.Return, out *restored) (err error) {
	if a.store, err = postgres.Open(ctx, postgres.Config{URL: a.ownerURL()}); err != nil {
		return err
	}
	if err = a.openInstallation(ctx, attachable); err != nil {
		return err
	}
	if err = a.openStores(ctx); err != nil {
		return err
	}
	if _, err := r.TakeErasures(ctx); err != nil {
		return err
	}
	eraser, done, err := a.eraser(ctx)
	if err != nil {
		return err
	}
	defer done()
	if out.Erased, err = eraser.Replay(ctx); err != nil {
		return err
	}
	if err := os.Remove(a.place.restoring()); err != nil {
		return err
	}
	if err := a.assemble(); err != nil {
		return err
	}
	report, err := fsck.Check(ctx, a.checker)
	out.Findings = report.Findings
	return err
}

// loadInto fills stores and database, or finds that an earlier attempt had done so and only
// lacked what comes after.
func loadInto(ctx context.Context, url string, r *backup.Return, resumed bool) (o backup.Outcome, err error) {
	m := r.Manifest
	var tables []storage.Table
	for _, t := range m.Tables {
		tables = append(tables, t.Table)
	}
	load, err := postgres.BeginLoad(ctx, url, m.Schema, m.Queue, tables)
	if errors.Is(err, storage.ErrExists) && resumed {
		return finished(ctx, url, m)
	}
	if errors.Is(err, storage.ErrExists) {
		return o, notEmpty("DATABASE_URL", err)
	}
	if err != nil {
		return o, err
	}
	defer load.Close(ctx)
	return r.Run(ctx, load)
}

// finished returns what an earlier attempt recorded.
func finished(ctx context.Context, url string, m backup.Manifest) (o backup.Outcome, err error) {
	if _, err := postgres.Migrate(ctx, url); err != nil { // a kill may have come before it
		return o, err
	}
	store, err := postgres.Open(ctx, postgres.Config{URL: url})
	if err != nil {
		return o, err
	}
	defer store.Close()
	if o.Restoration, err = store.Unaccepted(ctx); err != nil {
		return o, err
	}
	if o.Restoration.Backup != m.ID {
		return o, notEmpty("DATABASE_URL", fmt.Errorf("it holds backup %s", o.Restoration.Backup))
	}
	o.Files, o.Bytes = m.Vault.Count+m.Scratch.Count+m.Public.Count, m.Vault.Bytes+m.Scratch.Bytes+m.Public.Bytes
	return o, nil
}

// emptyStores opens the stores of the directory, which must hold nothing unless an earlier
// attempt put it there.
func (a *app) emptyStores(ctx context.Context, resumed bool) (s backup.Stores, err error) {
	if s.Vault, s.Scratch, s.Public, err = a.openBlobs(ctx); err != nil || resumed {
		return s, err
	}
	for name, b := range map[string]storage.Blobs{"vault": s.Vault, "scratch": s.Scratch, "public": s.Public} {
		for info, err := range b.List(ctx, "") {
			if err == nil {
				err = fmt.Errorf("it holds %s", info.Key)
			}
			return s, notEmpty(name, err)
		}
	}
	return s, nil
}

func notEmpty(what string, err error) error {
	return certcopy.Errorf(certcopy.Conflict, what, err, certcopy.Msg(
		"Nơi khôi phục không trống. Hãy chọn thư mục mới (và cơ sở dữ liệu, kho mới); không có gì bị ghi đè.",
		"The place to restore into is not empty. Choose a new directory (and a new database and stores); nothing was overwritten."))
}

// secrets unpacks those of the backup, if it has them and they can be read.
func (c restoreCommand) secrets(ctx context.Context, r *backup.Return, a *app) error {
	if len(r.Manifest.Secrets.Chunks) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := r.Secrets(ctx, &b); err != nil {
		return err
	}
	return a.unpackSecrets(&b)
}

func (c restoreCommand) identities() ([]age.Identity, error) {
	if c.Identity == "" {
		return nil, nil
	}
	f, err := os.Open(c.Identity)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	ids, err := age.ParseIdentities(f)
	if err != nil {
		return nil, certcopy.Errorf(certcopy.Invalid, c.Identity, errors.New("no identity of age in it"), certcopy.Msg(
			"Tệp này không chứa khóa giải mã của age (AGE-SECRET-KEY-…).", "This file holds no key of age (AGE-SECRET-KEY-…)."))
	}
	return ids, nil
}

// known reads the checkpoints that were named.
func (c restoreCommand) known(ctx context.Context) (notes [][]byte, err error) {
	for _, where := range c.Checkpoint {
		var b []byte
		if strings.HasPrefix(where, "https://") || strings.HasPrefix(where, "http://") {
			b, err = fetch(ctx, where)
		} else {
			b, err = os.ReadFile(where)
		}
		if err != nil {
			return nil, certcopy.Errorf(certcopy.NotFound, where, err, certcopy.Msg(
				"Không đọc được điểm kiểm tra này.", "This checkpoint cannot be read."))
		}
		// A file in the store of checkpoints begins with its description.
		if i := bytes.IndexByte(b, '\n'); i > 0 && b[0] == '{' {
			b = b[i+1:]
		}
		notes = append(notes, b)
	}
	return notes, nil
}

// fetch gets a small document.
func fetch(ctx context.Context, url string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, errors.New(response.Status)
	}
	return io.ReadAll(io.LimitReader(response.Body, 1<<20))
}

func (c restoreCommand) print(out restored) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	for _, key := range out.Lost {
		fmt.Println("mất từ trước khi sao lưu / lost before the backup:", key)
	}
	for _, f := range out.Findings {
		fmt.Printf("%s\t%s\n\t%s\n\t%s\n", f.Kind, f.Subject, f.VI, f.EN)
	}
	fmt.Printf("Bản sao lưu / backup %s\n%d bản sao / copies, %d số / numbers, %d lá / leaves, %d tệp / files, %d byte: đúng / right\n",
		out.Backup, out.Copies, out.Numbers, out.Leaves, out.Files, out.Bytes)
	if c.Check {
		return nil
	}
	if out.LostLeaves > 0 {
		fmt.Printf("NHẬT KÝ CŨ HƠN: đã công bố %d lá, bản sao lưu có %d; %d việc sau khi sao lưu đã mất.\nTHE LOG IS OLDER: %d leaves were published, the backup has %d; what was done in %d of them is lost.\n",
			out.KnownSize, out.Leaves, out.LostLeaves, out.KnownSize, out.Leaves, out.LostLeaves)
	}
	_, err := fmt.Printf(`Chưa cấp số được: có thể đã cấp số sau khi sao lưu. Tiếp theo: saoy accept-restore --data %[1]s --help
Nothing is issued yet: numbers may have been given after the backup. Next: saoy accept-restore --data %[1]s --help
`, c.Data)
	return err
}

// restoring is the file that stands in the directory while it is being restored.
func (p place) restoring() string { return filepath.Join(string(p), "restoring") }

// beginRestoring refuses a directory that holds anything but secrets, unless it was left by an
// interrupted restoration of the same backup.
func (p place) beginRestoring(id string) (resumed bool, err error) {
	if b, err := os.ReadFile(p.restoring()); err == nil {
		if strings.TrimSpace(string(b)) != id {
			return false, notEmpty(string(p), fmt.Errorf("backup %s is being restored here", strings.TrimSpace(string(b))))
		}
		return true, nil
	}
	entries, err := os.ReadDir(string(p))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, err
	}
	for _, e := range entries {
		if !slices.Contains([]string{"secrets", "keys", "demo"}, e.Name()) && !strings.HasPrefix(e.Name(), unfinishedPrefix) {
			return false, notEmpty(string(p), fmt.Errorf("it holds %s", e.Name()))
		}
	}
	if err := os.MkdirAll(string(p), 0o700); err != nil {
		return false, err
	}
	return false, writeDurably(p.restoring(), []byte(id+"\n"))
}

// hasSecrets reports whether the secrets are there without which nothing can be opened.
func (a *app) hasSecrets(demonstration bool) bool {
	paths := []string{filepath.Join(a.config.secretsDir(), masterFile), filepath.Join(a.config.secretsDir(), logKeyFile)}
	if demonstration {
		paths = append(paths, filepath.Join(a.config.secretsDir(), passphraseFile), a.place.demo())
	}
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			return false
		}
	}
	return true
}

func noSecrets(dir string) error {
	return certcopy.Errorf(certcopy.Unavailable, dir, nil, certcopy.Msg(
		"Dữ liệu đã khôi phục, còn thiếu bí mật. Hãy chép các thư mục secrets, keys (và demo nếu là bản trình diễn) của bản cài đặt cũ vào đây rồi chạy lại đúng lệnh này.",
		"The data are restored, the secrets are missing. Copy the directories secrets and keys (and demo, of a demonstration) of the old installation here, and run the same command again."))
}
