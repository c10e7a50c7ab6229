package issue

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/storage"
)

// number takes the certificate number, after a rehearsal of all that could fail later for a
// reason that lies in this copy: from the number on, only waiting or a human's void is left.
func (f *Flow) number(ctx context.Context, c certcopy.Copy) error {
	if err := f.rehearse(ctx, c); err != nil {
		if certcopy.CodeOf(err) != certcopy.Invalid {
			return err
		}
		// It would fail for ever. The copy goes back to the certifier's queue, saying why.
		return f.Ledger.CancelCertify(ctx, c.ID, certcopy.MessageOf(err))
	}
	crash("number.rehearsed")
	_, err := f.Ledger.TakeNumber(ctx, c.ID)
	crash("number.taken")
	return err
}

// rehearse stamps with the widest possible number and checks key, certificate and store.
func (f *Flow) rehearse(ctx context.Context, c certcopy.Copy) error {
	clean, err := f.cleanDocument(ctx, c)
	if err != nil {
		return err
	}
	facts, err := f.facts(ctx, c)
	if err != nil {
		return err
	}
	if err := stamp.Dry(bytes.NewReader(clean), int64(len(clean)), c.Clean, facts); err != nil {
		return err
	}
	certifier, err := f.Keys.Certifier(ctx, c.CertifiedBy.Account)
	if err != nil {
		return fmt.Errorf("certifier's key: %w", err)
	}
	agency, err := f.Keys.Agency(ctx, c.Agency)
	if err != nil {
		return fmt.Errorf("agency's key: %w", err)
	}
	for _, id := range []signer.Identity{certifier, agency} {
		if err := f.mayBeUsed(ctx, id); err != nil {
			return err
		}
	}
	return f.probe(ctx, c)
}

// mayBeUsed refuses an identity that may not sign now: signatures made under a certificate that is
// expired or revoked would leave a number that can only be voided.
func (f *Flow) mayBeUsed(ctx context.Context, id signer.Identity) error {
	if err := signer.Check(id, f.Now()); err != nil {
		return err
	}
	_, err := f.Revocation.Collect(ctx, id.Certificate, id.Chain)
	if err != nil && !errors.Is(err, signer.ErrUnavailable) && ctx.Err() == nil {
		return fmt.Errorf("%w: %w", signer.ErrKeyRefused, err)
	}
	return err
}

// probe writes, reads and removes a small object where the files of the next steps will go.
func (f *Flow) probe(ctx context.Context, c certcopy.Copy) error {
	id, err := f.newID()
	if err != nil {
		return err
	}
	body := []byte(id)
	key := "probe/" + string(c.ID) + "/" + id
	if err := f.Scratch.Create(ctx, key, bytes.NewReader(body), int64(len(body)), certcopy.DigestOf(body), time.Time{}); err != nil {
		return fmt.Errorf("scratch store: %w", err)
	}
	if err := f.Scratch.Delete(ctx, key); err != nil {
		return fmt.Errorf("scratch store: %w", err)
	}
	if _, err := f.Vault.Blobs.Stat(ctx, key); err != nil && !errors.Is(err, storage.ErrNotFound) {
		return fmt.Errorf("vault: %w", err)
	}
	return nil
}
