package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/saoy/saoy/internal/account"
	"github.com/saoy/saoy/internal/certcopy"
	"github.com/saoy/saoy/internal/demo"
	"github.com/saoy/saoy/signer"
	"github.com/saoy/saoy/signer/cms"
	"github.com/saoy/saoy/signer/softkey"
	"github.com/saoy/saoy/signer/trust"
	"github.com/saoy/saoy/storage"
)

// keyEnrolCommand says with which key an official signs or an agency seals.
type keyEnrolCommand struct {
	dataFlag
	Official    string   `help:"Sign-in name of the official whose key it is." xor:"whose" required:"" placeholder:"LOGIN"`
	Agency      string   `help:"Agency whose seal it is." xor:"whose" required:"" placeholder:"ID"`
	URI         string   `help:"Where the key is: pkcs11:… (RFC 7512, with module-path and pin-source), or csc:https://HOST/csc/v2#CREDENTIAL." xor:"where" required:""`
	P12         string   `help:"Key file to be taken over into the installation's directory of soft keys." name:"p12" xor:"where" required:"" placeholder:"FILE"`
	PassEnv     []string `help:"Environment variable with the passphrase of --p12; repeated: its parts, in order." placeholder:"VARIABLE"`
	Certificate string   `help:"PEM file with the certificate, and its issuers, that token or service lack." placeholder:"PEM" type:"path"`
}

// Run opens the key, has it prove that it is the certificate's, checks the certificate as every
// receiver will (usage, validity, path to an anchor, revocation) and records where it is. The
// key before it is retired; copies prepared under that are prepared anew. Said again it changes
// nothing.
func (c keyEnrolCommand) Run(ctx context.Context) error {
	a, err := open(ctx, Config{dataFlag: c.dataFlag}, attachable)
	if err != nil {
		return err
	}
	defer a.close()
	key, err := c.owner(ctx, a)
	if err != nil {
		return err
	}
	id, err := c.find(ctx, a)
	if err != nil {
		return keyFailure(err)
	}
	defer id.close()
	if err := a.checkEnrolment(ctx, id.Identity); err != nil {
		return keyFailure(err)
	}
	if key.URI, err = c.place(a, id); err != nil {
		return err
	}
	key.Kind, key.Certificate, key.Demonstration = kindOf(key.URI), id.Certificate.Raw, demo.IsDemonstration(id.Certificate)
	key.NotBefore, key.NotAfter = id.Certificate.NotBefore, id.Certificate.NotAfter
	for _, issuer := range id.Chain {
		key.Chain = append(key.Chain, issuer.Raw)
	}
	fresh, err := a.store.EnrolKey(ctx, key)
	if errors.Is(err, storage.ErrNotFound) {
		return noAgency(string(key.Agency), err)
	}
	return recorded(err, fresh, fmt.Sprintf("Khóa của %s%s, chứng thư %s, hết hạn %s", c.Official, c.Agency,
		id.Certificate.Subject, id.Certificate.NotAfter.In(certcopy.Vietnam).Format(time.DateOnly)), "key")
}

// owner is whose key it will be.
func (c keyEnrolCommand) owner(ctx context.Context, a *app) (k storage.SigningKey, err error) {
	if c.Official == "" {
		k.Agency = certcopy.AgencyID(c.Agency)
		if _, err = a.store.Agency(ctx, k.Agency); errors.Is(err, storage.ErrNotFound) {
			err = noAgency(c.Agency, err)
		}
		return k, err
	}
	if k.Account, err = a.official(ctx, account.FoldLogin(c.Official), certcopy.Certifier); err != nil {
		return k, err
	}
	person, err := a.store.AccountByLogin(ctx, account.FoldLogin(c.Official))
	k.Agency = person.Agency
	return k, err
}

// find opens the key.
func (c keyEnrolCommand) find(ctx context.Context, a *app) (openKey, error) {
	var certificate *x509.Certificate
	var chain []*x509.Certificate
	if c.Certificate != "" {
		given, err := readCertificates(c.Certificate)
		if err != nil {
			return openKey{}, err
		}
		for _, g := range given {
			if certificate == nil && !g.IsCA {
				certificate = g
				continue
			}
			chain = append(chain, g)
		}
	}
	if c.P12 == "" {
		return a.keys.openAt(ctx, c.URI, certificate, chain)
	}
	passphrase, err := joinedSecret("--pass-env", c.PassEnv)
	if err != nil {
		return openKey{}, err
	}
	id, err := softkey.Load(c.P12, passphrase, time.Now)
	if err == nil {
		id.Chain = signer.OrderChain(id.Certificate, append(chain, id.Chain...))
	}
	return openKey{Identity: id, close: func() {}}, err
}

// place is where the key will be found: where it is, or in the directory of soft keys.
func (c keyEnrolCommand) place(a *app, id openKey) (string, error) {
	if c.P12 == "" {
		return c.URI, nil
	}
	return a.writeSoftKey("enrolled", id.Identity)
}

// checkEnrolment proves that the key is the certificate's, and that copies signed with it will
// pass.
func (a *app) checkEnrolment(ctx context.Context, id signer.Identity) error {
	if err := signer.Check(id, time.Now()); err != nil {
		return err
	}
	if err := provePossession(ctx, id); err != nil {
		return err
	}
	if a.config.Production && demo.IsDemonstration(id.Certificate) {
		return certcopy.Errorf(certcopy.Invalid, id.Certificate.Subject.String(), nil, certcopy.Msg(
			"Chứng thư này do cơ quan trình diễn cấp, không có giá trị pháp lý, nên không dùng được ở chế độ chính thức.",
			"This certificate is of a demonstration authority, has no legal value, and cannot be used in production."))
	}
	_, err := a.flow.Revocation.Collect(ctx, id.Certificate, id.Chain)
	if errors.Is(err, trust.ErrNoPath) {
		return certcopy.Errorf(certcopy.Invalid, id.Certificate.Issuer.String(), err, certcopy.Msg(
			"Chứng thư không dẫn tới chứng thư gốc nào trong tệp anchors. Hãy kiểm tra tệp anchors, và nêu chứng thư trung gian bằng --certificate nếu thiếu.",
			"The certificate leads to no trust anchor of the anchors file. Check that file, and give missing intermediate certificates with --certificate."))
	}
	return err
}

// provePossession has the key sign a random text and verifies it by the certificate.
func provePossession(ctx context.Context, id signer.Identity) error {
	challenge := make([]byte, 32)
	if _, err := rand.Read(challenge); err != nil {
		return err
	}
	digest := sha256.Sum256(append([]byte("saoy key enrolment v1 "), challenge...))
	algorithm, err := cms.AlgorithmFor(id.Certificate.PublicKey, false)
	if err != nil {
		return err
	}
	algorithm.Hash = crypto.SHA256
	value, err := id.Key.Sign(ctx, digest[:], algorithm.SignerOpts())
	if err != nil {
		return err
	}
	if err := algorithm.Verify(id.Certificate.PublicKey, digest[:], value); err != nil {
		return &signer.RefusedError{Reason: signer.ReasonMismatch, Detail: "the key's signature does not fit the certificate: " + err.Error()}
	}
	return nil
}
