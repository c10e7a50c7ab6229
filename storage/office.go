package storage

import (
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Installation is what was fixed when the installation was founded.
type Installation struct {
	PublicURL     string // printed in every QR
	LogKey        string // public half, with the origin in its name
	Demonstration bool
	FoundedAt     time.Time
}

// Office is an agency with its people, as an administrator sets it up.
type Office struct {
	Agency certcopy.Agency
	From   time.Time // the day from which the agency bears its name
	People []Person
	Keys   []SigningKey
	Seal   []byte // PNG; may be empty
}

// Person is an official of an office, with the authorisations to be recorded.
type Person struct {
	ID           certcopy.AccountID
	Login        string
	Name, Title  string
	PasswordHash string // PHC string
	Roles        []certcopy.Role
	Signature    []byte   // PNG; may be empty
	Scopes       []string // "certify", "seal"
	Decision     string   // number of the authorising decision
}

// SigningKey says where a key is and under which certificate it signs; it never holds the key.
type SigningKey struct {
	Agency        certcopy.AgencyID
	Account       certcopy.AccountID // empty: the agency's seal
	Kind          string             // "soft", "pkcs11", "csc", "usb"
	URI           string
	Certificate   []byte   // DER
	Chain         [][]byte // its issuers in DER, nearest first, as far as they are recorded
	NotBefore     time.Time
	NotAfter      time.Time
	Demonstration bool
}
