package trust_test

import (
	"context"
	"crypto/x509"
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
