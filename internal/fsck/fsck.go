// Package fsck checks everything stored against everything else: book, copies, numbers, log,
// checkpoints, files, signatures. It changes nothing. Whatever does not fit is a Finding that
// names the place; work in progress is listed and is none.
package fsck

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/audit"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// Ledger is what is read of a ledger beside the flow's own part.
type Ledger interface {
	storage.Ledger
	// Copies yields every copy, whatever its state.
	Copies(ctx context.Context) iter.Seq2[certcopy.Copy, error]
	// BookRows yields the rows of all books, in the order of agency, book, year and number.
	BookRows(ctx context.Context) iter.Seq2[storage.BookRow, error]
	// Counters returns the last number given in each book.
	Counters(ctx context.Context) ([]certcopy.Number, error)
	// Gaps returns the numbers that were left out of the books, in their order.
	Gaps(ctx context.Context) ([]storage.Gap, error)
	// Checkpoints yields all recorded checkpoints, smallest first.
	Checkpoints(ctx context.Context) iter.Seq2[storage.SignedCheckpoint, error]
	// LogCounts returns how many leaves and how many hashes are stored.
	LogCounts(ctx context.Context) (leaves, hashes int64, err error)
	// StateFiles yields every reference to a file in the scratch store.
	StateFiles(ctx context.Context, id certcopy.CopyID) ([]storage.FileRef, error)
	// Erasures yields the records of erased copies.
	Erasures(ctx context.Context) iter.Seq2[storage.Erasure, error]
	// The audit: its chain and its signed heads.
	audit.Ledger
}

// Files opens final files.
type Files interface {
	Open(ctx context.Context, id certcopy.CopyID, digest certcopy.Digest) ([]byte, error)
}

// Examiner validates a file as a receiver would at a time and returns the level it has reached.
type Examiner interface {
	Examine(ctx context.Context, file []byte, at time.Time) (level string, err error)
}

// Kind is the kind of a finding, for programs.
type Kind string

// The kinds of findings.
const (
	BookGap        Kind = "book-gap"        // a number is missing, or stands twice
	BookDate       Kind = "book-date"       // a date is before that of the number before
	BookCounter    Kind = "book-counter"    // the counter is not the last number
	BookCopy       Kind = "book-copy"       // row and copy do not tell the same
	CopyCode       Kind = "copy-code"       // the verification code is malformed
	CopyLeaf       Kind = "copy-leaf"       // copy and leaf do not tell the same, or one is missing
	CopySubmission Kind = "copy-submission" // the facts are not those that were confirmed
	LogCut         Kind = "log-cut"         // leaves or hashes are missing, or too many
	LogHash        Kind = "log-hash"        // leaves do not give the stored hashes or root
	LogLeaf        Kind = "log-leaf"        // a leaf is malformed or speaks of no copy
	BadCheckpoint  Kind = "checkpoint"      // a checkpoint is not of this log or of another tree
	FileMissing    Kind = "file-missing"
	FileDamaged    Kind = "file-damaged"
	FileStray      Kind = "file-stray"     // an object that belongs to no copy
	FileSignature  Kind = "file-signature" // the file would not pass as a receiver sees it
	ErasureList    Kind = "erasure-list"   // the locked list and the ledger do not tell the same
	ErasureUndone  Kind = "erasure-undone" // what was erased, or is to be, can still be read
	AuditChain     Kind = "audit"          // events, chain and signed heads do not fit
)

// Finding is something that does not fit.
type Finding struct {
	Kind    Kind   `json:"kind"`
	Subject string `json:"subject"` // number, copy, leaf or key
	certcopy.Message
}

// Report is the outcome of a check.
type Report struct {
	Findings   []Finding `json:"findings"`
	InProgress []string  `json:"in_progress"` // copies that are on their way, with their states
	Copies     int       `json:"copies"`
	Numbers    int       `json:"numbers"`
	Leaves     int64     `json:"leaves"`
	Files      int       `json:"files"`
	LeftOut    int64     `json:"left_out"` // numbers left out by decision after a restoration
	Erased     int       `json:"erased"`   // copies whose files were erased
	Events     int64     `json:"events"`   // of the audit
}

// Checker is a check of one installation. It is used once.
type Checker struct {
	Ledger  Ledger
	Vault   storage.Blobs // where final files lie, encrypted
	Scratch storage.Blobs
	Public  storage.Blobs // checkpoints
	Files   Files
	Examine Examiner // nil: signatures are not checked
	// Quick looks for files without opening them: their bytes and signatures are not checked.
	Quick bool
	Log   register.Log

	report Report
	copies map[certcopy.CopyID]certcopy.Copy
	gaps   map[bookKey][]storage.Gap
	erased map[certcopy.CopyID]storage.Erasure
	tree   *tree // of the leaves as they are stored
}

// Run checks everything. An error means that something could not be checked, not that it is
// wrong.
func (k *Checker) Run(ctx context.Context) (Report, error) {
	k.copies = map[certcopy.CopyID]certcopy.Copy{}
	k.report.Findings, k.report.InProgress = []Finding{}, []string{}
	for _, check := range []func(context.Context) error{
		k.checkCopies, k.checkErasures, k.checkAudit, k.readGaps, k.checkBook, k.checkLog, k.checkCheckpoints, k.checkLeaves, k.checkFiles, k.checkScratch,
	} {
		if err := check(ctx); err != nil {
			return k.report, err
		}
	}
	return k.report, nil
}

func (k *Checker) found(kind Kind, subject, vi, en string) {
	k.report.Findings = append(k.report.Findings, Finding{Kind: kind, Subject: subject, Message: certcopy.Msg(vi, en)})
}

// name is how a finding names a copy.
func name(c certcopy.Copy) string {
	if c.Number.IsZero() {
		return string(c.ID)
	}
	return fmt.Sprintf("%s %s (%s)", c.Agency, c.Number, c.ID)
}
