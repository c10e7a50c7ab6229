package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/saoy/saoy/storage/s3/s3test"
)

// TestDoctor runs the scripts of `saoy doctor` against a real S3 server: $LOCKED and $PLAIN are
// buckets with and without object lock.
func TestDoctor(t *testing.T) {
	server := s3test.Shared(t)
	locked, plain := server.Bucket(t, true), server.Bucket(t, false)
	testscript.Run(t, testscript.Params{
		Dir: "testdata/doctor",
		Setup: func(e *testscript.Env) error {
			for name, value := range map[string]string{
				"SAOY_S3_ENDPOINT": "http://" + server.Address, "LOCKED": locked, "PLAIN": plain,
				"AWS_ACCESS_KEY_ID": s3test.Keys.ID, "AWS_SECRET_ACCESS_KEY": string(s3test.Keys.Secret),
			} {
				e.Setenv(name, value)
			}
			return nil
		},
	})
}
