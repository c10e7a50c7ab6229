package pkcs11

import (
	"crypto/x509"
	"time"
)

// Config says which key to open.
type Config struct {
	URI URI
	// PIN opens the token. Nil: it is read from URI.PINFile.
	PIN []byte
	// Certificate is the key's; nil: it is read from the token, where it has the key's CKA_ID.
	// Chain are its issuers; those in the token are added.
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
	// MaxSessions bounds concurrent signatures; default 8, less if the token allows fewer.
	MaxSessions int
	// Clock tells whether the certificate is valid; required.
	Clock func() time.Time
}
