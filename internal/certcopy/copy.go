package certcopy

import "time"

// Limits of what one copy may hold.
const (
	MaxUploadBytes   = 64 << 20    // one uploaded file
	MaxCopyBytes     = 48 << 20    // one clean document
	MaxPages         = 200         // pages of one copy
	MaxImagePixels   = 100_000_000 // one image
	MinDPI           = 200         // NĐ 30/2020 Phụ lục I; below it a reason is asked for
	MaxTitleRunes    = 500
	MaxNameRunes     = 200
	MaxCopiesOfBook  = 1000 // "number of copies" column of the book
	MaxCopiesPerCall = 100  // copies in one certification by confirmation
)

// Requester is who asks for the copies. All of it is personal data: the name enters the
// book, the rest sits where the retention role may delete it, none of it is ever public.
type Requester struct {
	Name     string
	IDNumber string // optional
	Phone    string // optional
	Email    string // optional
}

// Original is a paper presented for certification.
type Original struct {
	Type        DocumentTypeCode
	Title       string // free text; stays in the office and in the PDF
	IssuingBody string
	Pages       int // pages of the paper original; the fee is computed from it
	Copies      int // "number of copies" in the book; a factor of the fee
}

// Agency is an office that certifies, as it was named at a date.
type Agency struct {
	ID       AgencyID
	Code     string // agency identification code, opaque text ("H08.35")
	Name     string // "Ủy ban nhân dân xã Ân Tường Đông"
	Place    string // "Ân Tường Đông"
	Province string
	Book     BookCode
	// SealAtOnce lets the agency's seal follow the certifier's signature without a person.
	SealAtOnce bool
	// Demonstration marks an agency whose copies have no legal value.
	Demonstration bool
	Suspended     bool
}

// Official is a person whose name and title are printed on the copy.
type Official struct {
	Account AccountID
	Name    string // "Nguyễn Văn An"
	Title   string // "CHỦ TỊCH", "KT. CHỦ TỊCH / PHÓ CHỦ TỊCH"
}

// Page is one page of a clean document. Sizes are in points of 1/72 inch as the page is
// seen, after rotation.
type Page struct {
	Width  float64 `json:"width"`
	Height float64 `json:"height"`
	// FreeBottom is the height, from the bottom edge up, in which nothing is drawn over the
	// page's whole width.
	FreeBottom float64 `json:"free_bottom"`
	// DPI is the lower resolution of the two axes of the page's image; 0 if it has none.
	DPI float64 `json:"dpi"`
}

// LowResolution reports whether the page is below MinDPI, which certifying must answer with a
// recorded reason. A hundredth less is the rounding of a scanner's whole millimetres.
func (p Page) LowResolution() bool { return p.DPI > 0 && p.DPI < MinDPI*0.99 }

// CleanDocument describes the one document that intake makes of the uploads of an original.
type CleanDocument struct {
	Digest Digest
	Size   int64
	Pages  []Page
}

// Scan is one uploaded file of an original, in the order of the clerk.
type Scan struct {
	ID       ScanID
	Copy     CopyID
	Position int
	FileName string
	Size     int64
	Digest   Digest
	Pages    int
}

// Request is one visit of one requester.
type Request struct {
	ID          RequestID
	Agency      AgencyID
	Requester   Requester
	Channel     string // "counter", "cli", or the client system of the API
	DossierCode string // of the system the request came from; opaque
	// ExternalID makes a request idempotent for its creator; unique per agency and channel.
	ExternalID string
	CreatedBy  AccountID
	CreatedAt  time.Time
	Copies     []CopyID
}

// Copy is what is issued for one original, as the ledger holds it.
type Copy struct {
	ID       CopyID
	Request  RequestID
	Agency   AgencyID
	State    State
	Revision int // counts changes; a writer names the one it saw
	Original Original
	// Requester is the name that enters the book.
	Requester string
	Channel   string
	CreatedBy AccountID
	CreatedAt time.Time

	Code    string // verification code in its canonical form, see package link
	Clean   CleanDocument
	Checked bool // the clerk ticked that the paper original was checked
	// Submission is the digest of the pages and facts frozen at submission; what a certifier
	// confirms must be equal to it.
	Submission  Digest
	SubmittedAt time.Time

	CertifiedBy Official // who confirmed, once confirmed
	CertifiedAt time.Time
	SealedBy    AccountID // who confirmed the seal; empty when the agency seals at once
	SealedAt    time.Time

	Number   Number
	Leaf     LeafIndex // valid from Registered on
	Final    FinalFile // valid from Registered on
	LeafTime time.Time

	Reason     string   // coded reason of return, refusal, withdrawal or void
	ReasonText string   // a person's words
	Annulment  Decision // valid when Annulled
	// Trouble is why the copy waits, in the words for people; empty when nothing is wrong.
	Trouble Message
}

// FinalFile is the sealed file at its required level.
type FinalFile struct {
	Digest Digest
	Size   int64
	Pages  int
	Level  string // "B-LT"
}

// Decision is the act by which a released copy was declared without legal value.
type Decision struct {
	Number string
	Date   time.Time
	Reason string
	By     AccountID
	At     time.Time
}
