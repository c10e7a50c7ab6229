package csc

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"math/big"

	"github.com/saoy/saoy/signer"
)

// Credential is a key at the service with its certificate (§11.5).
type Credential struct {
	ID          string
	Description string
	// Algorithms are the identifiers of the algorithms the key may be used with.
	Algorithms []string
	// Mode is "implicit", "explicit" (by data) or "oauth2code" (on the service's page).
	Mode string
	// Factors are the identifiers of the data that explicit authorisation wants, and Expression
	// how they combine, such as "PIN AND OTP"; empty: all of them.
	Factors    []string
	Expression string
	// SCAL is 1 or 2 (EN 419 241-1): at 2 an authorisation is bound to the digests. Those are
	// always sent here.
	SCAL int
	// MultiSign is how many signatures one authorisation may cover; at least 1.
	MultiSign   int
	Certificate *x509.Certificate
	Chain       []*x509.Certificate
}

type credentialAnswer struct {
	Description string `json:"description"`
	Key         struct {
		Status string   `json:"status"`
		Algo   []string `json:"algo"`
	} `json:"key"`
	Cert struct {
		Status       string   `json:"status"`
		Certificates []string `json:"certificates"`
		SerialNumber string   `json:"serialNumber"`
	} `json:"cert"`
	Auth struct {
		Mode       string `json:"mode"`
		Expression string `json:"expression"`
		Objects    []struct {
			ID string `json:"id"`
		} `json:"objects"`
	} `json:"auth"`
	SCAL      string `json:"SCAL"`
	MultiSign int    `json:"multisign"`
}

// Credential asks for a credential. One whose key is disabled or whose certificate the
// service calls expired, revoked or suspended is signer.ErrKeyRefused.
func (c *Client) Credential(ctx context.Context, id string) (Credential, error) {
	in := map[string]any{"credentialID": id, "certificates": "chain", "certInfo": true, "authInfo": true}
	var out credentialAnswer
	if _, err := c.call(ctx, "credentials/info", in, &out); err != nil {
		return Credential{}, err
	}
	return out.credential(id)
}

// credential judges an answer and reads its certificates.
func (out credentialAnswer) credential(id string) (Credential, error) {
	if out.Key.Status != "enabled" {
		return Credential{}, fmt.Errorf("csc: %w: key %q is %q", signer.ErrKeyRefused, id, out.Key.Status)
	}
	if s := out.Cert.Status; s != "" && s != "valid" {
		return Credential{}, fmt.Errorf("csc: %w: certificate of %q is %q", signer.ErrKeyRefused, id, s)
	}
	cred := Credential{ID: id, Description: out.Description, Algorithms: out.Key.Algo, Mode: out.Auth.Mode, MultiSign: max(out.MultiSign, 1),
		Expression: out.Auth.Expression, SCAL: 1}
	if out.SCAL == "2" {
		cred.SCAL = 2
	}
	for _, o := range out.Auth.Objects {
		cred.Factors = append(cred.Factors, o.ID)
	}
	certs, err := parseCertificates(out.Cert.Certificates)
	if err != nil {
		return Credential{}, err
	}
	if !isSerial(certs[0], out.Cert.SerialNumber) {
		return Credential{}, fmt.Errorf("csc: credentials/info: %w: certificate %x is said to be %q", ErrProtocol, certs[0].SerialNumber, short(out.Cert.SerialNumber))
	}
	cred.Certificate, cred.Chain = certs[0], signer.OrderChain(certs[0], certs[1:])
	return cred, nil
}

// isSerial compares a serial number with what certInfo says, in hexadecimal; empty: nothing.
func isSerial(cert *x509.Certificate, said string) bool {
	n, ok := new(big.Int).SetString(said, 16)
	return said == "" || (ok && n.Cmp(cert.SerialNumber) == 0)
}

// Challenge asks for what a factor is answered with: a question, or, if empty, a one-time
// password that the service now sends to the official (§11.8).
func (c *Client) Challenge(ctx context.Context, credentialID, factor string) (string, error) {
	var out struct {
		Challenge string `json:"challenge"`
	}
	_, err := c.call(ctx, "credentials/getChallenge", map[string]any{"credentialID": credentialID, "authObjectID": factor}, &out)
	return out.Challenge, err
}

// parseCertificates reads the chain: Base64 of DER, the signer's first.
func parseCertificates(encoded []string) ([]*x509.Certificate, error) {
	if len(encoded) == 0 || len(encoded) > 20 {
		return nil, fmt.Errorf("csc: credentials/info: %w: %d certificates", ErrProtocol, len(encoded))
	}
	var certs []*x509.Certificate
	for _, s := range encoded {
		der, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return nil, fmt.Errorf("csc: credentials/info: %w: %w", ErrProtocol, err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, fmt.Errorf("csc: credentials/info: %w: %w", ErrProtocol, err)
		}
		certs = append(certs, cert)
	}
	return certs, nil
}
