package backup

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"filippo.io/age"
	"golang.org/x/mod/sumdb/tlog"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Load fills an empty database, all or nothing.
type Load interface {
	// Rows fills a table and returns how many rows it took.
	Rows(ctx context.Context, t storage.Table, r io.Reader) (int64, error)
	// Hashes reads stored hashes of the log's tree.
	Hashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error)
	// Finish makes it permanent, with the record of the restoration.
	Finish(ctx context.Context, sequences []storage.Sequence, r storage.Restoration) error
}

// Return puts a backup back.
type Return struct {
	From       storage.Blobs
	Manifest   Manifest
	Identities []age.Identity
	// Stores are empty, or hold what an earlier attempt at the same backup put there.
	Stores Stores
	// Known are checkpoints of the log that people hold: the newest published one above all.
	Known [][]byte
	// Published are stores of published objects that outlived the installation.
	Published []storage.Blobs
	Tell      func(m certcopy.Message) // may be nil

	pool *pool
}

// Outcome is what a restoration found.
type Outcome struct {
	Restoration storage.Restoration
	// Absent counts intermediate files that were gone when the backup was made; Lost names the
	// files that the backup did not have.
	Absent int64
	Lost   []string
	Files  int64
	Bytes  int64
}

// LostLeaves is how many leaves of the log were published after the backup was made, as far as
// is known.
func (o Outcome) LostLeaves() int64 { return max(0, o.Restoration.KnownSize-o.Restoration.Size) }

// Run fills the stores, then the database: while the database is empty there is no
// installation, and Run may begin again. Everything is checked against its digest, the log
// against the checkpoint of the backup and the known ones.
//
// register.ErrInconsistent: a known checkpoint is of another log than the backup's.
func (r *Return) Run(ctx context.Context, load Load) (o Outcome, err error) {
	r.open()
	for _, s := range r.stores() {
		if err := r.objects(ctx, s, &o, s.to); err != nil {
			return o, fmt.Errorf("restore: %s: %w", s.name, err)
		}
	}
	r.tell("Cơ sở dữ liệu", "The database")
	for _, t := range r.Manifest.Tables {
		rows, err := load.Rows(ctx, t.Table, r.stream(ctx, t.Stream))
		if err == nil && rows != t.Rows {
			err = fmt.Errorf("%w: %d rows, want %d", storage.ErrDamaged, rows, t.Rows)
		}
		if err != nil {
			return o, fmt.Errorf("restore: table %s: %w", t.Name, err)
		}
	}
	if o.Restoration, err = r.compareLog(ctx, load); err != nil {
		return o, fmt.Errorf("restore: the log: %w", err)
	}
	return o, load.Finish(ctx, r.Manifest.Sequences, o.Restoration)
}

// Check reads everything of a backup and compares it with its digest, changing nothing.
func (r *Return) Check(ctx context.Context) (o Outcome, err error) {
	r.open()
	for _, s := range r.stores() {
		if err := r.objects(ctx, s, &o, nil); err != nil {
			return o, fmt.Errorf("backup: %s: %w", s.name, err)
		}
	}
	for _, t := range r.Manifest.Tables {
		var rows lines
		if _, err := io.Copy(&rows, r.stream(ctx, t.Stream)); err != nil {
			return o, fmt.Errorf("backup: table %s: %w", t.Name, err)
		}
		if int64(rows) != t.Rows {
			return o, fmt.Errorf("backup: table %s: %w: %d rows, want %d", t.Name, storage.ErrDamaged, rows, t.Rows)
		}
	}
	_, err = r.log()
	if err != nil {
		return o, fmt.Errorf("backup: %w", err)
	}
	return o, r.Secrets(ctx, io.Discard)
}

// lines counts lines.
type lines int64

// Write implements io.Writer.
func (l *lines) Write(b []byte) (int, error) {
	*l += lines(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}

// Secrets writes the archive of the secrets; nothing if the backup has none.
func (r *Return) Secrets(ctx context.Context, w io.Writer) error {
	r.open()
	if _, err := io.Copy(w, r.stream(ctx, r.Manifest.Secrets)); err != nil {
		return fmt.Errorf("backup: secrets: %w", err)
	}
	return nil
}

func (r *Return) open() { r.pool = newPool(r.From, r.Manifest.EncryptedTo, nil, r.Identities) }

// returned is one store with what the backup has of it.
type returned struct {
	name   string
	vi, en string
	list   Objects
	to     storage.Blobs
	seal   bool
	fades  bool // objects may have been gone when they were to be copied
}

func (r *Return) stores() []returned {
	return []returned{
		{"vault", "Tệp đã cấp", "Issued files", r.Manifest.Vault, r.Stores.Vault, false, false},
		{"scratch", "Tệp đang làm", "Files in progress", r.Manifest.Scratch, r.Stores.Scratch, true, true},
		{"public", "Điểm kiểm tra", "Checkpoints", r.Manifest.Public, r.Stores.Public, false, false},
	}
}

func (r *Return) stream(ctx context.Context, s Stream) io.Reader {
	return bufio.NewReaderSize(&streamReader{ctx: ctx, pool: r.pool, chunks: s.Chunks}, 1<<20)
}

// objects reads every object of the list and puts it into to, unless to is nil.
func (r *Return) objects(ctx context.Context, s returned, o *Outcome, to storage.Blobs) error {
	r.tell(s.vi, s.en)
	d := json.NewDecoder(r.stream(ctx, s.list.Stream))
	d.DisallowUnknownFields()
	for seen := int64(0); ; seen++ {
		var line Object
		err := d.Decode(&line)
		if errors.Is(err, io.EOF) && seen == s.list.Count {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list, after %d of %d: %w", seen, s.list.Count, err)
		}
		b, err := r.pool.open(ctx, s.seal, line.Digest, line.Size)
		switch {
		case errors.Is(err, storage.ErrNotFound) && slices.Contains(r.Manifest.Damaged, line.Key):
			o.Lost = append(o.Lost, line.Key)
			continue
		case errors.Is(err, storage.ErrNotFound) && s.fades:
			o.Absent++
			continue
		case err != nil:
			return fmt.Errorf("%s: %w", line.Key, err)
		}
		o.Files, o.Bytes = o.Files+1, o.Bytes+line.Size
		if to == nil {
			continue
		}
		if err := place(ctx, to, line, b); err != nil {
			return fmt.Errorf("%s: %w", line.Key, err)
		}
	}
}

// place creates an object; one that an earlier attempt created must be the same.
func place(ctx context.Context, to storage.Blobs, line Object, b []byte) error {
	var lockedTill time.Time
	if line.LockedTill != nil {
		lockedTill = *line.LockedTill
	}
	err := to.Create(ctx, line.Key, bytes.NewReader(b), line.Size, line.Digest, lockedTill)
	if !errors.Is(err, storage.ErrExists) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		return err
	}
	info, statErr := to.Stat(ctx, line.Key)
	if statErr != nil {
		return fmt.Errorf("%w; reading it back: %w", err, statErr)
	}
	if info.Digest != line.Digest {
		return fmt.Errorf("%w: another object has this key", storage.ErrConflict)
	}
	return nil
}

// log opens the backup's checkpoint, which must be of the tree the manifest names.
func (r *Return) log() (register.Log, error) {
	log, err := register.ParseLogKey(r.Manifest.Installation.LogKey)
	if err != nil {
		return log, err
	}
	c, err := log.OpenCheckpoint([]byte(r.Manifest.Checkpoint))
	if err != nil {
		return log, err
	}
	if c.Size != r.Manifest.Size || c.Root != r.Manifest.Root {
		return log, fmt.Errorf("%w: the checkpoint is of %d leaves, the manifest of %d", register.ErrInconsistent, c.Size, r.Manifest.Size)
	}
	return log, nil
}

// compareLog holds the restored tree against the backup's own checkpoint and those that are
// known, and says which known one is larger.
func (r *Return) compareLog(ctx context.Context, load Load) (storage.Restoration, error) {
	m := r.Manifest
	out := storage.Restoration{Backup: m.ID, Size: m.Size}
	log, err := r.log()
	if err != nil {
		return out, err
	}
	hashes := register.HashReader(func(indexes []int64) ([]certcopy.Digest, error) { return load.Hashes(ctx, indexes) })
	if err := log.CheckGrowth([]byte(m.Checkpoint), register.Checkpoint{Origin: log.Origin(), Size: m.Size, Root: m.Root}, hashes); err != nil {
		return out, err
	}
	for _, note := range r.Known {
		c, err := log.OpenCheckpoint(note)
		if err != nil {
			return out, fmt.Errorf("the checkpoint that was given: %w", err)
		}
		if c.Size > out.KnownSize {
			out.Known, out.KnownSize = note, c.Size
		}
		if c.Size > m.Size || c.Size == 0 {
			continue
		}
		root, err := tlog.TreeHash(c.Size, hashes)
		if err != nil {
			return out, err
		}
		if certcopy.Digest(root) != c.Root {
			return out, fmt.Errorf("%w: a checkpoint of %d leaves that was given has another root", register.ErrInconsistent, c.Size)
		}
	}
	return out, nil
}

func (r *Return) tell(vi, en string) {
	if r.Tell != nil {
		r.Tell(certcopy.Msg(vi, en))
	}
}
