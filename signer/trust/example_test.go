package trust_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/trust"
)

// What is collected when a file is signed proves years later that the certificate was good.
func Example() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: "http://ca.example"})
	if err != nil {
		log.Fatal(err)
	}
	official, err := pki.Issue(signertest.Official("Nguyễn Văn An", "", "", ""))
	if err != nil {
		log.Fatal(err)
	}
	store := trust.NewStore(trust.Anchor{Name: "Thử nghiệm", Certificate: pki.Root.Certificate})
	fetcher := trust.NewFetcher(trust.FetcherConfig{Transport: pki.Transport(nil)})
	collector := trust.Collector{Validator: trust.Validator{Store: store, Source: trust.NewSource(fetcher, false)}, Clock: time.Now}
	data, err := collector.Collect(context.Background(), official.Certificate, official.Chain)
	if err != nil {
		log.Fatal(err)
	}

	var others []*x509.Certificate
	for _, der := range data.Certs {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			log.Fatal(err)
		}
		others = append(others, c)
	}
	offline := trust.Validator{Store: store}
	result := offline.Validate(context.Background(), trust.Question{
		Certificate: official.Certificate, Untrusted: others, Evidence: trust.NewEvidence(data.OCSPs, data.CRLs),
		At: time.Now(), Now: time.Now().AddDate(10, 0, 0),
	})
	fmt.Println(result.Path.Anchor.Name, result.Err())
	// Output: Thử nghiệm <nil>
}

// Anchors are trusted for a time and for a purpose; errors tell what is wrong with a path.
func ExampleBuildPath() {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	pki, err := signertest.NewPKI(signertest.Config{Clock: func() time.Time { return now }})
	if err != nil {
		log.Fatal(err)
	}
	official, err := pki.Issue(signertest.Official("Nguyễn Văn An", "", "", ""))
	if err != nil {
		log.Fatal(err)
	}
	store := trust.NewStore(trust.Anchor{Name: "Thử nghiệm", Certificate: pki.Root.Certificate,
		Until: now.AddDate(1, 0, 0), Purposes: []trust.Purpose{trust.Signing}})
	build := func(at time.Time, p trust.Purpose) error {
		_, err := trust.BuildPath(official.Certificate, official.Chain, store, at, p)
		return err
	}
	fmt.Println(build(now, trust.Signing))
	fmt.Println(errors.Is(build(now.AddDate(2, 0, 0), trust.Signing), trust.ErrNoPath))
	fmt.Println(errors.Is(build(now, trust.TimeStamping), trust.ErrNoPath))

	forever := trust.NewStoreOf(pki.Root.Certificate)
	_, err = trust.BuildPath(official.Certificate, official.Chain, forever, now.AddDate(4, 0, 0), trust.Signing)
	fmt.Println(errors.Is(err, trust.ErrExpired))
	// Output:
	// <nil>
	// true
	// true
	// true
}
