package storage

import "github.com/saoy/saoy/internal/certcopy"

// BookRow is a row of the book.
type BookRow struct {
	Number        certcopy.Number
	Copy          certcopy.CopyID
	Requester     string
	Title         string
	SignerName    string
	SignerAccount certcopy.AccountID
	Copies        int
}

// SignedCheckpoint is a recorded checkpoint.
type SignedCheckpoint struct {
	Size int64
	Note []byte
}
