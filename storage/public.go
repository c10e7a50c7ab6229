package storage

import (
	"context"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// PublicCopy is what everyone may know of a copy that was issued, annulled or voided. It
// holds no personal data but the official's name, no title and no code.
type PublicCopy struct {
	ID       certcopy.CopyID
	State    certcopy.State
	Number   certcopy.Number
	Agency   certcopy.Agency // ID, Name, Place, Province and Demonstration
	Official certcopy.Official
	// DocumentType and its name are the only description of the original.
	DocumentType certcopy.DocumentTypeCode
	DocumentName certcopy.Message
	// File is zero for a void copy, which was never issued.
	File certcopy.FinalFile
	// Leaf is the leaf of the issue, or of the void.
	Leaf     certcopy.LeafIndex
	LeafTime time.Time
	// DecisionNumber and DecisionDate are those of the annulment.
	DecisionNumber string
	DecisionDate   time.Time
	AnnulledAt     time.Time
	// ErasedAt is when the file was destroyed; zero: it was not. The reason and the number of
	// the decision are public with it.
	ErasedAt        time.Time
	ErasureReason   ErasureReason
	ErasureDecision string
}

// Public is the side of the ledger that the verifier and the public site read. An unknown
// copy and one that is not public yet are both ErrNotFound, after the same look-up.
type Public interface {
	// PublicByCode finds a copy by the SHA-256 of its verification code.
	PublicByCode(ctx context.Context, code certcopy.Digest) (PublicCopy, error)
	// PublicByFile finds a copy by the digest of its sealed file.
	PublicByFile(ctx context.Context, file certcopy.Digest) (PublicCopy, error)
	// PublicByID finds a copy by its identifier, which is never public.
	PublicByID(ctx context.Context, id certcopy.CopyID) (PublicCopy, error)
}
