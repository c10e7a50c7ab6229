package csc

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"slices"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
)

// Open returns a credential as an identity whose key authorises and signs at the service, and
// checks before each use that the certificate is valid (signer.Guard). Each signature is
// an authorisation of its own; use SignBatch for several.
func (c *Client) Open(ctx context.Context, credentialID string) (signer.Identity, error) {
	cred, err := c.Credential(ctx, credentialID)
	if err != nil {
		return signer.Identity{}, err
	}
	id := signer.Identity{Key: &key{client: c, credential: cred}, Certificate: cred.Certificate, Chain: cred.Chain}
	return signer.Guard(id, c.cfg.Clock)
}

type key struct {
	client     *Client
	credential Credential
}

var _ signer.Key = (*key)(nil)

// Public returns the public key.
func (k *key) Public() crypto.PublicKey { return k.credential.Certificate.PublicKey }

// Sign has the service sign one digest; see signer.Key.
func (k *key) Sign(ctx context.Context, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	signatures, err := k.client.SignBatch(ctx, k.credential, [][]byte{digest}, opts)
	if err != nil {
		return nil, err
	}
	return signatures[0], nil
}

// SignBatch has the service sign digests under one authorisation, at most MultiSign of them,
// and returns the signatures in their order, each verified. Nothing is authorised for an
// algorithm that the key does not have (signer.ErrKeyRefused). After ErrUnavailable an
// authorisation may be used up; the same digests may be signed again with another.
func (c *Client) SignBatch(ctx context.Context, cred Credential, digests [][]byte, opts crypto.SignerOpts) ([][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(digests) == 0 || len(digests) > cred.MultiSign {
		return nil, fmt.Errorf("csc: %w: %d signatures under one authorisation, at most %d", signer.ErrKeyRefused, len(digests), cred.MultiSign)
	}
	alg, err := algorithmOf(cred.Certificate.PublicKey, opts)
	if err != nil {
		return nil, err
	}
	request, err := signRequest(cred, alg, digests)
	if err != nil {
		return nil, err
	}
	sad, err := c.authorize(ctx, cred, Digests{Hash: alg.Hash, Values: digests}, request)
	if err != nil {
		return nil, err
	}
	request["SAD"] = string(sad)
	values, err := c.signHash(ctx, request)
	if err != nil {
		return nil, err
	}
	return verified(cred, alg, digests, values)
}

// SignAll has the service sign any number of digests, with as few authorisations as the
// credential allows. With an error it returns the signatures made so far.
func (c *Client) SignAll(ctx context.Context, cred Credential, digests [][]byte, opts crypto.SignerOpts) ([][]byte, error) {
	var all [][]byte
	for batch := range slices.Chunk(digests, max(cred.MultiSign, 1)) {
		signatures, err := c.SignBatch(ctx, cred, batch, opts)
		if err != nil {
			return all, err
		}
		all = append(all, signatures...)
	}
	return all, nil
}

// signHash calls signatures/signHash (§11.10). Where the service signs in its own time it is
// asked until it has (§11.12).
func (c *Client) signHash(ctx context.Context, request map[string]any) ([]string, error) {
	request["operationMode"] = "S"
	if c.cfg.Async {
		request["operationMode"] = "A"
		request["validity_period"] = c.cfg.Patience.Milliseconds()
	}
	var out struct {
		Signatures []string `json:"signatures"`
		ResponseID string   `json:"responseID"`
	}
	if _, err := c.call(ctx, "signatures/signHash", request, &out); err != nil {
		return nil, err
	}
	if out.ResponseID == "" {
		return out.Signatures, nil
	}
	err := c.poll(ctx, func(ctx context.Context) (int, error) {
		return c.call(ctx, "signatures/signPolling", map[string]any{"requestID": out.ResponseID}, &out)
	})
	return out.Signatures, err
}

func algorithmOf(pub crypto.PublicKey, opts crypto.SignerOpts) (cms.Algorithm, error) {
	pss, isPSS := opts.(*rsa.PSSOptions)
	alg := cms.Algorithm{Hash: opts.HashFunc()}
	switch pub.(type) {
	case *ecdsa.PublicKey:
		alg.Scheme = cms.ECDSA
	case *rsa.PublicKey:
		alg.Scheme = cms.RSAPKCS1
		if isPSS {
			alg.Scheme = cms.RSAPSS
			alg.SaltLength = max(pss.SaltLength, 0) // the named lengths are that of the hash here
		}
	}
	if _, err := alg.OID(); err != nil {
		return alg, fmt.Errorf("csc: %w: %w", signer.ErrKeyRefused, err)
	}
	return alg, nil
}

// rsaEncryption, with the hash given beside it, is how some services name PKCS #1 v1.5.
const rsaEncryption = "1.2.840.113549.1.1.1"

// signRequest makes the parameters of signatures/signHash (§11.10) but for the SAD.
func signRequest(cred Credential, alg cms.Algorithm, digests [][]byte) (map[string]any, error) {
	oid, err := alg.OID()
	if err != nil {
		return nil, err
	}
	name := oid.String()
	if !slices.Contains(cred.Algorithms, name) && alg.Scheme == cms.RSAPKCS1 {
		name = rsaEncryption
	}
	if !slices.Contains(cred.Algorithms, name) {
		return nil, fmt.Errorf("csc: %w: the key is not for %s", signer.ErrKeyRefused, alg)
	}
	hash, err := cms.HashOID(alg.Hash)
	if err != nil {
		return nil, err
	}
	encoded := make([]string, len(digests))
	for i, d := range digests {
		if len(d) != alg.Hash.Size() {
			return nil, fmt.Errorf("csc: %w: %d bytes are no %s digest", signer.ErrKeyRefused, len(d), alg.Hash)
		}
		encoded[i] = base64.StdEncoding.EncodeToString(d)
	}
	request := map[string]any{
		"credentialID": cred.ID, "hashes": encoded, "hashAlgorithmOID": hash.String(), "signAlgo": name,
	}
	if alg.Scheme == cms.RSAPSS {
		params, err := alg.PSSParameters()
		if err != nil {
			return nil, err
		}
		request["signAlgoParams"] = base64.StdEncoding.EncodeToString(params)
	}
	return request, nil
}

// authorize gets the signature activation data for exactly these digests: by data (§11.6), or
// on the service's page (§8.4).
func (c *Client) authorize(ctx context.Context, cred Credential, d Digests, request map[string]any) (Secret, error) {
	if cred.Mode == "oauth2code" {
		if c.cfg.Consent == nil {
			return "", fmt.Errorf("csc: %w", ErrInteractive)
		}
		return c.cfg.Consent(ctx, cred, d)
	}
	in := map[string]any{
		"credentialID": cred.ID, "numSignatures": len(d.Values), "hashes": request["hashes"], "hashAlgorithmOID": request["hashAlgorithmOID"],
	}
	if cred.Mode == "explicit" {
		if c.cfg.Authorize == nil {
			return "", fmt.Errorf("csc: %w: the credential wants %v", ErrAuthorization, cred.Factors)
		}
		factors, err := c.cfg.Authorize(ctx, cred, len(d.Values))
		if err != nil {
			return "", fmt.Errorf("csc: %w", err)
		}
		in["authData"] = factors
	}
	return c.activation(ctx, in)
}

// activation calls credentials/authorize. While the official still decides, on his telephone
// for example, the service is asked again and again (§11.7). With implicit authorisation no factors
// are sent: it asks the official by itself.
func (c *Client) activation(ctx context.Context, in map[string]any) (Secret, error) {
	var out struct {
		SAD    Secret `json:"SAD"`
		Handle string `json:"handle"`
	}
	method := "credentials/authorize"
	err := c.poll(ctx, func(ctx context.Context) (int, error) {
		status, err := c.call(ctx, method, in, &out)
		if err == nil && status == http.StatusAccepted && out.Handle == "" {
			return status, fmt.Errorf("csc: %s: %w: accepted without a handle", method, ErrProtocol)
		}
		method, in = "credentials/authorizeCheck", map[string]any{"handle": out.Handle}
		return status, err
	})
	if err != nil {
		return "", err
	}
	if out.SAD == "" {
		return "", fmt.Errorf("csc: %s: %w", method, ErrInteractive)
	}
	return out.SAD, nil
}

// verified decodes the signatures and verifies each over its own digest, so that an exchange of
// order does not go unseen.
func verified(cred Credential, alg cms.Algorithm, digests [][]byte, encoded []string) ([][]byte, error) {
	if len(encoded) != len(digests) {
		return nil, fmt.Errorf("csc: signatures/signHash: %w: %d signatures for %d digests", ErrProtocol, len(encoded), len(digests))
	}
	signatures := make([][]byte, len(encoded))
	for i, s := range encoded {
		value, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("csc: signatures/signHash: %w: %w", ErrProtocol, err)
		}
		if signatures[i], err = verifyOne(cred, alg, digests[i], value); err != nil {
			return nil, err
		}
	}
	return signatures, nil
}

// verifyOne takes ECDSA signatures in DER and as two numbers in a row: services differ.
func verifyOne(cred Credential, alg cms.Algorithm, digest, value []byte) ([]byte, error) {
	pub := cred.Certificate.PublicKey
	err := alg.Verify(pub, digest, value)
	if err == nil {
		return value, nil
	}
	if k, ok := pub.(*ecdsa.PublicKey); ok && len(value) == 2*((k.Curve.Params().BitSize+7)/8) {
		half := len(value) / 2
		der, marshalErr := asn1.Marshal(struct{ R, S *big.Int }{new(big.Int).SetBytes(value[:half]), new(big.Int).SetBytes(value[half:])})
		if marshalErr == nil && alg.Verify(pub, digest, der) == nil {
			return der, nil
		}
	}
	return nil, &signer.RefusedError{Reason: signer.ReasonMismatch, Detail: fmt.Sprintf("the service's signature does not fit certificate %s: %v", cred.Certificate.Subject, err)}
}
