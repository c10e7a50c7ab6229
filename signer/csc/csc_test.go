package csc_test

import (
	"context"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/csc"
	"github.com/saoy/saoy/signer/signertest"
)

func (s *service) client(t testing.TB, change func(*csc.Config)) *csc.Client {
	t.Helper()
	cfg := csc.Config{
		BaseURL: s.url, Clock: time.Now, Timeout: 5 * time.Second,
		Token: func(context.Context) (csc.Secret, error) { return token, nil },
		Authorize: func(_ context.Context, c csc.Credential, n int) ([]csc.Factor, error) {
			return []csc.Factor{{ID: c.Factors[0], Value: pin}}, nil
		},
	}
	if change != nil {
		change(&cfg)
	}
	c, err := csc.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (s *service) set(fault string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = fault
}

func TestKeySuite(t *testing.T) {
	for _, kind := range []signertest.KeyType{signertest.P256, signertest.P384, signertest.RSA2048, signertest.RSA4096} {
		t.Run(string(kind), func(t *testing.T) {
			c := newService(t, kind).client(t, nil)
			signertest.KeySuite(t, func(t *testing.T) signer.Identity {
				id, err := c.Open(t.Context(), credentialID)
				if err != nil {
					t.Fatal(err)
				}
				if len(id.Chain) != 2 {
					t.Errorf("chain of %d", len(id.Chain))
				}
				return id
			})
		})
	}
}

// TestServicesDiffer: ECDSA as two numbers, rsaEncryption as algorithm, implicit authorisation.
func TestServicesDiffer(t *testing.T) {
	s := newService(t, signertest.P256)
	s.set("raw ECDSA")
	if err := signOne(t, s.client(t, nil)); err != nil {
		t.Errorf("raw ECDSA: %v", err)
	}
	s = newService(t, signertest.RSA2048)
	s.algorithms = []string{"1.2.840.113549.1.1.1"}
	if err := signOne(t, s.client(t, nil)); err != nil {
		t.Errorf("rsaEncryption: %v", err)
	}
	s = newService(t, signertest.P256)
	s.mode = "implicit"
	if err := signOne(t, s.client(t, func(c *csc.Config) { c.Authorize = nil })); err != nil {
		t.Errorf("implicit: %v", err)
	}
}

func signOne(t *testing.T, c *csc.Client) error {
	t.Helper()
	id, err := c.Open(t.Context(), credentialID)
	if err != nil {
		return err
	}
	_, err = id.Key.Sign(t.Context(), make([]byte, 32), crypto.SHA256)
	return err
}

func TestBatch(t *testing.T) {
	s := newService(t, signertest.P256)
	c := s.client(t, nil)
	cred, err := c.Credential(t.Context(), credentialID)
	if err != nil {
		t.Fatal(err)
	}
	var digests [][]byte
	for i := range 10 {
		d := sha256.Sum256(fmt.Append(nil, i))
		digests = append(digests, d[:])
	}
	signatures, err := c.SignBatch(t.Context(), cred, digests, crypto.SHA256)
	if err != nil || len(signatures) != 10 || s.calls["credentials/authorize"] != 1 {
		t.Errorf("%v, %d signatures, %d authorisations", err, len(signatures), s.calls["credentials/authorize"])
	}
	if _, err := c.SignBatch(t.Context(), cred, append(digests, digests[0]), crypto.SHA256); !errors.Is(err, signer.ErrKeyRefused) {
		t.Errorf("one too many: %v", err)
	}
	for _, fault := range []string{"swapped", "one less", "forged"} {
		s.set(fault)
		if _, err := c.SignBatch(t.Context(), cred, digests, crypto.SHA256); err == nil {
			t.Errorf("%s was not noticed", fault)
		}
	}
}

func TestFaults(t *testing.T) {
	tests := []struct {
		fault string
		want  error
	}{
		{"credentials/info 503", signer.ErrUnavailable},
		{"credentials/authorize 503", signer.ErrUnavailable},
		{"signatures/signHash 503", signer.ErrUnavailable},
		{"credentials/info garbage", csc.ErrProtocol},
		{"signatures/signHash garbage", csc.ErrProtocol},
		{"disabled", signer.ErrKeyRefused},
		{"revoked", signer.ErrKeyRefused},
		{"no certificates", csc.ErrProtocol},
		{"forged", signer.ErrKeyRefused},
	}
	for _, tt := range tests {
		s := newService(t, signertest.P256)
		s.set(tt.fault)
		if err := signOne(t, s.client(t, nil)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.fault, err)
		}
	}
}

func TestAuthorization(t *testing.T) {
	s := newService(t, signertest.P256)
	tests := []struct {
		name   string
		change func(*csc.Config)
		want   error
	}{
		{"wrong PIN", func(c *csc.Config) {
			c.Authorize = func(context.Context, csc.Credential, int) ([]csc.Factor, error) {
				return []csc.Factor{{ID: "PIN", Value: "0"}}, nil
			}
		}, csc.ErrAuthorization},
		{"no PIN", func(c *csc.Config) { c.Authorize = nil }, csc.ErrAuthorization},
		{"wrong token", func(c *csc.Config) { c.Token = func(context.Context) (csc.Secret, error) { return "x", nil } }, csc.ErrAuthorization},
		{"no token", func(c *csc.Config) {
			c.Token = func(context.Context) (csc.Secret, error) { return "", context.DeadlineExceeded }
		}, context.DeadlineExceeded},
	}
	for _, tt := range tests {
		if err := signOne(t, s.client(t, tt.change)); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if s.wrongPINs != 1 {
		t.Errorf("a wrong PIN was sent %d times", s.wrongPINs)
	}
	s.mode = "oauth2code"
	if err := signOne(t, s.client(t, nil)); !errors.Is(err, csc.ErrInteractive) {
		t.Errorf("oauth2code: %v", err)
	}
	// nothing is authorised for what the key cannot do
	s = newService(t, signertest.RSA2048)
	s.algorithms = []string{"1.2.840.113549.1.1.10"}
	if err := signOne(t, s.client(t, nil)); !errors.Is(err, signer.ErrKeyRefused) || s.calls["credentials/authorize"] != 0 {
		t.Errorf("PKCS #1 v1.5 with a PSS key: %v after %d authorisations", err, s.calls["credentials/authorize"])
	}
}

func TestNewWantsHTTPS(t *testing.T) {
	for _, u := range []string{"http://qtsp.example/csc/v2", "ftp://x", "", "https://"} {
		cfg := csc.Config{BaseURL: u, Clock: time.Now, Token: func(context.Context) (csc.Secret, error) { return "", nil }}
		if _, err := csc.New(cfg); err == nil {
			t.Errorf("%q was accepted", u)
		}
	}
}

func TestInfoAndList(t *testing.T) {
	s := newService(t, signertest.P256)
	c := s.client(t, nil)
	info, err := c.Info(t.Context())
	if err != nil || info.Specs != "2.0.0.2" || len(info.Methods) != 2 {
		t.Errorf("%+v, %v", info, err)
	}
	ids, err := c.Credentials(t.Context())
	if err != nil || len(ids) != 1 || ids[0] != credentialID {
		t.Errorf("%v, %v", ids, err)
	}
}

func TestCancelled(t *testing.T) {
	s := newService(t, signertest.P256)
	id, err := s.client(t, nil).Open(t.Context(), credentialID)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := id.Key.Sign(ctx, make([]byte, 32), crypto.SHA256); !errors.Is(err, context.Canceled) || s.calls["credentials/authorize"] != 0 {
		t.Errorf("%v after %d authorisations", err, s.calls["credentials/authorize"])
	}
}
