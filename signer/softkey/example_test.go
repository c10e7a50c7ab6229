package softkey_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/signer/softkey"
)

// A key is written to an encrypted file and loaded from it. A wrong passphrase, or a file that
// others may read, is an error to test for.
func Example() {
	pki, err := signertest.NewPKI(signertest.Config{Clock: time.Now})
	if err != nil {
		log.Fatal(err)
	}
	official, err := pki.Issue(signertest.Official("Nguyễn Văn An", "Chủ tịch", "UBND xã Ân Tường Đông", ""))
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "softkey")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "an.p12")
	if err := softkey.Save(file, official.Identity, []byte("một mật khẩu dài")); err != nil {
		log.Fatal(err)
	}

	id, err := softkey.Load(file, []byte("một mật khẩu dài"), time.Now)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(id.Certificate.Subject.CommonName, len(id.Chain))

	_, err = softkey.Load(file, []byte("sai"), time.Now)
	fmt.Println(errors.Is(err, softkey.ErrPassphrase))
	// Output:
	// Nguyễn Văn An 2
	// true
}
