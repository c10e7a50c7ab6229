package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
	"github.com/saoy/saoy/storage/disk"
	"github.com/saoy/saoy/storage/s3"
)

// s3Config is what the settings say. Without a file of credentials they are the environment's.
func (b bucketConfig) s3Config(scratch bool) s3.Config {
	keys := s3.FromEnvironment()
	if b.Credentials != "" {
		keys = s3.FromFile(string(b.Credentials))
	}
	return s3.Config{
		Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Bucket, Prefix: b.Prefix, Credentials: keys,
		CAFile: string(b.CA), Scratch: scratch, Timeout: b.Timeout, Now: time.Now,
	}
}

// openBlobs opens the stores of final files, of files in progress, and of checkpoints. A
// process of the public site alone has no business with files in progress: scratch is nil.
func (a *app) openBlobs(ctx context.Context) (files, scratch, public storage.Blobs, err error) {
	c := a.config
	if files, err = a.openStore(ctx, c.Vault.S3, false, a.place.vault()); err != nil {
		return nil, nil, nil, fmt.Errorf("vault: %w", err)
	}
	checkpoints, err := a.openStore(ctx, c.Log.S3, false, a.place.public())
	if err != nil {
		return nil, nil, nil, fmt.Errorf("log: %w", err)
	}
	if c.opensFiles() {
		if scratch, err = a.openStore(ctx, c.Scratch.S3, true, a.place.scratch()); err != nil {
			return nil, nil, nil, fmt.Errorf("scratch: %w", err)
		}
	}
	return files, scratch, lockedBlobs{checkpoints, days(c.Log.RetentionDays)}, nil
}

// openStore opens one store: the bucket, or the directory where none is configured.
func (a *app) openStore(ctx context.Context, b bucketConfig, scratch bool, dir string) (storage.Blobs, error) {
	if b.Endpoint == "" {
		return disk.Open(dir, time.Now)
	}
	s, err := s3.Open(ctx, b.s3Config(scratch))
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, s.Close)
	return s, nil
}

// days is a retention.
func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }

// lockedBlobs locks what is stored without a date of its own for as long as its kind is to be kept.
type lockedBlobs struct {
	storage.Blobs
	retention time.Duration
}

// Create implements storage.Blobs.
func (k lockedBlobs) Create(ctx context.Context, key string, r io.Reader, size int64, digest certcopy.Digest, lockedTill time.Time) error {
	if lockedTill.IsZero() && k.retention > 0 {
		lockedTill = time.Now().Add(k.retention)
	}
	return k.Blobs.Create(ctx, key, r, size, digest, lockedTill)
}
