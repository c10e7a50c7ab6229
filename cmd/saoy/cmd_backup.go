package main

import (
	"archive/tar"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/backup"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/postgres"
	"github.com/saoy/saoy/storage/s3"
)

// placeFlags say how to reach a bucket that holds backups.
type placeFlags struct {
	S3Endpoint    string `help:"Address of the store of s3://BUCKET/PREFIX." name:"s3-endpoint" env:"SAOY_BACKUP_S3_ENDPOINT"`
	S3Region      string `help:"Region of the signatures." name:"s3-region" default:"us-east-1" env:"SAOY_BACKUP_S3_REGION"`
	S3Credentials string `help:"File with AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…; default: the environment." name:"s3-credentials" env:"SAOY_BACKUP_S3_CREDENTIALS" type:"path"`
	S3CA          string `help:"Certificates (PEM) to trust for the store, in place of the system's." name:"s3-ca" env:"SAOY_BACKUP_S3_CA" type:"path"`
}

// open opens a directory, or a bucket named as s3://BUCKET/PREFIX.
func (f placeFlags) open(ctx context.Context, where string) (storage.Blobs, error) {
	rest, remote := strings.CutPrefix(where, "s3://")
	if !remote {
		return disk.Open(where, time.Now)
	}
	bucket, prefix, _ := strings.Cut(rest, "/")
	keys := s3.FromEnvironment()
	if f.S3Credentials != "" {
		keys = s3.FromFile(f.S3Credentials)
	}
	return s3.Open(ctx, s3.Config{Endpoint: f.S3Endpoint, Region: f.S3Region, Bucket: bucket, Prefix: strings.Trim(prefix, "/"),
		Credentials: keys, CAFile: f.S3CA, Scratch: true, Now: time.Now})
}

// backupCommand copies a whole installation to another place, beside a running serve.
type backupCommand struct {
	dataFlag
	placeFlags
	Output    string   `short:"o" required:"" help:"Where the backup goes: a directory, or s3://BUCKET/PREFIX. What is there already is not copied again."`
	Recipient []string `help:"Who can read the backup (age1…). Without one, tables and intermediate files lie there in clear."`
	Secrets   bool     `help:"Take the secrets and soft keys too; needs --recipient."`
	JSON      bool     `help:"Print exactly one JSON object on standard output."`
}

// backupKeyCommand makes the key with which encrypted backups are read.
type backupKeyCommand struct {
	Output string `short:"o" required:"" help:"Where the key goes: keep it apart from the backups and from the installation." type:"path"`
}

// Run writes the key (AGE-SECRET-KEY-…, mode 0600) and prints its recipient. It replaces no file.
func (c backupKeyCommand) Run() error {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return err
	}
	f, err := os.OpenFile(c.Output, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return certcopy.Errorf(certcopy.Conflict, c.Output, err, certcopy.Msg(
			"Không ghi được tệp khóa mới ở đây (tệp đã có thì không bị ghi đè).", "The new key cannot be written here (a file that exists is not replaced)."))
	}
	_, err = fmt.Fprintln(f, id)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	_, err = fmt.Println(id.Recipient())
	return err
}

// backedUp is what the command prints.
type backedUp struct {
	ID       string          `json:"id"`
	Manifest certcopy.Digest `json:"manifest_sha256"`
	Copies   int64           `json:"copies"`
	Numbers  int64           `json:"numbers"`
	Leaves   int64           `json:"leaves"`
	Files    int64           `json:"files"`
	Bytes    int64           `json:"bytes"`
	Missing  []string        `json:"missing"`
	Damaged  []string        `json:"damaged"`
	Seconds  float64         `json:"seconds"`
}

// Run makes one backup. Exit status 0: it is complete; 1: it is complete, but files of the
// installation were missing or damaged, and are named; 2: there is no backup.
func (c backupCommand) Run(ctx context.Context) error {
	m, digest, err := c.backup(ctx)
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	out := backedUp{ID: m.ID, Manifest: digest, Copies: m.Copies, Numbers: m.Numbers, Leaves: m.Size,
		Files: m.Vault.Count + m.Scratch.Count + m.Public.Count, Bytes: m.Vault.Bytes + m.Scratch.Bytes + m.Public.Bytes,
		Missing: m.Missing, Damaged: m.Damaged, Seconds: m.Ended.Sub(m.Began).Seconds()}
	if err := c.print(out); err != nil {
		return &exitError{exitUnusable, err}
	}
	if len(out.Missing)+len(out.Damaged) > 0 {
		return &exitError{exitFailed, certcopy.Errorf(certcopy.Invalid, c.Data, nil, certcopy.Msg(
			"Bản sao lưu đã xong, nhưng có tệp của bản cài đặt bị thiếu hoặc hỏng từ trước. Hãy chạy `saoy fsck --deep` và lấy chúng từ bản sao lưu cũ.",
			"The backup is complete, but files of the installation were missing or damaged before it. Run `saoy fsck --deep`, and take them from an older backup."))}
	}
	return nil
}

func (c backupCommand) print(out backedUp) error {
	if c.JSON {
		return json.NewEncoder(os.Stdout).Encode(out)
	}
	for _, key := range out.Missing {
		fmt.Println("thiếu / missing:", key)
	}
	for _, key := range out.Damaged {
		fmt.Println("hỏng / damaged:", key)
	}
	_, err := fmt.Printf("Đã sao lưu / backed up: %s  (%.1f s)\n%d bản sao / copies, %d số / numbers, %d lá / leaves, %d tệp / files, %d byte\nSHA-256 manifest: %s\n",
		out.ID, out.Seconds, out.Copies, out.Numbers, out.Leaves, out.Files, out.Bytes, out.Manifest)
	return err
}

func (c backupCommand) backup(ctx context.Context) (m backup.Manifest, digest certcopy.Digest, err error) {
	recipients, err := c.recipients()
	if err != nil {
		return m, digest, err
	}
	if _, err := os.Stat(c.Data); err != nil {
		return m, digest, noData(c.Data)
	}
	dest, err := c.open(ctx, c.Output)
	if err != nil {
		return m, digest, err
	}
	a, err := open(ctx, Config{dataFlag: c.dataFlag, Roles: allRoles}, toCheck)
	if err != nil {
		return m, digest, err
	}
	defer a.close()
	snapshot, err := postgres.OpenSnapshot(ctx, a.ownerURL())
	if err != nil {
		return m, digest, err
	}
	defer snapshot.Close(ctx)
	job := &backup.Job{
		Snapshot: snapshot, Stores: a.stores(), Dest: dest, Log: a.logKey, Recipients: recipients, RecipientNames: c.Recipient,
		Now: time.Now, Program: version(), Tell: a.tell,
	}
	if c.Secrets {
		job.Secrets = a.packSecrets
	}
	return job.Run(ctx)
}

func (c backupCommand) recipients() ([]age.Recipient, error) {
	if c.Secrets && len(c.Recipient) == 0 {
		return nil, certcopy.Errorf(certcopy.Invalid, "--secrets", nil, certcopy.Msg(
			"Bí mật chỉ được sao lưu khi có mã hóa. Hãy thêm --recipient age1… (tạo bằng `saoy backup-key`).",
			"Secrets are backed up only encrypted. Add --recipient age1… (made by `saoy backup-key`)."))
	}
	var all []age.Recipient
	for _, name := range c.Recipient {
		r, err := age.ParseX25519Recipient(name)
		if err != nil {
			return nil, certcopy.Errorf(certcopy.Invalid, "--recipient", err, certcopy.Msg(
				"Đây không phải khóa công khai của age (age1…).", "This is no public key of age (age1…)."))
		}
		all = append(all, r)
	}
	return all, nil
}

func noData(dir string) error {
	return certcopy.Errorf(certcopy.NotFound, dir, nil, certcopy.Msg(
		"Không có thư mục dữ liệu này. Hãy kiểm tra --data.", "There is no such data directory. Check --data."))
}

// stores are what a backup copies and a restoration fills.
func (a *app) stores() backup.Stores {
	return backup.Stores{Vault: a.vault.Blobs, Scratch: a.flow.Scratch, Public: a.public}
}

// ownerURL is the connection string of the database's owner.
func (a *app) ownerURL() string {
	if a.config.Database.url != "" {
		return a.config.Database.url
	}
	if a.local != nil {
		return a.local.DSN()
	}
	r, _ := a.place.holder()
	return r.DSN
}

// tell says on the terminal what is being done.
func (a *app) tell(m certcopy.Message) { fmt.Fprintf(os.Stderr, "%s / %s\n", m.VI, m.EN) }

// secretDirs are what a backup takes only when it is asked to, encrypted, by their names in the
// archive.
func (a *app) secretDirs() map[string]string {
	return map[string]string{"secrets": a.config.secretsDir(), "keys": a.place.keys(), "demo": a.place.demo()}
}

// packSecrets writes the installation's secrets as a tar archive.
func (a *app) packSecrets(w io.Writer) error {
	t := tar.NewWriter(w)
	for name, dir := range a.secretDirs() {
		err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			return packFile(t, name+strings.TrimPrefix(path, dir), path)
		})
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return t.Close()
}

func packFile(t *tar.Writer, name, path string) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := t.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Mode: 0o600, Size: int64(len(b)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err = t.Write(b)
	return err
}

// maxPackedBytes bounds one file of the archive.
const maxPackedBytes = 16 << 20

// unpackSecrets writes the files of an archive that are not there yet.
func (a *app) unpackSecrets(r io.Reader) error {
	t := tar.NewReader(r)
	for {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("secrets: %w", err)
		}
		name, below, _ := strings.Cut(h.Name, "/")
		dir, known := a.secretDirs()[name]
		if !known || !filepath.IsLocal(below) || h.Typeflag != tar.TypeReg || h.Size > maxPackedBytes {
			return fmt.Errorf("secrets: %w: %q", storage.ErrDamaged, h.Name)
		}
		if err := unpackFile(filepath.Join(dir, filepath.FromSlash(below)), t); err != nil {
			return fmt.Errorf("secrets: %w", err)
		}
	}
}

func unpackFile(path string, r io.Reader) error {
	if _, err := os.Lstat(path); err == nil {
		return nil // put there by hand, or by an earlier attempt
	}
	b, err := io.ReadAll(io.LimitReader(r, maxPackedBytes))
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	return writeDurably(path, b)
}
