package signertest_test

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

// A time-stamp authority that lies: the client must notice.
func ExamplePKI_SetFault() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now, BaseURL: "http://pki.example"})
	if err != nil {
		log.Fatal(err)
	}
	client, err := timestamp.New(timestamp.Config{
		Authorities: []timestamp.Authority{{URL: "http://pki.example/tsa", Roots: pki.Anchors()}},
		HTTPClient:  &http.Client{Transport: pki.Transport(nil)}, // answered in the process
		Clock:       time.Now, Retries: -1,
	})
	if err != nil {
		log.Fatal(err)
	}
	digest := sha256.Sum256([]byte("bản sao"))
	for _, fault := range []signertest.Fault{signertest.Honest, signertest.WrongImprint, signertest.Unavailable} {
		pki.SetFault(signertest.TSAService, fault)
		token, err := client.TimeStamp(context.Background(), digest[:], crypto.SHA256)
		fmt.Printf("%q: token %t, error %t\n", fault, token != nil, err != nil)
	}
	// Output:
	// "": token true, error false
	// "wrong-imprint": token false, error true
	// "unavailable": token false, error true
}
