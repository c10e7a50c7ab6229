package register

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"github.com/saoy/saoy/internal/certcopy"
)

// auditHeader is the first line of a signed head of the audit. No origin can be equal to it, so
// that it can never be taken for a checkpoint of the log, which the same key signs.
const auditHeader = "saoy audit head v1"

// AuditHead is the head of the audit's chain: the number of its batches and the hash of the last.
type AuditHead struct {
	Seq  int64
	Hash certcopy.Digest
}

// SignAudit signs a head of the audit. Signing the same head again gives the same bytes; ErrNoKey
// in a process that signs nothing.
func (s *Signer) SignAudit(h AuditHead) ([]byte, error) {
	if s.sign == nil {
		return nil, ErrNoKey
	}
	signed, err := note.Sign(&note.Note{Text: h.text()}, s.sign)
	if err != nil {
		return nil, fmt.Errorf("sign head of the audit: %w", err)
	}
	return signed, nil
}

func (h AuditHead) text() string {
	return fmt.Sprintf("%s\n%d\n%s\n", auditHeader, h.Seq, base64.StdEncoding.EncodeToString(h.Hash[:]))
}

// OpenAuditHead verifies the log key's signature on a head of the audit. Errors wrap
// ErrCheckpoint.
func (l Log) OpenAuditHead(signed []byte) (AuditHead, error) {
	if len(signed) > maxCheckpointBytes {
		return AuditHead{}, fmt.Errorf("%w: %d bytes", ErrCheckpoint, len(signed))
	}
	n, err := note.Open(signed, note.VerifierList(l.verify))
	if err != nil {
		return AuditHead{}, fmt.Errorf("%w: %v", ErrCheckpoint, err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[0] != auditHeader {
		return AuditHead{}, fmt.Errorf("%w: not a head of the audit", ErrCheckpoint)
	}
	var h AuditHead
	seq, err := strconv.ParseInt(lines[1], 10, 64)
	hash, bad := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || bad != nil || len(hash) != len(h.Hash) || seq < 1 {
		return AuditHead{}, fmt.Errorf("%w: malformed head of the audit", ErrCheckpoint)
	}
	h.Seq, h.Hash = seq, certcopy.Digest(hash)
	if h.text() != n.Text {
		return AuditHead{}, fmt.Errorf("%w: not in canonical form", ErrCheckpoint)
	}
	return h, nil
}
