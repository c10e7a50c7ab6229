package s3

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/saoy/saoy/storage"
)

// Probes of what keeps issued copies.

func (p *prober) versioning(ctx context.Context) (string, error) {
	v, err := p.client.GetBucketVersioning(ctx, p.bucket)
	if err == nil && !v.Enabled() {
		err = fmt.Errorf("versioning is %q", v.Status)
	}
	return v.Status, err
}

func (p *prober) objectLock(ctx context.Context) (string, error) {
	lock, mode, validity, unit, err := p.client.GetObjectLockConfig(ctx, p.bucket)
	if err == nil && lock != "Enabled" {
		err = fmt.Errorf("object lock is %q", lock)
	}
	if err == nil && mode != nil && validity != nil && unit != nil {
		lock += fmt.Sprintf(", %s %d %s", *mode, *validity, *unit)
	}
	return lock, err
}

const locked = "locked"

func (p *prober) retention(ctx context.Context) (string, error) {
	till := p.now().Add(p.hold).UTC().Truncate(time.Second)
	if err := p.create(ctx, locked, "kept", till); err != nil {
		return "", err
	}
	p.lock = till
	o, err := p.client.StatObject(ctx, p.bucket, p.name(locked), minio.StatObjectOptions{})
	if err != nil {
		return "", err
	}
	got, err := lockOf(o.Headers)
	if mode := o.Headers.Get(lockModeHeader); err != nil || !got.Equal(till) || mode != string(minio.Compliance) {
		return "", fmt.Errorf("it says %q until %s, not COMPLIANCE until %s: %v", mode, got, till, err)
	}
	return till.Format(time.RFC3339), nil
}

// stillLocked fails if the lock ran out before the probe was done: its refusals prove nothing.
func (p *prober) stillLocked() error {
	if p.lock.IsZero() {
		return errors.New("not tried: nothing could be locked")
	}
	if !p.now().Before(p.lock) {
		return errors.New("the lock ran out before this was tried; give a longer --hold")
	}
	return nil
}

func (p *prober) lockedRefuses(ctx context.Context) (string, error) {
	versions, err := p.versions(ctx, locked)
	if err != nil || len(versions) != 1 {
		return "", fmt.Errorf("%d versions: %v", len(versions), err)
	}
	v, soon, governance := versions[0], p.now().Add(time.Second), minio.Governance
	for what, try := range map[string]func() error{
		"delete the version": func() error {
			return p.client.RemoveObject(ctx, p.bucket, v.name, minio.RemoveObjectOptions{VersionID: v.id})
		},
		"delete it with bypass": func() error {
			return p.client.RemoveObject(ctx, p.bucket, v.name, minio.RemoveObjectOptions{VersionID: v.id, GovernanceBypass: true})
		},
		"shorten the lock": func() error {
			return p.client.PutObjectRetention(ctx, p.bucket, v.name, minio.PutObjectRetentionOptions{VersionID: v.id, Mode: compliance(), RetainUntilDate: &soon, GovernanceBypass: true})
		},
		"weaken it to governance": func() error {
			return p.client.PutObjectRetention(ctx, p.bucket, v.name, minio.PutObjectRetentionOptions{VersionID: v.id, Mode: &governance, RetainUntilDate: &p.lock, GovernanceBypass: true})
		},
	} {
		if err := p.stillLocked(); err != nil {
			return "", err
		}
		if err := refusal(try(), what); err != nil {
			return "", err
		}
	}
	if err := p.Delete(ctx, locked); !errors.Is(err, storage.ErrLocked) {
		return "", fmt.Errorf("our delete: %v", err)
	}
	return "", p.stillLocked()
}

func compliance() *minio.RetentionMode { m := minio.Compliance; return &m }

func (p *prober) marker(ctx context.Context) (string, error) {
	if err := p.stillLocked(); err != nil {
		return "", err
	}
	if err := p.client.RemoveObject(ctx, p.bucket, p.name(locked), minio.RemoveObjectOptions{}); err != nil {
		return "", fmt.Errorf("delete without a version: %w", err)
	}
	versions, err := p.versions(ctx, locked)
	if err != nil {
		return "", err
	}
	kept := 0
	for _, v := range versions {
		if !v.marker {
			kept++
		} else if err := p.remove(ctx, v); err != nil {
			return "", fmt.Errorf("lift the marker: %w", err)
		}
	}
	if kept != 1 || len(versions) != 2 {
		return "", fmt.Errorf("%d versions, %d of them kept", len(versions), kept)
	}
	if _, err := p.Stat(ctx, locked); err != nil {
		return "", fmt.Errorf("without the marker: %w", err)
	}
	return "", nil
}

func (p *prober) legalHold(ctx context.Context) (string, error) {
	if err := errors.Join(p.create(ctx, "held", "x", time.Time{}), p.Hold(ctx, "held", true)); err != nil {
		return "", err
	}
	versions, err := p.versions(ctx, "held")
	if err != nil || len(versions) != 1 {
		return "", fmt.Errorf("%d versions: %v", len(versions), err)
	}
	err = refusal(p.client.RemoveObject(ctx, p.bucket, versions[0].name, minio.RemoveObjectOptions{VersionID: versions[0].id, GovernanceBypass: true}), "delete while held")
	if lift := p.Hold(ctx, "held", false); err == nil {
		err = lift
	}
	if err == nil {
		err = p.Delete(ctx, "held")
	}
	return "", err
}

// released waits for the lock's end, by both clocks, with a few seconds' grace.
func (p *prober) released(ctx context.Context) (string, error) {
	if p.lock.IsZero() {
		return "", errors.New("not tried: nothing could be locked")
	}
	err := fmt.Errorf("not yet")
	for wait := p.lock.Sub(p.now()) + time.Second; err != nil && p.now().Before(p.lock.Add(maxGrace)); wait = time.Second {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return "", ctx.Err()
		}
		err = p.Delete(ctx, locked)
	}
	return "", err
}

const maxGrace = 15 * time.Second
