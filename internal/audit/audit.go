// Package audit keeps the audit honest: it binds the events that the ledger takes down into a
// chain of hashes, signs the chain's head with the log's key, and checks all of it.
//
// Whoever controls the database can hide or change an event only until it is chained, a second
// later, or forge the chain only from the last signed head on, a minute later: the heads lie
// create-once among the public objects.
package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/register"
	"github.com/saoy/saoy/storage"
)

// HeadPrefix is where signed heads lie among the public objects.
const HeadPrefix = "audit/"

func headKey(seq int64) string { return fmt.Sprintf("%s%019d", HeadPrefix, seq) }

// Ledger is what is read and written of the audit.
type Ledger interface {
	// ChainAudit binds the events that are not in the chain yet and returns how many.
	ChainAudit(ctx context.Context) (events int, err error)
	// AuditHead returns the head of the chain and the batch of the newest signed head.
	AuditHead(ctx context.Context) (head storage.AuditBatch, signed int64, err error)
	// PutAuditHead records a signed head create-once.
	PutAuditHead(ctx context.Context, seq int64, note []byte) error
	// AuditHeads yields the recorded signed heads; their Size is the batch.
	AuditHeads(ctx context.Context) iter.Seq2[storage.SignedCheckpoint, error]
	// AuditBatches yields the chain from a batch on.
	AuditBatches(ctx context.Context, from int64) iter.Seq2[storage.AuditBatch, error]
	// AuditCounts returns how many events there are, how many are not chained, and since when.
	AuditCounts(ctx context.Context) (events, waiting int64, since time.Time, err error)
}

// Keeper chains and signs. Several may work at once.
type Keeper struct {
	Ledger Ledger
	Public storage.Blobs
	Log    *register.Signer
}

// Sign signs the head of the chain, if it has grown, and stores it create-once among the public
// objects, then in the ledger. It returns the batch that was signed, 0 if there was nothing new.
func (k *Keeper) Sign(ctx context.Context) (seq int64, err error) {
	head, signed, err := k.Ledger.AuditHead(ctx)
	if err != nil || head.Seq <= signed {
		return 0, err
	}
	note, err := k.Log.SignAudit(register.AuditHead{Seq: head.Seq, Hash: head.Hash})
	if err != nil {
		return 0, err
	}
	key := headKey(head.Seq)
	err = k.Public.Create(ctx, key, bytes.NewReader(note), int64(len(note)), certcopy.DigestOf(note), time.Time{})
	if errors.Is(err, storage.ErrExists) || errors.Is(err, storage.ErrOutcomeUnknown) {
		var there []byte
		if there, err = readHead(ctx, k.Public, key); err == nil && !bytes.Equal(there, note) {
			err = fmt.Errorf("%w: another chain of %d batches was signed before", register.ErrInconsistent, head.Seq)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("head of the audit at %d: %w", head.Seq, err)
	}
	return head.Seq, k.Ledger.PutAuditHead(ctx, head.Seq, note)
}

func readHead(ctx context.Context, public storage.Blobs, key string) ([]byte, error) {
	body, _, err := public.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(io.LimitReader(body, 64<<10))
}
