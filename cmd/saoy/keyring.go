package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/storage"
)

// keyBook is the part of the ledger that says where keys and images are.
type keyBook interface {
	SigningKeyOf(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (storage.SigningKey, error)
	Look(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) ([]byte, error)
}

// keyring opens the keys that the ledger names. It implements issue.Keyring and issue.Looks.
type keyring struct {
	book       keyBook
	dir        string // of soft keys
	passphrase certcopy.Secret

	mu   sync.Mutex
	open map[string]signer.Identity // by URI; guarded by mu
}

// Certifier implements issue.Keyring.
func (k *keyring) Certifier(ctx context.Context, account certcopy.AccountID) (signer.Identity, error) {
	return k.identity(ctx, "", account)
}

// Agency implements issue.Keyring.
func (k *keyring) Agency(ctx context.Context, agency certcopy.AgencyID) (signer.Identity, error) {
	return k.identity(ctx, agency, "")
}

// Signature implements issue.Looks.
func (k *keyring) Signature(ctx context.Context, account certcopy.AccountID) ([]byte, error) {
	return k.book.Look(ctx, "", account)
}

// Seal implements issue.Looks.
func (k *keyring) Seal(ctx context.Context, agency certcopy.AgencyID) ([]byte, error) {
	return k.book.Look(ctx, agency, "")
}

func (k *keyring) identity(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (signer.Identity, error) {
	key, err := k.book.SigningKeyOf(ctx, agency, account)
	if errors.Is(err, storage.ErrNotFound) {
		return signer.Identity{}, fmt.Errorf("%w: no key is recorded for %s%s", signer.ErrKeyRefused, agency, account)
	}
	if err != nil {
		return signer.Identity{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if id, ok := k.open[key.URI]; ok {
		return id, nil
	}
	name, ok := strings.CutPrefix(key.URI, softScheme)
	if key.Kind != "soft" || !ok || name != filepath.Base(name) {
		return signer.Identity{}, fmt.Errorf("%w: a key of kind %q cannot be opened here", signer.ErrKeyRefused, key.Kind)
	}
	id, err := softkey.Load(filepath.Join(k.dir, name), k.passphrase.Reveal(), time.Now)
	if err != nil {
		return signer.Identity{}, err
	}
	if string(id.Certificate.Raw) != string(key.Certificate) {
		return signer.Identity{}, fmt.Errorf("%w: the key file's certificate is not the recorded one", signer.ErrKeyRefused)
	}
	if k.open == nil {
		k.open = map[string]signer.Identity{}
	}
	k.open[key.URI] = id
	return id, nil
}

// softScheme begins the URI of a key file in DIR/keys.
const softScheme = "soft:"
