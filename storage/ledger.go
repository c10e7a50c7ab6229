package storage

import (
	"context"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// Ledger keeps the facts of the flow: requests, copies, numbers, what was signed, and the
// log. Each method is one transaction; each change is compare-and-set on the copy's state,
// so that a late twin of a job finds ErrConflict and harms nothing. A change after which
// somebody else must go on enqueues that work in the same transaction.
//
// Numbers, dates and times of the book come from the database's clock.
type Ledger interface {
	Intake
	Signing
	Log
	Auditor

	Copy(ctx context.Context, id certcopy.CopyID) (certcopy.Copy, error)
	Request(ctx context.Context, id certcopy.RequestID) (certcopy.Request, error)
	Agency(ctx context.Context, id certcopy.AgencyID) (certcopy.Agency, error)
	// Scans returns the copy's uploaded files in the clerk's order.
	Scans(ctx context.Context, id certcopy.CopyID) ([]certcopy.Scan, error)
	// Pending yields the copies between submitted-and-certified and released, oldest first.
	Pending(ctx context.Context) ([]certcopy.CopyID, error)
	// SetTrouble records why a copy waits, in words for people; an empty message clears it.
	// It is no change of state and no error if the copy has moved on.
	SetTrouble(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error
}

// Intake is the part of the Ledger before a number is taken.
type Intake interface {
	// CreateRequest stores a request with its copies in state received. If the agency has a
	// request with the same channel and non-empty ExternalID, that one is returned instead and
	// created is false; nothing is changed.
	CreateRequest(ctx context.Context, r certcopy.Request, originals []NewCopy) (stored certcopy.Request, created bool, err error)
	// AddCopy adds a copy to a request none of whose copies has been submitted.
	AddCopy(ctx context.Context, r certcopy.RequestID, c NewCopy) error
	// EditCopy replaces the facts of a copy that is received, scanned or returned and still has the revision.
	EditCopy(ctx context.Context, id certcopy.CopyID, revision int, o certcopy.Original) error
	// SetScans replaces the list of uploaded files, which puts the copy (back) to received and
	// forgets its clean document.
	SetScans(ctx context.Context, id certcopy.CopyID, revision int, scans []certcopy.Scan) error
	// SetClean records the clean document made of the scans of that revision: received or
	// returned → scanned.
	SetClean(ctx context.Context, id certcopy.CopyID, revision int, d certcopy.CleanDocument) error
	// Submit freezes the copy: scanned or returned → submitted.
	Submit(ctx context.Context, s Submission) error
	// Certify records a certifier's confirmation of all the copies or of none, and enqueues
	// the numbering of each. Each must be submitted, unconfirmed, of the agency, and its
	// submission digest equal to the one confirmed; else ErrConflict. The certifier must hold
	// the role and an authorisation that is valid now; else certcopy.Forbidden.
	Certify(ctx context.Context, c Confirmation) error
	// CancelCertify takes back a confirmation that could not be carried out (the dry run
	// failed for good): the copy is submitted and unconfirmed again, with the trouble recorded.
	CancelCertify(ctx context.Context, id certcopy.CopyID, m certcopy.Message) error
	// Leave takes a copy out before it has a number: returned, refused or withdrawn.
	Leave(ctx context.Context, l Leaving) error
	// TakeNumber gives the next number: submitted and confirmed → numbered, with the book row,
	// and enqueues the stamping. Date and year are read from the database's clock in
	// Asia/Ho_Chi_Minh after the counter row is locked; a date before the previous number's is
	// refused with ErrUnavailable. Nothing else happens in that transaction.
	TakeNumber(ctx context.Context, id certcopy.CopyID) (certcopy.Number, error)
}

// NewCopy is a copy to be created.
type NewCopy struct {
	ID       certcopy.CopyID
	Code     string          // canonical verification code
	CodeHash certcopy.Digest // SHA-256 of the canonical code, what the public looks up
	// Salt blinds the commitment to the private facts in the leaf: 32 random bytes, kept in a
	// row that the retention role may delete.
	Salt     []byte
	Original certcopy.Original
}

// Submission freezes a copy.
type Submission struct {
	Copy     certcopy.CopyID
	Revision int
	By       certcopy.AccountID
	// Checked: the clerk has compared the pages with the paper original.
	Checked bool
	// Digest of pages and facts, see issue.SubmissionDigest.
	Digest certcopy.Digest
	// LowResolutionReason answers the warning below 200 dpi; may be empty.
	LowResolutionReason string
}

// Confirmation is one act of a certifier or seal keeper over one or many copies.
type Confirmation struct {
	Agency certcopy.AgencyID
	By     certcopy.AccountID
	// Client is the API client on whose authorisation this rests; empty for a person.
	Client string
	// Shown maps each copy to the submission digest that was shown to the person.
	Shown map[certcopy.CopyID]certcopy.Digest
}

// Leaving is a way out before a number is taken.
type Leaving struct {
	Copy   certcopy.CopyID
	From   certcopy.State
	To     certcopy.State
	By     certcopy.AccountID
	Reason string // coded
	Text   string // a person's words; required for refusals
}

// Artifact is what a generation of a signature is made of, each stored create-once.
type Artifact string

// The artifacts of a generation, in the order in which they come to be.
const (
	Prepared  Artifact = "prepared"  // the serialised two-phase state, with the increment
	Signature Artifact = "signature" // the signature value, before any time-stamp is asked for
	CMS       Artifact = "cms"       // the complete CMS with its time-stamp
	DSS       Artifact = "dss"       // the increment with validation data; of the seal only
)

// ArtifactKey names one artifact.
type ArtifactKey struct {
	Copy       certcopy.CopyID
	Role       certcopy.SignatureRole
	Generation certcopy.Generation
	Kind       Artifact
}

// Signing is the part of the Ledger between numbered and registered.
type Signing interface {
	// Generation returns the role's living generation, opening the first one if there is none.
	Generation(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole) (certcopy.Generation, error)
	// KillGeneration marks a generation dead, with the reason, and opens the next; ErrConflict
	// if it is not the living one, or if its CMS is stored, with which a twin may have made
	// the file. No artifact of a dead generation can be stored or read.
	KillGeneration(ctx context.Context, id certcopy.CopyID, role certcopy.SignatureRole, g certcopy.Generation, reason string) error
	// PutArtifact stores bytes create-once and returns the bytes that are stored: its own or
	// the winner's. ErrConflict if the generation is dead.
	PutArtifact(ctx context.Context, k ArtifactKey, b []byte) ([]byte, error)
	// Artifact returns stored bytes; ErrNotFound if there are none, ErrConflict if the
	// generation is dead.
	Artifact(ctx context.Context, k ArtifactKey) ([]byte, error)
	// Advance moves a copy one state on (numbered → stamped → signed → sealed), records the
	// file of that state in the scratch store, and enqueues what comes next. For signed, that
	// is the sealing if the agency seals at once or the seal was confirmed, else nothing.
	Advance(ctx context.Context, id certcopy.CopyID, from, to certcopy.State, file FileRef) error
	// File returns the file a state left in the scratch store.
	File(ctx context.Context, id certcopy.CopyID, s certcopy.State) (FileRef, error)
	// ConfirmSeal records a seal keeper's confirmation of all the copies or of none and
	// enqueues the sealing of each that is signed.
	ConfirmSeal(ctx context.Context, c Confirmation) error
	// PutFileKey stores the wrapped key of a copy's final file create-once and returns the
	// stored one.
	PutFileKey(ctx context.Context, id certcopy.CopyID, wrapped []byte) ([]byte, error)
	FileKey(ctx context.Context, id certcopy.CopyID) ([]byte, error)
}

// FileRef points at a file in the scratch store.
type FileRef struct {
	Key    string
	Digest certcopy.Digest
	Size   int64
}

// LeafKind is why a leaf was appended.
type LeafKind string

// The kinds of leaves, see docs/register.md.
const (
	LeafIssue  LeafKind = "issue"
	LeafAnnul  LeafKind = "annul"
	LeafVoid   LeafKind = "void"
	LeafExtend LeafKind = "extend"
	LeafErase  LeafKind = "erase"
)

// LeafMaker returns the bytes of a leaf for the time the database gives it. It is called
// inside the transaction and must be pure.
type LeafMaker func(at time.Time) ([]byte, error)

// Log is the append-only Merkle tree and what moves with it. Appending is serialised; the
// leaf and the state change commit together or not at all.
type Log interface {
	// Register: sealed → registered, with a leaf of kind issue and the final file.
	Register(ctx context.Context, id certcopy.CopyID, f certcopy.FinalFile, leaf LeafMaker) (certcopy.LeafIndex, error)
	// Void: numbered … sealed → void, with a leaf. The number stays in the book.
	Void(ctx context.Context, id certcopy.CopyID, by certcopy.AccountID, reason, text string, leaf LeafMaker) (certcopy.LeafIndex, error)
	// Annul: registered or released → annulled, with a leaf.
	Annul(ctx context.Context, id certcopy.CopyID, d certcopy.Decision, leaf LeafMaker) (certcopy.LeafIndex, error)
	// Salt returns the copy's blinding salt; ErrNotFound once erased.
	Salt(ctx context.Context, id certcopy.CopyID) ([]byte, error)

	// Head returns the size and root hash of the tree.
	Head(ctx context.Context) (size int64, root certcopy.Digest, err error)
	// Leaf returns the bytes of a leaf and the copy it speaks of.
	Leaf(ctx context.Context, i certcopy.LeafIndex) ([]byte, certcopy.CopyID, error)
	// Leaves yields the leaves from index i on.
	Leaves(ctx context.Context, from certcopy.LeafIndex) iter.Seq2[[]byte, error]
	// LeavesOf returns the indices of a copy's leaves, oldest first.
	LeavesOf(ctx context.Context, id certcopy.CopyID) ([]certcopy.LeafIndex, error)
	// ReadHashes returns stored hashes by index, as tlog.HashReader asks for them.
	ReadHashes(ctx context.Context, indexes []int64) ([]certcopy.Digest, error)
	// Checkpoint returns the newest signed checkpoint in the ledger; ErrNotFound if there is none.
	Checkpoint(ctx context.Context) (size int64, note []byte, err error)
	// Publish records a signed checkpoint larger than the last, releases every registered
	// copy whose leaf it covers, and enqueues their deliveries.
	Publish(ctx context.Context, size int64, note []byte) (released []certcopy.CopyID, err error)
}
