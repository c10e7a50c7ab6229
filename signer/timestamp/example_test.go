package timestamp_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/timestamp"
)

// A time-stamp from the first of two authorities that answers; here the first is down.
func ExampleClient_Stamp() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: "http://tsa.example"})
	if err != nil {
		log.Fatal(err)
	}
	client, err := timestamp.New(timestamp.Config{
		Authorities: []timestamp.Authority{
			{URL: "http://down.example/tsa", Roots: pki.Anchors()},
			{URL: "http://tsa.example/tsa", Roots: pki.Anchors()},
		},
		HTTPClient: &http.Client{Transport: pki.Transport(nil)},
		Clock:      time.Now,
	})
	if err != nil {
		log.Fatal(err)
	}
	digest := sha256.Sum256([]byte("bản sao"))
	token, err := client.Stamp(context.Background(), digest[:], crypto.SHA256)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(token.Policy, "±", token.Accuracy)
	// Output: 1.3.6.1.5.5.7.13.1 ± 500ms
}
