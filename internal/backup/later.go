package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/retention"
	"github.com/saoy/saoy/storage"
)

// checkpointPrefix is where the flow keeps signed checkpoints among the public objects.
const checkpointPrefix = "checkpoint/"

// Learn adds to Known the newest checkpoint of each published store that is left, and those
// of the backups made after this one: each says how large the log had become.
func (r *Return) Learn(ctx context.Context) error {
	for _, b := range r.Published {
		newest := ""
		for info, err := range b.List(ctx, checkpointPrefix) {
			if err != nil {
				return fmt.Errorf("published checkpoints: %w", err)
			}
			newest = info.Key
		}
		if newest == "" {
			continue
		}
		note, err := readAll(ctx, b, newest)
		if err != nil {
			return fmt.Errorf("published checkpoint %s: %w", newest, err)
		}
		r.Known = append(r.Known, note)
	}
	return r.later(ctx, func(m Manifest) error {
		r.Known = append(r.Known, []byte(m.Checkpoint))
		return nil
	})
}

// later calls f with each complete backup of the same log that was made after this one.
func (r *Return) later(ctx context.Context, f func(m Manifest) error) error {
	complete, _, err := List(ctx, r.From)
	if err != nil {
		return err
	}
	for _, id := range complete {
		if id <= r.Manifest.ID {
			continue
		}
		m, _, err := Read(ctx, r.From, id)
		if err != nil {
			return err
		}
		if m.Installation.LogKey != r.Manifest.Installation.LogKey {
			continue
		}
		if err := f(m); err != nil {
			return fmt.Errorf("backup %s: %w", id, err)
		}
	}
	return nil
}

// TakeErasures adds the entries of the list of erasures that came after the backup: those of
// published stores that are left, and of later backups. It is asked after Run; whoever then
// replays the list destroys again what the backup brought back.
func (r *Return) TakeErasures(ctx context.Context) (n int, err error) {
	take := func(key string, b []byte) error {
		d := certcopy.DigestOf(b)
		err := r.Stores.Public.Create(ctx, key, bytes.NewReader(b), int64(len(b)), d, time.Time{})
		if errors.Is(err, storage.ErrExists) {
			return nil
		}
		n++
		return err
	}
	for _, from := range r.Published {
		for info, err := range from.List(ctx, retention.ListPrefix) {
			if err != nil {
				return n, fmt.Errorf("list of erasures: %w", err)
			}
			b, err := readAll(ctx, from, info.Key)
			if err == nil {
				err = take(info.Key, b)
			}
			if err != nil {
				return n, fmt.Errorf("list of erasures: %s: %w", info.Key, err)
			}
		}
	}
	return n, r.later(ctx, func(m Manifest) error {
		p := newPool(r.From, m.EncryptedTo, nil, r.Identities)
		return erasuresOf(ctx, p, m, take)
	})
}

// erasuresOf reads the entries of the list of erasures that a backup holds.
func erasuresOf(ctx context.Context, p *pool, m Manifest, take func(key string, b []byte) error) error {
	d := json.NewDecoder(&streamReader{ctx: ctx, pool: p, chunks: m.Public.Chunks})
	for {
		var line Object
		err := d.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line.Key, retention.ListPrefix) {
			continue
		}
		b, err := p.open(ctx, false, line.Digest, line.Size)
		if err != nil {
			return fmt.Errorf("%s: %w", line.Key, err)
		}
		if err := take(line.Key, b); err != nil {
			return fmt.Errorf("%s: %w", line.Key, err)
		}
	}
}
