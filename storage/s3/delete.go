package s3

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/storage"
)

// Delete removes the object with all its versions and delete markers. If any version is locked,
// by date or by legal hold, it is ErrLocked and nothing is removed: a delete marker alone would
// hide the object and keep its bytes. (A store that does not show the locks of older versions
// removes the unlocked ones before it.) The versions go oldest first, so that none shows again
// on the way.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	versions, err := s.versions(ctx, key)
	if err != nil {
		return fmt.Errorf("delete %s: %w", key, err)
	}
	for _, v := range versions {
		if err := s.unlocked(ctx, v); err != nil {
			return fmt.Errorf("delete %s: %w", key, err)
		}
	}
	for i, v := range slices.Backward(versions) {
		if err := s.remove(ctx, v); err != nil {
			if i < len(versions)-1 && !errors.Is(err, storage.ErrLocked) {
				err = fmt.Errorf("%w: older versions are gone: %v", storage.ErrOutcomeUnknown, err)
			}
			return fmt.Errorf("delete %s: %w", key, err)
		}
	}
	return nil
}

// version is one version of an object, or a delete marker.
type version struct {
	name   string
	id     string // "" in a bucket without versions
	marker bool
}

// versions returns what the bucket keeps under the key, newest first.
func (s *Store) versions(ctx context.Context, key string) ([]version, error) {
	name := s.name(key)
	if !s.versioned {
		return []version{{name: name}}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var versions []version
	for o := range s.client.ListObjectsIter(ctx, s.bucket, minio.ListObjectsOptions{Prefix: name, WithVersions: true, Recursive: true}) {
		if o.Err != nil {
			return nil, s.readFailed(ctx, o.Err)
		}
		if o.Key == name {
			versions = append(versions, version{name, o.VersionID, o.IsDeleteMarker})
		}
	}
	return versions, ctx.Err()
}

// unlocked is ErrLocked if retention or a legal hold forbids to remove the version.
func (s *Store) unlocked(ctx context.Context, v version) error {
	if v.marker || s.scratch {
		return nil
	}
	till, held, err := s.lock(ctx, v)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return nil
	case err != nil:
		return err
	case held:
		return fmt.Errorf("%w: legal hold", storage.ErrLocked)
	case s.now().Before(till):
		return fmt.Errorf("%w until %s", storage.ErrLocked, till.Format(time.RFC3339))
	}
	return nil
}

func (s *Store) lock(ctx context.Context, v version) (till time.Time, held bool, err error) {
	o, err := s.client.StatObject(ctx, s.bucket, v.name, minio.StatObjectOptions{VersionID: v.id})
	if err != nil {
		return till, false, s.readFailed(ctx, err)
	}
	till, err = lockOf(o.Headers)
	return till, o.Headers.Get(holdHeader) == "ON", err
}

// remove destroys one version. The store has the last word about its lock.
func (s *Store) remove(ctx context.Context, v version) error {
	ctx, sent := traced(ctx)
	err := s.client.RemoveObject(ctx, s.bucket, v.name, minio.RemoveObjectOptions{VersionID: v.id})
	r, _ := response(err)
	switch {
	case err == nil, r.inFull() && (r.Code == noSuchKey || r.Code == noSuchVersion):
		return nil
	case r.locked():
		return fmt.Errorf("%w, by the store: %s", storage.ErrLocked, r.Message)
	}
	return s.writeFailed(ctx, err, sent.Load())
}

// Hold sets or lifts a legal hold, which forbids Delete whatever the date of the lock. The
// object must exist; ErrNotFound.
func (s *Store) Hold(ctx context.Context, key string, on bool) error {
	if _, err := s.Stat(ctx, key); err != nil {
		return fmt.Errorf("hold: %w", err)
	}
	status := minio.LegalHoldDisabled
	if on {
		status = minio.LegalHoldEnabled
	}
	ctx, sent := traced(ctx)
	if err := s.client.PutObjectLegalHold(ctx, s.bucket, s.name(key), minio.PutObjectLegalHoldOptions{Status: &status}); err != nil {
		return fmt.Errorf("hold %s: %w", key, s.writeFailed(ctx, err, sent.Load()))
	}
	return nil
}
