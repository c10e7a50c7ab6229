package signertest

import (
	"crypto"
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"sync"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"github.com/saoy/saoy/signer"
)

// Config configures a PKI.
type Config struct {
	// Clock tells the time of everything that is made; required.
	Clock func() time.Time
	// BaseURL is where Handler is reached, without a trailing slash. It is written into the
	// certificates (OCSP, issuer and CRL addresses); empty leaves these out.
	BaseURL string
	// Organization is in the names of the authorities; default "Saoy Test".
	Organization string
	// KeyType is that of the authorities' own keys; default P256.
	KeyType KeyType
	// Start is notBefore of the authorities; default one hour before Clock.
	Start time.Time
	// Slowness is how long an answer takes under the fault Slow; default one minute.
	Slowness time.Duration
}

// CA is a certification authority.
type CA struct {
	Certificate *x509.Certificate
	Private     crypto.Signer
	file        string // its name in paths: "root", "issuing"
}

// Leaf is an issued certificate with its key. Chain has the issuing authority and the root.
type Leaf struct {
	signer.Identity
	Private crypto.Signer
}

// PKI is a root, an issuing authority, and the services around them. It is safe for
// concurrent use.
type PKI struct {
	Root    *CA
	Issuing *CA
	// TSA and OCSP are the identities of the two services.
	TSA  Leaf
	OCSP Leaf

	cfg Config
	dir string // where Open keeps it; empty: in memory

	mu     sync.Mutex
	faults map[Service]Fault     // guarded by mu
	status map[string]Revocation // guarded by mu; by serial number in hexadecimal
	crls   int64                 // guarded by mu; the last CRL number
	stamps int64                 // guarded by mu; the last time-stamp serial number
}

// NewPKI makes a PKI in memory.
func NewPKI(cfg Config) (*PKI, error) {
	p, err := newEmpty(cfg)
	if err != nil {
		return nil, err
	}
	if err := p.createAuthorities(); err != nil {
		return nil, err
	}
	return p, nil
}

func newEmpty(cfg Config) (*PKI, error) {
	if cfg.Clock == nil {
		return nil, errors.New("signertest: a clock is needed")
	}
	if cfg.Organization == "" {
		cfg.Organization = "Saoy Test"
	}
	if cfg.Start.IsZero() {
		cfg.Start = cfg.Clock().Add(-time.Hour)
	}
	if cfg.Slowness == 0 {
		cfg.Slowness = time.Minute
	}
	return &PKI{cfg: cfg, faults: map[Service]Fault{}, status: map[string]Revocation{}}, nil
}

func (p *PKI) createAuthorities() error {
	var err error
	if p.Root, err = p.createCA("root", nil, 20); err != nil {
		return err
	}
	if p.Issuing, err = p.createCA("issuing", p.Root, 15); err != nil {
		return err
	}
	if p.TSA, err = p.issue(p.service(TimeStamping(p.cfg.Organization + " TSA"))); err != nil {
		return err
	}
	p.OCSP, err = p.issue(p.service(OCSPResponder(p.cfg.Organization + " OCSP")))
	return err
}

// service gives a profile the key type and the life of the authorities.
func (p *PKI) service(f Profile) Profile {
	f.KeyType = p.cfg.KeyType
	f.NotBefore, f.NotAfter = p.cfg.Start, p.Issuing.Certificate.NotAfter
	return f
}

// createCA makes an authority under parent, or a self-signed one if parent is nil.
func (p *PKI) createCA(file string, parent *CA, years int) (*CA, error) {
	key, err := GenerateKey(p.cfg.KeyType)
	if err != nil {
		return nil, err
	}
	title := map[string]string{"root": "Root CA", "issuing": "Issuing CA"}[file]
	t := &x509.Certificate{
		Subject:               pkix.Name{Country: []string{"VN"}, Organization: []string{p.cfg.Organization}, CommonName: p.cfg.Organization + " " + title},
		NotBefore:             p.cfg.Start,
		NotAfter:              p.cfg.Start.AddDate(years, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign | x509.KeyUsageDigitalSignature,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	ca := &CA{Private: key, file: file}
	if parent == nil {
		parent = &CA{Certificate: t, Private: key, file: file}
	} else {
		t.MaxPathLenZero = true
		p.addAddresses(t, parent)
	}
	ca.Certificate, err = p.createCertificate(t, parent, key.Public())
	return ca, err
}

// addAddresses writes where the issuer's certificate, OCSP answers and CRL are found.
func (p *PKI) addAddresses(t *x509.Certificate, issuer *CA) {
	if p.cfg.BaseURL == "" {
		return
	}
	t.OCSPServer = []string{p.cfg.BaseURL + "/ocsp"}
	t.IssuingCertificateURL = []string{p.cfg.BaseURL + "/ca/" + issuer.file + ".cer"}
	t.CRLDistributionPoints = []string{p.cfg.BaseURL + "/crl/" + issuer.file + ".crl"}
}

// createCertificate signs a certificate. Serial number and key identifier follow from the
// key and the template, so that the same input gives the same certificate.
func (p *PKI) createCertificate(t *x509.Certificate, parent *CA, pub crypto.PublicKey) (*x509.Certificate, error) {
	id, err := keyID(pub)
	if err != nil {
		return nil, err
	}
	t.SubjectKeyId = id
	h := sha256.New()
	fmt.Fprint(h, t.Subject.String(), t.NotBefore.UnixNano(), t.NotAfter.UnixNano(), parent.Certificate.Subject.String())
	h.Write(id)
	serial := h.Sum(nil)[:16]
	serial[0] = serial[0]&0x7f | 0x40
	t.SerialNumber = new(big.Int).SetBytes(serial)
	der, err := x509.CreateCertificate(rand.Reader, t, parent.Certificate, pub, parent.Private)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	p.status[t.SerialNumber.Text(16)] = Revocation{}
	p.mu.Unlock()
	return x509.ParseCertificate(der)
}

// keyID is the key identifier of RFC 5280 §4.2.1.2 (1): SHA-1 of the BIT STRING's bytes.
func keyID(pub crypto.PublicKey) ([]byte, error) {
	bits, err := publicKeyBits(pub)
	if err != nil {
		return nil, err
	}
	id := sha1.Sum(bits)
	return id[:], nil
}

func publicKeyBits(pub crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, err
	}
	s := cryptobyte.String(der)
	var spki cryptobyte.String
	var bits asn1.BitString
	if !s.ReadASN1(&spki, cbasn1.SEQUENCE) || !spki.SkipASN1(cbasn1.SEQUENCE) || !spki.ReadASN1BitString(&bits) {
		return nil, errors.New("malformed public key")
	}
	return bits.RightAlign(), nil
}

// Anchors returns the root certificate, the only one to be trusted.
func (p *PKI) Anchors() []*x509.Certificate { return []*x509.Certificate{p.Root.Certificate} }

// RootPool returns the root certificate as a pool.
func (p *PKI) RootPool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.Root.Certificate)
	return pool
}
