package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// Format is the version of what is written here.
const Format = 1

// Manifest says what a backup holds. It is written last: a backup without one was interrupted.
type Manifest struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"`
	Program string    `json:"program"` // version that made it
	Began   time.Time `json:"began"`   // the moment whose state it holds is just after
	Ended   time.Time `json:"ended"`
	// EncryptedTo are the recipients of everything that is not encrypted at rest already; none:
	// tables and intermediate files lie in clear.
	EncryptedTo []string `json:"encrypted_to,omitempty"`

	Schema       int64        `json:"schema"`
	Queue        int          `json:"queue"`
	Installation Installation `json:"installation"`
	Copies       int64        `json:"copies"`
	Numbers      int64        `json:"numbers"`
	// Size and Root are the log's tree, Checkpoint the log's signature on them.
	Size       int64           `json:"size"`
	Root       certcopy.Digest `json:"root"`
	Checkpoint string          `json:"checkpoint"`

	Tables    []Table            `json:"tables"`
	Sequences []storage.Sequence `json:"sequences"`
	Vault     Objects            `json:"vault"`
	Scratch   Objects            `json:"scratch"`
	Public    Objects            `json:"public"`
	Secrets   Stream             `json:"secrets"` // an archive in the form of tar; empty unless asked for

	// Missing are keys of objects that should have been there, Damaged of objects that were not
	// what was once written: losses that came before this backup.
	Missing []string `json:"missing,omitempty"`
	Damaged []string `json:"damaged,omitempty"`
}

// Installation is what was fixed when the installation was founded.
type Installation struct {
	PublicURL     string `json:"public_url"`
	LogKey        string `json:"log_key"`
	Demonstration bool   `json:"demonstration"`
}

// Table is a table with its rows.
type Table struct {
	storage.Table
	Rows int64 `json:"rows"`
	Stream
}

// Objects are the objects of one store; the stream lists them, one object of JSON a line.
type Objects struct {
	Count int64 `json:"count"`
	Bytes int64 `json:"bytes"`
	Stream
}

// Stream is a sequence of bytes in pieces, each compressed by itself.
type Stream struct {
	Chunks []Chunk `json:"chunks"`
}

// Chunk is one piece: the digest and length of its compressed bytes.
type Chunk struct {
	Digest certcopy.Digest `json:"sha256"`
	Size   int64           `json:"size"`
}

// Object is a line of a list of objects.
type Object struct {
	Key        string          `json:"key"`
	Size       int64           `json:"size"`
	Digest     certcopy.Digest `json:"sha256"`
	LockedTill *time.Time      `json:"locked_till,omitempty"`
}

const (
	begunName    = "begun"
	manifestName = "manifest"
	runsPrefix   = "backup/"
)

func runKey(id, name string) string { return runsPrefix + id + "/" + name }

// List returns the identifiers of the complete backups at a destination and of those that
// were interrupted, oldest first.
func List(ctx context.Context, dest storage.Blobs) (complete, interrupted []string, err error) {
	for info, err := range dest.List(ctx, runsPrefix) {
		if err != nil {
			return nil, nil, fmt.Errorf("backups: %w", err)
		}
		id, name, _ := strings.Cut(strings.TrimPrefix(info.Key, runsPrefix), "/")
		switch name {
		case manifestName:
			complete = append(complete, id)
		case begunName:
			interrupted = append(interrupted, id)
		}
	}
	interrupted = slices.DeleteFunc(interrupted, func(id string) bool { return slices.Contains(complete, id) })
	return complete, interrupted, nil
}

// Read returns the manifest of a backup, or of the newest complete one if id is empty, with
// the digest of its bytes.
func Read(ctx context.Context, dest storage.Blobs, id string) (m Manifest, digest certcopy.Digest, err error) {
	if id == "" {
		complete, interrupted, err := List(ctx, dest)
		if err != nil {
			return m, digest, err
		}
		if len(complete) == 0 {
			return m, digest, noBackup(interrupted)
		}
		id = complete[len(complete)-1]
	}
	b, err := readAll(ctx, dest, runKey(id, manifestName))
	if errors.Is(err, storage.ErrNotFound) {
		return m, digest, noBackup([]string{id})
	}
	if err != nil {
		return m, digest, fmt.Errorf("backup %s: %w", id, err)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.ID != id {
		return m, digest, fmt.Errorf("backup %s: %w: manifest: %w", id, storage.ErrDamaged, err)
	}
	if m.Format != Format {
		return m, digest, certcopy.Errorf(certcopy.Invalid, id, fmt.Errorf("format %d, not %d", m.Format, Format), certcopy.Msg(
			"Bản sao lưu do phiên bản khác của chương trình tạo. Hãy dùng đúng phiên bản "+m.Program+" hoặc mới hơn.",
			"The backup was made by another version of the program. Use version "+m.Program+" or a newer one."))
	}
	return m, certcopy.DigestOf(b), nil
}

func noBackup(interrupted []string) error {
	cause := errors.New("no manifest")
	if len(interrupted) > 0 {
		cause = fmt.Errorf("no manifest in %s", strings.Join(interrupted, ", "))
	}
	return certcopy.Errorf(certcopy.NotFound, "backup", fmt.Errorf("%w: %w", storage.ErrNotFound, cause), certcopy.Msg(
		"Ở đây không có bản sao lưu hoàn chỉnh. Bản bị gián đoạn không dùng được; hãy chạy lại `saoy backup`, việc đã làm được dùng lại.",
		"There is no complete backup here. An interrupted one cannot be used; run `saoy backup` again, what was done is used again."))
}

func readAll(ctx context.Context, b storage.Blobs, key string) ([]byte, error) {
	body, _, err := b.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}
