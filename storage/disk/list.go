package disk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/saoy/saoy/storage"
)

// List yields the objects whose key begins with prefix, in the order of their keys. One that
// cannot be described is yielded with its key and ErrDamaged, and the listing goes on.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.BlobInfo, error] {
	return func(yield func(storage.BlobInfo, error) bool) {
		s.walk(ctx, "", prefix, yield)
	}
}

// entry is an object or a directory, under the beginning of the keys it stands for.
type entry struct {
	key string // ends in "/" for a directory
	dir bool
}

// walk yields what lies in the directory of the keys that begin with at. It returns false when
// the listing has ended early.
func (s *Store) walk(ctx context.Context, at, prefix string, yield func(storage.BlobInfo, error) bool) bool {
	entries, err := s.entries(at)
	if err != nil {
		return yield(storage.BlobInfo{}, fmt.Errorf("list %s: %w", prefix, ours(err)))
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			yield(storage.BlobInfo{}, err)
			return false
		}
		if !e.may(prefix) {
			continue
		}
		if e.dir {
			if !s.walk(ctx, e.key, prefix, yield) {
				return false
			}
			continue
		}
		info, err := s.Stat(ctx, e.key)
		if errors.Is(err, storage.ErrNotFound) {
			continue // deleted meanwhile
		}
		info.Key = e.key
		if !yield(info, err) {
			return false
		}
	}
	return true
}

// may reports whether keys of the entry can begin with prefix.
func (e entry) may(prefix string) bool {
	return strings.HasPrefix(e.key, prefix) || e.dir && strings.HasPrefix(prefix, e.key)
}

// entries returns the entries of one directory, sorted so that walking them yields keys in
// their order: "a" before "a-b" before "a/b" before "a0".
func (s *Store) entries(at string) ([]entry, error) {
	read, err := os.ReadDir(filepath.Join(s.objects(), filepath.FromSlash(at)))
	if errors.Is(err, fs.ErrNotExist) && at != "" {
		return nil, nil // emptied meanwhile
	}
	if err != nil {
		return nil, err
	}
	entries := make([]entry, 0, len(read))
	for _, r := range read {
		if r.IsDir() {
			entries = append(entries, entry{at + r.Name() + "/", true})
		} else if name, ok := strings.CutSuffix(r.Name(), suffix); ok {
			entries = append(entries, entry{at + name, false})
		}
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	return entries, nil
}
