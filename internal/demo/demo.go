// Package demo makes what a demonstration needs and a real installation must never have: an
// authority that certifies anybody, keys made on the spot, an agency with its people, and
// images of a signature and a seal. All of it is marked as such.
//
// It is the commune of the article the project began with: xã Ân Tường Đông, Bình Định.
package demo

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/stamp"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/signertest"
	"github.com/saoy/saoy/storage"
)

// AgencyID is the demonstration's agency.
const AgencyID certcopy.AgencyID = "an-tuong-dong"

// Path is where the authority answers below the public address.
const Path = "/demo"

// The people's names for signing in.
const (
	ClerkLogin      = "tiepnhan"
	CertifierLogin  = "chungthuc"
	SealKeeperLogin = "vanthu"
	AdminLogin      = "quantri"
)

// Decision is the number of the decision by which the demonstration's people act.
const Decision = "01/QĐ-UBND (trình diễn)"

const passwordFile = "password"

// Authority is the demonstration's certification and time-stamping authority. Its trust
// anchor is ca.pem in its directory.
type Authority struct {
	*signertest.PKI
	dir string
}

// OpenAuthority opens the authority kept in dir, making it on first use. publicURL is the
// installation's address, from which the addresses in its certificates are made. The
// directory is for one process at a time.
func OpenAuthority(dir, publicURL string, clock func() time.Time) (*Authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("demonstration authority: %w", err)
	}
	pki, err := signertest.Open(filepath.Join(dir, "pki"), signertest.Config{
		Clock: clock, BaseURL: publicURL + Path, Organization: "SAOY TRÌNH DIỄN - KHÔNG CÓ GIÁ TRỊ PHÁP LÝ",
	})
	if err != nil {
		return nil, fmt.Errorf("demonstration authority: %w", err)
	}
	// The anchor stands where people are told to find it.
	pem, err := os.ReadFile(filepath.Join(dir, "pki", "ca.pem"))
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "ca.pem"), pem, 0o644) //nolint:gosec // a certificate is public
	}
	if err != nil {
		return nil, fmt.Errorf("demonstration authority: %w", err)
	}
	return &Authority{PKI: pki, dir: dir}, nil
}

// Founder opens the office of the demonstration in a ledger.
type Founder interface {
	// OpenOffice creates an agency with its people, all or nothing.
	OpenOffice(ctx context.Context, o storage.Office) error
}

// KeyWriter stores a soft key under a name and returns the URI by which it is found again.
type KeyWriter func(name string, id signer.Identity) (uri string, err error)

// Found makes keys and certificates and opens the office. It must be called once, for an
// installation that has no agency; a kill in the middle leaves nothing but unused key files.
func (a *Authority) Found(ctx context.Context, f Founder, write KeyWriter, now time.Time) error {
	password, err := a.Password()
	if err != nil {
		return err
	}
	hash, err := account.Hash(rand.Reader, certcopy.NewSecret([]byte(password)))
	if err != nil {
		return fmt.Errorf("demonstration: %w", err)
	}
	office := newOffice(hash, now)
	for i := range office.People {
		if p := &office.People[i]; p.Login == CertifierLogin {
			if p.Signature, err = stamp.DemonstrationSignature(); err != nil {
				return err
			}
			if err := a.addKey(&office, p.ID, "certifier", signertest.Official(p.Name, "Chủ tịch", office.Agency.Name, "CCCD:000000000000"), write); err != nil {
				return err
			}
		}
	}
	if office.Seal, err = stamp.DemonstrationSeal(office.Agency.Name); err != nil {
		return err
	}
	if err := a.addKey(&office, "", "agency", signertest.Agency(office.Agency.Name, "MST:0000000000"), write); err != nil {
		return err
	}
	return f.OpenOffice(ctx, office)
}

// addKey makes a key of the kind that officials' tokens hold today.
func (a *Authority) addKey(o *storage.Office, account certcopy.AccountID, name string, p signertest.Profile, write KeyWriter) error {
	p.KeyType = signertest.RSA2048
	leaf, err := a.Issue(p)
	if err != nil {
		return fmt.Errorf("demonstration key of %s: %w", name, err)
	}
	uri, err := write(name, leaf.Identity)
	if err != nil {
		return fmt.Errorf("demonstration key of %s: %w", name, err)
	}
	o.Keys = append(o.Keys, storage.SigningKey{
		Agency: o.Agency.ID, Account: account, Kind: "soft", URI: uri, Certificate: leaf.Certificate.Raw,
		NotBefore: leaf.Certificate.NotBefore, NotAfter: leaf.Certificate.NotAfter, Demonstration: true,
	})
	return nil
}

func newOffice(hash string, now time.Time) storage.Office {
	person := func(login, name, title string, roles ...certcopy.Role) storage.Person {
		return storage.Person{ID: certcopy.AccountID(uuid.NewString()), Login: login, Name: name, Title: title,
			PasswordHash: hash, Roles: roles, Decision: Decision}
	}
	certifier := person(CertifierLogin, "Nguyễn Thị Ánh Tuyết", "CHỦ TỊCH", certcopy.Certifier)
	certifier.Scopes = []string{"certify"}
	keeper := person(SealKeeperLogin, "Trần Văn Đường", "Văn thư", certcopy.SealKeeper)
	keeper.Scopes = []string{"seal"}
	return storage.Office{
		From: now.AddDate(0, 0, -1),
		Agency: certcopy.Agency{ID: AgencyID, Code: "H08.00", Name: "Ủy ban nhân dân xã Ân Tường Đông", Place: "Ân Tường Đông",
			Province: "Gia Lai", Book: certcopy.DefaultBook, Demonstration: true},
		People: []storage.Person{
			person(ClerkLogin, "Lê Thị Hường", "Công chức Tư pháp - Hộ tịch", certcopy.Clerk),
			certifier, keeper,
			person(AdminLogin, "Phạm Quốc Ỷ", "Quản trị", certcopy.Admin, certcopy.Auditor),
		},
	}
}

// Password returns the one password of all demonstration accounts: random, made on first use,
// kept in a file only its owner may read.
func (a *Authority) Password() (string, error) {
	path := filepath.Join(a.dir, passwordFile)
	b, err := os.ReadFile(path)
	if err == nil && len(b) > 0 {
		return strings.TrimSpace(string(b)), nil
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("demonstration password: %w", err)
	}
	fresh, err := account.NewPassword(rand.Reader)
	if err != nil {
		return "", err
	}
	password := string(fresh.Reveal())
	if err := os.WriteFile(path, []byte(password+"\n"), 0o600); err != nil {
		return "", fmt.Errorf("demonstration password: %w", err)
	}
	return password, nil
}

// IsDemonstration reports whether a certificate was issued by this package's authority, of
// whatever installation.
func IsDemonstration(c *x509.Certificate) bool {
	for _, o := range c.Issuer.Organization {
		if strings.Contains(o, "TRÌNH DIỄN") {
			return true
		}
	}
	return false
}
