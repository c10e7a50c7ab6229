package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/s3"
)

// probeEvery is how long a store that was found good is believed; its operator may change it.
const probeEvery = 24 * time.Hour

// probeHold is how long the probe's test object is locked.
const probeHold = 5 * time.Second

// probeStores refuses, in production, S3 stores that do not hold what the product relies on:
// an issued file that somebody can delete is worse than a service that does not start. Only
// the workers write what must last. What was found is remembered for a day.
func (a *app) probeStores(ctx context.Context) error {
	if !a.config.Production || !a.config.runs(roleWorker) {
		return nil
	}
	c := a.config
	for _, store := range []struct {
		name    string
		bucket  bucketConfig
		scratch bool
	}{{"vault", c.Vault.S3, false}, {"log", c.Log.S3, false}, {"scratch", c.Scratch.S3, true}} {
		if store.bucket.Endpoint == "" {
			continue
		}
		if err := a.probeStore(ctx, store.name, store.bucket, store.scratch); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) probeStore(ctx context.Context, name string, b bucketConfig, scratch bool) error {
	what, err := json.Marshal(b)
	if err != nil {
		return err
	}
	mark := filepath.Join(a.place.cache(), "probed-"+certcopy.DigestOf(append(what, name...)).String()[:16])
	if info, err := os.Stat(mark); err == nil && time.Since(info.ModTime()) < probeEvery {
		return nil
	}
	var lacks []string
	holds, err := s3.Probe(ctx, b.s3Config(scratch), probeHold, func(p s3.Property) {
		if !p.Holds {
			lacks = append(lacks, p.Name+": "+p.Detail)
		}
	})
	if err != nil {
		return err
	}
	if !holds {
		return certcopy.Errorf(certcopy.Unavailable, name+".s3", errors.New(strings.Join(lacks, "; ")), certcopy.Msg(
			"Kho S3 này chưa có đủ các tính chất mà hệ thống dựa vào, nên chưa khởi động. Hãy chạy `saoy doctor s3` và sửa những mục nêu dưới đây.",
			"This S3 store does not hold what the service relies on, so it does not start. Run `saoy doctor s3` and mend what is named below."))
	}
	a.log.Info("store probed", "store", name)
	return writeDurably(mark, nil)
}
