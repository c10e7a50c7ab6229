package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage/s3"
)

// doctorCommand tries what an operator provides, in place of trusting it.
type doctorCommand struct {
	S3 doctorS3Command `cmd:"" name:"s3" help:"Try an S3 store for each property the product relies on."`
}

// s3Flags say which bucket and how to reach it.
type s3Flags struct {
	// Endpoint is the store's address. Who answers there can withhold objects, not read or
	// change them unseen.
	Endpoint string `help:"Address of the store, https://HOST." required:"" env:"SAOY_S3_ENDPOINT"`
	// Bucket must exist, with versioning and object lock unless it is for scratch.
	Bucket string `help:"Bucket." required:"" env:"SAOY_S3_BUCKET"`
	// Region is part of the signature of requests.
	Region string `help:"Region of the signatures." default:"us-east-1" env:"SAOY_S3_REGION"`
	// Prefix lets installations share a bucket.
	Prefix string `help:"Put before all keys." env:"SAOY_S3_PREFIX"`
	// Credentials is a file of NAME=VALUE lines, read again when it changes. Who reads it can
	// write to the store and delete what is not locked.
	Credentials string `help:"File with AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=…; default: the environment." env:"SAOY_S3_CREDENTIALS" type:"path"`
	// CA replaces the system's trust for the store's certificate.
	CA string `help:"Certificates (PEM) to trust for the store, in place of the system's." name:"ca" env:"SAOY_S3_CA" type:"path"`
	// Timeout bounds each wait for the store.
	Timeout time.Duration `help:"How long the store may stay silent." default:"30s" env:"SAOY_S3_TIMEOUT"`
}

// config is what the flags say.
func (f s3Flags) config(scratch bool) s3.Config {
	keys := s3.FromEnvironment()
	if f.Credentials != "" {
		keys = s3.FromFile(f.Credentials)
	}
	return s3.Config{
		Endpoint: f.Endpoint, Region: f.Region, Bucket: f.Bucket, Prefix: f.Prefix, Credentials: keys,
		CAFile: f.CA, Scratch: scratch, Timeout: f.Timeout, Now: time.Now,
	}
}

// doctorS3Command tries a store. It writes a few small objects below a prefix of its own and
// removes them.
type doctorS3Command struct {
	s3Flags
	Scratch bool          `help:"For the scratch store, which needs no versions and no locks."`
	Hold    time.Duration `help:"How long the test object is locked; the check takes about as long." default:"10s"`
	JSON    bool          `help:"Print exactly one JSON object on standard output."`
}

// Run prints what holds and what does not. Exit status 0: all holds; 1: something does not;
// 2: it could not be tried.
func (c doctorS3Command) Run(ctx context.Context) error {
	var properties []s3.Property
	holds, err := s3.Probe(ctx, c.config(c.Scratch), c.Hold, func(p s3.Property) {
		properties = append(properties, p)
		if !c.JSON {
			printProperty(p)
		}
	})
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(map[string]any{"holds": holds, "properties": properties})
	} else {
		err = printVerdict(holds)
	}
	if err != nil {
		return &exitError{exitUnusable, err}
	}
	if !holds {
		return &exitError{status: exitFailed}
	}
	return nil
}

func printProperty(p s3.Property) {
	mark := "✓"
	if !p.Holds {
		mark = "✗"
	}
	fmt.Printf("%s %s\n  %s\n", mark, p.VI, p.EN)
	if p.Detail != "" {
		fmt.Printf("  → %s\n", p.Detail)
	}
}

func printVerdict(holds bool) error {
	verdict := certcopy.Msg("Kho này dùng được.", "This store can be used.")
	if !holds {
		verdict = certcopy.Msg("Chưa dùng được kho này: phải có đủ các tính chất trên. Hãy sửa những dòng ✗ rồi chạy lại.",
			"This store cannot be used: all of the above must hold. Mend the lines with ✗ and run this again.")
	}
	_, err := fmt.Printf("%s\n%s\n", verdict.VI, verdict.EN)
	return err
}
