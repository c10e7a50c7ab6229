package main

import (
	"context"
	"crypto"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/storage"
)

// keyBook is the part of the ledger that says where keys and images are.
type keyBook interface {
	SigningKeyOf(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (storage.SigningKey, error)
	Look(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) ([]byte, error)
}

// keyring opens the keys that the ledger names, as far as the configuration lets it, and keeps
// them open. It implements issue.Keyring and issue.Looks.
type keyring struct {
	book       keyBook
	dir        string // of soft keys
	passphrase func() (certcopy.Secret, error)
	config     keysConfig
	production bool
	figures    *figures // may be nil

	mu    sync.Mutex
	slots map[string]*keySlot // by place and certificate; guarded by mu
}

// keySlot is one key. A token that hangs holds up those who want this key only.
type keySlot struct {
	turn    chan struct{} // held by whoever opens the key
	opened  openKey       // guarded by turn
	refused *refusal      // guarded by turn
}

// openKey is a key that is open; its zero value is one that is not.
type openKey struct {
	signer.Identity
	close func()
}

func newKeyring(book keyBook, dir string, passphrase func() (certcopy.Secret, error), c Config) *keyring {
	return &keyring{book: book, dir: dir, passphrase: passphrase, config: c.Keys, production: c.Production, slots: map[string]*keySlot{}}
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
	return k.look(ctx, "", account, certcopy.Msg(
		"Chưa có ảnh chữ ký của người ký chứng thực. Hãy báo quản trị viên chạy `saoy user signature`; bản sao sẽ tự tiếp tục.",
		"There is no image of the certifier's signature. Ask the administrator to run `saoy user signature`; the copy goes on by itself."))
}

// Seal implements issue.Looks.
func (k *keyring) Seal(ctx context.Context, agency certcopy.AgencyID) ([]byte, error) {
	return k.look(ctx, agency, "", certcopy.Msg(
		"Chưa có ảnh con dấu của cơ quan. Hãy báo quản trị viên chạy `saoy agency seal`; bản sao sẽ tự tiếp tục.",
		"There is no image of the agency's seal. Ask the administrator to run `saoy agency seal`; the copy goes on by itself."))
}

func (k *keyring) look(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID, absent certcopy.Message) ([]byte, error) {
	png, err := k.book.Look(ctx, agency, account)
	if errors.Is(err, storage.ErrNotFound) {
		err = certcopy.Errorf(certcopy.Unavailable, "image", err, absent)
	}
	return png, err
}

func (k *keyring) identity(ctx context.Context, agency certcopy.AgencyID, account certcopy.AccountID) (signer.Identity, error) {
	recorded, err := k.book.SigningKeyOf(ctx, agency, account)
	if errors.Is(err, storage.ErrNotFound) {
		return signer.Identity{}, certcopy.Errorf(certcopy.Unavailable, "key", fmt.Errorf("%w: none is recorded for %s%s", signer.ErrKeyRefused, agency, account), certcopy.Msg(
			"Chưa đăng ký khóa ký của người ký chứng thực hoặc của cơ quan. Hãy báo quản trị viên chạy `saoy key enrol`; bản sao sẽ tự tiếp tục.",
			"No signing key of the certifier or the agency is enrolled. Ask the administrator to run `saoy key enrol`; the copy goes on by itself."))
	}
	if err != nil {
		return signer.Identity{}, err
	}
	if k.production && recorded.Demonstration {
		return signer.Identity{}, fmt.Errorf("%w: it is a demonstration key", signer.ErrKeyRefused)
	}
	return k.use(ctx, recorded)
}

// use returns the key, opening it if it is not open. Meanwhile others wait, as long as their
// context lets them.
func (k *keyring) use(ctx context.Context, recorded storage.SigningKey) (signer.Identity, error) {
	slot := k.slot(recorded)
	select {
	case slot.turn <- struct{}{}:
		defer func() { <-slot.turn }()
	case <-ctx.Done():
		return signer.Identity{}, fmt.Errorf("%w: the key is being opened: %w", signer.ErrUnavailable, context.Cause(ctx))
	}
	if slot.opened.Key != nil {
		return slot.opened.Identity, nil
	}
	if err := slot.refused.stands(); err != nil {
		return signer.Identity{}, err
	}
	opened, err := k.open(ctx, recorded)
	if err != nil {
		slot.refused = k.refusalBy(recorded, err)
		return signer.Identity{}, err
	}
	slot.opened, slot.refused = opened, nil
	if recorded.Kind != softKind {
		slot.opened.Key = &watchedKey{Key: opened.Key, ring: k, slot: slot, recorded: recorded}
	}
	return slot.opened.Identity, nil
}

// watchedKey closes its slot when the token or service refuses its secret in the middle of
// the work, so that it is opened anew once the secret was corrected.
type watchedKey struct {
	signer.Key
	ring     *keyring
	slot     *keySlot
	recorded storage.SigningKey
}

// Sign implements signer.Key.
func (w *watchedKey) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	start := time.Now()
	value, err := w.Key.Sign(ctx, digest, opts)
	w.ring.figures.measure("key-"+w.recorded.Kind, time.Since(start), err)
	r := w.ring.refusalBy(w.recorded, err)
	if r == nil {
		return value, err
	}
	w.slot.turn <- struct{}{}
	defer func() { <-w.slot.turn }()
	if w.slot.opened.Key == signer.Key(w) {
		w.slot.opened.close()
		w.slot.opened, w.slot.refused = openKey{}, r
	}
	return nil, r.err
}

func (k *keyring) slot(recorded storage.SigningKey) *keySlot {
	name := recorded.URI + " " + fingerprint(recorded.Certificate)
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.slots[name] == nil {
		k.slots[name] = &keySlot{turn: make(chan struct{}, 1)}
	}
	return k.slots[name]
}

// close closes the keys that nobody is opening.
func (k *keyring) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, slot := range k.slots {
		select {
		case slot.turn <- struct{}{}:
			if slot.opened.close != nil {
				slot.opened.close()
			}
			slot.opened = openKey{}
			<-slot.turn
		default:
		}
	}
}
