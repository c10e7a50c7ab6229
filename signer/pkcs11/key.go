//go:build cgo

package pkcs11

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/miekg/pkcs11"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

// key is the private key in the token.
type key struct {
	token  *Token
	public crypto.PublicKey
}

var _ signer.Key = (*key)(nil)

// Public returns the public key.
func (k *key) Public() crypto.PublicKey { return k.public }

// Sign has the token sign a digest; see signer.Key. A module cannot be interrupted: when the
// context ends, Sign returns and the call ends by itself. A lost session or token is looked
// for again once; what is then still missing is signer.ErrUnavailable.
func (k *key) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	mechanism, input, err := k.mechanism(digest, opts)
	if err != nil {
		return nil, err
	}
	select {
	case k.token.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if err := ctx.Err(); err != nil {
		<-k.token.slots
		return nil, err
	}
	type result struct {
		signature []byte
		err       error
	}
	done := make(chan result, 1)
	go func() { // ends when the module returns
		defer func() { <-k.token.slots }()
		s, err := k.token.sign(mechanism, input)
		done <- result{s, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return nil, r.err
		}
		return k.encode(r.signature)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// digestInfo is the DER before the digest in a PKCS #1 v1.5 signature (RFC 8017 §9.2).
var digestInfo = map[crypto.Hash][]byte{
	crypto.SHA256: {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20},
	crypto.SHA384: {0x30, 0x41, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x02, 0x05, 0x00, 0x04, 0x30},
	crypto.SHA512: {0x30, 0x51, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x03, 0x05, 0x00, 0x04, 0x40},
}

var pssHashes = map[crypto.Hash][2]uint{
	crypto.SHA256: {pkcs11.CKM_SHA256, pkcs11.CKG_MGF1_SHA256},
	crypto.SHA384: {pkcs11.CKM_SHA384, pkcs11.CKG_MGF1_SHA384},
	crypto.SHA512: {pkcs11.CKM_SHA512, pkcs11.CKG_MGF1_SHA512},
}

// mechanism chooses what to ask of the module, and the bytes to give it.
func (k *key) mechanism(digest []byte, opts crypto.SignerOpts) (*pkcs11.Mechanism, []byte, error) {
	h := opts.HashFunc()
	prefix, known := digestInfo[h]
	if !known || len(digest) != h.Size() {
		return nil, nil, fmt.Errorf("pkcs11: %w: %d bytes are no digest of %s", signer.ErrKeyRefused, len(digest), h)
	}
	pss, isPSS := opts.(*rsa.PSSOptions)
	switch k.public.(type) {
	case *ecdsa.PublicKey:
		return pkcs11.NewMechanism(pkcs11.CKM_ECDSA, nil), digest, nil
	case *rsa.PublicKey:
		if !isPSS {
			return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS, nil), append(append([]byte{}, prefix...), digest...), nil
		}
		salt := pss.SaltLength
		if salt == rsa.PSSSaltLengthEqualsHash || salt == rsa.PSSSaltLengthAuto {
			salt = h.Size()
		}
		if salt < 0 || salt > 512 {
			return nil, nil, fmt.Errorf("pkcs11: %w: salt of %d bytes", signer.ErrKeyRefused, salt)
		}
		params := pkcs11.NewPSSParams(pssHashes[h][0], pssHashes[h][1], uint(salt))
		return pkcs11.NewMechanism(pkcs11.CKM_RSA_PKCS_PSS, params), digest, nil
	}
	return nil, nil, fmt.Errorf("pkcs11: %w: key of type %T", signer.ErrKeyRefused, k.public)
}

// encode makes DER of the two numbers that PKCS #11 gives for ECDSA.
func (k *key) encode(signature []byte) ([]byte, error) {
	if _, ok := k.public.(*ecdsa.PublicKey); !ok {
		return signature, nil
	}
	if len(signature) == 0 || len(signature)%2 != 0 {
		return nil, errors.New("pkcs11: malformed ECDSA signature")
	}
	half := len(signature) / 2
	return asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])})
}

// maxLogins bounds how often a lost login is made anew for one signature: more than once only
// if it is lost again meanwhile.
const maxLogins = 3

// sign signs, over a new login if the old one was lost, and asks the module to look for a token
// that it does not see.
func (t *Token) sign(m *pkcs11.Mechanism, input []byte) ([]byte, error) {
	var err error
	for range maxLogins {
		var signature []byte
		if signature, err = t.attempt(m, input); err == nil {
			return signature, nil
		}
		if !lost(err) && (!errors.Is(err, errAbsent) || !t.restart()) {
			break
		}
	}
	return nil, err
}

// attempt signs over the login there is, or over a new one.
func (t *Token) attempt(m *pkcs11.Mechanism, input []byte) ([]byte, error) {
	t.shared.gate.RLock()
	defer t.shared.gate.RUnlock()
	c, err := t.connection()
	if err != nil {
		return nil, err
	}
	signature, err := t.signOver(c, m, input)
	if err != nil && lost(err) {
		t.drop(c, err)
	}
	return signature, err
}

// sessionsEnded are the errors after which the module knows our sessions no more.
var sessionsEnded = []uint{
	pkcs11.CKR_CRYPTOKI_NOT_INITIALIZED, pkcs11.CKR_SESSION_HANDLE_INVALID, pkcs11.CKR_SESSION_CLOSED,
	pkcs11.CKR_TOKEN_NOT_PRESENT, pkcs11.CKR_DEVICE_REMOVED, pkcs11.CKR_TOKEN_NOT_RECOGNIZED, pkcs11.CKR_SLOT_ID_INVALID,
}

// gone tells that the module has ended the sessions by itself.
func gone(err error) bool {
	return slices.ContainsFunc(sessionsEnded, func(code uint) bool { return is(err, code) })
}

// lost tells that a session or the token is gone, or the login, so that a new login may help.
func lost(err error) bool {
	for _, code := range []uint{
		pkcs11.CKR_USER_NOT_LOGGED_IN, pkcs11.CKR_OBJECT_HANDLE_INVALID, pkcs11.CKR_KEY_HANDLE_INVALID,
		pkcs11.CKR_OPERATION_NOT_INITIALIZED, pkcs11.CKR_DEVICE_ERROR, pkcs11.CKR_GENERAL_ERROR,
	} {
		if is(err, code) {
			return true
		}
	}
	return gone(err)
}

func (t *Token) signOver(c *connection, m *pkcs11.Mechanism, input []byte) ([]byte, error) {
	s, err := t.take(c)
	if err != nil {
		return nil, err
	}
	signature, err := t.signIn(c, s, m, input)
	if err != nil {
		if !gone(err) {
			_ = t.module.CloseSession(s) // its state is not known
		}
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.gone:
		return signature, nil
	case c.dead:
		_ = t.module.CloseSession(s)
		return signature, nil
	}
	c.idle = append(c.idle, s)
	return signature, nil
}

// take returns an idle session or a new one.
func (t *Token) take(c *connection) (pkcs11.SessionHandle, error) {
	c.mu.Lock()
	if n := len(c.idle); n > 0 {
		s := c.idle[n-1]
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		return s, nil
	}
	c.mu.Unlock()
	s, err := t.module.OpenSession(c.slot, pkcs11.CKF_SERIAL_SESSION)
	if err != nil {
		return 0, wrap("open session", err)
	}
	return s, nil
}

func (t *Token) signIn(c *connection, s pkcs11.SessionHandle, m *pkcs11.Mechanism, input []byte) ([]byte, error) {
	if err := t.module.SignInit(s, []*pkcs11.Mechanism{m}, c.key); err != nil {
		return nil, wrap("sign", err)
	}
	if c.always {
		if err := t.authenticate(s); err != nil {
			return nil, err
		}
	}
	signature, err := t.module.Sign(s, input)
	if err != nil {
		return nil, wrap("sign", err)
	}
	return signature, nil
}

// authenticate gives the PIN for one signature.
func (t *Token) authenticate(s pkcs11.SessionHandle) error {
	t.mu.Lock()
	pin := string(t.pin)
	t.mu.Unlock()
	err := t.module.Login(s, pkcs11.CKU_CONTEXT_SPECIFIC, pin)
	if err == nil || is(err, pkcs11.CKR_USER_ALREADY_LOGGED_IN) {
		return nil
	}
	err = wrap("log in for one signature", err)
	if errors.Is(err, ErrPIN) {
		t.mu.Lock()
		t.pin = nil
		t.mu.Unlock()
	}
	return err
}

// tryKey signs once, so that a public key that belongs to another is found out before anything
// depends on it: PKCS #11 has no sure way to get the public key of a private one.
func (t *Token) tryKey(k signer.Key, public crypto.PublicKey, owner string) error {
	alg, err := cms.AlgorithmFor(public, false)
	if err != nil {
		return fmt.Errorf("pkcs11: %w: %w", signer.ErrKeyRefused, err)
	}
	sum := sha256.Sum256([]byte("saoy: does this key belong to this certificate?"))
	alg.Hash = crypto.SHA256
	signature, err := k.Sign(context.Background(), sum[:], alg.SignerOpts())
	if err != nil {
		return err
	}
	if err := alg.Verify(public, sum[:], signature); err != nil {
		return &signer.RefusedError{Reason: signer.ReasonMismatch, Detail: fmt.Sprintf("%s is for another key than the token's", owner)}
	}
	return nil
}
