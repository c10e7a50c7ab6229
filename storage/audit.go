package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
)

// AuditKind is what sort of thing was done.
type AuditKind string

// The kinds of audit events.
const (
	AuditKey    AuditKind = "key"     // a signing key was used, or was about to be
	AuditView   AuditKind = "view"    // somebody saw something
	AuditChange AuditKind = "change"  // something was changed
	AuditExport AuditKind = "export"  // something was taken out
	AuditSignIn AuditKind = "sign-in" // a session began or ended
)

// AuditPhase is how far it came.
type AuditPhase string

// The phases of audit events.
const (
	AuditBefore  AuditPhase = "before" // it is about to be done
	AuditDone    AuditPhase = "done"
	AuditRefused AuditPhase = "refused" // it was not allowed
	AuditFailed  AuditPhase = "failed"  // it was tried, without success
)

// AuditEvent is one thing that was done, by whom and to what. It holds no personal data but
// identifiers of accounts and copies. Who gives no Agency, Account or Client means the Actor
// of the context; ID, At and Role are the ledger's.
type AuditEvent struct {
	ID      int64
	At      time.Time // of the database's clock, in microseconds
	Kind    AuditKind
	Action  string // "certifier.sign", "copy.released", "GET /copies/{copy}"
	Phase   AuditPhase
	Role    string // database role
	Agency  certcopy.AgencyID
	Account certcopy.AccountID
	Client  string
	Copy    certcopy.CopyID
	Subject string          // identifier of what else it is about; at most 200 bytes
	Digest  certcopy.Digest // of what was signed, submitted or registered
}

// auditLine fixes the order and the names of the line's members for ever.
type auditLine struct {
	ID      int64              `json:"id"`
	At      string             `json:"at"`
	Kind    AuditKind          `json:"kind"`
	Action  string             `json:"action"`
	Phase   AuditPhase         `json:"phase"`
	Role    string             `json:"role"`
	Agency  certcopy.AgencyID  `json:"agency,omitempty"`
	Account certcopy.AccountID `json:"account,omitempty"`
	Client  string             `json:"client,omitempty"`
	Copy    certcopy.CopyID    `json:"copy,omitempty"`
	Subject string             `json:"subject,omitempty"`
	Digest  string             `json:"digest,omitempty"`
}

// auditTime is the form of times in lines: UTC, always six decimals.
const auditTime = "2006-01-02T15:04:05.000000Z"

// Line returns the canonical form, a JSON object on one line, over which the chain's hashes are
// made: members in a fixed order, empty ones left out, no space, nothing escaped that need not
// be.
func (e AuditEvent) Line() ([]byte, error) {
	l := auditLine{e.ID, e.At.UTC().Format(auditTime), e.Kind, e.Action, e.Phase, e.Role, e.Agency, e.Account, e.Client, e.Copy, e.Subject, ""}
	if !e.Digest.IsZero() {
		l.Digest = e.Digest.String()
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(l)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// AuditBatch is a link of the chain: the events it binds, in order.
type AuditBatch struct {
	Seq    int64
	Size   int64 // how many events the chain holds with this batch
	Hash   certcopy.Digest
	Events []AuditEvent
}

// ChainHash returns the hash of a batch of events that follows a batch with hash before (zero
// for the first): SHA-256 of before and each event's line with a line feed.
func ChainHash(before certcopy.Digest, events []AuditEvent) (certcopy.Digest, error) {
	text := bytes.Clone(before[:])
	for _, e := range events {
		line, err := e.Line()
		if err != nil {
			return certcopy.Digest{}, err
		}
		text = append(append(text, line...), '\n')
	}
	return certcopy.DigestOf(text), nil
}

// Auditor takes down what was done.
type Auditor interface {
	// Record adds an event. Changes need none: the ledger adds them with what it changes. If it
	// fails, what the event was to announce must not be done.
	Record(ctx context.Context, e AuditEvent) error
}

// AuditFilter says which events are wanted; zero fields do not narrow.
type AuditFilter struct {
	Agency      certcopy.AgencyID
	Account     certcopy.AccountID
	Copy        certcopy.CopyID
	Kind        AuditKind
	Since, Till time.Time
	// Before is the identifier below which to begin; 0: with the newest.
	Before int64
}
