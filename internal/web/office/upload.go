package office

import "github.com/saoy/saoy/internal/issue"

// What an upload is and what becomes of it are the flow's.
type (
	Upload       = issue.Upload
	UploadResult = issue.UploadResult
	RefusedFile  = issue.RefusedFile
)

var _ Flow = (*issue.Flow)(nil)
