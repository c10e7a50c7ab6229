package office

import (
	"io"

	"github.com/saoy/saoy/internal/certcopy"
)

// Upload is one file of an upload, as the flow takes it.
type Upload struct {
	Name string // as the browser sent it; for people
	Body io.Reader
}

// UploadResult is what became of an upload: the copy with what was taken, and what was not.
type UploadResult struct {
	Copy    certcopy.Copy
	Refused []RefusedFile
}

// RefusedFile is a file that was not taken, and why.
type RefusedFile struct {
	Name    string
	Message certcopy.Message
}
