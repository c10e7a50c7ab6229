package retention

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// ListPrefix is where the list of erasures lies among the public objects: one object per copy.
const ListPrefix = "erasures/"

// maxEntryBytes bounds what is read of an entry.
const maxEntryBytes = 8 << 10

// entry is an object of the list. Its form is permanent: a restore years from now reads it.
type entry struct {
	Version  int                   `json:"version"`
	Copy     certcopy.CopyID       `json:"copy"`
	Reason   storage.ErasureReason `json:"reason"`
	Decision string                `json:"decision"`
	By       certcopy.AccountID    `json:"by,omitempty"`
	At       time.Time             `json:"at"`
}

func listKey(id certcopy.CopyID) string { return ListPrefix + string(id) + ".json" }

// enlist writes the entry create-once. Whoever loses reads the winner's and goes on with it.
func (e *Eraser) enlist(ctx context.Context, want storage.Erasure) (storage.Erasure, error) {
	b, err := json.Marshal(entry{1, want.Copy, want.Reason, want.Decision, want.By, want.At})
	if err != nil {
		return want, err
	}
	err = e.Public.Create(ctx, listKey(want.Copy), bytes.NewReader(b), int64(len(b)), certcopy.DigestOf(b), time.Time{})
	if err == nil {
		return want, nil
	}
	if !errors.Is(err, storage.ErrExists) && !errors.Is(err, storage.ErrOutcomeUnknown) {
		return want, err
	}
	read, there := readEntry(ctx, e.Public, listKey(want.Copy))
	if there != nil {
		return want, errors.Join(err, there)
	}
	return read, nil
}

// List yields the erasures of the locked list, in the order of their keys. An entry that is
// damaged or malformed is yielded as an error and the listing goes on.
func List(ctx context.Context, public storage.Blobs) iter.Seq2[storage.Erasure, error] {
	return func(yield func(storage.Erasure, error) bool) {
		for info, err := range public.List(ctx, ListPrefix) {
			var read storage.Erasure
			if err == nil {
				read, err = readEntry(ctx, public, info.Key)
			}
			if err != nil {
				err = fmt.Errorf("%s: %w", info.Key, err)
			}
			if !yield(read, err) {
				return
			}
		}
	}
}

func readEntry(ctx context.Context, public storage.Blobs, key string) (storage.Erasure, error) {
	body, _, err := public.Open(ctx, key)
	if err != nil {
		return storage.Erasure{}, err
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, maxEntryBytes))
	if err != nil {
		return storage.Erasure{}, err
	}
	return parseEntry(key, b)
}

// parseEntry reads an entry; the error wraps storage.ErrDamaged.
func parseEntry(key string, b []byte) (storage.Erasure, error) {
	var x entry
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&x); err != nil {
		return storage.Erasure{}, fmt.Errorf("%w: %w", storage.ErrDamaged, err)
	}
	read := storage.Erasure{Copy: x.Copy, Reason: x.Reason, Decision: x.Decision, By: x.By, At: x.At}
	id := strings.TrimSuffix(strings.TrimPrefix(key, ListPrefix), ".json")
	if x.Version != 1 || string(x.Copy) != id || check(read) != nil {
		return storage.Erasure{}, fmt.Errorf("%w: not an entry of version 1 of copy %s", storage.ErrDamaged, id)
	}
	return read, nil
}
