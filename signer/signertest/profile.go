package signertest

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"time"

	"github.com/saoy/saoy/signer"
)

// Profile describes a certificate to be issued. Official, Agency, TimeStamping and
// OCSPResponder give proper ones; tests spoil them.
type Profile struct {
	Subject pkix.Name
	// KeyType of the key to be made, if Private is nil.
	KeyType KeyType
	// Private is the key to certify; PublicKey only its public half, when the private one is in a token.
	Private   crypto.Signer
	PublicKey crypto.PublicKey
	// NotBefore defaults to Config.Start, NotAfter to three years after it.
	NotBefore, NotAfter time.Time
	KeyUsage            x509.KeyUsage
	// Extensions are added as they are; an extended key usage is among them.
	Extensions []pkix.Extension
	// OCSPURL and CRLURL replace the addresses of this PKI; WithoutOCSP and WithoutCRL leave
	// them out.
	OCSPURL, CRLURL         string
	WithoutOCSP, WithoutCRL bool
	// Issuer is the issuing authority if nil.
	Issuer *CA
}

var (
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidOCSPNoCheck  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidOCSPSigning  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 9}
	oidUserID       = asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}
	oidTitle        = asn1.ObjectIdentifier{2, 5, 4, 12}
)

// signing is the key usage of a person's or an agency's signing certificate.
const signing = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment

// Official is the certificate of a certifying official: name, title and agency, and the
// identifier (UID) as Vietnamese authorities write it.
func Official(name, title, agency, uid string) Profile {
	s := pkix.Name{Country: []string{"VN"}, CommonName: name}
	if agency != "" {
		s.Organization = []string{agency}
	}
	if title != "" {
		s.ExtraNames = append(s.ExtraNames, pkix.AttributeTypeAndValue{Type: oidTitle, Value: title})
	}
	if uid != "" {
		s.ExtraNames = append(s.ExtraNames, pkix.AttributeTypeAndValue{Type: oidUserID, Value: uid})
	}
	return Profile{Subject: s, KeyUsage: signing}
}

// Agency is the certificate of an agency's seal.
func Agency(name, uid string) Profile {
	return Official(name, "", name, uid)
}

// TimeStamping is the certificate of a time-stamping authority: the extended key usage is
// critical and the only one (RFC 3161 §2.3).
func TimeStamping(name string) Profile {
	return Profile{
		Subject:    pkix.Name{Country: []string{"VN"}, CommonName: name},
		KeyUsage:   signing,
		Extensions: []pkix.Extension{ExtKeyUsage(true, oidTimeStamping)},
	}
}

// OCSPResponder is the certificate of a delegated responder with id-pkix-ocsp-nocheck
// (RFC 6960 §4.2.2.2).
func OCSPResponder(name string) Profile {
	return Profile{
		Subject:    pkix.Name{Country: []string{"VN"}, CommonName: name},
		KeyUsage:   x509.KeyUsageDigitalSignature,
		Extensions: []pkix.Extension{ExtKeyUsage(false, oidOCSPSigning), {Id: oidOCSPNoCheck, Value: asn1.NullBytes}},
		// a responder that is asked about itself would go round in circles
		WithoutOCSP: true, WithoutCRL: true,
	}
}

// ExtKeyUsage makes an extended key usage extension.
func ExtKeyUsage(critical bool, usages ...asn1.ObjectIdentifier) pkix.Extension {
	der, err := asn1.Marshal(usages)
	if err != nil { // only an invalid identifier in the caller's source
		panic(err)
	}
	return pkix.Extension{Id: oidExtKeyUsage, Critical: critical, Value: der}
}

// Issue issues a certificate, and makes the key if the profile has none. Leaf.Key and
// Leaf.Private are nil if only a public key was given.
func (p *PKI) Issue(f Profile) (Leaf, error) {
	leaf, err := p.issue(f)
	if err != nil {
		return Leaf{}, fmt.Errorf("issue %s: %w", f.Subject.CommonName, err)
	}
	return leaf, p.store()
}

func (p *PKI) issue(f Profile) (Leaf, error) {
	if f.Private == nil && f.PublicKey == nil {
		key, err := GenerateKey(f.KeyType)
		if err != nil {
			return Leaf{}, err
		}
		f.Private = key
	}
	if f.Private != nil {
		f.PublicKey = f.Private.Public()
	}
	if f.Issuer == nil {
		f.Issuer = p.Issuing
	}
	cert, err := p.createCertificate(p.template(f), f.Issuer, f.PublicKey)
	if err != nil {
		return Leaf{}, err
	}
	leaf := Leaf{Identity: signer.Identity{Certificate: cert, Chain: p.chain(f.Issuer)}, Private: f.Private}
	if f.Private != nil {
		leaf.Key = KeyOf(f.Private)
	}
	return leaf, nil
}

func (p *PKI) chain(issuer *CA) []*x509.Certificate {
	if issuer == p.Root {
		return p.Anchors()
	}
	return []*x509.Certificate{issuer.Certificate, p.Root.Certificate}
}

func (p *PKI) template(f Profile) *x509.Certificate {
	t := &x509.Certificate{
		Subject: f.Subject, KeyUsage: f.KeyUsage, ExtraExtensions: f.Extensions,
		NotBefore: f.NotBefore, NotAfter: f.NotAfter, BasicConstraintsValid: true,
	}
	if t.NotBefore.IsZero() {
		t.NotBefore = p.cfg.Clock().Add(-time.Hour)
		if t.NotBefore.Before(p.cfg.Start) {
			t.NotBefore = p.cfg.Start
		}
	}
	if t.NotAfter.IsZero() {
		t.NotAfter = t.NotBefore.AddDate(3, 0, 0)
	}
	p.addAddresses(t, f.Issuer)
	if f.OCSPURL != "" {
		t.OCSPServer = []string{f.OCSPURL}
	}
	if f.CRLURL != "" {
		t.CRLDistributionPoints = []string{f.CRLURL}
	}
	if f.WithoutOCSP {
		t.OCSPServer = nil
	}
	if f.WithoutCRL {
		t.CRLDistributionPoints = nil
	}
	return t
}
