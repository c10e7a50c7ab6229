// Package backup copies a whole installation to another place, beside the running service,
// and puts it back.
//
// A backup is the database as of one moment, the objects of the three stores that this
// database speaks of, and a checkpoint of the log that covers it. At the destination, which
// is a storage.Blobs, everything lies under its digest: what an earlier backup stored is not
// stored again, whatever is read is checked, and a backup that was interrupted leaves pieces
// that the next one uses. Its manifest is written last and create-once; without one there is
// no backup.
package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"

	"filippo.io/age"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Snapshot is the database as of one moment.
type Snapshot interface {
	State(ctx context.Context) (storage.DatabaseState, error)
	// Tables lists the tables, each after those its rows refer to.
	Tables(ctx context.Context) ([]storage.Table, error)
	// Rows writes the rows of a table and returns how many.
	Rows(ctx context.Context, t storage.Table, w io.Writer) (int64, error)
	Sequences(ctx context.Context) ([]storage.Sequence, error)
	// Copies yields all copies in the order of their identifiers.
	Copies(ctx context.Context) iter.Seq2[storage.KeptCopy, error]
	// Hashes reads stored hashes of the log's tree.
	Hashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error)
}

// Stores are the three stores of an installation.
type Stores struct {
	Vault   storage.Blobs // final files, encrypted
	Scratch storage.Blobs // scans and files on their way
	Public  storage.Blobs // signed checkpoints
}

// Job is one backup.
type Job struct {
	// Snapshot must have begun before anything of the stores is looked at.
	Snapshot Snapshot
	Stores   Stores
	Dest     storage.Blobs
	// Log signs the checkpoint that covers the snapshot.
	Log *register.Signer
	// Recipients are who can read the backup; without any, tables and intermediate files lie in
	// clear. RecipientNames are the same in the form of text, for the manifest.
	Recipients     []age.Recipient
	RecipientNames []string
	// Secrets writes the archive of the installation's secrets; nil leaves them out. It is
	// ignored without Recipients.
	Secrets func(w io.Writer) error
	Now     func() time.Time
	Program string // version, for the manifest
	// Tell is told what is being done, for people; may be nil.
	Tell func(m certcopy.Message)

	pool *pool
	m    Manifest
}

// Run makes the backup and returns its manifest and the manifest's digest. After an error, or
// a kill, nothing of it counts; Run again uses what was stored.
func (j *Job) Run(ctx context.Context) (Manifest, certcopy.Digest, error) {
	j.pool = newPool(j.Dest, j.RecipientNames, j.Recipients, nil)
	j.m = Manifest{Format: Format, Program: j.Program, Began: j.Now().UTC(), EncryptedTo: j.RecipientNames}
	j.m.ID = j.m.Began.Format("20060102t150405.000z")
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"begin", j.begin}, {"state", j.state}, {"tables", j.tables}, {"vault", j.vault}, {"scratch", j.scratch},
		{"public", j.public}, {"secrets", j.secrets},
	} {
		if err := step.do(ctx); err != nil {
			return j.m, certcopy.Digest{}, fmt.Errorf("backup: %s: %w", step.what, err)
		}
	}
	j.m.Ended = j.Now().UTC()
	b, err := json.MarshalIndent(j.m, "", " ")
	if err == nil {
		err = j.mark(ctx, manifestName, append(b, '\n'))
	}
	if err != nil {
		return j.m, certcopy.Digest{}, fmt.Errorf("backup: manifest: %w", err)
	}
	return j.m, certcopy.DigestOf(append(b, '\n')), nil
}

func (j *Job) begin(ctx context.Context) error {
	return j.mark(ctx, begunName, []byte(j.m.Began.Format(time.RFC3339Nano)+"\n"))
}

// mark writes one of the two objects that are the backup's own.
func (j *Job) mark(ctx context.Context, name string, b []byte) error {
	return j.Dest.Create(ctx, runKey(j.m.ID, name), bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{})
}

// state reads what the snapshot says of itself and has the log sign its tree.
func (j *Job) state(ctx context.Context) error {
	s, err := j.Snapshot.State(ctx)
	if err != nil {
		return err
	}
	signed, err := j.Log.Checkpoint(s.Checkpoint, s.Size, s.Root, register.HashReader(func(indexes []int64) ([]certcopy.Digest, error) {
		return j.Snapshot.Hashes(ctx, indexes)
	}))
	if err != nil {
		return err
	}
	j.m.Schema, j.m.Queue, j.m.Copies, j.m.Numbers = s.Schema, s.Queue, s.Copies, s.Numbers
	j.m.Installation = Installation{PublicURL: s.Installation.PublicURL, LogKey: s.Installation.LogKey, Demonstration: s.Installation.Demonstration}
	j.m.Size, j.m.Root, j.m.Checkpoint = s.Size, s.Root, string(signed)
	return nil
}

func (j *Job) tables(ctx context.Context) error {
	j.tell("Cơ sở dữ liệu", "The database")
	tables, err := j.Snapshot.Tables(ctx)
	if err != nil {
		return err
	}
	if j.m.Sequences, err = j.Snapshot.Sequences(ctx); err != nil {
		return err
	}
	for _, t := range tables {
		w := &streamWriter{ctx: ctx, pool: j.pool}
		rows, err := j.Snapshot.Rows(ctx, t, w)
		if err != nil {
			return err
		}
		stream, err := w.close()
		if err != nil {
			return fmt.Errorf("%s: %w", t.Name, err)
		}
		j.m.Tables = append(j.m.Tables, Table{Table: t, Rows: rows, Stream: stream})
	}
	return nil
}

func (j *Job) secrets(ctx context.Context) error {
	if j.Secrets == nil || len(j.Recipients) == 0 {
		return nil
	}
	var b bytes.Buffer
	if err := j.Secrets(&b); err != nil {
		return err
	}
	w := &streamWriter{ctx: ctx, pool: j.pool, buffer: b.Bytes()}
	var err error
	j.m.Secrets, err = w.close()
	return err
}

func (j *Job) tell(vi, en string) {
	if j.Tell != nil {
		j.Tell(certcopy.Msg(vi, en))
	}
}
