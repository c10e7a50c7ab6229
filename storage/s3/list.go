package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/storage"
)

// atOnce is how many objects are described at a time: a listing has no digests.
const atOnce = 32

// List yields the objects whose key begins with prefix, in the order of their keys. One whose
// description is damaged is yielded with its key and ErrDamaged, and the listing goes on; any
// other error ends it. What is not an object of this store is left out.
func (s *Store) List(ctx context.Context, prefix string) iter.Seq2[storage.BlobInfo, error] {
	return func(yield func(storage.BlobInfo, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		var batch []string
		for key, err := range s.keys(ctx, prefix) {
			if err != nil {
				if s.describeAll(ctx, batch, yield) {
					yield(storage.BlobInfo{}, fmt.Errorf("list %.80s: %w", prefix, err))
				}
				return
			}
			if batch = append(batch, key); len(batch) == atOnce {
				if !s.describeAll(ctx, batch, yield) {
					return
				}
				batch = batch[:0]
			}
		}
		s.describeAll(ctx, batch, yield)
	}
}

// keys yields the keys alone, and an error if they come out of order.
func (s *Store) keys(ctx context.Context, prefix string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		last := ""
		for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: s.prefix + prefix, Recursive: true}) {
			if o.Err != nil {
				yield("", s.readFailed(ctx, o.Err))
				return
			}
			key, ours := s.key(o.Key)
			if !ours || !strings.HasPrefix(key, prefix) {
				continue
			}
			if key <= last {
				yield("", fmt.Errorf("the store lists %q after %q: %w", key, last, storage.ErrDamaged))
				return
			}
			if last = key; !yield(key, nil) {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			yield("", unavailable(ctx, err))
		}
	}
}

type described struct {
	info storage.BlobInfo
	err  error
}

// describeAll yields the descriptions of the keys, which it asks for at the same time. It
// returns false when the listing has ended.
func (s *Store) describeAll(ctx context.Context, keys []string, yield func(storage.BlobInfo, error) bool) bool {
	all := make([]described, len(keys))
	var wg sync.WaitGroup
	for i, key := range keys {
		wg.Go(func() { all[i].info, all[i].err = s.Stat(ctx, key) })
	}
	wg.Wait()
	for i, d := range all {
		if errors.Is(d.err, storage.ErrNotFound) {
			continue // deleted meanwhile
		}
		d.info.Key = keys[i]
		if !yield(d.info, d.err) || d.err != nil && !errors.Is(d.err, storage.ErrDamaged) {
			return false
		}
	}
	return true
}
