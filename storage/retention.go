package storage

import (
	"context"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// ErasureReason is why a copy's file and private facts were destroyed.
type ErasureReason string

// The reasons of erasures, as the leaf bears them.
const (
	ErasedByRequest   ErasureReason = "request"   // the person whose data it is asked for it (Law 91/2025)
	ErasedByRetention ErasureReason = "retention" // the agency's retention policy
	ErasedByOrder     ErasureReason = "order"     // a court or another authority ordered it
)

// Erasure is the record that a copy's file and private facts were destroyed. Number, digest
// and leaves stay.
type Erasure struct {
	Copy     certcopy.CopyID
	Reason   ErasureReason
	Decision string             // number of the decision, or of the policy's
	By       certcopy.AccountID // empty: the policy did
	At       time.Time
}

// DoomedObject is an object that is to be deleted. A Key that ends in "/" means everything
// below it.
type DoomedObject struct {
	Store  string // "vault" or "scratch"
	Key    string
	Copy   certcopy.CopyID
	MadeAt time.Time
}

// RetentionPolicy says how long an agency keeps what may be deleted; a zero keeps it for ever.
type RetentionPolicy struct {
	Agency certcopy.AgencyID
	From   time.Time // the day from which it holds
	// FileYears is the time from the registration until file, key and private facts are erased.
	FileYears int
	// ContactDays is the time from the end of a request's last copy until its identity number
	// and contact are deleted.
	ContactDays int
	// WorkingDays is the time from a copy's end until its scans and the files of its states
	// are deleted.
	WorkingDays int
	Decision    string
	By          certcopy.AccountID
}

// Retention is the side of the ledger that destroys. Its role may delete exactly what may be
// deleted, and may change nothing else.
type Retention interface {
	Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error)
	// Erase destroys the copy's file key, salt and links, and its request's identity number and
	// contact if no other copy of the request needs them, with a leaf unless leaf is nil; records
	// the erasure and dooms the objects. At is the leaf's time, or the database's. ErrExists if it
	// was erased before, ErrConflict if the copy is on its way.
	Erase(ctx context.Context, e Erasure, objects []DoomedObject, leaf LeafMaker) (Erasure, error)
	// Erasure returns the record of a copy; ErrNotFound if it was not erased.
	Erasure(ctx context.Context, id certcopy.CopyID) (Erasure, error)
	// Erasures yields all records, oldest first.
	Erasures(ctx context.Context) iter.Seq2[Erasure, error]
	// Doomed returns at most limit objects that are due, oldest first, those of one copy if id
	// is not empty.
	Doomed(ctx context.Context, id certcopy.CopyID, limit int) ([]DoomedObject, error)
	// Postpone tries a doomed object again at a time.
	Postpone(ctx context.Context, o DoomedObject, till time.Time) error
	// Forget ends the record of a doomed object that is gone.
	Forget(ctx context.Context, o DoomedObject) error
	// DueForErasure returns at most limit copies whose files the policy of their agency no
	// longer keeps, with the policy's decision, oldest first.
	DueForErasure(ctx context.Context, limit int) ([]Erasure, error)
	// Tidy deletes contacts, and the rows of scans and of the files of states, that the policies
	// no longer keep, and expired sessions, replies and wrong sign-ins; at most limit of each. It
	// dooms the scratch objects of those copies below each of the places ("scans", "clean" …).
	Tidy(ctx context.Context, places []string, limit int) (Tidied, error)
}

// Tidied says how much was deleted.
type Tidied struct {
	Contacts int `json:"contacts"` // requests whose identity number and contact went
	Working  int `json:"working"`  // copies whose scans and files of states went
	Expired  int `json:"expired"`  // sessions, replies and wrong sign-ins
}
