package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"strings"
	"sync"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/vault"
	"github.com/saoy/saoy/storage"
)

// atOnce is how many objects are copied at the same time: a store takes longer to answer than
// to do.
const atOnce = 4

// maxNamed bounds the keys that a manifest names as missing or damaged.
const maxNamed = 1000

// vault copies the final files of the snapshot's copies. Of a copy that is registered later,
// and of an erased one, nothing is taken.
func (j *Job) vault(ctx context.Context) (err error) {
	j.tell("Tệp đã cấp", "Issued files")
	next, stop := iter.Pull2(j.Snapshot.Copies(ctx))
	defer stop()
	k := &keptFiles{next: next, job: j}
	j.m.Vault, err = j.objects(ctx, j.Stores.Vault, false, k.keeps)
	if err == nil {
		err = k.rest()
	}
	return err
}

// keptFiles walks the copies beside the objects, both in the order of the copies' identifiers.
type keptFiles struct {
	job  *Job
	next func() (storage.KeptCopy, error, bool)
	now  storage.KeptCopy
	seen bool // the final file of now was among the objects
	done bool
}

// keeps reports whether an object belongs to a final file of the snapshot.
func (k *keptFiles) keeps(info storage.BlobInfo) (bool, error) {
	id, _, _ := strings.Cut(strings.TrimPrefix(info.Key, "copies/"), "/")
	for !k.done && string(k.now.ID) < id {
		if err := k.step(); err != nil {
			return false, err
		}
	}
	if k.done || string(k.now.ID) != id || k.now.Final.IsZero() || !k.now.HasKey {
		return false, nil
	}
	if info.Key == vault.Key(k.now.ID, k.now.Final) {
		k.seen = true
	}
	return true, nil
}

// step goes to the next copy and names the file of the one before, if it was not there.
func (k *keptFiles) step() error {
	if k.now.ID != "" && !k.now.Final.IsZero() && k.now.HasKey && !k.seen {
		k.job.m.Missing = named(k.job.m.Missing, vault.Key(k.now.ID, k.now.Final))
	}
	c, err, ok := k.next()
	k.now, k.seen, k.done = c, false, !ok
	return err
}

func (k *keptFiles) rest() error {
	for !k.done {
		if err := k.step(); err != nil {
			return err
		}
	}
	return nil
}

func named(list []string, key string) []string {
	if len(list) >= maxNamed {
		return list
	}
	return append(list, key)
}

// scratch copies scans and files on their way, as far as they still are there.
func (j *Job) scratch(ctx context.Context) (err error) {
	j.tell("Tệp đang làm", "Files in progress")
	j.m.Scratch, err = j.objects(ctx, j.Stores.Scratch, true, func(storage.BlobInfo) (bool, error) { return true, nil })
	return err
}

// public copies what is published, but no checkpoint of a tree larger than the snapshot's.
func (j *Job) public(ctx context.Context) (err error) {
	j.m.Public, err = j.objects(ctx, j.Stores.Public, false, func(info storage.BlobInfo) (bool, error) {
		digits, is := strings.CutPrefix(info.Key, checkpointPrefix)
		if !is {
			return true, nil
		}
		size, err := strconv.ParseInt(digits, 10, 64)
		return err == nil && size <= j.m.Size, nil
	})
	return err
}

// objects copies the objects of a store that keep chooses and lists them, in the order of keys.
func (j *Job) objects(ctx context.Context, from storage.Blobs, seal bool, keep func(storage.BlobInfo) (bool, error)) (o Objects, err error) {
	list := &streamWriter{ctx: ctx, pool: j.pool}
	lines := json.NewEncoder(list)
	work := newCopying(ctx, j, from, seal)
	for info, err := range from.List(ctx, "") {
		if errors.Is(err, storage.ErrDamaged) {
			j.m.Damaged = named(j.m.Damaged, info.Key)
			continue
		}
		if err != nil {
			return o, errors.Join(err, work.end())
		}
		if kept, err := keep(info); err != nil || !kept {
			if err != nil {
				return o, errors.Join(err, work.end())
			}
			continue
		}
		work.add(info)
		if err := lines.Encode(objectOf(info)); err != nil {
			return o, errors.Join(err, work.end())
		}
		o.Count, o.Bytes = o.Count+1, o.Bytes+info.Size
	}
	if err := work.end(); err != nil {
		return o, err
	}
	j.m.Damaged = append(j.m.Damaged, work.damaged...)
	o.Stream, err = list.close()
	return o, err
}

func objectOf(i storage.BlobInfo) Object {
	o := Object{Key: i.Key, Size: i.Size, Digest: i.Digest}
	if !i.LockedTill.IsZero() {
		t := i.LockedTill.UTC()
		o.LockedTill = &t
	}
	return o
}

// copying copies objects, several at once.
type copying struct {
	job   *Job
	from  storage.Blobs
	seal  bool
	ctx   context.Context //nolint:containedctx // of the goroutines it owns
	stop  context.CancelCauseFunc
	infos chan storage.BlobInfo
	all   sync.WaitGroup

	mu      sync.Mutex
	damaged []string // guarded by mu
}

func newCopying(ctx context.Context, j *Job, from storage.Blobs, seal bool) *copying {
	c := &copying{job: j, from: from, seal: seal, infos: make(chan storage.BlobInfo)}
	c.ctx, c.stop = context.WithCancelCause(ctx)
	for range atOnce {
		c.all.Go(func() {
			for info := range c.infos {
				if err := c.copy(info); err != nil {
					c.stop(err)
				}
			}
		})
	}
	return c
}

func (c *copying) add(info storage.BlobInfo) {
	select {
	case c.infos <- info:
	case <-c.ctx.Done():
	}
}

// end waits for what is being copied and returns the first error.
func (c *copying) end() error {
	close(c.infos)
	c.all.Wait()
	err := context.Cause(c.ctx)
	c.stop(nil)
	return err
}

// copy copies one object. One that is gone meanwhile is no error: only the scratch store
// deletes, and what a copy on its way needs is not deleted. One that is damaged is named.
func (c *copying) copy(info storage.BlobInfo) error {
	if c.ctx.Err() != nil {
		return nil
	}
	key := c.job.pool.key(c.seal, info.Digest)
	if there, err := c.job.pool.has(c.ctx, key); there || err != nil {
		return err
	}
	err := c.transfer(key, info)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case errors.Is(err, storage.ErrDamaged):
		c.mu.Lock()
		defer c.mu.Unlock()
		c.damaged = named(c.damaged, info.Key)
		return nil
	case err != nil:
		return fmt.Errorf("%s: %w", info.Key, err)
	}
	return nil
}

func (c *copying) transfer(key string, info storage.BlobInfo) error {
	body, _, err := c.from.Open(c.ctx, info.Key)
	if err != nil {
		return err
	}
	defer body.Close()
	if !c.seal || c.job.pool.sealed == "" {
		source := &failing{r: body}
		err := c.job.pool.create(c.ctx, key, source, info.Size, info.Digest)
		if source.err != nil {
			return source.err // what the destination made of it says less
		}
		return err
	}
	b, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	if certcopy.DigestOf(b) != info.Digest {
		return storage.ErrDamaged
	}
	_, err = c.job.pool.put(c.ctx, b)
	return err
}

// failing remembers why reading failed.
type failing struct {
	r   io.Reader
	err error
}

// Read implements io.Reader.
func (f *failing) Read(b []byte) (int, error) {
	n, err := f.r.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		f.err = err
	}
	return n, err
}
