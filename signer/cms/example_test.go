package cms_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log"
	"time"

	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/signertest"
)

// A detached signature over a digest, and its verification.
func Example() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		log.Fatal(err)
	}
	official, err := pki.Issue(signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", ""))
	if err != nil {
		log.Fatal(err)
	}
	document := []byte("bản sao")
	digest := sha256.Sum256(document)
	der, err := cms.Sign(context.Background(), official.Identity, digest[:], cms.Options{})
	if err != nil {
		log.Fatal(err)
	}
	sd, err := cms.Parse(der)
	if err != nil {
		log.Fatal(err)
	}
	for _, v := range sd.Verify(cms.BytesOf(document)) {
		fmt.Println(v.Signer.Subject.CommonName, v.Algorithm, v.Err())
	}
	for _, v := range sd.Verify(cms.BytesOf([]byte("bản khác"))) {
		fmt.Println(v.Err())
	}
	// Output:
	// Nguyễn Văn An ECDSA with SHA-256 <nil>
	// message-digest: message digest differs from the content
}
