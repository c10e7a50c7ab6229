package register

import (
	"fmt"
	"strings"

	"github.com/saoy/saoy/internal/certcopy"
)

// SaltBytes is the length of the salt of a commitment.
const SaltBytes = 32

const privateHeader = "saoy private facts v1"

// PrivateFacts are what the book knows of a copy and the public does not. The leaf commits to
// them: who is given facts and salt can check that they were registered; who has only the
// leaf learns nothing, and once the salt is deleted nobody can, not even by guessing.
type PrivateFacts struct {
	Requester   string // the name in the book
	Title       string
	IssuingBody string
	Copies      int // the "number of copies" column
}

// escape keeps one value on one line, reversibly.
var escape = strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`)

// Text returns the canonical text the commitment is the SHA-256 of; the salt is its second
// line. Values stand as they are but for backslash, line feed and carriage return, which are
// written \\, \n and \r. The salt must have SaltBytes bytes.
func (f PrivateFacts) Text(salt []byte) ([]byte, error) {
	if len(salt) != SaltBytes {
		return nil, fmt.Errorf("private facts: salt of %d bytes, want %d", len(salt), SaltBytes)
	}
	return fmt.Appendf(nil, "%s\nsalt: %x\nrequester: %s\ntitle: %s\nissuing-body: %s\ncopies: %d\n", privateHeader, salt,
		escape.Replace(f.Requester), escape.Replace(f.Title), escape.Replace(f.IssuingBody), f.Copies), nil
}

// Commit returns the commitment of the facts under salt: the SHA-256 of Text.
func (f PrivateFacts) Commit(salt []byte) (certcopy.Digest, error) {
	text, err := f.Text(salt)
	if err != nil {
		return certcopy.Digest{}, err
	}
	return certcopy.DigestOf(text), nil
}
