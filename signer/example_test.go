package signer_test

import (
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
)

// A key is refused before it is used when its certificate is not for signing documents; the
// reason is for programs.
func ExampleCheck() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		log.Fatal(err)
	}
	for _, profile := range []signertest.Profile{
		signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", ""),
		signertest.TimeStamping("Cơ quan cấp dấu thời gian"),
	} {
		leaf, err := pki.Issue(profile)
		if err != nil {
			log.Fatal(err)
		}
		err = signer.Check(leaf.Identity, time.Now())
		var refused *signer.RefusedError
		if errors.As(err, &refused) {
			fmt.Println(refused.Reason, errors.Is(err, signer.ErrKeyRefused))
			continue
		}
		fmt.Println(err)
	}
	// Output:
	// <nil>
	// key-usage true
}
