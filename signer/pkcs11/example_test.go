package pkcs11_test

import (
	"errors"
	"fmt"

	"github.com/saoy/saoy/signer/pkcs11"
)

// A key in a token is named by a URI. A PIN in it is refused: use a file, or Config.PIN.
func ExampleParseURI() {
	u, err := pkcs11.ParseURI("pkcs11:token=UBND%20x%C3%A3;object=con-dau?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=/run/secrets/pin")
	fmt.Println(u.Token, u.Object, u.Module, u.PINFile, err)

	_, err = pkcs11.ParseURI("pkcs11:token=a;object=b?module-path=/m.so&pin-value=1234")
	fmt.Println(errors.Is(err, pkcs11.ErrURI))
	// Output:
	// UBND xã con-dau /usr/lib/softhsm/libsofthsm2.so /run/secrets/pin <nil>
	// true
}
