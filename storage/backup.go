package storage

import (
	"github.com/saoy/saoy/internal/certcopy"
)

// Table is a table of the ledger's database as a backup holds it. Its rows are kept in
// PostgreSQL's text form of COPY, of the named columns.
type Table struct {
	Schema  string   `json:"schema"`
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
}

// Sequence is a sequence with the last value it gave; zero if it gave none.
type Sequence struct {
	Schema string `json:"schema"`
	Name   string `json:"name"`
	Last   int64  `json:"last"`
}

// DatabaseState is what a snapshot of the ledger's database says of itself.
type DatabaseState struct {
	Schema       int64 // step of the migrations
	Queue        int   // step of the job queue's migrations
	Installation Installation
	Size         int64           // of the log's tree
	Root         certcopy.Digest // of the log's tree
	Checkpoint   []byte          // the newest recorded; nil if there is none
	Copies       int64
	Numbers      int64 // rows of all books
}

// KeptCopy is what a backup must know of a copy to tell which stored objects belong to it.
type KeptCopy struct {
	ID    certcopy.CopyID
	State certcopy.State
	Final certcopy.Digest // zero before the copy is registered
	// HasKey: the final file can be decrypted; false once it is erased.
	HasKey bool
}

// LastNumber is the last number given in one book.
type LastNumber struct {
	Agency certcopy.AgencyID `json:"agency"`
	Book   certcopy.BookCode `json:"book"`
	Year   int               `json:"year"`
	Seq    int64             `json:"number"`
}

// Restoration is what is recorded when a backup has been restored. Until it is accepted,
// nothing may be issued: numbers may have been given after the backup was made.
type Restoration struct {
	Backup string // identifier of the backup
	Size   int64  // leaves in the restored log
	// Known is the newest checkpoint that was shown to the restoring person; nil if none was.
	Known     []byte
	KnownSize int64
}

// Acceptance is a person's decision to go on with a restored installation.
type Acceptance struct {
	By       string // name and office, as in the decision
	Decision string // its number and date
	// Last is the last number that is known to have been given in each book; a book whose last
	// number is as restored may be left out.
	Last []LastNumber
}

// Gap is a range of numbers that is left out of a book for ever, because they may have been
// given after the backup that was restored.
type Gap struct {
	Agency      certcopy.AgencyID
	Book        certcopy.BookCode
	Year        int
	First, Last int64
}
