package trust

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/saoy/saoy/signer/signertest"
)

func TestBuildPath(t *testing.T) {
	w, stranger := newWorld(t), newWorld(t)
	now := w.clock()
	profile := func(change func(*signertest.Profile)) *x509.Certificate {
		f := signertest.Official("Lê Thị Cúc", "", "", "")
		change(&f)
		return w.issue(t, f)
	}
	own := NewStoreOf(w.pki.Root.Certificate)
	official, err := w.pki.Issue(signertest.Official("Kẻ mạo danh", "", "", ""))
	if err != nil {
		t.Fatal(err)
	}
	forged := w.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: "Forged"}, NotBefore: now.Add(-time.Minute), NotAfter: now.AddDate(1, 0, 0),
	}, official.Certificate, official.Private.Public(), official.Private)
	tests := []struct {
		name    string
		cert    *x509.Certificate
		store   *Store
		purpose Purpose
		want    error
	}{
		{"good", w.official(t), own, Signing, nil},
		{"time-stamping", w.pki.TSA.Certificate, own, TimeStamping, nil},
		{"official as time-stamping authority", w.official(t), own, TimeStamping, ErrKeyUsage},
		{"other root", w.official(t), NewStoreOf(stranger.pki.Root.Certificate), Signing, ErrNoPath},
		{"no anchors", w.official(t), NewStore(), Signing, ErrNoPath},
		{"same names, other keys", stranger.official(t), own, Signing, ErrNoPath},
		{"expired", profile(func(f *signertest.Profile) { f.NotBefore, f.NotAfter = now.Add(-time.Hour), now.Add(-time.Minute) }), own, Signing, ErrExpired},
		{"not yet valid", profile(func(f *signertest.Profile) { f.NotBefore = now.Add(time.Minute) }), own, Signing, ErrNotYetValid},
		{"encipherment only", profile(func(f *signertest.Profile) { f.KeyUsage = x509.KeyUsageKeyEncipherment }), own, Signing, ErrKeyUsage},
		{"RSA-1024", profile(func(f *signertest.Profile) { f.KeyType = signertest.RSA1024 }), own, Signing, ErrWeakKey},
		{"unknown critical extension", profile(func(f *signertest.Profile) {
			f.Extensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999, 1}, Critical: true, Value: []byte{5, 0}}}
		}), own, Signing, ErrConstraints},
		{"issued by an official", forged, own, Signing, ErrConstraints},
		{"anchor not trusted yet", w.official(t), NewStore(Anchor{Certificate: w.pki.Root.Certificate, From: now.Add(time.Hour)}), Signing, ErrNoPath},
		{"anchor no longer trusted", w.official(t), NewStore(Anchor{Certificate: w.pki.Root.Certificate, Until: now}), Signing, ErrNoPath},
		{"anchor for time-stamps only", w.official(t), NewStore(Anchor{Certificate: w.pki.Root.Certificate, Purposes: []Purpose{TimeStamping}}), Signing, ErrNoPath},
		{"anchor for signatures too", w.official(t), NewStore(Anchor{Certificate: w.pki.Root.Certificate, Purposes: []Purpose{TimeStamping, Signing}}), Signing, nil},
		{"former anchor below an anchor", w.official(t), NewStore(Anchor{Certificate: w.pki.Root.Certificate}, Anchor{Certificate: w.pki.Issuing.Certificate, Until: now}), Signing, nil},
		{"issuing authority as anchor", w.official(t), NewStoreOf(w.pki.Issuing.Certificate), Signing, nil},
	}
	others := append(w.others(), official.Certificate)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path, err := BuildPath(tt.cert, others, tt.store, now, tt.purpose)
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if err == nil && !path.Certificates[len(path.Certificates)-1].Equal(path.Anchor.Certificate) {
				t.Error("the path does not end at the anchor")
			}
		})
	}
}

// TestNameConstraints: an authority for one domain may not certify for another.
func TestNameConstraints(t *testing.T) {
	w := newWorld(t)
	key, err := signertest.GenerateKey(signertest.P256)
	if err != nil {
		t.Fatal(err)
	}
	ca := w.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(7), Subject: pkix.Name{CommonName: "Constrained CA"}, NotBefore: w.clock().Add(-time.Hour), NotAfter: w.clock().AddDate(1, 0, 0),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, PermittedEmailAddresses: []string{"xa.gov.vn"},
	}, w.pki.Root.Certificate, key.Public(), w.pki.Root.Private)
	for mail, want := range map[string]error{"an@xa.gov.vn": nil, "an@evil.example": ErrNoPath} {
		leaf := w.sign(t, &x509.Certificate{
			SerialNumber: big.NewInt(8), Subject: pkix.Name{CommonName: mail}, NotBefore: w.clock().Add(-time.Hour), NotAfter: w.clock().AddDate(1, 0, 0),
			KeyUsage: x509.KeyUsageDigitalSignature, EmailAddresses: []string{mail},
		}, ca, key.Public(), key)
		if _, err := BuildPath(leaf, []*x509.Certificate{ca}, w.validator.Store, w.clock(), Signing); !errors.Is(err, want) && !(want != nil && errors.Is(err, ErrConstraints)) {
			t.Errorf("%s: %v", mail, err)
		}
	}
}

func (w *world) sign(t testing.TB, template, parent *x509.Certificate, pub, private any) *x509.Certificate {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, private)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}
