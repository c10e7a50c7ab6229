package verify

import (
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer/validation"
	"github.com/saoy/saoy/storage"
)

// Report is the answer, for a file or for a code. Fields may be added, never renamed.
type Report struct {
	File          string                   `json:"file,omitempty"`
	SHA256        string                   `json:"sha256,omitempty"`
	Size          int64                    `json:"size,omitempty"`
	Indication    validation.Indication    `json:"indication"`
	SubIndication validation.SubIndication `json:"sub_indication"`
	Integrity     validation.Integrity     `json:"integrity"`
	Status        Status                   `json:"status"`
	Issuer        validation.Issuer        `json:"issuer"`
	Origin        Origin                   `json:"origin,omitempty"`
	Signatures    []validation.Signature   `json:"signatures,omitempty"`
	Checks        []validation.Check       `json:"checks"`
	Warnings      []string                 `json:"warnings,omitempty"`
	// Copy is what the register says; of a file that pretends, what it says of the copy whose
	// code the file bears.
	Copy *Copy `json:"copy,omitempty"`
}

// Copy is the public facts of a copy.
type Copy struct {
	Number         int64                     `json:"number"`
	Book           certcopy.BookCode         `json:"book"`
	BookReference  string                    `json:"book_reference"`
	Year           int                       `json:"year"`
	Date           string                    `json:"date"`
	Agency         string                    `json:"agency"`
	AgencyID       certcopy.AgencyID         `json:"agency_id"`
	Province       string                    `json:"province"`
	Demonstration  bool                      `json:"demonstration"`
	Official       string                    `json:"official"`
	OfficialTitle  string                    `json:"official_title"`
	DocumentType   certcopy.DocumentTypeCode `json:"document_type"`
	DocumentName   certcopy.Message          `json:"document_name"`
	Pages          int                       `json:"pages,omitempty"`
	SHA256         string                    `json:"sha256,omitempty"`
	Size           int64                     `json:"size,omitempty"`
	Level          string                    `json:"level,omitempty"`
	Leaf           certcopy.LeafIndex        `json:"leaf"`
	RegisteredAt   time.Time                 `json:"registered_at"`
	DecisionNumber string                    `json:"decision_number,omitempty"`
	DecisionDate   string                    `json:"decision_date,omitempty"`
	AnnulledAt     *time.Time                `json:"annulled_at,omitempty"`
	ErasedAt       *time.Time                `json:"erased_at,omitempty"`
	// ErasureReason and ErasureDecision say under what the stored file was erased.
	ErasureReason   storage.ErasureReason `json:"erasure_reason,omitempty"`
	ErasureDecision string                `json:"erasure_decision,omitempty"`
}

// Good reports whether all three verdicts are good: only then may anything be green.
func (r *Report) Good() bool {
	return r.Indication == validation.TotalPassed && r.Integrity == validation.Intact && r.Status == Valid &&
		r.Issuer == validation.Trusted && (r.Origin == AsIssued || r.Origin == Extended)
}

func reportOf(e *Examination) *Report {
	f := e.Report
	return &Report{File: f.File, SHA256: e.Digest.String(), Size: e.Size, Indication: f.Indication, SubIndication: f.SubIndication,
		Integrity: f.Integrity, Status: StatusNotChecked, Issuer: f.Issuer, Signatures: f.Signatures, Checks: f.Checks, Warnings: f.Warnings}
}

func codeReport(c storage.PublicCopy) *Report {
	r := &Report{Indication: validation.Indeterminate, SubIndication: validation.SignedDataNotFound,
		Integrity: validation.IntegrityNotChecked, Issuer: validation.Undetermined}
	r.about(c)
	r.add(checkFile, validation.NotDone, sayFileNotChecked)
	return r
}

// about fills in the copy and the status verdict.
func (r *Report) about(c storage.PublicCopy) {
	r.Copy, r.Status = factsOf(c), statusOf(c)
	switch r.Status {
	case Annulled:
		r.add(checkStatus, validation.Failed, sayAnnulled)
	case Void:
		r.add(checkStatus, validation.Failed, sayVoid)
	case Erased:
		r.add(checkStatus, validation.NotDone, erasedOn(c))
	default:
		r.add(checkStatus, validation.Passed, sayValid)
	}
}

func statusOf(c storage.PublicCopy) Status {
	switch {
	case c.State == certcopy.Annulled:
		return Annulled
	case c.State == certcopy.Void:
		return Void
	case c.State != certcopy.Released:
		return Unknown
	case !c.ErasedAt.IsZero():
		return Erased
	}
	return Valid
}

func factsOf(c storage.PublicCopy) *Copy {
	f := &Copy{
		Number: c.Number.Seq, Book: c.Number.Book, BookReference: c.Number.BookReference(), Year: c.Number.Year, Date: c.Number.Date.Format(time.DateOnly),
		Agency: c.Agency.Name, AgencyID: c.Agency.ID, Province: c.Agency.Province, Demonstration: c.Agency.Demonstration,
		Official: c.Official.Name, OfficialTitle: c.Official.Title, DocumentType: c.DocumentType, DocumentName: c.DocumentName,
		Pages: c.File.Pages, Size: c.File.Size, Level: c.File.Level, Leaf: c.Leaf, RegisteredAt: c.LeafTime.UTC(),
		DecisionNumber: c.DecisionNumber, AnnulledAt: ifSet(c.AnnulledAt), ErasedAt: ifSet(c.ErasedAt),
		ErasureReason: c.ErasureReason, ErasureDecision: c.ErasureDecision,
	}
	if !c.File.Digest.IsZero() {
		f.SHA256 = c.File.Digest.String()
	}
	if !c.DecisionDate.IsZero() {
		f.DecisionDate = c.DecisionDate.Format(time.DateOnly)
	}
	return f
}

func ifSet(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// add appends a check of ours.
func (r *Report) add(id checkID, result validation.Result, m certcopy.Message) {
	r.Checks = append(r.Checks, validation.Check{ID: string(id), Clause: clauses[id], Result: result, VI: m.VI, EN: m.EN})
}

// fail adds a failed check and makes the file one that does not pass.
func (r *Report) fail(id checkID, i validation.Integrity, sub validation.SubIndication, m certcopy.Message) {
	r.add(id, validation.Failed, m)
	if r.Integrity != validation.Broken {
		r.Integrity = i
	}
	if r.Indication != validation.TotalFailed {
		r.Indication, r.SubIndication = validation.TotalFailed, sub
	}
}

// pretends: the file bears our code; c is the copy of that code, nil if there is none.
func (r *Report) pretends(c *storage.PublicCopy) {
	r.Origin, r.Status = Pretends, Unknown
	if c != nil {
		r.Copy = factsOf(*c)
		r.fail(checkRegistered, validation.Modified, validation.HashFailure, sayPretends)
		return
	}
	r.fail(checkRegistered, validation.Modified, validation.HashFailure, sayPretendsUnknown)
}

// NotThis turns the report on a file into one that says the file is not the copy of a certain
// code, whose report is of.
func (r *Report) NotThis(of *Report) {
	if r.Origin != Pretends {
		r.Origin = Another
	}
	r.Copy, r.Status = of.Copy, Unknown
	r.fail(checkRegistered, validation.Modified, validation.HashFailure, sayAnother)
}
