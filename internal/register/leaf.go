package register

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/storage"
)

// MaxLeafBytes bounds a leaf.
const MaxLeafBytes = 4096

// leafHeader is the first line of every leaf. A change of any rule of this file needs another.
const leafHeader = "saoy leaf v1"

// Leaf is one entry of the log: that a copy was issued, annulled, voided, extended or
// erased. Agency, book, year and number name the copy; so does the digest of its
// verification code. It holds no personal data. Which of the other fields a leaf has depends
// on its kind; the rest are zero.
type Leaf struct {
	Kind   storage.LeafKind
	Time   time.Time // of registration; whole seconds UTC, the rest is cut off
	Agency certcopy.AgencyID
	Book   certcopy.BookCode
	Year   int
	Number int64
	// CodeHash is the SHA-256 of the verification code in its canonical form.
	CodeHash certcopy.Digest

	// Date is the day of certification the statement bears. Of issue and void.
	Date time.Time
	// File and Length are those of the sealed file at its required level (issue) or of the
	// file that extends it (extend).
	File   certcopy.Digest
	Length int64
	// Level is the file's PAdES level, "B-LT". Of extend.
	Level string

	// Of issue.
	Pages                int
	DocumentType         certcopy.DocumentTypeCode
	CertifierCertificate certcopy.Digest // SHA-256 of the DER
	AgencyCertificate    certcopy.Digest
	Commitment           certcopy.Digest // see PrivateFacts

	// Of annul: the decision, which is public.
	DecisionNumber string
	DecisionDate   time.Time

	// Reason is a code, never words. Of void and erase.
	Reason string
}

// Marshal returns the leaf's canonical bytes: UTF-8 lines of "key: value" in a fixed order,
// each ended by a line feed. The error wraps ErrLeaf if a field is missing or malformed.
func (l Leaf) Marshal() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString(leafHeader + "\n")
	for _, f := range fieldsOf(l.Kind) {
		v := f.write(&l)
		var again Leaf
		if err := f.read(&again, v); err != nil {
			return nil, fmt.Errorf("%w: %s: %v", ErrLeaf, f.key, err)
		}
		fmt.Fprintf(&b, "%s: %s\n", f.key, v)
	}
	if len(fieldsOf(l.Kind)) == 0 {
		return nil, fmt.Errorf("%w: kind %q", ErrLeaf, l.Kind)
	}
	if b.Len() > MaxLeafBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrLeaf, b.Len())
	}
	return b.Bytes(), nil
}

// ParseLeaf reads canonical bytes. It is strict: whatever it accepts, Marshal gives back byte
// for byte. Errors wrap ErrLeaf.
func ParseLeaf(b []byte) (Leaf, error) {
	lines, err := leafLines(b)
	if err != nil {
		return Leaf{}, err
	}
	l := Leaf{Kind: storage.LeafKind(strings.TrimPrefix(lines[0], "type: "))}
	fields := fieldsOf(l.Kind)
	if len(fields) == 0 || len(fields) != len(lines) {
		return Leaf{}, fmt.Errorf("%w: %d fields of type %.20q", ErrLeaf, len(lines), l.Kind)
	}
	for i, f := range fields {
		v, ok := strings.CutPrefix(lines[i], f.key+": ")
		if !ok {
			return Leaf{}, fmt.Errorf("%w: line %d is not %q", ErrLeaf, i+2, f.key)
		}
		if err := f.read(&l, v); err != nil {
			return Leaf{}, fmt.Errorf("%w: %s: %v", ErrLeaf, f.key, err)
		}
		// One value has one spelling: "007" or an upper-case digest is not what we write.
		if f.write(&l) != v {
			return Leaf{}, fmt.Errorf("%w: %s: not in canonical form", ErrLeaf, f.key)
		}
	}
	return l, nil
}

// leafLines checks the frame and returns the lines after the header.
func leafLines(b []byte) ([]string, error) {
	if len(b) > MaxLeafBytes {
		return nil, fmt.Errorf("%w: %d bytes", ErrLeaf, len(b))
	}
	rest, ok := strings.CutPrefix(string(b), leafHeader+"\n")
	body, ended := strings.CutSuffix(rest, "\n")
	if !ok || !ended {
		return nil, fmt.Errorf("%w: no header or no end of line", ErrLeaf)
	}
	return strings.Split(body, "\n"), nil
}

// Same reports whether two leaves speak of the same copy.
func (l Leaf) Same(m Leaf) bool {
	return l.Agency == m.Agency && l.Book == m.Book && l.Year == m.Year && l.Number == m.Number && l.CodeHash == m.CodeHash
}
