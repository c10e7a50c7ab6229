//go:build cgo

package pkcs11

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"

	"github.com/miekg/pkcs11"

	"github.com/saoy/saoy/signer"
)

// OpenKey opens a key that has no certificate yet, so that one can be requested. The public
// key is read from the token, where it has the private key's CKA_ID, and proven by a signature to
// belong to it; nothing else is checked. The errors are those of Open.
func OpenKey(cfg Config) (*Token, signer.Key, error) {
	t, c, err := load(cfg)
	if err != nil {
		return nil, nil, err
	}
	t.shared.gate.RLock()
	defer t.shared.gate.RUnlock()
	k := &key{token: t}
	if k.public, err = t.publicKey(c); err == nil {
		err = t.tryKey(k, k.public, "the public key")
	}
	if err != nil {
		return nil, nil, errors.Join(err, t.Close())
	}
	return t, k, nil
}

// publicKey reads the public key object that goes with the private key.
func (t *Token) publicKey(c *connection) (crypto.PublicKey, error) {
	id, err := t.attribute(c, c.key, pkcs11.CKA_ID)
	if err != nil {
		return nil, err
	}
	found, err := t.find(c.anchor, []*pkcs11.Attribute{
		pkcs11.NewAttribute(pkcs11.CKA_CLASS, pkcs11.CKO_PUBLIC_KEY), pkcs11.NewAttribute(pkcs11.CKA_ID, id)})
	if err != nil {
		return nil, err
	}
	if len(found) != 1 {
		return nil, fmt.Errorf("pkcs11: %w: %d public keys have its CKA_ID", ErrNoKey, len(found))
	}
	if modulus, err := t.attribute(c, found[0], pkcs11.CKA_MODULUS); err == nil && len(modulus) > 0 {
		return t.rsaKey(c, found[0], modulus)
	}
	return t.ecdsaKey(c, found[0])
}

func (t *Token) attribute(c *connection, o pkcs11.ObjectHandle, attribute uint) ([]byte, error) {
	a, err := t.module.GetAttributeValue(c.anchor, o, []*pkcs11.Attribute{pkcs11.NewAttribute(attribute, nil)})
	if err != nil {
		return nil, wrap("read the key", err)
	}
	if len(a) != 1 {
		return nil, fmt.Errorf("pkcs11: %w: it lacks attribute %#x", ErrNoKey, attribute)
	}
	return a[0].Value, nil
}

func (t *Token) rsaKey(c *connection, o pkcs11.ObjectHandle, modulus []byte) (crypto.PublicKey, error) {
	e, err := t.attribute(c, o, pkcs11.CKA_PUBLIC_EXPONENT)
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, fmt.Errorf("pkcs11: %w: public exponent of %d bits", signer.ErrKeyRefused, exponent.BitLen())
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(modulus), E: int(exponent.Int64())}, nil
}

// namedCurves are the curves that keys may be on, by CKA_EC_PARAMS (RFC 5480 §2.1.1.1).
var namedCurves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(),
	"1.3.132.0.34":        elliptic.P384(),
	"1.3.132.0.35":        elliptic.P521(),
}

func (t *Token) ecdsaKey(c *connection, o pkcs11.ObjectHandle) (crypto.PublicKey, error) {
	params, err := t.attribute(c, o, pkcs11.CKA_EC_PARAMS)
	if err != nil {
		return nil, err
	}
	point, err := t.attribute(c, o, pkcs11.CKA_EC_POINT)
	if err != nil {
		return nil, err
	}
	var oid asn1.ObjectIdentifier
	var uncompressed []byte // PKCS #11 v2.40 §2.3.3: a DER OCTET STRING
	_, err = asn1.Unmarshal(params, &oid)
	if _, octets := asn1.Unmarshal(point, &uncompressed); octets != nil {
		uncompressed = point // some tokens leave the wrapping out
	}
	curve := namedCurves[oid.String()]
	if err != nil || curve == nil {
		return nil, fmt.Errorf("pkcs11: %w: unknown curve", signer.ErrKeyRefused)
	}
	public, err := ecdsa.ParseUncompressedPublicKey(curve, uncompressed)
	if err != nil {
		return nil, fmt.Errorf("pkcs11: %w: public key: %w", signer.ErrKeyRefused, err)
	}
	return public, nil
}
