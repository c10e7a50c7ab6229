package fsck

import (
	"context"

	"github.com/saoy/saoy/internal/audit"
)

// checkAudit recomputes the chain of the audit and compares it with its signed heads.
func (k *Checker) checkAudit(ctx context.Context) error {
	events, found, err := audit.Check(ctx, k.Ledger, k.Public, k.Log)
	k.report.Events = events
	for _, f := range found {
		k.found(AuditChain, f.Subject, f.VI, f.EN)
	}
	return err
}
