//go:build cgo

package pkcs11

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/miekg/pkcs11"

	"github.com/saoy/saoy/signer"
)

// Token is an open token with one key of it. It is safe for concurrent use.
type Token struct {
	cfg      Config
	module   *pkcs11.Ctx
	identity signer.Identity
	slots    chan struct{} // one for each session that may be in use
	shared   *shared

	mu   sync.Mutex
	pin  []byte      // guarded by mu; nil after the token refused it
	link *connection // guarded by mu; nil if the token was lost
}

// connection is one login: it ends when the token is lost.
type connection struct {
	slot   uint
	anchor pkcs11.SessionHandle // holds the login while the others come and go
	key    pkcs11.ObjectHandle
	always bool   // the PIN is wanted for each signature (CKA_ALWAYS_AUTHENTICATE)
	epoch  uint64 // of the module when it was made

	mu   sync.Mutex
	idle []pkcs11.SessionHandle // guarded by mu
	dead bool                   // guarded by mu; sessions are closed, not kept
	gone bool                   // guarded by mu; the module has ended the sessions by itself
}

// end closes the idle sessions; those in use are closed when they come back. If the module
// has ended them already, nothing is closed: it may have given their numbers to new ones.
func (c *connection) end(module *pkcs11.Ctx, gone bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dead, c.gone = true, gone
	if gone {
		c.idle = nil
		return nil
	}
	for _, s := range c.idle {
		_ = module.CloseSession(s)
	}
	c.idle = nil
	return module.CloseSession(c.anchor)
}

// Open loads the module, logs in and finds the key and its certificate, which is checked by
// signer.Check. The errors are ErrPIN, ErrNoKey, *signer.RefusedError, and signer.ErrUnavailable if
// module or token are not there.
func Open(cfg Config) (*Token, error) {
	t, c, err := load(cfg)
	if err != nil {
		return nil, err
	}
	t.shared.gate.RLock()
	err = t.identify(c)
	t.shared.gate.RUnlock()
	if err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

// load loads the module, logs in and finds the key.
func load(cfg Config) (*Token, *connection, error) {
	if cfg.MaxSessions <= 0 {
		cfg.MaxSessions = 8
	}
	pin, err := readPIN(cfg)
	if err != nil {
		return nil, nil, err
	}
	module := pkcs11.New(cfg.URI.Module)
	if module == nil {
		return nil, nil, fmt.Errorf("pkcs11: %w: %s cannot be loaded", signer.ErrUnavailable, cfg.URI.Module)
	}
	t := &Token{cfg: cfg, module: module, pin: pin, shared: sharedBy(cfg.URI.Module)}
	c, err := t.guardedConnection()
	if errors.Is(err, errAbsent) && t.restart() {
		c, err = t.guardedConnection()
	}
	if err != nil {
		return nil, nil, err
	}
	t.slots = make(chan struct{}, t.sessions(c.slot))
	return t, c, nil
}

// readPIN reads the PIN file as a whole, without the newline at its end.
func readPIN(cfg Config) ([]byte, error) {
	if cfg.PIN != nil || cfg.URI.PINFile == "" {
		return bytes.Clone(cfg.PIN), nil
	}
	info, err := os.Stat(cfg.URI.PINFile)
	if err != nil {
		return nil, fmt.Errorf("pkcs11: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("pkcs11: %w: others may read %s; run: chmod 600 %s", ErrPIN, cfg.URI.PINFile, cfg.URI.PINFile)
	}
	pin, err := os.ReadFile(cfg.URI.PINFile)
	return bytes.TrimRight(pin, "\r\n"), err
}

// Identity returns the key with its certificate.
func (t *Token) Identity() signer.Identity { return t.identity }

// Close ends the sessions. The module stays loaded, for others may use it.
func (t *Token) Close() error {
	t.shared.gate.RLock()
	defer t.shared.gate.RUnlock()
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.link
	t.link, t.pin = nil, nil
	if c == nil {
		return nil
	}
	return c.end(t.module, c.epoch != t.shared.epoch)
}

// guardedConnection is connection for who does not hold the module yet.
func (t *Token) guardedConnection() (*connection, error) {
	t.shared.gate.RLock()
	defer t.shared.gate.RUnlock()
	return t.connection()
}

// connection returns the login, making one if there is none, or if the module was restarted
// since. The caller holds the module (shared.gate).
func (t *Token) connection() (*connection, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link != nil && t.link.epoch == t.shared.epoch {
		return t.link, nil
	}
	if t.link != nil {
		_ = t.link.end(t.module, true) // nothing is left to be closed
		t.link = nil
	}
	if t.pin == nil {
		return nil, fmt.Errorf("pkcs11: %w", ErrPIN)
	}
	c, err := t.connect()
	if errors.Is(err, ErrPIN) {
		t.pin = nil // a second wrong try could lock the token
	}
	if err != nil {
		return nil, err
	}
	t.link = c
	return c, nil
}

// drop forgets a login that was lost, unless another was made meanwhile.
func (t *Token) drop(c *connection, cause error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.link == c {
		t.link = nil
		_ = c.end(t.module, gone(cause)) // it is lost already
	}
}

func (t *Token) connect() (*connection, error) {
	if err := t.module.Initialize(); err != nil && !is(err, pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED) {
		return nil, wrap("initialise", err)
	}
	slot, err := t.findSlot()
	if err != nil {
		return nil, err
	}
	session, err := t.module.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return nil, wrap("open session", err)
	}
	c := &connection{slot: slot, anchor: session, epoch: t.shared.epoch}
	if err = t.module.Login(session, pkcs11.CKU_USER, string(t.pin)); err != nil && !is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		_ = t.module.CloseSession(session)
		return nil, wrap("log in", err)
	}
	if c.key, err = t.findKey(session); err == nil {
		c.always = t.flag(session, c.key, pkcs11.CKA_ALWAYS_AUTHENTICATE)
		return c, nil
	}
	_ = t.module.CloseSession(session)
	return nil, err
}

func (t *Token) findSlot() (uint, error) {
	slots, err := t.module.GetSlotList(true)
	if err != nil {
		return 0, wrap("list slots", err)
	}
	u := t.cfg.URI
	matches := func(want, have string) bool { return want == "" || want == strings.TrimRight(have, " \x00") }
	for _, slot := range slots {
		info, err := t.module.GetTokenInfo(slot)
		if err != nil || (u.Slot >= 0 && uint(u.Slot) != slot) {
			continue
		}
		if matches(u.Token, info.Label) && matches(u.Serial, info.SerialNumber) && matches(u.Manufacturer, info.ManufacturerID) && matches(u.Model, info.Model) {
			return slot, nil
		}
	}
	return 0, fmt.Errorf("pkcs11: token %q: %w: %w", u.Token+u.Serial, signer.ErrUnavailable, errAbsent)
}

// sessions is how many sessions may be in use at a time, beside the one that holds the login.
func (t *Token) sessions(slot uint) int {
	n := t.cfg.MaxSessions
	// CK_EFFECTIVELY_INFINITE is 0, CK_UNAVAILABLE_INFORMATION all ones
	if info, err := t.module.GetTokenInfo(slot); err == nil && info.MaxSessionCount > 1 && info.MaxSessionCount < 1<<16 {
		n = min(n, int(info.MaxSessionCount)-1)
	}
	return n
}

func (t *Token) findKey(s pkcs11.SessionHandle) (pkcs11.ObjectHandle, error) {
	template := []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PRIVATE_KEY)}
	if t.cfg.URI.Object != "" {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_LABEL, t.cfg.URI.Object))
	}
	if len(t.cfg.URI.ID) > 0 {
		template = append(template, pkcs11.NewAttribute(pkcs11.CKA_ID, t.cfg.URI.ID))
	}
	found, err := t.find(s, template)
	if err != nil {
		return 0, err
	}
	if len(found) != 1 {
		return 0, fmt.Errorf("pkcs11: %w: %d private keys match", ErrNoKey, len(found))
	}
	return found[0], nil
}

func (t *Token) find(s pkcs11.SessionHandle, template []*pkcs11.Attribute) ([]pkcs11.ObjectHandle, error) {
	if err := t.module.FindObjectsInit(s, template); err != nil {
		return nil, wrap("find objects", err)
	}
	found, _, err := t.module.FindObjects(s, 100)
	if err := errors.Join(err, t.module.FindObjectsFinal(s)); err != nil {
		return nil, wrap("find objects", err)
	}
	return found, nil
}

func (t *Token) flag(s pkcs11.SessionHandle, o pkcs11.ObjectHandle, attribute uint) bool {
	a, err := t.module.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
	return err == nil && len(a) == 1 && len(a[0].Value) == 1 && a[0].Value[0] != 0
}

// identify finds the key's certificate and checks that the pair may sign.
func (t *Token) identify(c *connection) error {
	certs, err := t.certificates(c.anchor)
	if err != nil {
		return err
	}
	cert := t.cfg.Certificate
	if cert == nil {
		if cert, err = t.certificateOfKey(c); err != nil {
			return err
		}
	}
	id := signer.Identity{Key: &key{token: t, public: cert.PublicKey}, Certificate: cert}
	id.Chain = signer.OrderChain(cert, append(append([]*x509.Certificate{}, t.cfg.Chain...), certs...))
	if err := t.tryKey(id.Key, cert.PublicKey, cert.Subject.String()); err != nil {
		return err
	}
	t.identity, err = signer.Guard(id, t.cfg.Clock)
	return err
}

// certificates reads the certificates in the token.
func (t *Token) certificates(s pkcs11.SessionHandle) ([]*x509.Certificate, error) {
	found, err := t.find(s, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE)})
	if err != nil {
		return nil, err
	}
	var certs []*x509.Certificate
	for _, o := range found {
		if cert := t.certificate(s, o); cert != nil {
			certs = append(certs, cert)
		}
	}
	return certs, nil
}

func (t *Token) certificate(s pkcs11.SessionHandle, o pkcs11.ObjectHandle) *x509.Certificate {
	a, err := t.module.GetAttributeValue(s, o, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_VALUE, nil)})
	if err != nil || len(a) != 1 {
		return nil
	}
	cert, err := x509.ParseCertificate(a[0].Value)
	if err != nil {
		return nil
	}
	return cert
}

// certificateOfKey returns the certificate with the key's CKA_ID. Tokens keep those of
// earlier years too: the one that ends last is meant.
func (t *Token) certificateOfKey(c *connection) (*x509.Certificate, error) {
	a, err := t.module.GetAttributeValue(c.anchor, c.key, []*pkcs11.Attribute{pkcs11.NewAttribute(pkcs11.CKA_ID, nil)})
	if err != nil || len(a) != 1 {
		return nil, fmt.Errorf("pkcs11: %w: the key has no CKA_ID", ErrNoKey)
	}
	found, err := t.find(c.anchor, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_CERTIFICATE), pkcs11.NewAttribute(pkcs11.CKA_ID, a[0].Value)})
	if err != nil {
		return nil, err
	}
	var best *x509.Certificate
	for _, o := range found {
		if cert := t.certificate(c.anchor, o); cert != nil && !cert.IsCA && (best == nil || cert.NotAfter.After(best.NotAfter)) {
			best = cert
		}
	}
	if best == nil {
		return nil, fmt.Errorf("pkcs11: %w: the token has no certificate for the key; give one", ErrNoKey)
	}
	return best, nil
}

func is(err error, code uint) bool {
	var e pkcs11.Error
	return errors.As(err, &e) && uint(e) == code
}

// wrap makes a module's error ours.
func wrap(what string, err error) error {
	kind := signer.ErrUnavailable
	for _, code := range []uint{pkcs11.CKR_PIN_INCORRECT, pkcs11.CKR_PIN_LOCKED, pkcs11.CKR_PIN_EXPIRED, pkcs11.CKR_PIN_INVALID, pkcs11.CKR_PIN_LEN_RANGE} {
		if is(err, code) {
			kind = ErrPIN
		}
	}
	for _, code := range []uint{pkcs11.CKR_KEY_FUNCTION_NOT_PERMITTED, pkcs11.CKR_KEY_TYPE_INCONSISTENT, pkcs11.CKR_MECHANISM_INVALID, pkcs11.CKR_MECHANISM_PARAM_INVALID} {
		if is(err, code) {
			kind = signer.ErrKeyRefused
		}
	}
	return fmt.Errorf("pkcs11: %s: %w: %w", what, kind, err)
}
